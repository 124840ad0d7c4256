"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sideshoot.amounts import parse_duration, parse_size
from sideshoot.cli.references import SESSION_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    Decorator = Callable[[Any], Any]
    LimitType = click.ParamType["Limit"]
    JobType = click.ParamType[str]
else:
    LimitType = JobType = click.ParamType


class Limit:
    """A limit that was given; `amount` (seconds, or bytes) is `None` for `off`."""

    def __init__(self, amount: float | None) -> None:
        self.amount = amount


class _Limit(LimitType):
    def __init__(self, name: str, parse: Callable[[str], float | None]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Limit:
        if isinstance(value, Limit):
            return value
        try:
            return Limit(self._parse(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _JobReference(JobType):
    name = "job"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's shape
        incomplete: str,
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - while completing only

        from sideshoot.cli.references import known_jobs  # noqa: PLC0415 - while completing only

        folder = (ctx.params.get("folder") or (ctx.find_root().params.get("folder"))) or "."
        return [
            CompletionItem(job.id, help=job.title)
            for job in known_jobs(folder)
            if job.id.startswith(incomplete)
        ]


DURATION = _Limit("duration", parse_duration)
SIZE = _Limit("size", parse_size)
MILLISECONDS = _Limit("milliseconds", lambda text: int(text) / 1000 or None)
JOB = _JobReference()


def job_argument(*, required: bool = False, many: bool = False) -> Decorator:
    """`JOB`, `[JOB]` or `[JOB…]`."""
    shown = "JOB" if required else "[JOB]"
    if many:
        return click.argument("jobs", type=JOB, nargs=-1, metavar="[JOB]...")
    return click.argument("job", type=JOB, required=required, metavar=shown)


def limit_option(name: str, text: str, **settings: Any) -> Decorator:
    """An option that takes a duration."""
    return click.option(name, type=DURATION, metavar="DURATION", help=text, **settings)


def session_option(text: str) -> Decorator:
    """`--session ID`: the host's session, from its variable where it is left out."""
    return click.option("--session", envvar=SESSION_VARIABLES, metavar="ID", help=text)
