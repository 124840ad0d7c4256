"""A whole folder as a tree in the object store: its bytes, modes, links and empty folders.

Nothing in it is believed and nothing is run: files are read as bytes, and a name that git refuses
in a tree, such as `.git`, is escaped. So even another repository can be held, history and all.

The tree has two entries: `files`, and `manifest`, which says what git's modes can't.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sideshoot.errors import CaptureFailed, GitError
from sideshoot.git.command import rest_of
from sideshoot.git.trees import EXECUTABLE, REGULAR, SYMLINK, Entry, index_info, parse_tree
from sideshoot.text import show_path
from sideshoot.workspace.places import from_text, parents, to_text
from sideshoot.workspace.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from sideshoot.git import Git, Repository

_FORMAT = 1
_ESCAPE = b"%"
_FILES = b"files/"
_DEFAULT_MODES = {REGULAR: 0o644, EXECUTABLE: 0o755}
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder in the object store."""

    tree: str
    special: tuple[bytes, ...] = ()
    """Pipes, sockets and devices, which are not in it."""


@dataclass
class _Found:
    files: dict[bytes, bytes] = field(default_factory=dict)
    """The path in the archive of each file, and its place."""
    links: dict[bytes, bytes] = field(default_factory=dict)
    """The path of each link, and what it names."""
    modes: dict[bytes, int] = field(default_factory=dict)
    """The permissions of files and folders."""
    folders: list[bytes] = field(default_factory=list)
    special: list[bytes] = field(default_factory=list)


def store_folder(repository: Repository, places: Mapping[bytes, bytes]) -> Archive:
    """Write folders into the object store of `repository`; no ref names the tree yet.

    :param places: from the path in the archive to the folder that is to be there; `b""` is its top.
        The later ones replace what lies at their path in the earlier.
    :raises CaptureFailed: something in it can't be read.
    """
    found = _Found()
    for path, top in places.items():
        _forget(found, path)
        _walk(top, path, found)
    with scratch(repository) as folder:
        entries = _entries(repository, found, folder)
        git = repository.git.with_index(folder / "index")
        git.run(
            "update-index",
            "-z",
            "--add",
            "--index-info",
            stdin=index_info(entries.items(), repository.null_id),
        )
        return Archive(git.text("write-tree"), tuple(sorted(found.special)))


def bring_folder(repository: Repository, tree: str, target: bytes) -> None:
    """Write an archived folder to `target`, which does not exist: every byte and mode.

    :raises OSError: it can't be written.
    """
    git = repository.git
    entries = _listed(git, tree)
    manifest = _read_manifest(git, tree)
    modes = {from_text(path): mode for path, mode in manifest["modes"].items()}
    os.mkdir(target)
    for path in sorted({*(from_text(p) for p in manifest["folders"]), *_above(entries)}):
        os.makedirs(_join(target, path), exist_ok=True)
    _write_files(git, entries, target)
    for path in sorted({*modes}, reverse=True):  # inner ones first: a folder may end up read-only
        os.chmod(_join(target, path), modes[path])


def _forget(found: _Found, path: bytes) -> None:
    for known in (found.files, found.links, found.modes):
        for inner in [inner for inner in known if inner == path or _is_below(inner, path)]:
            del known[inner]


def _is_below(inner: bytes, path: bytes) -> bool:
    return not path or inner.startswith(path + b"/")


def _walk(top: bytes, path: bytes, found: _Found) -> None:
    waiting = [(top, path)]
    while waiting:
        folder, name = waiting.pop()
        found.folders.append(name)
        try:
            found.modes[name] = stat.S_IMODE(os.lstat(folder).st_mode)
            with os.scandir(folder) as entries:
                for entry in entries:
                    inner = name + b"/" + entry.name if name else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, inner))
                    else:
                        _take(entry, inner, found)
        except OSError as error:
            raise _unreadable(folder, error) from None


def _take(entry: os.DirEntry[bytes], path: bytes, found: _Found) -> None:
    facts = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(facts.st_mode):
        found.links[path] = os.readlink(entry.path)
    elif stat.S_ISREG(facts.st_mode):
        found.files[path] = entry.path
        found.modes[path] = stat.S_IMODE(facts.st_mode)
    else:
        found.special.append(path)


def _entries(repository: Repository, found: _Found, folder: Path) -> dict[bytes, Entry]:
    """Write all contents into the object store, and say where in the tree each belongs."""
    targets = {}
    for number, (path, target) in enumerate(found.links.items()):
        place = os.fsencode(folder / f"link{number}")
        with open(place, "wb") as file:
            file.write(target)
        targets[path] = place
    manifest = folder / "manifest"
    manifest.write_bytes(_manifest(found))
    places = [*found.files.values(), *targets.values(), os.fsencode(manifest)]
    oids = _hash(repository.git, places)
    named = dict(zip([*found.files, *targets, None], oids, strict=True))
    entries = {
        _escaped(path): Entry(_git_mode(found, path), oid)
        for path, oid in named.items()
        if path is not None
    }
    return {**entries, b"manifest": Entry(REGULAR, named[None])}


def _hash(git: Git, places: Sequence[bytes]) -> list[str]:
    # The contents are packed or dropped later anyway, and packs within are packed already.
    quick = git.configured({"core.looseCompression": "1"})
    names = b"".join(_quoted(place) + b"\n" for place in places)
    argv = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    answer = quick.run(*argv, stdin=names, accept=(0, 128), timeout_s=None)
    if answer.status:
        words = answer.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise CaptureFailed(
            f"can't save a repository that lies inside: {''.join(words)}; nothing was deleted"
        )
    return answer.stdout.decode("ascii").split()


def _quoted(place: bytes) -> bytes:
    """A path on a line of its own, in git's quotes where it has a line break."""
    if b"\n" not in place:
        return place
    escaped = place.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def _git_mode(found: _Found, path: bytes) -> str:
    if path in found.links:
        return SYMLINK
    return EXECUTABLE if found.modes[path] & stat.S_IXUSR else REGULAR


def _manifest(found: _Found) -> bytes:
    """What a tree can't say: folders with nothing in them, and permissions other than usual."""
    filled = {parent for path in (*found.files, *found.links) for parent in parents(path)}
    usual = {path: _DEFAULT_MODES[_git_mode(found, path)] for path in found.files}
    told: dict[str, Any] = {
        "format": _FORMAT,
        "folders": [to_text(path) for path in sorted({*found.folders} - filled - {b""})],
        "modes": {
            to_text(path): mode
            for path, mode in found.modes.items()
            if mode != usual.get(path, 0o755)
        },
    }
    return json.dumps(told).encode()


def _escaped(path: bytes) -> bytes:
    return _FILES + b"/".join(
        _ESCAPE + word if word.lower().startswith((b".git", _ESCAPE)) else word
        for word in path.split(b"/")
    )


def _plain(path: bytes) -> bytes:
    words = path.removeprefix(_FILES).split(b"/")
    return b"/".join(word.removeprefix(_ESCAPE) for word in words)


def _listed(git: Git, tree: str) -> dict[bytes, Entry]:
    found = parse_tree(git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout)
    return {_plain(path): entry for path, entry in found.items() if path.startswith(_FILES)}


def _read_manifest(git: Git, tree: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(git.run("cat-file", "blob", f"{tree}:manifest").stdout)
    return manifest


def _above(entries: Mapping[bytes, Entry]) -> Iterator[bytes]:
    for path in entries:
        yield from parents(path)


def _write_files(git: Git, entries: Mapping[bytes, Entry], target: bytes) -> None:
    argv = ("cat-file", "--batch", "--buffer")
    # A file and not a pipe: git would wait for us to read while we wait for it to read.
    with tempfile.TemporaryFile() as names, tempfile.TemporaryFile() as objects:
        names.write("".join(f"{entry.oid}\n" for entry in entries.values()).encode("ascii"))
        names.seek(0)
        rest_of(argv, git.start(*argv, stdin=names.fileno(), stdout=objects.fileno()))
        objects.seek(0)
        for path, entry in entries.items():
            _write_file(objects, _join(target, path), entry)


def _write_file(source: IO[bytes], place: bytes, entry: Entry) -> None:
    header = source.readline().split()
    if len(header) != 3:
        raise GitError(("cat-file",), 128, b"fatal: missing object " + entry.oid.encode())
    size = int(header[2])
    if entry.mode == SYMLINK:
        os.symlink(source.read(size), place)
    else:
        with open(place, "xb") as file:
            while size and (piece := source.read(min(size, _CHUNK))):
                file.write(piece)
                size -= len(piece)
        os.chmod(place, _DEFAULT_MODES[entry.mode])
    source.read(1)


def _join(target: bytes, path: bytes) -> bytes:
    return target + b"/" + path if path else target


def _unreadable(folder: bytes, error: OSError) -> CaptureFailed:
    where = show_path(error.filename or folder)
    return CaptureFailed(f"can't save {where}: {error.strerror}; nothing was deleted")
