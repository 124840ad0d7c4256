"""Every kind of repository that has a working tree; a clear word where there is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.command import Command
from support.repos import Repo
from support.twins import Round, settled, twin_of

if TYPE_CHECKING:
    from support.command import Result

EDIT = "echo '# agent' >> app.py; mkdir -p new; echo new > new/file; rm docs/guide.txt"


def edit(twin: Repo) -> None:
    twin.write("app.py", twin.read("app.py") + b"# agent\n")
    twin.write("new/file", b"new\n")
    twin.remove("docs/guide.txt")


def whole_round(repo: Repo, folder: Path, **how: str) -> None:
    """Run, keep and undo in `repo`, with `EDIT` as the agent."""
    before, head = repo.fingerprint(), repo.read("app.py")
    sideshoot = Command(repo.top)
    job = sideshoot.run(EDIT)
    assert repo.fingerprint() == before
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("app.py") == head + b"# agent\n"
    assert repo.staged()[b"app.py"][1] == head + b"# agent\n"
    assert repo.staged()[b"new/file"] == (0o100644, b"new\n")
    assert not repo.exists("docs/guide.txt")
    assert b"docs/guide.txt" not in repo.staged()
    sideshoot("undo", job["job_id"]).ok()
    assert settled(repo.fingerprint()) == settled(before)


class TestThereIsNone:
    def test_outside_of_any_repository(self, tmp_path: Path) -> None:
        done = Command(tmp_path)("run", "--", "touch", "made")
        self.nothing_began(done, tmp_path)

    def test_in_a_bare_repository(self, tmp_path: Path) -> None:
        Repo(tmp_path).git("init", "-q", "--bare")
        before = sorted(tmp_path.iterdir())
        done = Command(tmp_path)("run", "--", "touch", "made")
        done.refused("bare", status=3)
        assert sorted(tmp_path.iterdir()) == before

    def test_inside_a_git_directory(self, repo: Repo) -> None:
        done = Command(repo.git_dir)("run", "--", "touch", "made")
        done.refused("git directory", status=3)
        assert not (repo.git_dir / "made").exists()
        assert not (repo.git_dir / "sideshoot").exists()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
    def test_in_somebody_elses_repository(self, repo: Repo) -> None:
        for place in (repo.top, *repo.top.rglob("*")):
            os.chown(place, 65534, 65534, follow_symlinks=False)
        done = Command(repo.top)("run", "--", "touch", "made")
        done.refused("another user", "safe.directory", status=3)
        assert not repo.exists("made")

    def test_in_a_folder_that_does_not_exist(self, tmp_path: Path) -> None:
        done = Command(tmp_path)("-C", str(tmp_path / "absent"), "status")
        assert done.status in (2, 3), done
        assert "absent" in done.err
        assert "Traceback" not in done.err

    @staticmethod
    def nothing_began(done: Result, folder: Path) -> None:
        done.refused("not in a git repository", status=3)
        assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("isolation")
class TestPlainKinds:
    @pytest.mark.parametrize("object_format", ["sha1", "sha256"])
    def test_object_formats(self, object_format: str, tmp_path: Path) -> None:
        repo = Repo.create(tmp_path / "r", options=[f"--object-format={object_format}"])
        whole_round(repo, tmp_path)

    def test_before_the_first_commit(self, tmp_path: Path) -> None:
        repo = Repo.create(tmp_path / "r", {})
        repo.write("app.py", "untracked\n")
        repo.write("docs/guide.txt", "staged\n")
        repo.git("add", "docs")
        before = repo.fingerprint()
        sideshoot = Command(repo.top)
        sideshoot.run(EDIT)
        assert repo.fingerprint() == before
        sideshoot("keep").ok()
        assert repo.read("app.py") == b"untracked\n# agent\n"
        assert repo.staged()[b"new/file"] == (0o100644, b"new\n")
        assert not repo.exists("docs/guide.txt")
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_before_the_first_commit_and_empty(self, tmp_path: Path) -> None:
        repo = Repo.create(tmp_path / "r", {})
        sideshoot = Command(repo.top)
        sideshoot.run("echo new > new; git add new; git commit -qm 'the first'")
        assert repo.tree() == {}
        sideshoot("keep").ok()
        assert repo.staged() == {b"new": (0o100644, b"new\n")}
        assert repo.text("symbolic-ref", "HEAD") == "refs/heads/main"
        assert repo.git("rev-parse", "--verify", "-q", "HEAD", accept=(1,)) == b""

    def test_a_detached_head(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("checkout", "-q", "--detach")
        whole_round(repo, tmp_path)

    def test_a_separate_git_directory(self, tmp_path: Path) -> None:
        repo = Repo.create(
            tmp_path / "r", options=[f"--separate-git-dir={tmp_path / 'elsewhere.git'}"]
        )
        whole_round(repo, tmp_path)

    def test_a_git_directory_behind_a_link(self, repo: Repo, tmp_path: Path) -> None:
        (repo.top / ".git").rename(tmp_path / "real.git")
        (repo.top / ".git").symlink_to(tmp_path / "real.git")
        whole_round(repo, tmp_path)

    def test_a_configuration_for_each_worktree(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("config", "extensions.worktreeConfig", "true")
        repo.git("config", "--worktree", "core.autocrlf", "false")
        whole_round(repo, tmp_path)

    def test_a_split_index(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("update-index", "--split-index")
        whole_round(repo, tmp_path)

    @pytest.mark.parametrize("version", ["2", "3", "4"])
    def test_index_versions(self, version: str, repo: Repo, tmp_path: Path) -> None:
        repo.git("update-index", "--index-version", version)
        whole_round(repo, tmp_path)

    def test_a_shallow_clone(self, repo: Repo, tmp_path: Path) -> None:
        repo.commit("second")
        repo.git("clone", "-q", "--depth=1", f"file://{repo.top}", str(tmp_path / "clone"))
        whole_round(Repo(tmp_path / "clone"), tmp_path)

    def test_a_partial_clone(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("config", "uploadpack.allowFilter", "true")
        repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
        repo.write("docs/guide.txt", "second\n")
        repo.commit("second")
        clone = str(tmp_path / "clone")
        repo.git("clone", "-q", "--filter=blob:none", f"file://{repo.top}", clone)
        whole_round(Repo(tmp_path / "clone"), tmp_path)

    @pytest.mark.parametrize("name", ["space ", "new\nline\n", "quo'te\"$x`y", "gr\xfcn", "-C"])
    def test_odd_folder_names(self, name: str, tmp_path: Path) -> None:
        whole_round(Repo.create(tmp_path / name), tmp_path)
        assert list(tmp_path.iterdir()) == [tmp_path / name]

    def test_a_folder_name_that_is_not_text(self, tmp_path: Path) -> None:
        whole_round(Repo.create(tmp_path / os.fsdecode(b"bytes \xff")), tmp_path)


class TestLinkedWorktrees:
    def test_as_the_target(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
        linked = Repo(tmp_path / "linked")
        main = repo.fingerprint()
        whole_round(linked, tmp_path)
        linked_status, main_status = linked.status(), repo.status()
        assert linked_status == main_status == b""
        assert repo.fingerprint() == main

    def test_see_each_others_jobs(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
        linked = Repo(tmp_path / "linked")
        job = Command(linked.top).run(EDIT)
        Command(repo.top)("diff", job["job_id"]).ok()
        Command(repo.top)("keep", job["job_id"]).ok()
        kept_by = [place for place in (repo, linked) if place.exists("new/file")]
        assert kept_by == [linked], "a job's work is for the tree that it was made from"
        Command(repo.top)("undo", job["job_id"]).ok()
        assert (repo.status(), linked.status()) == (b"", b"")

    def test_are_themselves_left_alone(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("worktree", "add", "-q", "-b", "gone", str(tmp_path / "gone"))
        shutil.rmtree(tmp_path / "gone")
        before = repo.text("worktree", "list", "--porcelain")
        sideshoot = Command(repo.top)
        sideshoot.run(EDIT)
        sideshoot("keep").ok()
        assert repo.text("worktree", "list", "--porcelain") == before


class TestSubmodules:
    def test_as_the_target(self, repo: Repo, tmp_path: Path) -> None:
        parent = Repo.create(tmp_path / "parent", {"top.txt": "top\n"})
        parent.git("submodule", "--quiet", "add", str(repo.top), "sub")
        parent.commit("submodule")
        before = parent.fingerprint()
        sub = Repo(parent.top / "sub")
        Round(sub, Command(sub.top), _edited_twin(sub, tmp_path / "twin")).whole(EDIT)
        assert settled(parent.fingerprint()) == settled(before)


@pytest.mark.usefixtures("isolation")
class TestSparseCheckouts:
    @pytest.fixture
    def sparse(self, repo: Repo) -> Repo:
        repo.git("sparse-checkout", "set", "--cone", "docs")
        assert not repo.exists("src/beds.py")
        return repo

    def test_inside(self, sparse: Repo, tmp_path: Path) -> None:
        whole_round(sparse, tmp_path)

    def test_outside(self, sparse: Repo) -> None:
        before = sparse.fingerprint()
        sideshoot = Command(sparse.top)
        job = sideshoot.run("mkdir -p src/tools; echo new > src/new.py; echo x > src/beds.py")
        assert sparse.fingerprint() == before
        assert {file["path"] for file in job["files"]} == {"src/beds.py", "src/new.py"}
        sideshoot("keep").ok()
        assert sparse.staged()[b"src/new.py"] == (0o100644, b"new\n")
        assert sparse.staged()[b"src/beds.py"] == (0o100644, b"x\n")
        assert sparse.staged()[b"src/tools/rake.py"][1].startswith(b"def rake")
        for name, content in (("src/new.py", b"new\n"), ("src/beds.py", b"x\n")):
            assert not sparse.exists(name) or sparse.read(name) == content
        sideshoot("undo").ok()
        assert settled(sparse.fingerprint()) == settled(before)

    def test_with_a_sparse_index(self, sparse: Repo, tmp_path: Path) -> None:
        sparse.git("sparse-checkout", "reapply", "--sparse-index")
        whole_round(sparse, tmp_path)


class TestSparseCopies:
    def test_a_round(self, repo: Repo) -> None:
        before = repo.fingerprint()
        sideshoot = Command(repo.top)
        script = "pwd; ls; git sparse-checkout list; echo new > tools/new; echo x > ../docs-too"
        at = repo.top / "src"
        job = sideshoot.run(script, "--sparse", "tools", cwd=at)
        said = job["message"].splitlines()
        assert said[0].endswith("/src")
        assert said[-1] == "src/tools"
        assert not (Path(job["worktree"]) / "docs").exists()
        assert repo.fingerprint() == before
        sideshoot("keep").ok()
        assert {path for path in repo.staged() if path not in repo.committed("HEAD")} == {
            b"src/tools/new",
            b"docs-too",
        }
        assert repo.exists("docs/guide.txt")
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_what_can_not_be(self, repo: Repo) -> None:
        sideshoot = Command(repo.top)
        sideshoot("run", "--sparse", "app.py", "--", "true").refused("app.py is a file", status=2)
        sideshoot("run", "--sparse", "..", "--", "true").refused("outside", status=2)
        for option in ("--in-place", "--read-only"):
            refused = sideshoot("run", option, "--sparse", "docs", "--", "true")
            refused.refused("--sparse says what a new copy has", status=2)


class TestTheFolderOfWorkspaces:
    def test_is_a_file(self, repo: Repo) -> None:
        repo.write(".worktrees", "mine\n")
        repo.commit()
        before = repo.fingerprint()
        done = Command(repo.top)("run", "--", "touch", "made")
        assert repo.fingerprint() == before
        assert repo.read(".worktrees") == b"mine\n"
        if done.status:
            done.refused(".worktrees", status=done.status)

    def test_is_a_link(self, repo: Repo, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        repo.link(".worktrees", str(tmp_path / "elsewhere"))
        repo.write(".git/info/exclude", "/.worktrees\n")
        whole_round(repo, tmp_path)

    @pytest.mark.parametrize("line", ["# .worktrees/ here", "!.worktrees-old", "*.o\n\n# end"])
    def test_is_excluded_whatever_else_is(self, line: str, repo: Repo) -> None:
        repo.write(".git/info/exclude", line)
        Command(repo.top).run(EDIT)
        assert repo.status() == b""
        assert repo.read(".git/info/exclude").startswith(line.encode())

    def test_does_not_get_into_a_commit_of_everything(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
        for place in (repo, Repo(tmp_path / "linked")):
            Command(place.top).run(EDIT)
            place.git("add", "-A")
            assert place.status() == b""

    @pytest.mark.parametrize("how", ["-fdx", "-ffdx"])
    def test_was_cleaned_away(self, how: str, repo: Repo) -> None:
        sideshoot = Command(repo.top)
        sideshoot.run(EDIT)
        repo.git("clean", "-q", how)
        before = repo.fingerprint()
        assert sideshoot.json("result")["decision"] == "open"
        sideshoot("keep").ok()
        assert repo.read("new/file") == b"new\n"
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_leaves_nothing_behind_once_all_is_decided(self, repo: Repo) -> None:
        sideshoot = Command(repo.top)
        for decision in ("keep", "discard"):
            job = sideshoot.run("echo x > x")
            sideshoot(decision, job["job_id"]).ok()
            assert not (repo.top / ".worktrees" / job["job_id"]).exists()
            assert f"sideshoot/{job['job_id']}" not in repo.text("branch", "--list")
        assert repo.text("worktree", "list", "--porcelain").count("worktree ") == 1


class TestFolders:
    def test_the_agent_starts_where_the_caller_stands(self, repo: Repo) -> None:
        job = Command(repo.top / "src" / "tools").run("pwd > where; echo x >> rake.py")
        assert {file["path"] for file in job["files"]} == {
            "src/tools/rake.py",
            "src/tools/where",
        }
        Command(repo.top / "docs")("keep").ok()
        where = repo.read("src/tools/where").decode().rstrip("\n")
        assert where.endswith(f"{job['job_id']}/src/tools")

    def test_paths_are_taken_from_where_the_caller_stands(self, repo: Repo) -> None:
        job = Command(repo.top).run("echo a > docs/new; echo b > new")
        Command(repo.top / "docs")("keep", job["job_id"], "new").ok()
        assert repo.exists("docs/new")
        assert not repo.exists("new")

    def test_the_repository_was_moved(self, repo: Repo, tmp_path: Path) -> None:
        Command(repo.top).run(EDIT)
        repo.top.rename(tmp_path / "moved")
        moved = Repo(tmp_path / "moved")
        sideshoot = Command(moved.top)
        sideshoot("status").ok()
        done = sideshoot("keep").ok()
        assert "No changes" not in done.out
        assert moved.read("new/file") == b"new\n"
        assert moved.staged()[b"new/file"] == (0o100644, b"new\n")
        assert not repo.top.exists()

    def test_another_folder_is_named(self, repo: Repo, tmp_path: Path) -> None:
        job = Command(tmp_path)("-C", str(repo.top), "run", "--json", "--", "touch", "made").ok()
        Command(tmp_path)("keep", job.json["job_id"], "-C", str(repo.top)).ok()
        assert repo.exists("made")


def _edited_twin(repo: Repo, folder: Path) -> Repo:
    """A twin of a submodule: its git directory lies elsewhere, so the copy gets one of its own."""
    twin = twin_of(repo, folder)
    (folder / ".git").unlink()
    twin.git("init", "-q")
    edit(twin)
    return twin
