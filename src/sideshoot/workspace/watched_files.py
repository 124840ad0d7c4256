"""The files by which a repository is set up: what they held before a job, and what has changed.

Configuration that keeps git from working is put back at once, since nothing else could be done
before; the version that did so is saved beside. Everything else is only reported.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.git import Git
from sideshoot.text import show_path
from sideshoot.workspace.folders import lines_of_ours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sideshoot.git import Repository

CONFIGURATION = "config"
WORKTREE_CONFIGURATION = "config.worktree"
EXCLUDE = "info/exclude"
_KEPT_BYTES = 1 << 20
_LISTED = 8
_BARE, _WORKTREE = b"core.bare", b"core.worktree"
_NO = {b"false", b"no", b"off", b"0"}

# Outside of any repository: git reads a repository's configuration before it does what it is asked.
_outside = Git(Path("/"))


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file, or a link, at one moment."""

    mode: int
    digest: str
    content: bytes | None
    """`None` for one that is large or can't be read: a change of that is reported only."""


def look_at_files(repository: Repository) -> dict[str, WatchedFile]:
    """Read the configuration, exclude and attributes files, and the hooks."""
    seen = ((name, _look(path)) for name, path in _places(repository))
    return {name: file for name, file in seen if file}


def repair_configuration(
    repository: Repository, before: dict[str, WatchedFile], folder: Path
) -> list[str]:
    """Put configuration back under which git does not work.

    Costs no git call as long as the files are as they were.

    :param folder: where the damaged version is saved.
    """
    notes = []
    for name in (CONFIGURATION, WORKTREE_CONFIGURATION):
        path, old = _place(repository, name), before.get(name)
        if _facts(_look(path)) != _facts(old) and _is_damaged(repository, path, old):
            saved = folder / "damaged" / name
            _set_aside(path, saved)
            _mend(repository, path, old)
            notes.append(
                f"{show_path(path)} changed while the job ran so that git did not work any more; "
                f"that is put right, and what the file held is in {show_path(saved)}"
            )
    return notes


def describe_files(
    repository: Repository, before: dict[str, WatchedFile], folder: Path
) -> list[str]:
    """One line for each file that differs, with the command that takes it back.

    :param folder: where the old versions are saved that these commands copy.
    """
    now = look_at_files(repository)
    ours = lines_of_ours(repository)
    lines = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if not _same(name, old, new, ours):
            lines.append(_describe(repository, name, old, new, folder))
    return lines


def _places(repository: Repository) -> Iterator[tuple[str, Path]]:
    for name in (CONFIGURATION, WORKTREE_CONFIGURATION, EXCLUDE, "info/attributes"):
        yield name, _place(repository, name)
    with contextlib.suppress(OSError):
        for path in sorted((repository.common_dir / "hooks").iterdir()):
            if path.suffix != ".sample":
                yield f"hooks/{path.name}", path


def _place(repository: Repository, name: str) -> Path:
    own = name == WORKTREE_CONFIGURATION
    return (repository.git_dir if own else repository.common_dir) / name


def _look(path: Path) -> WatchedFile | None:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            content = os.fsencode(path.readlink())
        else:
            content = path.read_bytes() if stat.S_ISREG(mode) else b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        return WatchedFile(mode, "", None)
    digest = hashlib.sha256(content).hexdigest()
    return WatchedFile(mode, digest, content if len(content) <= _KEPT_BYTES else None)


def _is_damaged(repository: Repository, path: Path, old: WatchedFile | None) -> bool:
    now = _settings(_content(path))
    if now is None or (old and not path.exists()):
        return True
    was = _settings(old.content if old else None) or []
    bare = _values(now, _BARE)[-1:]
    turned_bare = bare != _values(was, _BARE)[-1:] and not {*bare} <= _NO
    moved = _values(now, _WORKTREE) != _values(was, _WORKTREE)
    return turned_bare or moved or not _works(repository)


def _mend(repository: Repository, path: Path, old: WatchedFile | None) -> None:
    """Put back the two settings that say where a tree lies; where that is not enough, the file."""
    was = _settings(old.content if old else None) or []
    if _settings(_content(path)) is not None and path.exists():
        for key in (_BARE, _WORKTREE):
            _set(path, key, _values(was, key))
    now = _settings(_content(path))
    is_as_before = now is not None and sorted(now) == sorted(was)
    if now is None or is_as_before or not path.exists() or not _works(repository):
        _put_back(path, old)


def _set(path: Path, key: bytes, values: list[bytes]) -> None:
    _outside.run("config", "--file", str(path), "--unset-all", key.decode(), accept=(0, 5))
    for value in values:
        _outside.run("config", "--file", str(path), "--add", key.decode(), os.fsdecode(value))


def _values(settings: list[bytes], key: bytes) -> list[bytes]:
    pairs = [setting.partition(b"\n") for setting in settings]
    return [value for name, _, value in pairs if name == key]


def _settings(content: bytes | None) -> list[bytes] | None:
    """What a configuration file says; `None` if git can't make sense of it."""
    argv = ("config", "--file", "-", "--no-includes", "--list", "-z")
    answer = _outside.run(*argv, stdin=content or b"", accept=(0, 128))
    return answer.lines if answer.status == 0 else None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        return b"[unreadable"


def _works(repository: Repository) -> bool:
    # As the user would: without a word about where the repository lies.
    try:
        answer = Git(repository.top).run("rev-parse", "--show-toplevel", "--is-inside-work-tree")
    except GitError:
        return False
    return answer.stdout == os.fsencode(repository.top) + b"\ntrue\n"


def _same(
    name: str, old: WatchedFile | None, new: WatchedFile | None, ours: Collection[bytes]
) -> bool:
    if name == EXCLUDE:
        return _without(ours, old) == _without(ours, new)
    return old == new or _facts(old) == _facts(new)


def _facts(file: WatchedFile | None) -> tuple[int, str] | None:
    return (file.mode, file.digest) if file else None


def _without(ours: Collection[bytes], file: WatchedFile | None) -> list[bytes]:
    content = file.content if file and file.content else b""
    return [line for line in content.splitlines() if line not in ours]


def _describe(
    repository: Repository,
    name: str,
    old: WatchedFile | None,
    new: WatchedFile | None,
    folder: Path,
) -> str:
    path = _place(repository, name)
    shown, quoted = show_path(path), shlex.quote(str(path))
    if old is None:
        return f"{shown} was created while the job ran; `rm {quoted}` removes it"
    did = "was deleted" if new is None else "changed"
    if new and new.digest == old.digest:
        mode = stat.S_IMODE(old.mode)
        return f"{shown} {did} while the job ran; `chmod {mode:o} {quoted}` takes it back"
    if old.content is None:
        return f"{shown} {did} while the job ran"
    saved = folder / "before" / name
    _put_back(saved, old)
    # cp would write through a link that lies in its way, into whatever file that names.
    command = f"rm -f {quoted} && cp -P -p {shlex.quote(str(saved))} {quoted}"
    what = _what_changed(name, path, old.content)
    return f"{shown} {did} while the job ran{what}; `{command}` takes it back"


def _what_changed(name: str, path: Path, old: bytes) -> str:
    if name not in (CONFIGURATION, WORKTREE_CONFIGURATION):
        return ""
    different = {*(_settings(old) or [])} ^ {*(_settings(_content(path)) or [])}
    keys = sorted({show_path(setting.partition(b"\n")[0]) for setting in different})
    more = ", …" if len(keys) > _LISTED else ""
    return f" ({', '.join(keys[:_LISTED])}{more})" if keys else ""


def _set_aside(path: Path, saved: Path) -> None:
    saved.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        _replace(saved, path.read_bytes(), 0o600)


def _put_back(path: Path, file: WatchedFile | None) -> None:
    if file is None:
        path.unlink(missing_ok=True)
        return
    if file.content is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(file.mode):
        path.unlink(missing_ok=True)
        path.symlink_to(os.fsdecode(file.content))
    else:
        _replace(path, file.content, stat.S_IMODE(file.mode))


def _replace(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(f"{path.name}.sideshoot")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.replace(path)
