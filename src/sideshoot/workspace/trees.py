"""Copy files and whole folders that git knows nothing of, as they lie there.

Run as a module it does a share of the work: `python -m sideshoot.workspace.trees SOURCE TARGET SKIP…`
reads paths from standard input and tells on standard output what it copied.

Nothing is followed: a link is copied as a link, and a folder is entered by a handle that can't be
a link. Nothing is shared with the original but, where the file system can, the blocks on the disk
(ioctl_ficlone(2), clonefile(2)), which part at the first write. A file that changes while it is
copied is copied anew, and left out if that goes on.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sideshoot.workspace.cloning import CREATE, Cloner
from sideshoot.workspace.copying import STAT, Seen, copy_bytes, same, stamp
from sideshoot.workspace.places import place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

SHARE = 64
"""With fewer folders to share, a further process is not worth its start."""

MOST_PROCESSES = 4

ATTEMPTS = 3
"""So often is a file copied that changes meanwhile."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT)
_RECORD = struct.Struct(">II")

_LINK_MODE = 0o120000
_FILE_MODES = (0o100644, 0o100755)

Place = tuple[int, int]
"""A device and an inode."""


@dataclass
class Copied:
    """What was copied, and what could not be."""

    files: list[tuple[bytes, Seen]] = field(default_factory=list)
    """Each file and link with what an index says of its copy."""
    problems: list[tuple[bytes, str]] = field(default_factory=list)
    """What was left out, and why."""

    def written(self) -> bytes:
        parts = [_RECORD.pack(len(self.files), len(self.problems))]
        for path, seen in self.files:
            parts += [_RECORD.pack(len(path), STAT.size), path, STAT.pack(*seen)]
        for path, why in self.problems:
            reason = why.encode("utf-8", "surrogateescape")
            parts += [_RECORD.pack(len(path), len(reason)), path, reason]
        return b"".join(parts)

    @classmethod
    def read(cls, written: bytes) -> Copied:
        files, problems = _RECORD.unpack_from(written)
        records = _records(written)
        copied = [next(records) for _ in range(files)]
        left = [next(records) for _ in range(problems)]
        return cls(
            [(path, STAT.unpack(seen)) for path, seen in copied],
            [(path, why.decode("utf-8", "surrogateescape")) for path, why in left],
        )

    def add(self, another: Copied) -> None:
        self.files += another.files
        self.problems += another.problems


class _Changing(Exception):
    """A file was written to at each attempt to copy it."""


class TreeCopier:
    """Copies paths from one folder into another, folders with all that is in them."""

    def __init__(self, source: Path, target: Path, skip: Collection[Place]) -> None:
        """:param skip: folders that are not entered, wherever they are met."""
        self._source = source
        self._target = target
        self._skip = skip
        self._clone = Cloner()
        self.copied = Copied()

    def copy(self, path: bytes) -> None:
        """Copy one path; folders above it that the target lacks are made.

        :raises OSError: there is no room.
        """
        with contextlib.ExitStack() as stack:
            above, _, name = path.rpartition(b"/")
            with self._problem(path):
                source = _opened(self._source, above, stack)
                target = _opened(self._target, above, stack, make=True)
                self._one(source, target, name, path)

    def is_folder(self, path: bytes) -> bool:
        """Whether a folder lies there, and no link to one."""
        with contextlib.suppress(OSError):
            return stat.S_ISDIR(os.lstat(place(self._source, path)).st_mode)
        return False

    def folder(self, path: bytes) -> list[bytes]:
        """Make the copy of a folder without what is in it; return the paths of that."""
        with contextlib.ExitStack() as stack, self._problem(path):
            source = _opened(self._source, path, stack)
            if not self._enters(source, path):
                return []
            _opened(self._target, path, stack, make=True)
            return [path + b"/" + name for name in _names(source)]
        return []

    def finish_folder(self, path: bytes) -> None:
        """Give a folder of `folder` its mode and time, once all that is in it is there."""
        with contextlib.ExitStack() as stack, contextlib.suppress(FileNotFoundError):
            copy = _opened(self._target, path, stack)  # It has none if it was not to be entered.
            with self._problem(path):
                _dress(os.fstat(_opened(self._source, path, stack)), copy)

    def _one(self, source: int, target: int, name: bytes, path: bytes) -> None:
        kind = stat.S_IFMT(os.lstat(name, dir_fd=source).st_mode)
        if kind == stat.S_IFDIR:
            self._folder(source, target, name, path)
        elif kind == stat.S_IFLNK:
            self._link(source, target, name, path)
        elif kind == stat.S_IFREG:
            self._file(source, target, name, path)
        else:
            self.copied.problems.append((path, "it is neither file, folder nor link"))

    def _folder(self, source: int, target: int, name: bytes, path: bytes) -> None:
        with contextlib.ExitStack() as stack:
            inside = _handle(name, source, stack)
            if not self._enters(inside, path):
                return
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=target)
            made = _handle(name, target, stack)
            for inner in _names(inside):
                below = path + b"/" + inner
                with self._problem(below):
                    self._one(inside, made, inner, below)
            _dress(os.fstat(inside), made)

    def _enters(self, folder: int, path: bytes) -> bool:
        facts = os.fstat(folder)
        if (facts.st_dev, facts.st_ino) in self._skip:
            return False
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.lstat(b".git", dir_fd=folder).st_mode):
                # Its repository is elsewhere, and shared: what happened in a copy would happen there.
                self.copied.problems.append((path, "it is a working tree of another repository"))
                return False
        return True

    def _link(self, source: int, target: int, name: bytes, path: bytes) -> None:
        facts = os.lstat(name, dir_fd=source)
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        times = (facts.st_atime_ns, facts.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)
        self._note(path, os.lstat(name, dir_fd=target), _LINK_MODE)

    def _file(self, source: int, target: int, name: bytes, path: bytes) -> None:
        for _ in range(ATTEMPTS):
            facts = self._attempt(source, target, name)
            if facts is not None:
                self._note(path, facts, _FILE_MODES[bool(facts.st_mode & stat.S_IXUSR)])
                return
        raise _Changing

    def _attempt(self, source: int, target: int, name: bytes) -> os.stat_result | None:
        """Copy a file; `None`, and no copy, if somebody wrote to it meanwhile."""
        original = os.open(name, _READ, dir_fd=source)
        try:
            before = os.fstat(original)
            copy = self._clone(original, target, name)
            cloned = copy is not None
            if copy is None:
                copy = os.open(name, CREATE, 0o600, dir_fd=target)
            facts = None
            try:
                whole = cloned or copy_bytes(original, copy, before.st_size)
                if whole and same(before, os.fstat(original)):
                    _dress(before, copy)
                    facts = os.fstat(copy)
            finally:
                os.close(copy)
                if facts is None:
                    os.unlink(name, dir_fd=target)
            return facts
        finally:
            os.close(original)

    def _note(self, path: bytes, facts: os.stat_result, mode: int) -> None:
        self.copied.files.append((path, stamp(facts, mode)))

    @contextlib.contextmanager
    def _problem(self, path: bytes) -> Iterator[None]:
        """What can't be copied is named, and the rest is copied; without room there is no rest."""
        try:
            yield
        except _Changing:
            self.copied.problems.append((path, "it changes all the time"))
        except OSError as error:
            if error.errno in _FULL:
                raise
            self.copied.problems.append((path, error.strerror or str(error)))


def copy_trees(
    source: Path, target: Path, paths: Sequence[bytes], skip: Collection[Place] = ()
) -> Copied:
    """Copy files and folders, by several processes where there is enough to copy.

    :param paths: relative to both folders, none below another.
    :raises OSError: there is no room.
    """
    copier = TreeCopier(source, target, skip)
    shared, parts = _spread(copier, paths)
    own, *others = _shares(parts)
    helpers = [_start(source, target, skip, share) for share in others]
    try:
        for path in own:
            copier.copy(path)
        for helper in helpers:
            copier.copied.add(_answer(helper))
    finally:
        for helper in helpers:
            with helper:  # Waits for its end, too.
                helper.kill()
    for path in reversed(shared):
        copier.finish_folder(path)
    return copier.copied


def _spread(copier: TreeCopier, paths: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Folders opened up until there are enough parts to share, and the parts."""
    opened: list[bytes] = []
    parts = list(paths)
    folders = [path for path in parts if copier.is_folder(path)]
    while folders and len(parts) < SHARE:
        opened += folders
        inner = [path for folder in folders for path in copier.folder(folder)]
        parts = [path for path in parts if path not in {*folders}] + inner
        folders = [path for path in inner if copier.is_folder(path)]
    return opened, parts


def _shares(parts: Sequence[bytes]) -> list[Sequence[bytes]]:
    processes = max(1, min(_processors(), MOST_PROCESSES, len(parts) // (SHARE // 2)))
    return [parts[number::processes] for number in range(processes)]


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(
    source: Path, target: Path, skip: Collection[Place], share: Sequence[bytes]
) -> subprocess.Popen[bytes]:
    # A process of its own and no fork: other threads of this one may hold any lock just now.
    places = [f"{device}:{inode}" for device, inode in skip]
    program = [sys.executable, "-P", "-m", __name__, os.fspath(source), os.fspath(target), *places]
    helper = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert helper.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        helper.stdin.write(b"\0".join(share))
    with contextlib.suppress(BrokenPipeError):
        helper.stdin.close()
    return helper


def _answer(helper: subprocess.Popen[bytes]) -> Copied:
    assert helper.stdout is not None
    said = helper.stdout.read()
    status = helper.wait()
    if status:
        # By its exit status it says what the kernel told it.
        number = status if status in _FULL else errno.EIO
        raise OSError(number, os.strerror(number))
    return Copied.read(said)


def _records(written: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = _RECORD.size
    while offset < len(written):
        first, second = _RECORD.unpack_from(written, offset)
        start = offset + _RECORD.size
        offset = start + first + second
        yield written[start : start + first], written[start + first : offset]


def _opened(top: Path, path: bytes, stack: contextlib.ExitStack, *, make: bool = False) -> int:
    """A handle of a folder below `top`, no link on the way."""
    handle = _handle(os.fsencode(top), None, stack)
    for name in path.split(b"/") if path else ():
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=handle)
        handle = _handle(name, handle, stack)
    return handle


def _handle(name: bytes, folder: int | None, stack: contextlib.ExitStack) -> int:
    handle = os.open(name, _FOLDER, dir_fd=folder)
    stack.callback(os.close, handle)
    return handle


def _names(folder: int) -> list[bytes]:
    return [os.fsencode(name) for name in os.listdir(folder)]


def _dress(facts: os.stat_result, copy: int) -> None:
    """Give a copy the mode and the times of its original."""
    os.fchmod(copy, stat.S_IMODE(facts.st_mode) & 0o777)
    os.utime(copy, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def main(argv: Sequence[str]) -> int:
    from pathlib import Path  # noqa: PLC0415 - not where the module is only imported

    source, target, *places = argv
    skip = {(int(device), int(inode)) for device, inode in (it.split(":") for it in places)}
    copier = TreeCopier(Path(source), Path(target), skip)
    try:
        for path in sys.stdin.buffer.read().split(b"\0"):
            copier.copy(path)
    except OSError as error:
        return error.errno or 1
    sys.stdout.buffer.write(copier.copied.written())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
