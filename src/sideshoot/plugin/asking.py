"""A question to the user that has to be answered before anything begins, as the host's model is told it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.mcp.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping


class Choice(NamedTuple):
    """One answer that the user can give."""

    label: str
    description: str
    arguments: Mapping[str, Any] | None
    """What the tool is then called with besides the request; `None` if it is not called."""


def question(text: str, *choices: Choice, otherwise: int) -> Answer:
    """Have the model put a question to the user, once.

    :param otherwise: the number of the choice that counts where nobody can be asked.
    """
    lines = [
        "Nothing has begun yet. Put this to the user now, once, with AskUserQuestion:",
        "",
        f"Question: {text}",
        *(f"- {choice.label}: {choice.description}" for choice in choices),
        "",
        *(f"If they choose {choice.label!r}, {_next(choice)}." for choice in choices),
        f"If you can't ask here, do as if they had chosen {choices[otherwise].label!r}.",
    ]
    return Answer({}, text="\n".join(lines))


def _next(choice: Choice) -> str:
    if choice.arguments is None:
        return "stop there, and call nothing"
    named = " and ".join(f"`{name}`: {json.dumps(it)}" for name, it in choice.arguments.items())
    return f"call this tool again with the same arguments and {named}"
