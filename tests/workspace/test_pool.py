"""A workspace from the pool is what a new one would be, and nothing of an earlier job is in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.workspace import pool, pool_seal
from sideshoot.workspace.capture import capture
from sideshoot.workspace.ignored import list_ignored
from sideshoot.workspace.removal import remove_workspace
from sideshoot.workspace.reopening import Reuse
from sideshoot.workspace.trash import PREFIX
from support.pooling import ONE, assert_as_new, finished, held, inode, picture, settle
from support.repos import Repo
from support.workspaces import inside, opened, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.workspace.place import Workspace

LEAVINGS = {
    "nothing": "true",
    "changed files": "echo x >> app.py; echo y > README.md",
    "a change that keeps size and time": (
        "touch -r app.py /tmp/$$; sed -i 's/line_1 /LINE_1 /' app.py; touch -r /tmp/$$ app.py; rm /tmp/$$"
    ),
    "files gone": "rm -r src app.py",
    "new files": "echo x > new; mkdir -p a/b; echo y > a/b/c; echo z > src/new",
    "ignored files": "echo x > a.log; mkdir build; echo y > build/out; echo z > src/b.log",
    "empty folders": "mkdir -p empty src/void",
    "a file in the place of a folder": "rm -r src; echo x > src",
    "a folder in the place of a file": "rm app.py; mkdir app.py; echo x > app.py/x",
    "links": "rm -r docs; ln -s /etc docs; ln -sf README.md app.py; ln -s src link",
    "a file's mode": "chmod 755 README.md; chmod 600 app.py",
    "folders' modes": "chmod 700 src; chmod 500 docs",
    "a folder that can't be entered": "mkdir closed; echo x > closed/x; chmod 0 closed src",
    "a pipe": "mkfifo pipe; rm app.py; mkfifo app.py",
    "second names": "ln app.py second; ln README.md src/other; rm second src/other",
    "a repository": "mkdir inner; cd inner; git init -q; echo x > x; git add x",
    "a repository in the top": "rm .git; git init -q; git add -A",
    "no .git file": "rm .git",
    "flags in the index": (
        "git update-index --assume-unchanged app.py; git update-index --skip-worktree README.md;"
        "echo x > app.py; echo y > README.md"
    ),
    "commits": "echo x > new; git add new; git commit -qm x; git tag t-$$; git switch -qc other-$$",
    "a merge in the middle": (
        "git switch -qc side-$$; echo s > app.py; git commit -qam s; git switch -q -; echo m > app.py;"
        "git commit -qam m; git merge -q side-$$"
    ),
    "a sparse checkout": "git sparse-checkout set docs",
    "configuration": (
        "git config extensions.worktreeConfig true; git config --worktree core.bare false;"
        "git config --worktree user.name Other; mkdir -p $(git rev-parse --git-dir)/info;"
        "echo '*.txt' > $(git rev-parse --git-dir)/info/exclude"
    ),
    "a private index that lies": (
        "echo x > app.py; GIT_INDEX_FILE=$(git rev-parse --git-dir)/sideshoot-index git add app.py"
    ),
    "attributes and rules": "echo '*.txt text eol=crlf' > .gitattributes; echo '*' > .gitignore",
}


@pytest.fixture
def garden(repo: Repo) -> Repo:
    """A repository in which something is changed, staged, and new."""
    repo.write("app.py", repo.read("app.py").replace(b"line_2 = 2", b"line_2 = 'mine'"))
    repo.write("README.md", "# Staged\n")
    repo.git("add", "README.md")
    repo.write("notes.txt", "untracked\n")
    repo.write("mine.log", "ignored\n")
    return repo


def left(workspace: Workspace, script: str) -> None:
    """Do in the workspace what an agent may do."""
    subprocess.run(["sh", "-c", script], cwd=workspace.path, capture_output=True, timeout=60)


def reused(repo: Repo, first: Workspace, job: str = "next", reuse: Reuse = ONE) -> Workspace:
    """The next workspace, which is by the folder of the first one."""
    number = inode(first.path)
    finished(repo, first)
    workspace = opened(repo, job, reuse=reuse)
    assert inode(workspace.path) == number
    return workspace


class TestNothingLeaks:
    @pytest.mark.parametrize("script", LEAVINGS.values(), ids=LEAVINGS.keys())
    def test_of_what_a_job_left(self, garden: Repo, script: str) -> None:
        first = opened(garden, "first", reuse=ONE)
        left(first, script)
        assert_as_new(garden, reused(garden, first))

    def test_of_attributes_that_files_have(self, garden: Repo) -> None:
        first = opened(garden, "first", reuse=ONE)
        try:
            os.setxattr(first.path / "app.py", "user.left", b"x")
            os.setxattr(first.path / "src", "user.left", b"x")
        except (AttributeError, OSError):
            pytest.skip("this file system has none")
        finished(garden, first)
        second = opened(garden, "next", reuse=ONE)
        for path in (second.path / "app.py", second.path / "src"):
            assert os.listxattr(path) == []
        assert_as_new(garden, second)

    def test_of_a_second_name_elsewhere(self, garden: Repo, tmp_path: Path) -> None:
        first = opened(garden, "first", reuse=ONE)
        (tmp_path / "outside").hardlink_to(first.path / "app.py")
        second = reused(garden, first)
        (tmp_path / "outside").write_text("changed from outside")
        assert_as_new(garden, second)

    def test_of_what_was_carried(self, garden: Repo) -> None:
        first = opened(garden, "first", reuse=ONE)
        garden.git("reset", "-q", "--hard")
        (garden.top / "notes.txt").unlink()
        assert_as_new(garden, reused(garden, first))

    def test_of_submodules(self, garden: Repo, tmp_path: Path) -> None:
        library = Repo.create(tmp_path / "library")
        garden.git("submodule", "add", "-q", str(library.top), "lib")
        garden.commit("with a submodule")
        first = opened(garden, "first", reuse=ONE)
        left(first, "echo x > lib/new; cd lib; git commit -qam x; git switch -qc other; git stash")
        second = reused(garden, first)
        assert (second.path / "lib" / "app.py").exists()
        assert_as_new(garden, second)
        left(second, "git rm -qrf lib; rm -rf lib")
        finished(garden, second)
        garden.git("rm", "-qf", "lib")
        garden.commit("without it")
        assert_as_new(garden, opened(garden, "last", reuse=ONE))


def replaced(repo: Repo, old: str, *new: str) -> None:
    """Take something out of the tree, and put files there."""
    place = repo.top / old
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    for path in new:
        repo.write(path, "x\n")


def linked(repo: Repo, path: str, aim: bytes) -> None:
    replaced(repo, path)
    repo.link(path, aim)


def on_an_orphan(repo: Repo) -> None:
    repo.git("stash", "-u")
    repo.git("switch", "-q", "--orphan", "bare")
    repo.write("only", "x\n")
    repo.commit("only")


MOVES: dict[str, Callable[[Repo], object]] = {
    "nothing": lambda repo: repo.head(),
    "edits": lambda repo: repo.write("app.py", "other\n"),
    "a commit": lambda repo: repo.commit("all"),
    "renames": lambda repo: repo.git("mv", "src", "source"),
    "a folder gone": lambda repo: shutil.rmtree(repo.top / "src"),
    "a file in the place of a folder": lambda repo: replaced(repo, "src", "src"),
    "a folder in the place of a file": lambda repo: replaced(repo, "app.py", "app.py/x"),
    "a link": lambda repo: linked(repo, "docs", b"src"),
    "a mode": lambda repo: (repo.top / "app.py").chmod(0o755),
    "another branch": on_an_orphan,
    "new rules": lambda repo: repo.write(".gitignore", "*.txt\n"),
    "new attributes": lambda repo: repo.write(".gitattributes", "*.txt text eol=crlf\n"),
}


class TestTheNextBase:
    @pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
    def test_is_written_over_the_last_one(
        self, garden: Repo, move: Callable[[Repo], object]
    ) -> None:
        first = opened(garden, "first", reuse=ONE)
        left(first, LEAVINGS["changed files"])
        finished(garden, first)
        move(garden)
        assert_as_new(garden, opened(garden, "next", reuse=ONE))

    def test_may_have_lost_its_objects(self, garden: Repo) -> None:
        """What the folder held last need not be there any more."""
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        garden.git("update-ref", "-d", "refs/sideshoot/first/base")
        garden.write("app.py", "other\n")
        garden.git("gc", "-q", "--prune=now")
        second = opened(garden, "next", reuse=ONE)
        assert inode(second.path) == number
        assert_as_new(garden, second)


class TestRepositories:
    """Of every kind and configuration."""

    @pytest.mark.parametrize(
        "settings",
        [
            {"core.autocrlf": "true"},
            {"core.checkStat": "minimal", "core.trustctime": "false"},
            {"core.fileMode": "false"},
            {"core.ignoreStat": "true"},
            {"core.untrackedCache": "true", "feature.manyFiles": "true"},
            {"index.version": "4"},
            {"core.splitIndex": "true"},
            {"filter.x.clean": "tr a-z A-Z", "filter.x.smudge": "tr A-Z a-z"},
        ],
        ids=str,
    )
    def test_with_settings(self, garden: Repo, settings: dict[str, str]) -> None:
        for name, value in settings.items():
            garden.git("config", name, value)
        garden.write(".gitattributes", "docs/* filter=x\n")
        garden.commit("with a filter")
        garden.git("rm", "-qr", "--cached", ".")
        garden.git("reset", "-q", "--hard")
        first = opened(garden, "first", reuse=ONE)
        left(first, LEAVINGS["a change that keeps size and time"] + "; rm docs/guide.txt")
        finished(garden, first)
        garden.write("README.md", "changed\n")
        assert_as_new(garden, opened(garden, "next", reuse=ONE))

    @pytest.mark.parametrize("files", [{}, {"only": "one"}], ids=["no commit", "one file"])
    @pytest.mark.parametrize("kind", ["sha1", "sha256"])
    def test_with_little_in_it(self, tmp_path: Path, kind: str, files: dict[str, str]) -> None:
        repo = Repo.create(tmp_path / "r", files, options=[f"--object-format={kind}"])
        repo.write("new", "x\n")
        first = opened(repo, "first", reuse=ONE)
        left(first, "echo y > new; echo z > other")
        second = reused(repo, first)
        other = opened(repo, "other")
        for path in ("new", "other", "only"):
            here, there = second.path / path, other.path / path
            assert here.exists() == there.exists()
            assert not there.exists() or here.read_bytes() == there.read_bytes()
        assert inside(second).index() == inside(other).index()
        assert inside(second).status() == inside(other).status()

    def test_a_bare_one_with_working_trees(self, garden: Repo, tmp_path: Path) -> None:
        garden.commit("all")
        garden.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
        Repo(tmp_path / "bare.git").git("worktree", "add", "-q", str(tmp_path / "tree"))
        tree = Repo(tmp_path / "tree")
        first = opened(tree, "first", reuse=ONE)
        left(first, LEAVINGS["changed files"])
        assert_as_new(tree, reused(tree, first))


def _edited_again(folder: Path) -> None:
    facts = (folder / "app.py").stat()
    content = (folder / "app.py").read_bytes()
    (folder / "app.py").write_bytes(content[::-1])
    os.utime(folder / "app.py", ns=(facts.st_atime_ns, facts.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file": _edited_again,
    "a file's mode": lambda folder: (folder / "app.py").chmod(0o755),
    "a file's mode that git does not know": lambda folder: (folder / "app.py").chmod(0o640),
    "a folder's mode": lambda folder: (folder / "src").chmod(0o700),
    "a new file": lambda folder: (folder / "src" / "new").touch(),
    "a new ignored file": lambda folder: (folder / "src" / "new.log").touch(),
    "a new file at the top": lambda folder: (folder / "new").touch(),
    "a new folder": lambda folder: (folder / "src" / "new").mkdir(),
    "a file gone": lambda folder: (folder / "app.py").unlink(),
    "a file copied over": lambda folder: shutil.copy2(folder / "README.md", folder / "app.py"),
    "a second name": lambda folder: (
        (folder / "app.py").with_name("x").hardlink_to(folder / "app.py")
    ),
    "all of it": lambda folder: folder.rename(folder.with_name("away")),
}


class TestIsNotUsed:
    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
    def test_where_it_was_changed(self, garden: Repo, change: Callable[[Path], object]) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        (folder,) = held(garden)
        change(folder)
        self.is_thrown_away(garden, folder, number)

    def is_thrown_away(self, repo: Repo, folder: Path, number: int) -> None:
        second = opened(repo, "next", reuse=ONE)
        assert inode(second.path) != number
        assert_as_new(repo, second)
        assert not folder.exists()
        wait_until(lambda: not list(folder.parent.glob(f"{PREFIX}*")))
        finished(repo, second)
        assert len(held(repo)) == 1

    @pytest.mark.parametrize("when", ["before it is clean", "later"])
    @pytest.mark.parametrize("how", ["in a folder", "with a file"])
    def test_where_a_process_is_in_it(self, garden: Repo, when: str, how: str) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        if when == "later":
            finished(garden, first)
            (folder,) = held(garden)
        else:
            folder = first.path
        opener = "import sys; f = open(sys.argv[1]); print(flush=True); input()"
        place = folder / "src" if how == "in a folder" else Path("/")
        argv = [sys.executable, "-c", opener, str(folder / "app.py")]
        if how == "in a folder":
            argv = [sys.executable, "-c", "print(flush=True); input()"]
        process = subprocess.Popen(argv, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            if when == "later":
                assert inode(opened(garden, "next", reuse=ONE).path) != number
            else:
                finished(garden, first)
                assert held(garden) == []
        finally:
            process.communicate(b"\n", timeout=60)

    def test_where_it_is_mounted_elsewhere(self, garden: Repo, tmp_path: Path) -> None:
        """As a container has it that an agent left running."""
        first = opened(garden, "first", reuse=ONE)
        (tmp_path / "a point").mkdir()
        script = 'mount --bind "$1" "$2" && echo && read end'
        words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        argv = [*words, str(first.path / "src"), str(tmp_path / "a point")]
        process = subprocess.Popen(
            argv, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            assert process.stdout is not None
            if not process.stdout.readline():
                pytest.skip("nothing can be mounted here")
            finished(garden, first)
            assert held(garden) == []
        finally:
            process.communicate(b"\n", timeout=60)

    @pytest.mark.parametrize("name", ["core.autocrlf", "filter.x.smudge", "core.attributesFile"])
    def test_where_git_writes_files_in_another_way_now(self, garden: Repo, name: str) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        (folder,) = held(garden)
        garden.git("config", name, "true" if name == "core.autocrlf" else "cat")
        self.is_thrown_away(garden, folder, number)

    def test_under_another_umask(self, garden: Repo) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        (folder,) = held(garden)
        before = os.umask(0o027)
        try:
            self.is_thrown_away(garden, folder, number)
        finally:
            os.umask(before)

    @pytest.mark.parametrize("cut", [0, 40, -1])
    def test_where_its_seal_is_not_whole(self, garden: Repo, cut: int) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        (entry,) = pool.entries(garden.common_dir)
        entry.seal.write_bytes(entry.seal.read_bytes()[:cut])
        self.is_thrown_away(garden, entry.folder, number)

    def test_after_a_restart(self, garden: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        (folder,) = held(garden)
        with monkeypatch.context() as patch:
            patch.setattr(pool_seal, "boot_id", lambda: "the next run")
            self.is_thrown_away(garden, folder, number)

    def test_in_a_sparse_checkout(self, garden: Repo) -> None:
        finished(garden, opened(garden, "first", reuse=ONE))
        garden.git("reset", "-q", "--hard")
        garden.git("sparse-checkout", "set", "docs")
        second = opened(garden, "next", reuse=ONE)
        assert not (second.path / "src").exists()
        assert len(held(garden)) == 1

    def test_where_the_user_wants_no_pool(self, garden: Repo) -> None:
        finished(garden, opened(garden, "first"))
        assert held(garden) == []

    def test_once_the_user_wants_none_any_more(self, garden: Repo) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        (folder,) = held(garden)
        assert inode(opened(garden, "next").path) != number
        assert not folder.exists()
        wait_until(lambda: not list(folder.parent.glob(f"{PREFIX}*")))

    def test_by_another_working_tree(self, garden: Repo, tmp_path: Path) -> None:
        first = opened(garden, "first", reuse=ONE)
        number = inode(first.path)
        finished(garden, first)
        garden.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
        second = opened(Repo(tmp_path / "linked"), "next", reuse=ONE)
        assert inode(second.path) != number
        assert len(held(garden)) == 1


class TestHowMany:
    def test_no_more_than_wanted_are_held(self, garden: Repo) -> None:
        reuse = Reuse(2)
        workspaces = [opened(garden, f"job{number}", reuse=reuse) for number in range(4)]
        numbers = [inode(workspace.path) for workspace in workspaces]
        finished(garden, *workspaces)
        assert [inode(folder) for folder in held(garden)] == numbers[2:]
        wait_until(lambda: len(list((garden.top / ".worktrees").iterdir())) == 2)

    def test_of_many_at_once_each_gets_another_one(self, garden: Repo) -> None:
        reuse = Reuse(3)
        finished(garden, *[opened(garden, f"job{number}", reuse=reuse) for number in range(3)])
        numbers = {inode(folder) for folder in held(garden)}
        with ThreadPoolExecutor(6) as threads:
            opening = threads.map(lambda n: opened(garden, f"next{n}", reuse=reuse), range(6))
            workspaces = list(opening)
        found = [inode(workspace.path) for workspace in workspaces]
        assert len({*found}) == 6
        assert numbers <= {*found}
        assert held(garden) == []
        assert_as_new(garden, workspaces[0])
        pictures = [picture(workspace) for workspace in workspaces]
        assert all(one == pictures[0] for one in pictures)

    def test_the_one_that_has_the_base_is_preferred(self, garden: Repo) -> None:
        reuse = Reuse(2)
        first = opened(garden, "first", reuse=reuse)
        garden.write("app.py", "other\n")
        second = opened(garden, "second", reuse=reuse)
        numbers = inode(first.path), inode(second.path)
        finished(garden, second, first)
        assert inode(opened(garden, "third", reuse=reuse).path) == numbers[1]


def test_it_moves_with_the_repository(garden: Repo, tmp_path: Path) -> None:
    first = opened(garden, "first", reuse=ONE)
    number = inode(first.path)
    finished(garden, first)
    wait_until(lambda: len(list((garden.top / ".worktrees").iterdir())) == 1)
    moved = Repo(garden.top.rename(tmp_path / "moved"))
    second = opened(moved, "next", reuse=ONE)
    assert inode(second.path) == number
    assert_as_new(moved, second)


def test_folders_elsewhere_are_used_again_there(garden: Repo, tmp_path: Path) -> None:
    first = opened(garden, "first", reuse=ONE, directory=tmp_path / "elsewhere")
    number = inode(first.path)
    finished(garden, first)
    second = opened(garden, "next", reuse=ONE, directory=tmp_path / "elsewhere")
    assert inode(second.path) == number


def test_what_has_no_owner_is_swept(garden: Repo) -> None:
    finished(garden, opened(garden, "first", reuse=Reuse(2)))
    (entry,) = pool.entries(garden.common_dir)
    stray = entry.folder.with_name(f"{pool.PREFIX}stray")
    stray.mkdir()
    (garden.common_dir / "sideshoot" / "pool" / "unreadable").mkdir()
    second = opened(garden, "second")
    pool.sweep(garden.common_dir, [second.path.parent])
    assert not stray.exists()
    assert list((garden.common_dir / "sideshoot" / "pool").iterdir()) == []


class TestCaches:
    REUSE = Reuse(1, ("build", "web/node_modules"))

    @pytest.fixture
    def cached(self, garden: Repo) -> Workspace:
        """A workspace in which a job left two caches, and other things."""
        garden.write(".gitignore", "*.log\nbuild\nnode_modules/\n")
        first = opened(garden, "first", reuse=self.REUSE)
        left(
            first,
            "mkdir -p build/deep web/node_modules/.bin; echo 1 > build/deep/out; mkdir build/void",
        )
        left(
            first,
            "ln -s ../pkg web/node_modules/.bin/pkg; echo 2 > web/node_modules/pkg; touch web/x",
        )
        return first

    def test_stay(self, garden: Repo, cached: Workspace) -> None:
        second = reused(garden, cached, reuse=self.REUSE)
        assert (second.path / "build/deep/out").read_text() == "1\n"
        assert (second.path / "build/void").is_dir()
        assert (second.path / "web/node_modules/.bin/pkg").read_text() == "2\n"
        assert not (second.path / "web/x").exists()
        there = inside(second)
        assert there.status() == Repo(garden.top).status()
        assert list_ignored(second).count == 0
        captured = capture(discover(garden.top), second)
        assert captured.tree == garden.text("rev-parse", f"{second.base}^{{tree}}")
        third = reused(garden, second, "third", self.REUSE)
        assert (third.path / "build/deep/out").read_text() == "1\n"

    def test_are_not_copied_once_more(self, garden: Repo, cached: Workspace) -> None:
        garden.write("build/deep/out", "mine\n")
        garden.write("web/node_modules/own", "mine\n")
        garden.write("own.log", "mine\n")
        garden.write(".worktreeinclude", "build\nnode_modules/\n*.log\n")
        second = reused(garden, cached, reuse=self.REUSE)
        assert (second.path / "build/deep/out").read_text() == "1\n"
        assert not (second.path / "web/node_modules/own").exists()
        assert (second.path / "own.log").read_text() == "mine\n"
        assert list_ignored(second).count == 0

    @pytest.mark.parametrize(
        ("rules", "added"),
        [
            ("*.log\n", ()),
            ("build/*\n!build/deep\nnode_modules/*\n!pkg\n", ()),
            ("build\nnode_modules/\n", ("build/tracked", "web/node_modules/tracked")),
            ("build\nnode_modules/\n", ("build", "web")),
        ],
        ids=["not ignored", "not ignored in part", "tracked", "a file there"],
    )
    def test_go_where_git_would_see_them(
        self, garden: Repo, cached: Workspace, rules: str, added: tuple[str, ...]
    ) -> None:
        finished(garden, cached)
        garden.write(".gitignore", rules)
        for path in added:
            garden.write(path, "x\n")
            garden.git("add", "-f", path)
        assert_as_new(garden, opened(garden, "next", reuse=self.REUSE))

    @pytest.mark.parametrize(
        "script",
        [
            "rm -r build web; ln -s /etc build; mkdir away; mv away web; ln -s /tmp web/node_modules",
            "rm -r build web; mkdir -p real/node_modules; ln -s real build; ln -s real web",
            "rm -r build web; echo x > build; echo x > web",
            'ln -s "$TREE/app.py" build/app; ln -s "$TREE/.git" web/node_modules/x',
            'ln -s "$TREE" build/1; ln -s 1/src build/2; ln -s ../../../.. web/node_modules/x',
        ],
        ids=["links", "links within", "files", "links to the user's", "by way of others"],
    )
    def test_go_where_they_lead_out(self, garden: Repo, cached: Workspace, script: str) -> None:
        left(cached, f"TREE={garden.top}; {script}")
        finished(garden, cached)
        second = opened(garden, "next", reuse=self.REUSE)
        for path in ("build/app", "build/2", "web/node_modules/x"):
            assert not os.path.lexists(second.path / path)
        for path in ("build", "web"):
            assert not (second.path / path).is_symlink()
            assert not (second.path / path).is_file()

    def test_go_once_they_are_no_longer_listed(self, garden: Repo, cached: Workspace) -> None:
        assert_as_new(garden, reused(garden, cached, reuse=ONE))

    def test_do_not_hide_what_was_changed_meanwhile(self, garden: Repo, cached: Workspace) -> None:
        number = inode(cached.path)
        finished(garden, cached)
        (folder,) = held(garden)
        shutil.rmtree(folder / "build")
        (folder / "build").symlink_to("/etc")
        second = opened(garden, "next", reuse=self.REUSE)
        assert inode(second.path) != number
        assert_as_new(garden, second)


def test_a_cleaner_that_is_killed_is_followed_by_another(garden: Repo) -> None:
    first = opened(garden, "first", reuse=Reuse(2))
    number = inode(first.path)
    left(first, LEAVINGS["changed files"])
    assert pool.offer(first)
    words = ["-m", "sideshoot.workspace.cleaning", str(garden.top), str(first.path.parent)]
    argv = [sys.executable, *words]
    environment = {**os.environ, "SIDESHOOT_CRASH_AT": "pool.cleaned"}
    done = subprocess.run(argv, env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL
    second = opened(garden, "second", reuse=Reuse(2))
    assert inode(second.path) != number
    remove_workspace(discover(garden.top), second)
    settle(garden)
    assert number in map(inode, held(garden))
    for job in ("third", "fourth"):
        assert_as_new(garden, opened(garden, job, reuse=Reuse(2)))


def test_with_reftables_each_workspace_is_new(tmp_path: Path) -> None:
    """git makes them known itself there, and only with an empty folder."""
    try:
        repo = Repo.create(tmp_path / "r", options=["--ref-format=reftable"])
    except AssertionError:
        pytest.skip("this git has no reftables yet")
    finished(repo, opened(repo, "first", reuse=ONE))
    assert held(repo) == []
    assert_as_new(repo, opened(repo, "next", reuse=ONE))
