"""A seal on a workspace that was captured: by it the next command sees whether all is as it was.

A capture looks at the workspace beside git (`look`), and leaves a seal behind once the work is held. It
holds the times of all folders, by which every file shows that came, went or got another name; and an
index with the stat data of the result's files, by which git finds each that was written to. So nothing
has to be listed or read again, as long as the seal holds (`checking`).

Where a seal could be wrong there is none: with repositories inside, which git does not look into, and
if something is not older than the capture, since it may have changed after it was read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sideshoot.errors import CaptureFailed, GitError
from sideshoot.git.command import let_go, rest_of
from sideshoot.workspace.mounts import mounts
from sideshoot.workspace.refs import result_ref
from sideshoot.workspace.registration import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sideshoot.workspace.place import Workspace

_MOST_FOLDERS = 50_000
"""With more of them to look at, a capture had better not spend the time."""

_COUNTING = frozenset({b"ext2", b"ext3", b"ext4", b"f2fs", b"tmpfs", b"xfs"})
"""File systems on which a folder with no folders in it has exactly two links."""

_NONE_INSIDE = 2
"""The links of a folder without folders: its name, and its own `.`."""

STRICTLY = {"core.checkStat": "default", "core.trustCtime": "true"}
"""However little of a file's stat data the user lets git look at."""

_DIFF = ("diff-files", "--raw", "-z", "--no-renames", "--ignore-submodules=all")


@dataclass(frozen=True, slots=True)
class Look:
    """What a workspace looked like as it was captured."""

    facts: dict[str, Any]
    settings: dict[str, str]
    """How git looks at the files."""


def break_seal(workspace: Workspace) -> int | None:
    """Break the seal of a workspace that is about to be captured.

    :return: what time it is there, in nanoseconds; `None` where no new seal can be made.
    """
    if workspace.is_clone:
        return None  # Its commits and branches lie where no index tells of them.
    with contextlib.suppress(OSError):
        _seal_of(workspace).unlink(missing_ok=True)
        return now_ns(workspace.path.parent)
    return None


def look(workspace: Workspace, settings: dict[str, str], *, since_ns: int | None) -> Look | None:
    """Look at a workspace while it is captured.

    :param settings: git's configuration for the capture.
    :param since_ns: what `break_seal` said before anything was read; what has changed since may have
        been read before or after that.
    :return: `None` where no seal can be made.
    """
    if since_ns is None:
        return None
    with contextlib.suppress(OSError):
        facts = _facts(workspace, older_than_ns=since_ns)
        return None if facts is None else Look(facts, settings)
    return None


class Walk:
    """A look at a workspace in a thread of its own, while git is at work."""

    def __init__(
        self, workspace: Workspace, settings: dict[str, str], *, since_ns: int | None
    ) -> None:
        self._seen: Look | None = None
        self._walk = partial(look, workspace, settings, since_ns=since_ns)
        self._thread = threading.Thread(target=self._run, name="sideshoot-seal", daemon=True)
        self._thread.start()

    def seen(self) -> Look | None:
        """What `look` found."""
        self._thread.join()
        return self._seen

    def _run(self) -> None:
        self._seen = self._walk()


def seal(workspace: Workspace, before: Look, *, commit: str, head: str | None, index: Path) -> None:
    """Seal what was captured.

    :param commit: the result.
    :param head: the workspace's HEAD at that time.
    :param index: has all that the result has, with the files' stat data; it is taken away.
    """
    words = {"commit": commit, "head": head, **asdict(before)}
    with contextlib.suppress(OSError):
        index.replace(_index_of(workspace))
        fresh = _seal_of(workspace).with_suffix(".new")
        fresh.write_text(json.dumps(words), encoding="ascii")
        fresh.replace(_seal_of(workspace))


class Check:
    """A seal that is being checked: git is at work on it, and `holds` waits for the answer."""

    def __init__(self, workspace: Workspace, words: dict[str, Any]) -> None:
        self._workspace = workspace
        self._words = words
        self._answer: bool | None = None
        git = workspace.repository.git.with_index(_index_of(workspace))
        self._process = git.configured(words["settings"] | STRICTLY).start(*_DIFF)

    def holds(self) -> bool:
        """Whether the workspace is as it was when it was captured."""
        if self._answer is None:
            try:
                self._answer = self._is_same()
            except (CaptureFailed, GitError, OSError):
                self._answer = False  # who captures it again will say what is wrong
        return self._answer

    def close(self) -> None:
        """Let go of git, wherever it is."""
        let_go(self._process)

    def _is_same(self) -> bool:
        here = self._workspace
        if verify(here) or _facts(here) != self._words["facts"]:
            return False
        names = here.repository.objects("HEAD^{commit}", result_ref(here.job_id))
        if names != [self._words["head"], self._words["commit"]]:
            return False
        changed = rest_of(_DIFF, self._process)
        return not (changed.stdout or changed.stderr)


@contextlib.contextmanager
def checking(workspace: Workspace | None, commit: str | None) -> Iterator[Check | None]:
    """Begin to check the seal of a workspace; `None` where this result was not sealed."""
    words = _read(workspace) if workspace else None
    if workspace is None or words is None or words["commit"] != commit:
        yield None
        return
    check = Check(workspace, words)
    try:
        yield check
    finally:
        check.close()


def _read(workspace: Workspace) -> dict[str, Any] | None:
    try:
        words = json.loads(_seal_of(workspace).read_bytes())
        return words if workspace.path.is_dir() else None
    except (OSError, ValueError):
        return None


def _facts(workspace: Workspace, *, older_than_ns: int | None = None) -> dict[str, Any] | None:
    """What must stay; `None` if something is not older than that, or there is too much of it.

    Beside the folders it is what a capture asks for more than files: what the agent has in its
    index, and by which rules git ignores.
    """
    files = (
        workspace.git_dir / "index",
        workspace.common_dir / "config",
        workspace.common_dir / "info" / "exclude",
    )
    found = [_times(os.fsencode(file)) for file in files]
    digest, youngest = hashlib.sha1(usedforsecurity=False), 0
    for number, (path, facts) in enumerate(_folders(workspace.path)):
        if number == _MOST_FOLDERS:
            return None
        digest.update(
            b"%s\0%d %d %d\0" % (path, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns)
        )
        youngest = max(youngest, facts.st_ctime_ns)
    youngest = max(youngest, *(times[-1] for times in found))
    if older_than_ns is not None and youngest >= older_than_ns:
        return None
    return {"files": found, "folders": digest.hexdigest()}


def _times(file: bytes) -> list[int]:
    try:
        facts = os.lstat(file)
    except FileNotFoundError:
        return [0]
    return [facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns]


def _folders(top: Path) -> Iterator[tuple[bytes, os.stat_result]]:
    """A folder and all below it, in the same order each time nothing has changed."""
    has_counts = _counts_folders(top)
    waiting = [os.fsencode(top)]
    while waiting:
        path = waiting.pop()
        facts = os.lstat(path)
        yield path, facts
        if has_counts and facts.st_nlink == _NONE_INSIDE:
            continue
        with os.scandir(path) as entries:
            waiting += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]


def _counts_folders(top: Path) -> bool:
    """Whether the number of a folder's links tells if there are folders in it."""
    device = top.stat().st_dev
    number = b"%d:%d" % (os.major(device), os.minor(device))
    kinds = {mount.kind for mount in mounts() if mount.device == number}
    return bool(kinds) and kinds <= _COUNTING


def now_ns(folder: Path) -> int:
    """The time by the clock of the file system that `folder` lies in."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".time-") as file:
        return os.fstat(file.fileno()).st_ctime_ns


def _index_of(workspace: Workspace) -> Path:
    return workspace.claim / "captured-index"


def _seal_of(workspace: Workspace) -> Path:
    return workspace.claim / "seal.json"
