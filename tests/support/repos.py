"""Real repositories for tests, and everything that can be known about one.

Paths inside a tree are bytes, as in the package; a plain `str` is taken for convenience.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    TreePath = str | bytes
    Tree = dict[bytes, tuple[int, bytes]]
    """A path's mode (permissions; 0o120000 for a link, 0o160000 for a gitlink) and its contents."""

SYMLINK = 0o120000
GITLINK = 0o160000

# What a test looks with must not depend on what a test has set up to be hostile.
_CALM = {
    "advice.detachedHead": "false",
    "color.ui": "false",
    "commit.gpgSign": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.protectNTFS": "false",
    "core.safecrlf": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.file.allow": "always",
}

_GARDENER = {
    "GIT_AUTHOR_NAME": "Gardener",
    "GIT_AUTHOR_EMAIL": "gardener@example.org",
    "GIT_COMMITTER_NAME": "Gardener",
    "GIT_COMMITTER_EMAIL": "gardener@example.org",
}

_OURS = ("refs/sideshoot/", "refs/heads/sideshoot/", "refs/heads/sideshoot-jobs/")

FILES: Mapping[str, str] = {
    "README.md": "# Garden\n\nA repository for tests.\n",
    "app.py": "".join(f"line_{number} = {number}\n" for number in range(1, 31)),
    "src/beds.py": "BEDS = ['north', 'south']\n",
    "src/tools/rake.py": "def rake():\n    return 'raked'\n",
    "docs/guide.txt": "one\ntwo\nthree\n",
    ".gitignore": "*.log\nbuild/\n",
}
"""What a fresh `repo` holds."""


class Repo:
    """A real repository with a working tree at `top`."""

    def __init__(self, top: Path) -> None:
        self.top = top

    @classmethod
    def create(
        cls,
        top: Path,
        files: Mapping[str, str] | None = None,
        *,
        options: Collection[str] = (),
    ) -> Repo:
        """A repository whose one commit on `main` holds `files`; without a commit if there are none.

        :param options: further options of `git init`.
        """
        top.mkdir(parents=True, exist_ok=True)
        repo = cls(top)
        repo.git("init", "-q", "-b", "main", *options)
        for path, content in (FILES if files is None else files).items():
            repo.write(path, content)
        if files is None or files:
            repo.commit("first")
        return repo

    # -- git

    def git(
        self,
        *argv: TreePath,
        stdin: bytes = b"",
        accept: Collection[int] = (0,),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> bytes:
        """What `git ARGV` prints; any other exit status than those of `accept` fails the test."""
        done = subprocess.run(
            ["git", *argv],
            cwd=cwd or self.top,
            env=calm_environment() | dict(env or {}),
            input=stdin,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode in accept, (argv, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def text(self, *argv: TreePath) -> str:
        """What `git ARGV` prints, as text without its line end."""
        return self.git(*argv).decode().rstrip("\n")

    def commit(self, message: str = "change") -> str:
        """Commit all that lies in the tree, and return the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head()

    def head(self) -> str:
        return self.text("rev-parse", "HEAD")

    @property
    def git_dir(self) -> Path:
        return Path(os.fsdecode(self.git("rev-parse", "--absolute-git-dir").removesuffix(b"\n")))

    @property
    def common_dir(self) -> Path:
        answer = self.git("rev-parse", "--path-format=absolute", "--git-common-dir")
        return Path(os.fsdecode(answer.removesuffix(b"\n")))

    # -- files

    def place(self, path: TreePath) -> Path:
        return self.top / os.fsdecode(path)

    def write(self, path: TreePath, content: str | bytes, *, mode: int | None = None) -> None:
        """Write a file whole, in whatever folder it belongs."""
        place = self.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        if mode is not None:
            place.chmod(mode)

    def link(self, path: TreePath, target: TreePath) -> None:
        place = self.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.fsdecode(target))

    def read(self, path: TreePath) -> bytes:
        return self.place(path).read_bytes()

    def exists(self, path: TreePath) -> bool:
        return os.path.lexists(self.place(path))

    def remove(self, path: TreePath) -> None:
        place = self.place(path)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()

    def chmod(self, path: TreePath, mode: int) -> None:
        self.place(path).chmod(mode)

    # -- facts

    def tree(self, *, within: TreePath = b"") -> Tree:
        """The files, links and gitlinks of the working tree, without git's and our own folders."""
        top = os.fsencode(self.place(within))
        return {path: found for path, found in _walk(top) if not stat.S_ISDIR(found[0])}

    def index(self) -> list[tuple[bytes, int, str, str, str]]:
        """Path, stage, mode, object and flag (`H`, `S`; lower case if assumed unchanged) of each entry."""
        stages = self.git("ls-files", "--stage", "-z").split(b"\0")[:-1]
        flags = self.git("ls-files", "-v", "-z").split(b"\0")[:-1]
        found = []
        for record, flag in zip(stages, flags, strict=True):
            facts, path = record.split(b"\t", 1)
            mode, oid, stage = facts.decode().split(" ")
            found.append((path, int(stage), mode, oid, chr(flag[0])))
        return found

    def staged(self) -> Tree:
        """What the index would commit: each path's mode and contents, as git stores them."""
        return self._contents(
            (path, mode, oid) for path, stage, mode, oid, _ in self.index() if not stage
        )

    def committed(self, revision: str) -> Tree:
        """What a commit or tree holds: each path's mode and contents, as git stores them."""
        records = self.git("ls-tree", "-r", "-z", "--full-tree", revision).split(b"\0")[:-1]
        entries = []
        for record in records:
            facts, path = record.split(b"\t", 1)
            mode, _, oid = facts.decode().split(" ")
            entries.append((path, mode, oid))
        return self._contents(iter(entries))

    def status(self) -> bytes:
        """`git status` for machines, with all untracked files."""
        return self.git(
            "--no-optional-locks",
            "status",
            "--porcelain=v2",
            "-z",
            "--untracked-files=all",
            "--ignore-submodules=none",
        )

    def refs(self) -> dict[str, str]:
        """All refs except our own."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines)
        return {name: oid for name, oid in pairs if not name.startswith(_OURS)}

    def our_refs(self) -> dict[str, str]:
        """Only the refs of Sideshoot's own."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", *_OURS).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)

    def fingerprint(self) -> dict[str, Any]:
        """Everything that must not change from `run` until `keep`."""
        git_dir, common_dir = self.git_dir, self.common_dir
        return {
            "files": dict(_walk(os.fsencode(self.top))),
            "index": self.index(),
            "index file": _digest(git_dir / "index"),
            "HEAD": _bytes(git_dir / "HEAD"),
            "log of HEAD": _bytes(git_dir / "logs" / "HEAD"),
            "unfinished": [
                name
                for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD", "ORIG_HEAD")
                if (git_dir / name).exists()
            ],
            "refs": self.refs(),
            "stash": _bytes(common_dir / "logs" / "refs" / "stash"),
            "configuration": [
                _bytes(common_dir / "config"),
                _bytes(git_dir / "config.worktree"),
                _bytes(Path(os.environ["GIT_CONFIG_GLOBAL"])),
            ],
            "hooks": dict(_walk(os.fsencode(common_dir / "hooks"))),
            "status": self.status(),
        }

    def _contents(self, entries: Iterator[tuple[bytes, str, str]]) -> Tree:
        known = list(entries)
        oids = [oid for _, mode, oid in known if int(mode, 8) != GITLINK]
        blobs = iter(_blobs(self.git("cat-file", "--batch", stdin="\n".join(oids).encode())))
        return {path: _stored(int(mode, 8), oid, blobs) for path, mode, oid in known}


def calm_environment() -> dict[str, str]:
    """The environment for git calls of a test's own: the user's configuration, nothing that runs."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")
    }
    environment |= _GARDENER
    environment |= {"GIT_CONFIG_COUNT": str(len(_CALM)), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    for number, (name, value) in enumerate(_CALM.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = name
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


def as_git_sees(tree: Tree) -> Tree:
    """A working tree's modes as git knows them: 0o100644, 0o100755 and links."""
    return {path: (_git_mode(mode), content) for path, (mode, content) in tree.items()}


def _git_mode(mode: int) -> int:
    if mode in (SYMLINK, GITLINK):
        return mode
    return 0o100755 if mode & stat.S_IXUSR else 0o100644


def _stored(mode: int, oid: str, blobs: Iterator[bytes]) -> tuple[int, bytes]:
    return mode, oid.encode() if mode == GITLINK else next(blobs)


def _blobs(batch: bytes) -> list[bytes]:
    found, position = [], 0
    while position < len(batch):
        end = batch.index(b"\n", position)
        size = int(batch[position:end].split(b" ")[2])
        found.append(batch[end + 1 : end + 1 + size])
        position = end + size + 2
    return found


def _walk(top: bytes, prefix: bytes = b"") -> Iterator[tuple[bytes, tuple[int, bytes]]]:
    """All that lies below `top`; folders too, git's own and our workspaces left out."""
    try:
        entries = sorted(os.scandir(top), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        path = prefix + entry.name
        facts = entry.stat(follow_symlinks=False)
        if path in (b".git", b".worktrees"):
            continue
        if stat.S_ISLNK(facts.st_mode):
            yield path, (SYMLINK, os.fsencode(Path(os.fsdecode(entry.path)).readlink()))
        elif stat.S_ISDIR(facts.st_mode):
            yield path, (facts.st_mode, b"")
            yield from _walk(entry.path, path + b"/")
        elif stat.S_ISREG(facts.st_mode):
            yield path, (stat.S_IMODE(facts.st_mode), _bytes(Path(os.fsdecode(entry.path))) or b"")
        else:
            yield path, (facts.st_mode, b"")


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, PermissionError):
        return None


def _digest(path: Path) -> str | None:
    content = _bytes(path)
    return None if content is None else hashlib.sha256(content).hexdigest()
