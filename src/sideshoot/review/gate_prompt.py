"""What the reviewer of a turn is asked, and how its answer is read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.review.answer import MOST_CHARACTERS, objects
from sideshoot.review.prompts import heading, looking, marked, shown

if TYPE_CHECKING:
    from sideshoot.review.material import Material
    from sideshoot.review.target import Target

MOST_OF_MESSAGE = 8000
"""In characters; of a longer message its end is shown, which says what was done."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["verdict", "reason"],
    "properties": {
        "verdict": {"type": "string", "enum": ["ALLOW", "BLOCK"]},
        "reason": {"type": "string"},
    },
}

_ROLE = """\
A coding agent wants to end its turn. Look at what it edited in this turn, and at nothing else, and decide
whether it may."""

_BAR = """\
BLOCK only for what has to be mended before anybody goes on, and only where the edits show it: they break
what worked, lose data, open a hole in security, leave something half done that the agent calls done, or fail
in ordinary use. Style, taste, missing tests, what was there before, and what you only suspect are no
reasons. In doubt, ALLOW.

With BLOCK, say in `reason` what is wrong, where (`path:line`), and what would mend it, in a few sentences to
the agent that will do it. With ALLOW, `reason` is one short sentence."""

_ANSWER = """\
Answer with one JSON object and nothing around it. It has to meet this JSON Schema:
"""

_SPOKEN = re.compile(r"^[\s*_`#>]*(ALLOW|BLOCK)\b[*_`]*[:.\s-]*(.*)", re.DOTALL)


class Ruling(NamedTuple):
    """What the reviewer of a turn decided."""

    allows: bool
    reason: str


def gate_prompt(target: Target, material: Material, message: str, *, has_shell: bool) -> str:
    """The whole of the question.

    :param message: the agent's last words in its turn.
    """
    parts = [
        _ROLE,
        heading("What to decide", _BAR),
        heading("How to look", looking(target, material, has_shell=has_shell)),
        heading("What the agent said last", marked(message[-MOST_OF_MESSAGE:] or "(nothing)")),
        heading("What it edited", shown(material)),
        heading("Your answer", _ANSWER + json.dumps(SCHEMA)),
    ]
    return "\n\n".join(parts) + "\n"


def read_ruling(text: str) -> Ruling | None:
    """The decision in an answer: an object, or a text that begins with it; `None` if there is neither."""
    if len(text) > MOST_CHARACTERS:
        return None
    for _, _, value in reversed(list(objects(text))):
        word = str(value.get("verdict")).upper()
        if word in ("ALLOW", "BLOCK"):
            return Ruling(word == "ALLOW", str(value.get("reason") or "").strip())
    spoken = _SPOKEN.match(text)
    return Ruling(spoken[1] == "ALLOW", spoken[2].strip()) if spoken else None
