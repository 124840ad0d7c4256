"""Every agent, set up in one way: real programs, offline, with what each of them can't do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.claude import set_up_claude
from support.codex import set_up_codex
from support.gemini import set_up_gemini
from support.models import patch, tool
from support.opencode import set_up_opencode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from support.models import ModelServer, Step


@dataclass(frozen=True)
class Every:
    """One agent."""

    name: str
    program: str
    """What the words of its own process begin with, to tell it from what it starts."""
    set_up: Callable[[pytest.MonkeyPatch, Path, ModelServer], object]
    edit: tuple[Step, ...]
    """With its own tool: `BEDS` in src/beds.py becomes `['west']`."""
    tries_again: frozenset[int] = frozenset()
    """Errors of the provider after which it asks again for longer than a test can wait."""


_PATCH = patch(
    "*** Begin Patch\n*** Update File: src/beds.py\n@@\n"
    "-BEDS = ['north', 'south']\n+BEDS = ['west']\n*** End Patch"
)
_PATH = "src/beds.py"
_OLD, _NEW = "'north', 'south'", "'west'"

EVERY = (
    Every(
        "claude",
        "claude",
        lambda patch, home, models: set_up_claude(patch, home / ".claude", models),
        (
            tool("Read", file_path=_PATH),
            tool("Edit", file_path=_PATH, old_string=_OLD, new_string=_NEW),
        ),
    ),
    Every(
        "codex",
        "codex",
        lambda patch, home, models: set_up_codex(patch, home / "codex", models),
        (_PATCH,),
    ),
    Every(
        "gemini",
        "gemini",
        set_up_gemini,
        (tool("write_file", file_path=_PATH, content=f"BEDS = [{_NEW}]\n"),),
    ),
    Every(
        "opencode",
        "opencode",
        lambda patch, home, models: set_up_opencode(patch, models, home),
        (tool("write", filePath=_PATH, content=f"BEDS = [{_NEW}]\n"),),
        tries_again=frozenset({429, 500}),
    ),
)
