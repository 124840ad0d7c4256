"""Events as lines that a person can follow."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from sideshoot.cli.columns import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_LINE = 200

_PLAN_MARKS = {"completed": "x", "done": "x", "in_progress": ">", "inProgress": ">"}


def story_lines(kind: str, data: Mapping[str, Any]) -> list[str]:
    """What there is to tell of an event; nothing for those that only count or that are raw.

    Output of a command is not told but passed through: see `output_bytes`.
    """
    teller = _TELLERS.get(kind)
    return teller(data) if teller else []


def is_answer(kind: str, data: Mapping[str, Any]) -> bool:
    """Whether it is a reviewer's answer for programs, which is shown as findings."""
    return kind == "message" and _text(data).lstrip().startswith("{")


def output_bytes(data: Mapping[str, Any]) -> bytes:
    """What a command printed, byte for byte."""
    if "base64" in data:
        return base64.b64decode(data["base64"])
    return str(data.get("text", "")).encode("utf-8", "surrogateescape")


def _message(data: Mapping[str, Any]) -> list[str]:
    return _text(data).splitlines()


def _reasoning(data: Mapping[str, Any]) -> list[str]:
    return [f"thinks: {_first_line(_text(data))}"] if _text(data).strip() else []


def _command(data: Mapping[str, Any]) -> list[str]:
    command = _first_line(str(data.get("command", "")))
    if data.get("status") == "started":
        return [f"$ {command}"]
    status = data.get("exit_status")
    return [f"exit {status}: {command}"] if status else []


def _file_change(data: Mapping[str, Any]) -> list[str]:
    paths = [str(path) for path in data.get("paths", ())]
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return [f"edits {', '.join(paths[:5])}{more}"] if paths else []


def _tool(data: Mapping[str, Any]) -> list[str]:
    if data.get("status") not in (None, "started", "failed"):
        return []
    words = [str(data.get("name", "")), str(data.get("detail") or "")]
    failed = " (failed)" if data.get("status") == "failed" else ""
    return [cut(f"uses {' '.join(filter(None, words))}{failed}", LONGEST_LINE)]


def _plan(data: Mapping[str, Any]) -> list[str]:
    steps = [step for step in data.get("steps", ()) if isinstance(step, dict)]
    marks = [_PLAN_MARKS.get(str(step.get("status")), " ") for step in steps]
    return [f"[{mark}] {_first_line(_text(step))}" for mark, step in zip(marks, steps, strict=True)]


def _warning(data: Mapping[str, Any]) -> list[str]:
    return [f"warning: {line}" for line in _text(data).splitlines()]


def _error(data: Mapping[str, Any]) -> list[str]:
    return [f"error: {line}" for line in _text(data).splitlines()]


def _text(data: Mapping[str, Any]) -> str:
    return str(data.get("text") or "")


def _first_line(text: str) -> str:
    return cut(next((line for line in text.splitlines() if line.strip()), ""), LONGEST_LINE)


_TELLERS = {
    "message": _message,
    "reasoning": _reasoning,
    "command": _command,
    "file_change": _file_change,
    "tool": _tool,
    "plan": _plan,
    "warning": _warning,
    "error": _error,
}
