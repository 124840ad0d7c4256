"""How other programs start this very Sideshoot, whatever their own PATH is."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_MODULE = ("-P", "-m", "sideshoot")
"""`-P` keeps the current folder, which is somebody else's, from being looked in for modules."""


def program() -> tuple[str, ...]:
    """The words that start this Sideshoot, the first one an absolute path.

    The command on PATH, if it is this one: it stays where it is when its environment moves, as pipx's
    links do. Else the command of this environment; else its Python.
    """
    own = Path(sysconfig.get_path("scripts")) / "sideshoot"
    if not os.access(own, os.X_OK):
        return (sys.executable, *_MODULE)
    found = shutil.which("sideshoot")
    if found and os.path.realpath(found) == os.path.realpath(own):
        return (os.path.abspath(found),)  # noqa: PTH100 - resolve() would follow the link
    return (str(own),)


def as_shell(words: Sequence[str]) -> str:
    """The same as a line for a shell."""
    return shlex.join(words)


def starts_sideshoot(command: Any, arguments: Any) -> bool:
    """Whether a command of a host is one that `setup --install` wrote: it has its full path."""
    if not isinstance(command, str) or not isinstance(arguments, list) or not command:
        return False
    if not Path(command).is_absolute() or "mcp" not in arguments[-1:]:
        return False
    return Path(command).name == "sideshoot" or tuple(arguments[:-1]) == _MODULE
