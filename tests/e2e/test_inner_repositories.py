"""Repositories inside the workspace: made by the agent, or there as submodules."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from support.command import PROGRAM, Command
from support.hostile import configure
from support.repos import GITLINK, Repo
from support.twins import settled

if TYPE_CHECKING:
    from pathlib import Path

INIT = "git init -q -b main inner && cd inner && echo one > one.txt && mkdir -p sub && echo two > sub/two.txt"
COMMIT = "git add -A && git -c user.name=a -c user.email=a@b commit -qm inside"


class TestTheAgentMadeOne:
    @pytest.mark.parametrize("commit", [True, False], ids=["with a commit", "without a commit"])
    def test_it_arrives_whole_and_so_does_the_rest(
        self, repo: Repo, sideshoot: Command, *, commit: bool
    ) -> None:
        before = repo.fingerprint()
        script = f"({INIT}" + (f" && {COMMIT}" if commit else "") + " && echo dirty > dirty.txt)"
        job = sideshoot.run(script + "; echo work > work.txt")
        assert repo.fingerprint() == before
        assert job["outcome"] == "succeeded"
        said = sideshoot("result", job["job_id"]).ok()
        assert "inner" in said.out + said.err
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("work.txt") == b"work\n"
        assert repo.read("inner/one.txt") == b"one\n"
        assert repo.read("inner/sub/two.txt") == b"two\n"
        assert repo.read("inner/dirty.txt") == b"dirty\n"
        inner = Repo(repo.top / "inner")
        assert inner.git_dir == repo.top / "inner" / ".git"
        if commit:
            assert inner.text("log", "--format=%s") == "inside"
            assert inner.status() == b"? dirty.txt\0"

    @pytest.mark.parametrize("commit", [True, False], ids=["with a commit", "without a commit"])
    def test_it_took_the_place_of_a_file(
        self, repo: Repo, sideshoot: Command, tmp_path: Path, *, commit: bool
    ) -> None:
        script = INIT.replace("inner", "app.py") + (f" && {COMMIT}" if commit else "")
        job = sideshoot.run(f"rm app.py && {script}")
        refused = sideshoot("keep", job["job_id"])
        assert refused.status == 1
        assert "app.py is there already; move it away" in refused.err
        repo.place("app.py").rename(tmp_path / "app.py")
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("app.py/sub/two.txt") == b"two\n"
        assert Repo(repo.top / "app.py").git_dir == repo.top / "app.py" / ".git"

    def test_it_survives_a_discard_and_a_restore(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run(f"({INIT} && {COMMIT}); echo work > work.txt")
        before = repo.fingerprint()
        sideshoot("discard", job["job_id"]).ok()
        assert repo.fingerprint() == before
        sideshoot("restore", job["job_id"]).ok()
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("inner/sub/two.txt") == b"two\n"
        assert repo.read("work.txt") == b"work\n"

    def test_it_is_not_put_over_something_of_the_users(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        sideshoot.run(f"({INIT} && {COMMIT}); echo work > work.txt")
        repo.write("inner/one.txt", "mine\n")
        before = repo.fingerprint()
        sideshoot("keep").refused("inner")
        assert repo.fingerprint() == before

    def test_one_in_one(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(f"({INIT} && {COMMIT} && ({INIT} && {COMMIT}))")
        sideshoot("keep").ok()
        assert repo.read("inner/inner/sub/two.txt") == b"two\n"
        assert Repo(repo.top / "inner" / "inner").text("log", "--format=%s") == "inside"

    def test_a_user_who_has_one_keeps_it(self, repo: Repo, sideshoot: Command) -> None:
        subprocess.run(["sh", "-ec", f"{INIT} && {COMMIT}"], cwd=repo.top, check=True, timeout=60)
        before = repo.fingerprint()
        sideshoot.run("echo work > work.txt; mkdir -p inner; echo agent > inner/agent.txt")
        assert repo.fingerprint() == before
        done = sideshoot("keep")
        assert repo.read("inner/one.txt") == b"one\n"
        assert Repo(repo.top / "inner").status() in (b"", b"? agent.txt\0")
        if done.status:
            done.refused("inner")


class TestSubmodules:
    @pytest.fixture
    def parent(self, repo: Repo, tmp_path: Path) -> Repo:
        library = Repo.create(tmp_path / "library", {"lib.c": "int a;\n", "README": "lib\n"})
        repo.git("submodule", "--quiet", "add", str(library.top), "lib")
        repo.commit("with a submodule")
        return repo

    SETUP = "git -c protocol.file.allow=always submodule --quiet update --init lib && cd lib && "

    def test_stay_as_they_are(self, parent: Repo) -> None:
        before = parent.fingerprint()
        sideshoot = Command(parent.top)
        job = sideshoot.run("echo work > work.txt")
        assert parent.fingerprint() == before
        assert [file["path"] for file in job["files"]] == ["work.txt"]
        sideshoot("keep").ok()
        assert parent.read("lib/lib.c") == b"int a;\n"
        sideshoot("undo").ok()
        assert settled(parent.fingerprint()) == settled(before)

    @pytest.mark.parametrize("setting", ["none", "diff.submodule", "diff.ignoreSubmodules"])
    def test_commits_that_the_agent_made_inside_can_be_reached(
        self, setting: str, parent: Repo
    ) -> None:
        if setting != "none":
            configure(setting, "log" if setting == "diff.submodule" else "all")
        before = parent.fingerprint()
        sideshoot = Command(parent.top)
        job = sideshoot.run(f"({self.SETUP} echo 'int b;' >> lib.c && {COMMIT}); echo w > work.txt")
        assert parent.fingerprint() == before
        assert {file["path"] for file in job["files"]} == {"lib", "work.txt"}
        sideshoot("keep").ok()
        mode, oid = parent.staged()[b"lib"]
        assert mode == GITLINK
        lib = Repo(parent.top / "lib")
        assert lib.text("cat-file", "-t", oid.decode()) == "commit"
        assert lib.committed(oid.decode())[b"lib.c"][1] == b"int a;\nint b;\n"
        assert parent.read("work.txt") == b"w\n"
        assert lib.read("lib.c") in (b"int a;\n", b"int a;\nint b;\n")

    def test_edits_that_the_agent_did_not_commit_are_not_lost(self, parent: Repo) -> None:
        before = parent.fingerprint()
        sideshoot = Command(parent.top)
        job = sideshoot.run(f"({self.SETUP} echo 'int b;' >> lib.c && echo n > new.c)")
        assert parent.fingerprint() == before
        said = sideshoot("result", job["job_id"]).ok()
        assert "lib" in said.out + said.err
        assert "lib" in " ".join(job["warnings"]) or job["files"]
        held = "".join(
            parent.text("log", "--all", "-p", "--format=%H", f"--glob={ref}")
            for ref in parent.our_refs()
        )
        assert "int b;" in held or _found_in_submodule(parent, "int b;")

    def test_the_users_own_edits_inside_are_untouched(self, parent: Repo) -> None:
        parent.write("lib/lib.c", "int mine;\n")
        parent.write("lib/mine.c", "mine\n")
        before = parent.fingerprint()
        sideshoot = Command(parent.top)
        sideshoot.run("echo work > work.txt")
        assert parent.fingerprint() == before
        sideshoot("keep").ok()
        assert parent.read("lib/lib.c") == b"int mine;\n"
        assert parent.read("lib/mine.c") == b"mine\n"
        assert parent.read("work.txt") == b"work\n"


class TestOneWorkspaceInAnother:
    def test_neither_loses_the_other(self, repo: Repo, sideshoot: Command) -> None:
        outer = sideshoot.run("echo outer > outer.txt")
        inner = Command(repo.top / ".worktrees" / outer["job_id"]).run("echo inner > inner.txt")
        sideshoot("discard", outer["job_id"]).ok()
        Command(repo.top)("diff", inner["job_id"]).ok()
        assert b"inner.txt" in sideshoot("diff", inner["job_id"]).stdout
        sideshoot("restore", outer["job_id"]).ok()
        sideshoot("keep", outer["job_id"]).ok()
        assert repo.read("outer.txt") == b"outer\n"

    def test_an_agent_may_use_sideshoot_itself(self, repo: Repo, sideshoot: Command) -> None:
        before = repo.fingerprint()
        script = (
            f"{' '.join(PROGRAM)} run --json -- sh -c 'echo deep > deep.txt' > job.json &&"
            f" {' '.join(PROGRAM)} keep && rm job.json"
        )
        job = sideshoot.run(script, "--sandbox", "off")
        assert repo.fingerprint() == before
        assert [file["path"] for file in job["files"]] == ["deep.txt"]
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("deep.txt") == b"deep\n"


def _found_in_submodule(parent: Repo, text: str) -> bool:
    lib = Repo(parent.top / "lib")
    return text in lib.text("log", "--all", "-p", "--format=%H")


def test_one_that_was_used_since_stays_when_the_keep_is_taken_back(
    repo: Repo, sideshoot: Command
) -> None:
    sideshoot.run("git init -q tool; echo x > tool/x; echo b > b")
    sideshoot("keep", "--", "tool").ok()
    assert repo.read("tool/x") == b"x\n"
    assert not repo.exists("b")
    repo.write("tool/mine", "mine\n")

    undone = sideshoot("undo").ok()

    assert "tool was changed since it was kept, and stays" in undone.err
    assert repo.read("tool/mine") == b"mine\n"
    again = sideshoot("keep").refused("tool is there already")
    assert "--conflicts" not in again.err
