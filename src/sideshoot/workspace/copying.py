"""Copy files of which git says that they are clean, and note the copies' stat data in an index.

A program of its own, so that several can share the work, at one index file that all of them map:
`python -I -S copying.py SOURCE TARGET INDEX SKIP ID_SIZE OLDER_THAN_NS`. From one pipe, their standard
input, each takes a part of the index when it is done with the one before, so that none is left with
the rest while the others have ended. It imports only what starts in no time.

An entry of an index of version 2 or 3 (gitformat-index): ten numbers of four bytes as `lstat` gave
them, the object's id, two bytes of flags, two more if the first say so, and the path.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import sys

TYPE_CHECKING = False  # `typing` takes longer to import than all else here together.
if TYPE_CHECKING:
    from collections.abc import Iterator

STAT = struct.Struct(">10I")
"""ctime (seconds, nanoseconds), mtime (the same), device, inode, mode, user, group, size."""

FLAGS = struct.Struct(">H")
VALID, EXTENDED, STAGE, LENGTH = 0x8000, 0x4000, 0x3000, 0x0FFF
"""Assume-unchanged; two more bytes of flags follow; of an unmerged path; the path's length."""

PART = struct.Struct(">QQ")
"""A part of an index as the pipe has it: where it begins and ends."""

ATTRIBUTES = b".gitattributes"

_EMPTY_BLOBS = (
    bytes.fromhex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
    bytes.fromhex("473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"),
)
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
_32 = 0xFFFFFFFF

Seen = tuple[int, ...]


class Done:
    """What became of a part of an index: how many entries have no copy (`left`), and attribute files
    that lie in the source and were not copied."""

    def __init__(self, left: int = 0, attributes: frozenset[bytes] = frozenset()) -> None:
        self.left = left
        self.attributes = attributes

    @classmethod
    def read(cls, written: bytes) -> Done:
        left, *attributes = written.split(b"\0")
        return cls(int(left), frozenset(attributes))

    def written(self) -> bytes:
        return b"\0".join([b"%d" % self.left, *self.attributes])

    def with_another(self, other: Done) -> Done:
        return Done(self.left + other.left, self.attributes | other.attributes)


class Copier:
    """Copies between two folders what the entries of an index name.

    A file is copied if its entry's stat data say that it is what git wrote or read there last, and
    if it is older than the index: one as young may have changed since without a trace.
    """

    def __init__(
        self,
        index: mmap.mmap,
        source: bytes,
        target: bytes,
        *,
        id_size: int,
        older_than_ns: int,
        skip: frozenset[bytes],
    ) -> None:
        self._index = index
        self._source = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._target = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._id_size = id_size
        self._to_flags = STAT.size + id_size
        self._older_than_ns = older_than_ns
        self._skip = skip
        self._made: set[bytes] = set()
        self._left = 0
        self._attributes: set[bytes] = set()
        self._copied_attributes: set[bytes] = set()

    def copy(self, start: int, stop: int) -> None:
        """Copy what the entries between two offsets in the index name."""
        offset = start
        self._enter(b"")
        while offset < stop:
            flags_at = offset + self._to_flags
            path_at, end = path_bounds(self._index, flags_at)
            path = self._index[path_at:end]
            if not self._stamped(offset, flags_at, path):
                self._clear(offset, flags_at)
            offset = next_entry(offset, end)

    def done(self) -> Done:
        """What became of all that was to be copied; nothing more can be."""
        os.close(self._source)
        os.close(self._target)
        return Done(self._left, frozenset(self._attributes - self._copied_attributes))

    def _stamped(self, offset: int, flags_at: int, path: bytes) -> bool:
        (flags,) = FLAGS.unpack_from(self._index, flags_at)
        if flags & (VALID | STAGE) or self._extended(flags, flags_at) or path in self._skip:
            return False
        try:
            entry = STAT.unpack_from(self._index, offset)
            facts = self._copy_of(path, entry, flags_at)
        except OSError:
            return False  # git comes by it and will say why, if that matters.
        if facts is None:
            return False
        STAT.pack_into(self._index, offset, *stamp(facts, entry[6]))
        if path.endswith(ATTRIBUTES):
            self._copied_attributes.add(path)
        return True

    def _clear(self, offset: int, flags_at: int) -> None:
        # Of a path that git must look at, whatever the user told it about theirs.
        self._left += 1
        mode = STAT.unpack_from(self._index, offset)[6]
        STAT.pack_into(self._index, offset, 0, 0, 0, 0, 0, 0, mode, 0, 0, 0)
        (flags,) = FLAGS.unpack_from(self._index, flags_at)
        FLAGS.pack_into(self._index, flags_at, flags & ~VALID)
        if flags & EXTENDED:
            FLAGS.pack_into(self._index, flags_at + FLAGS.size, 0)

    def _extended(self, flags: int, flags_at: int) -> bool:
        # Skip-worktree and intent-to-add are all there are.
        return bool(flags & EXTENDED and FLAGS.unpack_from(self._index, flags_at + FLAGS.size)[0])

    def _copy_of(self, path: bytes, entry: Seen, flags_at: int) -> os.stat_result | None:
        kind = stat.S_IFMT(entry[6])
        if kind == stat.S_IFREG:
            if (
                not entry[9]
                and self._index[flags_at - self._id_size : flags_at] not in _EMPTY_BLOBS
            ):
                return None  # git sets the size to 0 where it could not be sure.
            return self._copy_file(path, entry)
        return self._copy_link(path, entry) if kind == stat.S_IFLNK else None

    def _copy_file(self, path: bytes, entry: Seen) -> os.stat_result | None:
        source = os.open(path, _READ, dir_fd=self._source)
        try:
            facts = os.fstat(source)
            if not stat.S_ISREG(facts.st_mode) or not self._is_clean(facts, entry):
                return None
            return self._written(path, source, facts, 0o777 if entry[6] & 0o100 else 0o666)
        finally:
            os.close(source)

    def _written(
        self, path: bytes, source: int, facts: os.stat_result, mode: int
    ) -> os.stat_result | None:
        self._enter(path[: max(path.rfind(b"/"), 0)])
        target = os.open(path, _CREATE, mode, dir_fd=self._target)
        copied = None
        try:
            if copy_bytes(source, target, facts.st_size) and same(facts, os.fstat(source)):
                # With a new time it would be as young as the index, and git would read it again.
                os.utime(target, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
                copied = os.fstat(target)
        finally:
            os.close(target)
            if copied is None:
                os.unlink(path, dir_fd=self._target)
        return copied

    def _copy_link(self, path: bytes, entry: Seen) -> os.stat_result | None:
        facts = os.lstat(path, dir_fd=self._source)
        if not stat.S_ISLNK(facts.st_mode) or not self._is_clean(facts, entry):
            return None
        aim = os.readlink(path, dir_fd=self._source)
        if not same(facts, os.lstat(path, dir_fd=self._source)):
            return None
        self._enter(path[: max(path.rfind(b"/"), 0)])
        os.symlink(aim, path, dir_fd=self._target)
        times = (facts.st_mtime_ns, facts.st_mtime_ns)
        os.utime(path, ns=times, dir_fd=self._target, follow_symlinks=False)
        return os.lstat(path, dir_fd=self._target)

    def _is_clean(self, facts: os.stat_result, entry: Seen) -> bool:
        return (
            facts.st_mtime_ns == entry[2] * 1_000_000_000 + entry[3]
            and facts.st_ctime_ns == entry[0] * 1_000_000_000 + entry[1]
            and facts.st_ino & _32 == entry[5]
            and facts.st_size & _32 == entry[9]
            and facts.st_mtime_ns < self._older_than_ns
        )

    def _enter(self, folder: bytes) -> None:
        """Make a folder and those above it, and see what attributes the source has in them."""
        if folder in self._made:
            return
        if folder:
            self._enter(folder.rpartition(b"/")[0])
            self._make_folder(folder)
        self._made.add(folder)
        self._look_for_attributes(folder + b"/" + ATTRIBUTES if folder else ATTRIBUTES)

    def _make_folder(self, folder: bytes) -> None:
        try:
            os.mkdir(folder, dir_fd=self._target)
        except FileExistsError:
            return  # Another of us made it.

    def _look_for_attributes(self, path: bytes) -> None:
        try:
            os.lstat(path, dir_fd=self._source)
        except OSError:
            return
        self._attributes.add(path)


def path_bounds(index: mmap.mmap | bytes, flags_at: int) -> tuple[int, int]:
    """Where an entry's path begins and ends."""
    (flags,) = FLAGS.unpack_from(index, flags_at)
    start = flags_at + (2 * FLAGS.size if flags & EXTENDED else FLAGS.size)
    length = flags & LENGTH
    return start, start + length if length < LENGTH else index.find(b"\0", start + LENGTH)


def next_entry(offset: int, path_end: int) -> int:
    """Where the entry begins that follows the one at `offset`: after one to eight NUL bytes."""
    return offset + ((path_end - offset + 8) & ~7)


def stamp(facts: os.stat_result, mode: int) -> Seen:
    """What an index says of a file with these facts and git's mode."""
    ctime_s, ctime_ns = divmod(facts.st_ctime_ns, 1_000_000_000)
    mtime_s, mtime_ns = divmod(facts.st_mtime_ns, 1_000_000_000)
    # One by one, for this is done for every file.
    return (
        ctime_s & _32, ctime_ns, mtime_s & _32, mtime_ns, facts.st_dev & _32, facts.st_ino & _32,
        mode, facts.st_uid & _32, facts.st_gid & _32, facts.st_size & _32,
    )  # fmt: skip


def same(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether nobody wrote to a file in between."""
    return (
        before.st_ctime_ns == after.st_ctime_ns
        and before.st_mtime_ns == after.st_mtime_ns
        and before.st_size == after.st_size
        and before.st_ino == after.st_ino
    )


def copy_bytes(source: int, target: int, size: int) -> bool:
    """Copy so many bytes from file to file; whether there were as many."""
    left = size
    while left > 0:
        done = _copy_some(source, target, left)
        if done == 0:
            return False
        left -= done
    return True


def _copy_through_memory(source: int, target: int, size: int) -> int:
    data = os.read(source, min(size, _CHUNK))
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]
    return len(data)


def _copy_in_kernel(source: int, target: int, size: int) -> int:
    # Where the file system can share blocks between files (btrfs, XFS), this does so.
    try:
        return os.copy_file_range(source, target, size)
    except OSError:
        return _copy_through_memory(source, target, size)


_copy_some = _copy_in_kernel if hasattr(os, "copy_file_range") else _copy_through_memory


def parts(pipe: int) -> Iterator[tuple[int, int]]:
    """Take parts of an index from a pipe, until none is left."""
    while part := os.read(pipe, PART.size):
        yield PART.unpack(part)


def main(argv: list[str]) -> None:
    source, target, index, skip = map(os.fsencode, argv[:4])
    id_size, older_than_ns = map(int, argv[4:])
    parent = os.getppid()
    with open(skip, "rb") as paths:
        skipped = frozenset(paths.read().split(b"\0"))
    with open(index, "r+b") as file, mmap.mmap(file.fileno(), 0) as entries:
        copier = Copier(
            entries, source, target, id_size=id_size, older_than_ns=older_than_ns, skip=skipped
        )
        for start, stop in parts(sys.stdin.fileno()):
            if os.getppid() != parent:
                sys.exit("the process that asked for this has ended")
            copier.copy(start, stop)
        sys.stdout.buffer.write(copier.done().written())


if __name__ == "__main__":
    main(sys.argv[1:])
