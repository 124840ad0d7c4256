"""What a reviewer is shown of a change: all of it if that is not too much, else an excerpt.

A map of the changed files comes first. What does not fit is named, so that the reviewer can look
for itself. However large a change is, no more of it is read than is shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.review.by_name import reasons
from sideshoot.review.pathspec import as_word
from sideshoot.review.target import TEXT_LIMIT
from sideshoot.text import show_path
from sideshoot.workspace.compare import read_patch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sideshoot.git import Repository
    from sideshoot.review.target import Target
    from sideshoot.workspace.compare import FileChange

_GROUP = 16
"""So many files are asked of git at once."""
_SMALLEST = 512
"""In bytes; where less is left, no further file is begun."""

_COMMITS = 30
_MESSAGES = 8192
"""In bytes, all messages together."""

_CUT = b"\n[the rest of this file's patch is left out]\n"

_LETTERS = {
    "added": "A",
    "deleted": "D",
    "mode_changed": "M",
    "modified": "M",
    "renamed": "R",
    "type_changed": "T",
}


@dataclass(frozen=True, slots=True)
class Material:
    """What of a change goes into a prompt."""

    map: str
    """The changed files, a line each, or their folders where there are too many."""
    diff: str
    """Patches as git shows them."""
    is_whole: bool
    """Whether every changed file that is to be read is in `diff`, to its end."""
    left_out: int = 0
    """Of how many files the patch is not there."""
    messages: str = ""
    """What the commits of the change say, the newest first."""


def gather(repository: Repository, target: Target, *, limit: int) -> Material:
    """Read what a reviewer is shown.

    :param limit: how many bytes of patches there may be; where they are more, an excerpt has half as
        many, and the map no more than a quarter.
    """
    by_name = reasons(repository, target.changes, target.paths)
    shown = [change for change in target.changes if change.path not in by_name]
    reader = _Reader(repository, target.before, target.after)
    listed = _map(target.changes, by_name, limit // 4)
    said = _messages(repository, target) if target.has_messages else ""
    whole = reader.whole(shown, limit)
    if whole is not None:
        return Material(listed, _text(whole), is_whole=True, messages=said)
    pieces, complete = reader.excerpt(shown, limit // 2)
    left_out = len(shown) - complete
    return Material(listed, _text(b"".join(pieces)), False, left_out, messages=said)


def _messages(repository: Repository, target: Target) -> str:
    argv = ("log", f"--max-count={_COMMITS}", "--no-show-signature", "--no-mailmap", "--format=%B")
    sides = (target.after, f"^{target.before}")
    said = repository.git.run(*argv, *sides).stdout[:_MESSAGES].decode("utf-8", "replace")
    return "\n".join(line.rstrip() for line in said.splitlines()).strip()


class _Reader:
    """Reads patches, and of each no more than it may."""

    def __init__(self, repository: Repository, before: str, after: str) -> None:
        self._repository = repository
        self._sides = (before, after)

    def whole(self, changes: Sequence[FileChange], limit: int) -> bytes | None:
        """The patches of all of them; `None` if they are longer than `limit`."""
        # No line of a patch is shorter than two bytes.
        if sum(change.insertions + change.deletions for change in changes) * 2 > limit:
            return None
        pieces: list[bytes] = []
        for group in _groups(changes, _GROUP * 8):
            left = limit - sum(map(len, pieces))
            patch, complete = self._read(group, left) if left > 0 else (b"", False)
            if not complete:
                return None
            pieces.append(patch)
        return b"".join(pieces)

    def excerpt(self, changes: Sequence[FileChange], limit: int) -> tuple[list[bytes], int]:
        """As many patches as there is room for, the small ones first; and how many are complete."""
        pieces: list[bytes] = []
        done = 0
        for group in _groups(sorted(changes, key=_size), _GROUP):
            for piece, complete in self._some(group, limit - sum(map(len, pieces)), limit // 8):
                pieces.append(piece)
                done += complete
            if limit - sum(map(len, pieces)) < _SMALLEST:
                break
        return pieces, done

    def _some(
        self, group: Sequence[FileChange], left: int, most: int
    ) -> Iterator[tuple[bytes, int]]:
        """The patches of a group; where they are long, each by itself and the long ones cut.

        :param most: how many bytes one file may have.
        """
        patch, complete = self._read(group, min(left, most))
        if complete:
            yield patch, len(group)
            return
        for change in group:
            if left < _SMALLEST:
                return
            patch, complete = self._read([change], min(left, most) - len(_CUT))
            piece = patch if complete else _cut(patch)
            yield piece, int(complete)
            left -= len(piece)

    def _read(self, changes: Sequence[FileChange], limit: int) -> tuple[bytes, bool]:
        paths = {
            path
            for change in changes
            for path in (change.path, change.old_path)
            if path is not None
        }
        return read_patch(
            self._repository, *self._sides, sorted(paths), limit=limit, text_limit=TEXT_LIMIT
        )


def _groups(changes: Sequence[FileChange], size: int) -> Iterator[Sequence[FileChange]]:
    for start in range(0, len(changes), size):
        yield changes[start : start + size]


def _size(change: FileChange) -> tuple[int, bytes]:
    return change.insertions + change.deletions, change.path


def _cut(patch: bytes) -> bytes:
    """Up to the last line that is there to its end, if there is one, and a word that there is more."""
    end = patch.rfind(b"\n") + 1 or len(patch)
    return patch[:end].rstrip(b"\n") + _CUT


def _text(patch: bytes) -> str:
    return patch.decode("utf-8", "replace")


# -- the map


def _map(changes: Sequence[FileChange], by_name: Mapping[bytes, str], limit: int) -> str:
    """A line for each file if they fit into `limit` bytes, else for each folder."""
    lines = [_file_line(change, by_name.get(change.path)) for change in changes]
    if _length(lines) <= limit:
        return "\n".join(lines)
    for depth in range(8, 0, -1):
        lines = _folder_lines(changes, depth)
        if _length(lines) <= limit:
            return "\n".join(lines)
    most = len(lines)
    while _length(lines[:most]) > limit:
        most //= 2
    return "\n".join([*lines[:most], f"… and {len(lines) - most} more"])


def _length(lines: Sequence[str]) -> int:
    return sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)


def _file_line(change: FileChange, reason: str | None) -> str:
    name = show_path(change.path)
    if change.old_path is not None:
        name = f"{show_path(change.old_path)} -> {name}"
    what = f"({reason})" if reason else f"+{change.insertions} -{change.deletions}"
    if change.status == "mode_changed":
        what = "(only its mode)"
    # A name that can't be typed as it is shown; and a rename is one only if both names are given.
    words = " ".join(as_word(path) for path in (change.old_path, change.path) if path is not None)
    how = "" if words.strip("'") == name else f"  (for git: {words})"
    return f"{_LETTERS[change.status]} {name}  {what}{how}"


def _folder_lines(changes: Sequence[FileChange], depth: int) -> list[str]:
    files: Counter[bytes] = Counter()
    lines: Counter[bytes] = Counter()
    for change in changes:
        folder = b"/".join(change.path.split(b"/")[:-1][:depth])
        files[folder] += 1
        lines[folder] += change.insertions + change.deletions
    return [
        f"{show_path(folder) or '.'}/  {count} {'files' if count > 1 else 'file'}, "
        f"{lines[folder]} lines"
        for folder, count in files.items()
    ]
