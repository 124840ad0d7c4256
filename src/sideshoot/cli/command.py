"""What all commands share: `-C`, `--json`, `--help` with an example, and where options end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Call:
    """How a command was called, whichever it is."""

    folder: Path
    """The folder that it is about: the caller's, or what `-C` names."""
    json: bool
    named: bool
    """Whether `-C` named the folder."""
    dashed: int | None
    """How many words stood before the `--` that ended the options; `None` without one."""


class Command(click.Command):
    """A command of Sideshoot's: its callback gets a `Call` first and returns an exit status."""

    def __init__(self, *, example: str, **settings: Any) -> None:
        self.example = example
        self.allow_interspersed_args = not settings.pop("options_first", False)
        context = {
            "help_option_names": ["-h", "--help"],
            "max_content_width": 100,
            "ignore_unknown_options": settings.pop("ignore_unknown", False),
        }
        super().__init__(context_settings=context, **settings)
        self.params += [_folder_option(), _json_option()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        args = self.spelled_out(args)
        ctx.meta["sideshoot.dashed"] = _before_dashes(list(Words(self, args)))
        return super().parse_args(ctx, args)

    def spelled_out(self, args: Sequence[str]) -> list[str]:
        """The command line in the form that click parses, with as many options as it takes."""
        return list(args)

    def invoke(self, ctx: click.Context) -> int:
        folder, as_json = ctx.params.pop("folder"), ctx.params.pop("as_json")
        call = Call(
            folder=_folder(_above(ctx, "folder"), folder),
            json=as_json or bool(_above(ctx, "json")),
            named=bool(folder or _above(ctx, "folder")),
            dashed=ctx.meta["sideshoot.dashed"],
        )
        assert self.callback is not None
        return ctx.invoke(self.callback, call, **ctx.params) or 0

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's shape
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Examples" if "\n" in self.example else "Example"):
            for line in self.example.splitlines():
                formatter.write(f"  {line}\n")


class Words:
    """A command line seen as its parser will see it.

    Iterating gives `("option", word)`, `("value", word)`, `("--", "--")` and `("word", word)`.
    """

    def __init__(self, command: click.Command, args: Sequence[str]) -> None:
        self._args = list(args)
        self._stops = not command.allow_interspersed_args
        self._taking = {
            name
            for option in command.params
            if isinstance(option, click.Option) and not option.is_flag and not option.count
            for name in option.opts
        }

    def __iter__(self) -> Iterator[tuple[str, str]]:
        left = self._args[::-1]
        while left:
            word = left.pop()
            if word == "--":
                yield "--", word
                break
            if not _is_option(word):
                yield "word", word
                if self._stops:
                    break
                continue
            yield "option", word
            if left and self._takes_next(word):
                yield "value", left.pop()
        yield from (("word", word) for word in reversed(left))

    def _takes_next(self, word: str) -> bool:
        if word.startswith("--"):
            return word in self._taking  # with `=VALUE` in it, it is not
        # In `-bm NAME` the last letter takes the next word, unless one before it takes the rest.
        taking = [letter for letter in word[1:] if f"-{letter}" in self._taking]
        return bool(taking) and taking[0] == word[-1] and word.index(taking[0]) == len(word) - 1


def options_of(command: click.Command, args: Sequence[str]) -> list[str]:
    """The words of a command line that are options; no value, and nothing of a task's text."""
    if isinstance(command, Command):
        args = command.spelled_out(args)
    return [word for kind, word in Words(command, args) if kind == "option"]


def _before_dashes(words: list[tuple[str, str]]) -> int | None:
    kinds = [kind for kind, _ in words]
    return kinds[: kinds.index("--")].count("word") if "--" in kinds else None


def _is_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1


def _above(ctx: click.Context, name: str) -> Any:
    return (ctx.obj or {}).get(name)


def _folder(*names: str | None) -> Path:
    # As git does it: each -C counts from where the one before it led.
    folder = _here()
    for name in names:
        folder = folder / (name or "")
    return folder


def _here() -> Path:
    from sideshoot.errors import NotARepository  # noqa: PLC0415 - rare

    try:
        return Path.cwd()
    except FileNotFoundError:
        raise NotARepository("the current folder was deleted; change to another one") from None


def _folder_option() -> click.Option:
    return click.Option(["-C", "--cwd", "folder"], metavar="DIR", help="Act as if started in DIR.")


def _json_option() -> click.Option:
    return click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object.")
