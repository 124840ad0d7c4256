"""Which folder a call is about: the one that it names, else where the client works, else ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from sideshoot.errors import SideshootError, UsageError
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Sequence


def chosen_folder(given: str | None, roots: Sequence[Path], here: Path) -> Path:
    """The folder that a call acts in.

    :param given: what the call itself names; relative to the folder that would be chosen else.
    :param roots: the folders that the client works in.
    :raises UsageError: several can be meant, or it does not exist.
    """
    if given is None:
        return _without_being_told(roots, here)
    named = _expanded(given)
    folder = named if named.is_absolute() else _without_being_told(roots, here) / named
    if not folder.is_dir():
        raise UsageError(f"there is no folder {show_path(folder)}; nothing was begun")
    return folder


def paths_of(answer: Any) -> list[Path]:
    """The folders in an answer to `roots/list`; what is no folder of this machine is left out."""
    roots = answer.get("roots") if isinstance(answer, dict) else None
    uris = [root.get("uri") for root in roots or [] if isinstance(root, dict)]
    return [path for uri in uris if isinstance(uri, str) and (path := _path_of(uri)) is not None]


def _path_of(uri: str) -> Path | None:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = Path(os.fsdecode(unquote_to_bytes(parts.path)))
    return path if path.is_dir() else None


def _without_being_told(roots: Sequence[Path], here: Path) -> Path:
    if not roots:
        return here
    tops: dict[Path, Path] = {}
    for root in roots:
        if (top := _top_of(root)) is not None:
            tops.setdefault(top, root)
    if len(tops) > 1:
        listed = ", ".join(show_path(root) for root in tops.values())
        raise UsageError(f"several repositories can be meant: {listed}; give one as `folder`")
    return next(iter(tops.values()), roots[0])


def _top_of(folder: Path) -> Path | None:
    from sideshoot.git import discover  # noqa: PLC0415 - not to list tools

    try:
        return discover(folder, only_to_look=True).top.resolve()
    except SideshootError:
        return None


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # there is no such user, so that it is a folder's name
        return Path(name)
