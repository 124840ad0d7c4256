"""How git knows a workspace: its directory below `worktrees/` and the `.git` file that leads there.

What these files hold is git's published layout (gitrepository-layout, "worktrees"). They are
written here and not by `git worktree add`, which works only from an existing commit, chooses a name
of its own, edits the user's configuration for the branch, and for a moment has a directory that
another git's `prune` may take away.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import CannotStart, CaptureFailed
from sideshoot.text import show_path
from sideshoot.workspace.sparse import CONFIG, narrow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sideshoot.git import Repository
    from sideshoot.workspace.place import Workspace


def register(
    repository: Repository, workspace: Workspace, *, sparse: Collection[bytes] = ()
) -> None:
    """Make the workspace known to git, locked, with HEAD on its branch and no files yet.

    :param repository: the user's working tree; its sparse checkout is inherited.
    :param sparse: the folders that the workspace shall have, in place of what is inherited.
    """
    if _has_reftables(repository.common_dir):
        _register_by_git(repository, workspace)
        _inherit(repository, workspace, sparse, into=workspace.git_dir)
    else:
        _stage(workspace)
        _inherit(repository, workspace, sparse, into=_staged(workspace))
        _place(workspace)
    _write(workspace.path / ".git", _git_file(workspace))


def is_registered(workspace: Workspace) -> bool:
    """Whether its git directory is there and is this workspace's.

    The claim says so: an agent may have written anything into the directory.
    """
    return workspace.claim.is_dir() and workspace.git_dir.is_dir()


def moved_to(workspace: Workspace) -> Path | None:
    """Where the user took the workspace with `git worktree move`, if so."""
    told = _read(workspace.git_dir / "gitdir")
    if told is None or os.path.lexists(workspace.path):
        return None
    file = Path(os.fsdecode(told.removesuffix(b"\n")))
    return file.parent if _read(file) == _git_file(workspace) else None


def verify(workspace: Workspace) -> list[str]:
    """Put right what git needs to find its way in the workspace; return what was wrong.

    Everything is compared with the record, and nothing that lies in the workspace is believed.

    :raises CaptureFailed: the workspace's folder is gone.
    """
    if workspace.path.is_symlink() or not workspace.path.is_dir():
        raise CaptureFailed(f"the workspace {show_path(workspace.path)} is gone")
    if _has_reftables(workspace.common_dir):
        return []
    notes = []
    if not workspace.git_dir.is_dir():
        _stage(workspace)
        _place(workspace)
        notes.append("the workspace's git directory had been deleted; it was made anew")
    notes += [
        f"the workspace's {name} file had been changed; it was put right"
        for name, text in _links(workspace).items()
        if put_right(workspace.git_dir / name, text)
    ]
    return notes + verify_head(workspace) + _verify_configuration(workspace)


def verify_head(workspace: Workspace) -> list[str]:
    """Let HEAD be something that git takes for one; return what was wrong."""
    if _is_head(_read(workspace.git_dir / "HEAD")):
        return []
    _replace(workspace.git_dir / "HEAD", _symbolic_head(workspace))
    return ["the workspace's HEAD could not be read; it names the job's branch again"]


def _stage(workspace: Workspace) -> None:
    # A directory that is not complete never has a name that git looks at.
    staged = _staged(workspace)
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    for name, text in _links(workspace).items():
        _write(staged / name, text)
    _write(staged / "HEAD", _symbolic_head(workspace))
    _write(staged / "locked", os.fsencode(workspace.lock_reason) + b"\n")


def _place(workspace: Workspace) -> None:
    workspace.git_dir.parent.mkdir(exist_ok=True)
    _staged(workspace).rename(workspace.git_dir)


def _register_by_git(repository: Repository, workspace: Workspace) -> None:
    # Reftables keep a working tree's HEAD in a format of git's own.
    begin = ["--orphan", "-b", workspace.branch]
    if workspace.head:
        begin = ["--detach", "--no-checkout"]
    options = [*begin, "--lock", "--reason", workspace.lock_reason]
    target = [str(workspace.path)] + ([workspace.head] if workspace.head else [])
    repository.git.run("worktree", "add", "--quiet", *options, *target)
    if not workspace.git_dir.is_dir():
        raise CannotStart("git gave the workspace another name than planned; try again")
    workspace.repository.git.run("symbolic-ref", "HEAD", workspace.branch_ref)


def _inherit(
    repository: Repository, workspace: Workspace, sparse: Collection[bytes], *, into: Path
) -> None:
    patterns = _read(repository.git_dir / "info" / "sparse-checkout")
    if patterns is not None:
        (into / "info").mkdir(exist_ok=True)
        _write(into / "info" / "sparse-checkout", patterns)
    configuration = _read(repository.git_dir / CONFIG)
    if configuration is not None:
        _write(into / CONFIG, configuration)
        _drop_places(repository, into / CONFIG)
    if sparse:
        narrow(repository, into, sparse)
    if (into / CONFIG).exists():
        shutil.copyfile(into / CONFIG, workspace.claim / CONFIG)


def _drop_places(repository: Repository, configuration: Path) -> None:
    # As `git worktree add` does: these two speak of the user's working tree.
    for name in ("core.worktree", "core.bare"):
        repository.git.run(
            "config", "--file", str(configuration), "--unset-all", name, accept=(0, 5)
        )


def _verify_configuration(workspace: Workspace) -> list[str]:
    # A filter or an fsmonitor that is named here would run with the next git call.
    found = _read(workspace.git_dir / CONFIG)
    # A fence leaves an empty one, so that there is something that can't be written to.
    if not found or found == _read(workspace.claim / CONFIG):
        return []
    names = {name.partition(b"\n")[0] for name in _settings(workspace)}
    if names <= {b"core.sparsecheckout", b"core.sparsecheckoutcone", b"index.sparse"}:
        return []
    (workspace.git_dir / CONFIG).replace(workspace.claim / f"{CONFIG}.agent")
    if (workspace.claim / CONFIG).exists():
        shutil.copyfile(workspace.claim / CONFIG, workspace.git_dir / CONFIG)
    aside = show_path(workspace.claim / f"{CONFIG}.agent")
    return [f"the workspace's own configuration had been changed; that is now in {aside}"]


def _settings(workspace: Workspace) -> list[bytes]:
    file = str(workspace.git_dir / CONFIG)
    answer = workspace.repository.git.run(
        "config", "--file", file, "--no-includes", "--list", "-z", accept=(0, 1, 128)
    )
    return answer.lines if answer.status == 0 else [b"unreadable"]


def _links(workspace: Workspace) -> dict[str, bytes]:
    return {
        "commondir": b"../..\n",
        "gitdir": os.fsencode(workspace.path / ".git") + b"\n",
    }


def _git_file(workspace: Workspace) -> bytes:
    return b"gitdir: " + os.fsencode(workspace.git_dir) + b"\n"


def _symbolic_head(workspace: Workspace) -> bytes:
    return b"ref: " + os.fsencode(workspace.branch_ref) + b"\n"


def _is_head(text: bytes | None) -> bool:
    if text is None:
        return False
    word = text.rstrip()
    return word.startswith(b"ref: refs/") or (len(word) in (40, 64) and word.isalnum())


def _staged(workspace: Workspace) -> Path:
    return workspace.claim / "registration"


def _has_reftables(common_dir: Path) -> bool:
    return (common_dir / "reftable").is_dir()


def put_right(file: Path, text: bytes) -> bool:
    """Let a file hold this and nothing else; return whether it did not."""
    if _read(file) == text:
        return False
    _replace(file, text)
    return True


def _read(file: Path) -> bytes | None:
    # A pipe in the place of a file would never answer.
    try:
        return file.read_bytes() if stat.S_ISREG(file.lstat().st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _write(file: Path, text: bytes) -> None:
    file.write_bytes(text)


def _replace(file: Path, text: bytes) -> None:
    fresh = file.with_name(f"{file.name}.sideshoot")
    _remove(fresh)
    with fresh.open("xb") as written:  # A link that an agent left there must not be followed.
        written.write(text)
    if file.is_dir():
        _remove(file)
    fresh.replace(file)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
