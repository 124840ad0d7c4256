"""A fault of Sideshoot's own: a report file fit to paste into an issue, without secrets."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot import __version__
from sideshoot.cli.failure import FAULT, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|AUTH|CREDENTIAL|COOKIE", re.IGNORECASE)
_SHORTEST_SECRET = 6


def report_fault(error: BaseException, words: Sequence[str]) -> Fault:
    """Write the report and return the error to show.

    :param words: the command line; only its command and the names of its options are reported.
    """
    name = type(error).__name__
    report = _saved(report_text(error, words))
    where = f"the report at {report} says more" if report else "and no report could be written"
    return Fault(
        f"{FAULT} ({name}); nothing of yours or of the agent's was lost; {where}",
        str(report) if report else None,
    )


def report_text(error: BaseException, words: Sequence[str]) -> str:
    """The report: what ran, with which versions, and where it broke."""
    trace = "".join(traceback.format_exception(error))
    facts = {
        "sideshoot": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "git": _git_version(),
        "command": " ".join(_bare(words)),
    }
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    body = "\n".join(["# Sideshoot: a fault", "", *lines, "", "```", trace.rstrip(), "```", ""])
    return without_secrets(body, words)


def without_secrets(text: str, words: Sequence[str] = ()) -> str:
    """The text without values of secret variables, words of the command line and the home folder."""
    hidden = [value for name, value in os.environ.items() if _SECRET_NAME.search(name)]
    hidden += [word for word in words if word not in set(_bare(words))]
    for value in sorted(hidden, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "[hidden]").replace(repr(value)[1:-1], "[hidden]")
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def _bare(words: Sequence[str]) -> list[str]:
    names = []
    for word in words:
        if word == "--":
            break
        if word.startswith("-"):
            names.append(word.split("=", 1)[0])
        elif all(name.startswith("-") for name in names) and word.isidentifier():
            names.append(word)
    return names


def _git_version() -> str:
    from sideshoot.git import Git  # noqa: PLC0415 - only for a report

    with suppress(Exception):
        return Git(Path("/")).text("version")
    return "unknown"


def _saved(text: str) -> Path | None:
    name = f"fault-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.md"
    for folder in _folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            place = folder / name
            place.write_text(text, encoding="utf-8", errors="backslashreplace")
            return place
    return None


def _folders() -> Iterator[Path]:
    from sideshoot.git import discover  # noqa: PLC0415 - only for a report

    with suppress(Exception):
        yield discover(_named_folder(sys.argv[1:])).state_dir / "reports"
    state_home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    yield Path(state_home) / "sideshoot" / "reports"
    yield Path(tempfile.gettempdir())


def _named_folder(words: Sequence[str]) -> Path:
    folder = Path.cwd()
    for number, word in enumerate(words[:-1]):
        if word == "-C":
            folder = folder / words[number + 1]
    return folder
