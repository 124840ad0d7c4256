"""The seal of a clean folder: whether anything has changed there since, without a look at every name.

Whoever adds, removes or renames something changes the time of the folder that it lies in (ctime,
which no program can set), and whoever changes a file the times of that. So the seal holds the times of
all folders; the index holds those of the files, and git compares them faster than anybody else.

git compares whole seconds. A seal is made only once the second has passed in which something was
written last, so that a later change is always in another one. It is broken by a restart of the machine,
for nobody waits until all of a workspace is safe on the disk, and power may have failed.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import TYPE_CHECKING

from sideshoot.boot import boot_id
from sideshoot.git.command import let_go, rest_of
from sideshoot.workspace.seal import STRICTLY, now_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sideshoot.git import Git, Repository

_EXACT: Mapping[str, str] = {
    **STRICTLY,
    "core.ignoreStat": "false",
    "core.preloadIndex": "true",
    "core.sparseCheckout": "false",
    "index.sparse": "false",
}
_SECOND = 1_000_000_000
_CHANGED = ("diff-files", "--quiet", "--ignore-submodules=all")


def seal(top: Path, folders: Sequence[bytes]) -> bytes:
    """The seal of the folder at `top`.

    :param folders: all that are in it, relative to it, but those that may change.
    """
    begin = os.fsencode(top) + b"/"
    told = [b"%s %d" % (boot_id().encode(), len(folders)), _names(top)]
    for path in folders:
        found = os.lstat(begin + path)
        told.append(b"%d %d %s" % (found.st_ino, found.st_ctime_ns, path))
    return b"\0".join(told)


def is_unbroken(top: Path, sealed: bytes) -> bool:
    """Whether nothing was added or removed in any folder, nor its mode changed.

    The folder at `top` itself may have been renamed, which changes its time; its names are looked at.
    """
    head, names, *told = sealed.split(b"\0")
    if head != b"%s %d" % (boot_id().encode(), len(told)) or names != _names(top):
        return False
    begin = os.fsencode(top) + b"/"
    for one in told:
        inode, ctime_ns, path = one.split(b" ", 2)
        found = os.lstat(begin + path)
        if found.st_ino != int(inode) or found.st_ctime_ns != int(ctime_ns):
            return False
    return True


def git_in(repository: Repository, top: Path, index: Path) -> Git:
    """git for the files at `top`, which are no working tree now, with the user's configuration.

    It takes a file for changed on the slightest difference.
    """
    git = repository.git.at(
        git_dir=repository.git_dir, common_dir=repository.common_dir, work_tree=top
    )
    return git.with_index(index).configured(_EXACT)


@contextlib.contextmanager
def comparing_files(git: Git) -> Iterator[Callable[[], bool]]:
    """Have git compare the files with its index, side by side with what the caller does.

    :return: waits for the answer: whether all are what the index says, by their stat data alone.
    """
    process = git.start(*_CHANGED)
    try:
        yield lambda: rest_of(_CHANGED, process, accept=(0, 1)).status == 0
    finally:
        let_go(process)


def nature(folder: Path | bytes) -> str:
    """What a folder is like beside its contents: mode, group, access lists and other attributes.

    A new one gets it from the umask and from the folder above it.
    """
    facts = os.lstat(folder)
    attributes = {}
    if hasattr(os, "listxattr"):
        names = sorted(os.listxattr(folder, follow_symlinks=False))
        attributes = {name: os.getxattr(folder, name, follow_symlinks=False) for name in names}
    return repr((stat.S_IMODE(facts.st_mode), facts.st_gid, attributes))


def await_next_second(folder: Path) -> None:
    """Wait until what is written in `folder` has a time with another second than before."""
    begin = now_ns(folder)
    while now_ns(folder) // _SECOND == begin // _SECOND:
        time.sleep(0.05)


def _names(top: Path) -> bytes:
    return b"/".join(sorted(os.listdir(os.fsencode(top))))
