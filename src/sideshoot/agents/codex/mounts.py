"""The empty folders that Codex's sandbox makes to mount on, and leaves when it is killed.

Below each place that it may write in, bubblewrap shuts off these names, and makes them for that
where they are missing (Codex 0.169).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_NAMES = (".agents", ".aws", ".codex", ".git")


@contextlib.contextmanager
def mounts_removed(places: Iterable[Path]) -> Iterator[None]:
    """At the end, remove those of the folders that were not there before and are empty."""
    missing = [place / name for place in places for name in _NAMES if not _is_there(place / name)]
    try:
        yield
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True
