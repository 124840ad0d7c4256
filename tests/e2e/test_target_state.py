"""Work arrives in whatever state the user's tree is by then, or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

import pytest

from support.twins import settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.command import Command
    from support.repos import Repo

LINES = [f"line_{number} = {number}\n" for number in range(1, 31)]
EDIT_20 = "sed -i 's/^line_20 = .*/line_20 = agent/' app.py"


def app(**changes: str) -> bytes:
    """`app.py` with some of its lines changed: `app(l20="agent")`."""
    lines = list(LINES)
    for line, value in changes.items():
        lines[int(line[1:]) - 1] = f"line_{line[1:]} = {value}\n"
    return "".join(lines).encode()


class TestTheUserEditedTheSameFile:
    """Everything here happens between `run` and `keep`, or before `run` and is then carried."""

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_elsewhere_and_unstaged(self, when: str, repo: Repo, sideshoot: Command) -> None:
        in_order(when, lambda: repo.write("app.py", app(l2="user")), lambda: sideshoot.run(EDIT_20))
        before = repo.fingerprint()
        sideshoot("keep").ok()
        assert repo.read("app.py") == app(l2="user", l20="agent")
        assert repo.staged()[b"app.py"][1] == app(l20="agent")
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_elsewhere_and_staged(self, when: str, repo: Repo, sideshoot: Command) -> None:
        def stage() -> None:
            repo.write("app.py", app(l2="user"))
            repo.git("add", "app.py")

        in_order(when, stage, lambda: sideshoot.run(EDIT_20))
        before = repo.fingerprint()
        sideshoot("keep").ok()
        assert repo.read("app.py") == app(l2="user", l20="agent")
        assert repo.staged()[b"app.py"][1] == app(l2="user", l20="agent")
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_staged_and_then_again(self, repo: Repo, sideshoot: Command) -> None:
        repo.write("app.py", app(l2="staged"))
        repo.git("add", "app.py")
        repo.write("app.py", app(l2="staged", l11="unstaged"))
        sideshoot.run(EDIT_20)
        before = repo.fingerprint()
        sideshoot("keep").ok()
        assert repo.read("app.py") == app(l2="staged", l11="unstaged", l20="agent")
        assert repo.staged()[b"app.py"][1] == app(l2="staged", l20="agent")
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_without_staging_the_index_stays_as_it_is(self, repo: Repo, sideshoot: Command) -> None:
        repo.write("app.py", app(l2="staged"))
        repo.git("add", "app.py")
        sideshoot.run(EDIT_20 + "; echo new > new.txt; rm docs/guide.txt")
        index = repo.index()
        sideshoot("keep", "--no-stage").ok()
        assert repo.index() == index
        assert repo.read("app.py") == app(l2="staged", l20="agent")
        assert repo.read("new.txt") == b"new\n"
        assert not repo.exists("docs/guide.txt")

    @pytest.mark.parametrize("staged", [True, False])
    def test_in_the_same_place(self, repo: Repo, sideshoot: Command, *, staged: bool) -> None:
        job = sideshoot.run(EDIT_20 + "; echo new > new.txt")
        repo.write("app.py", app(l20="user"))
        if staged:
            repo.git("add", "app.py")
        before = repo.fingerprint()
        sideshoot("keep").refused("app.py")
        assert repo.fingerprint() == before
        assert sideshoot.json("result", job["job_id"])["decision"] == "open"
        sideshoot("keep", "--dry-run").refused("app.py")
        assert repo.fingerprint() == before
        sideshoot("keep", job["job_id"], "new.txt").ok()
        assert repo.read("new.txt") == b"new\n"
        assert repo.read("app.py") == app(l20="user")

    @pytest.mark.parametrize("side", ["ours", "theirs"])
    def test_in_the_same_place_and_the_user_chose(
        self, side: str, repo: Repo, sideshoot: Command
    ) -> None:
        sideshoot.run(EDIT_20 + "; sed -i 's/^line_2 = .*/line_2 = agent/' app.py")
        repo.write("app.py", app(l20="user", l11="user"))
        before = repo.fingerprint()
        sideshoot("keep", "--conflicts", side).ok()
        chosen = "user" if side == "ours" else "agent"
        assert repo.read("app.py") == app(l2="agent", l11="user", l20=chosen)
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_in_the_same_place_and_markers_were_asked_for(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        sideshoot.run(EDIT_20)
        repo.write("app.py", app(l20="user"))
        before = repo.fingerprint()
        sideshoot("keep", "--conflicts", "markers")
        text = repo.read("app.py").decode()
        assert "<<<<<<<" in text
        assert "line_20 = user\n=======\nline_20 = agent\n>>>>>>>" in text
        assert {entry[1] for entry in repo.index() if entry[0] == b"app.py"} == {1, 2, 3}
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_in_the_very_same_way(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        repo.write("app.py", app(l20="agent"))
        before = repo.fingerprint()
        sideshoot("keep").ok()
        assert repo.fingerprint()["files"] == before["files"]

    def test_only_touched(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        os.utime(repo.place("app.py"), (1, 1))
        sideshoot("keep").ok()
        assert repo.staged()[b"app.py"][1] == repo.read("app.py") == app(l20="agent")

    @pytest.mark.parametrize("flag", ["--skip-worktree", "--assume-unchanged"])
    @pytest.mark.parametrize("line", ["l2", "l20"])
    def test_behind_gits_back(self, flag: str, line: str, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        repo.git("update-index", flag, "app.py")
        repo.write("app.py", app(**{line: "user"}))
        before = repo.fingerprint()
        done = sideshoot("keep")
        if line == "l2" and done.status == 0:
            assert repo.read("app.py") == app(l2="user", l20="agent")
        else:
            done.refused("app.py")
            assert repo.fingerprint() == before

    def test_by_deleting_it(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20 + "; echo new > new.txt")
        repo.remove("app.py")
        before = repo.fingerprint()
        sideshoot("keep").refused("app.py")
        assert repo.fingerprint() == before

    def test_and_the_agent_deleted_it(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run("rm app.py; echo new > new.txt")
        repo.write("app.py", app(l2="user"))
        before = repo.fingerprint()
        sideshoot("keep").refused("app.py")
        assert repo.fingerprint() == before

    def test_and_both_deleted_it(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run("rm app.py; echo new > new.txt")
        repo.remove("app.py")
        sideshoot("keep").ok()
        assert not repo.exists("app.py")
        assert repo.read("new.txt") == b"new\n"


class TestOtherWorkOfTheUser:
    def test_stays_as_it_is(self, repo: Repo, sideshoot: Command) -> None:
        repo.write("unstaged.txt", "1\n")
        repo.write("staged.txt", "1\n")
        repo.commit()
        sideshoot.run(EDIT_20)
        repo.write("unstaged.txt", "2\n")
        repo.write("staged.txt", "2\n")
        repo.git("add", "staged.txt")
        repo.write("intended.txt", "new\n")
        repo.git("add", "-N", "intended.txt")
        repo.write("untracked.txt", "new\n")
        repo.remove("src/beds.py")
        repo.git("rm", "-q", "--cached", "docs/guide.txt")
        before, index = repo.tree(), repo.index()
        sideshoot("keep").ok()
        after = repo.tree()
        assert after.pop(b"app.py")[1] == app(l20="agent")
        assert after == {path: found for path, found in before.items() if path != b"app.py"}
        others = [entry for entry in repo.index() if entry[0] != b"app.py"]
        assert others == [entry for entry in index if entry[0] != b"app.py"]
        assert b"1 .A N... 000000 000000 100644" in repo.status()

    def test_from_before_the_run_is_what_the_agent_sees(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        repo.write("app.py", app(l2="user"))
        repo.write("notes.txt", "untracked\n")
        repo.remove("docs/guide.txt")
        before = repo.fingerprint()
        job = sideshoot.run(
            "grep -q 'line_2 = user' app.py && test ! -e docs/guide.txt &&"
            "echo more >> notes.txt && git status --porcelain"
        )
        assert repo.fingerprint() == before
        assert [file["path"] for file in job["files"]] == ["notes.txt"]
        sideshoot("keep").ok()
        assert repo.read("notes.txt") == b"untracked\nmore\n"
        assert b"notes.txt" not in repo.staged()
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)

    @pytest.mark.parametrize(("carry", "sees"), [("all", "TUS"), ("tracked", "TS"), ("none", "")])
    def test_is_carried_as_asked(
        self, carry: str, sees: str, repo: Repo, sideshoot: Command
    ) -> None:
        repo.write("app.py", "T\n")
        repo.write("untracked.txt", "U\n")
        repo.write("README.md", "S\n")
        repo.git("add", "README.md")
        job = sideshoot.run(
            "(grep -hx T app.py; cat untracked.txt; grep -hx S README.md) 2>/dev/null"
            " | tr -d '\\n' > seen; true",
            "--carry",
            carry,
        )
        assert [file["path"] for file in job["files"]] == ["seen"]
        sideshoot("keep").ok()
        assert repo.read("seen").decode() == sees
        assert repo.read("app.py") == b"T\n"
        assert repo.read("untracked.txt") == b"U\n"

    def test_in_an_unfinished_merge_of_another_file_stays(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        conflict(repo, "docs/guide.txt")
        conflicted = [entry for entry in repo.index() if entry[1]]
        before = repo.fingerprint()
        sideshoot.run(EDIT_20)
        assert repo.fingerprint() == before
        sideshoot("keep").ok()
        assert repo.read("app.py") == app(l20="agent")
        assert [entry for entry in repo.index() if entry[1]] == conflicted
        assert (repo.git_dir / "MERGE_HEAD").exists()
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)


class TestSomethingIsInTheWay:
    def test_the_same_file_untracked(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run("echo same > new.txt; echo work > work.txt")
        repo.write("new.txt", "same\n")
        sideshoot("keep").ok()
        assert repo.read("new.txt") == b"same\n"
        assert repo.read("work.txt") == b"work\n"

    @pytest.mark.parametrize("ignored", [True, False])
    def test_another_file_untracked(self, repo: Repo, sideshoot: Command, *, ignored: bool) -> None:
        sideshoot.run("echo agent > new.txt; echo work > work.txt")
        repo.write("new.txt", "user\n")
        if ignored:
            repo.write(".git/info/exclude", "new.txt\n/.worktrees/\n")
        before = repo.fingerprint()
        sideshoot("keep").refused("new.txt")
        assert repo.fingerprint() == before

    @pytest.mark.parametrize("empty", [True, False])
    def test_a_folder(self, repo: Repo, sideshoot: Command, *, empty: bool) -> None:
        sideshoot.run("echo agent > new; echo work > work.txt")
        repo.place("new").mkdir()
        if not empty:
            repo.write("new/precious", "user\n")
        before = repo.fingerprint()
        done = sideshoot("keep")
        if empty and done.status == 0:
            assert repo.read("new") == b"agent\n"
        else:
            done.refused("new")
            assert repo.fingerprint() == before

    def test_a_file_where_a_folder_is_needed(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run("mkdir new; echo agent > new/file; echo work > work.txt")
        repo.write("new", "user\n")
        before = repo.fingerprint()
        sideshoot("keep").refused("new")
        assert repo.fingerprint() == before

    def test_a_lock_that_somebody_left(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        lock = repo.git_dir / "index.lock"
        lock.write_bytes(b"")
        before = repo.fingerprint()
        sideshoot("keep").refused("index.lock")
        assert repo.fingerprint() == before
        assert lock.read_bytes() == b""
        lock.unlink()
        sideshoot("keep").ok()
        assert repo.read("app.py") == app(l20="agent")

    def test_an_unfinished_merge_of_the_same_file(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        conflict(repo, "app.py")
        before = repo.fingerprint()
        done = sideshoot("keep")
        if done.status:
            done.refused("app.py")
            assert repo.fingerprint() == before
        else:
            assert [e for e in repo.index() if e[1]] == [e for e in before["index"] if e[1]]
            assert b"line_20 = agent" in repo.read("app.py")
            assert b"<<<<<<<" in repo.read("app.py")


class TestHeadMoved:
    MOVES: ClassVar[dict[str, tuple[bytes, str, bytes]]] = {
        "elsewhere": (app(l2="user"), EDIT_20, app(l2="user", l20="agent")),
        "two lines away": (app(l18="user"), EDIT_20, app(l18="user", l20="agent")),
        "above": (
            b"# new\n" * 4 + app(),
            "sed -i 's/^line_3 = .*/line_3 = agent/' app.py",
            b"# new\n" * 4 + app(l3="agent"),
        ),
    }

    @pytest.mark.usefixtures("isolation")
    @pytest.mark.parametrize("move", MOVES)
    def test_beside_the_agents_lines(self, move: str, repo: Repo, sideshoot: Command) -> None:
        theirs, script, merged = self.MOVES[move]
        sideshoot.run(script)
        repo.write("app.py", theirs)
        head = repo.commit()
        sideshoot("keep").ok()
        assert repo.read("app.py") == repo.staged()[b"app.py"][1] == merged
        assert repo.head() == head

    def test_to_where_the_lines_overlap(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        repo.write("app.py", app(l20="user"))
        repo.commit()
        before = repo.fingerprint()
        sideshoot("keep").refused("app.py")
        assert repo.fingerprint() == before

    def test_among_functions_with_the_same_body(self, repo: Repo, sideshoot: Command) -> None:
        functions = [f"def f{number}():\n    a()\n    b()\n    c()\n\n" for number in range(9)]
        repo.write("same.py", "".join(functions))
        repo.commit()
        lines = "".join(functions).splitlines(keepends=True)
        lines[5 * 5 + 2] = "    agent()\n"
        sideshoot.run("sed -i '28s/.*/    agent()/' same.py")
        repo.write("same.py", "def new():\n    a()\n    b()\n    c()\n\n" + "".join(functions))
        repo.commit()
        sideshoot("keep").ok()
        assert repo.read(
            "same.py"
        ).decode() == "def new():\n    a()\n    b()\n    c()\n\n" + "".join(lines)

    def test_and_brought_the_same_change(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20 + "; echo new > new.txt")
        repo.write("app.py", app(l20="agent"))
        repo.write("new.txt", "new\n")
        repo.commit()
        before = repo.fingerprint()
        sideshoot("keep").ok()
        assert settled(repo.fingerprint()) == settled(before)

    def test_to_another_branch_without_the_file(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        repo.git("checkout", "-q", "-b", "other")
        repo.git("rm", "-q", "app.py")
        repo.git("commit", "-qm", "without")
        before = repo.fingerprint()
        sideshoot("keep").refused("app.py")
        assert repo.fingerprint() == before

    def test_and_renamed_the_file(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20)
        repo.git("mv", "app.py", "main.py")
        repo.git("commit", "-qm", "rename")
        before = repo.fingerprint()
        done = sideshoot("keep")
        if done.status:
            done.refused("app.py")
            assert repo.fingerprint() == before
        else:
            assert repo.read("main.py") == repo.staged()[b"main.py"][1] == app(l20="agent")
            assert not repo.exists("app.py")

    def test_and_the_agent_renamed_it(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run("git mv app.py main.py")
        repo.write("app.py", app(l2="user"))
        repo.commit()
        before = repo.fingerprint()
        done = sideshoot("keep")
        if done.status:
            done.refused("app.py")
            assert repo.fingerprint() == before
        else:
            assert repo.read("main.py") == repo.staged()[b"main.py"][1] == app(l2="user")
            assert not repo.exists("app.py")


class TestPartOfIt:
    def test_only_the_paths_that_were_named(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run(EDIT_20 + "; echo new > src/new.py; rm docs/guide.txt; echo x > x")
        before = repo.fingerprint()
        sideshoot("keep", job["job_id"], "src", "docs/guide.txt").ok()
        assert repo.read("app.py") == app()
        assert repo.read("src/new.py") == b"new\n"
        assert not repo.exists("docs/guide.txt")
        assert not repo.exists("x")
        assert sideshoot.json("result", job["job_id"])["decision"] == "partly kept"
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("app.py") == app(l20="agent")
        assert repo.read("x") == b"x\n"
        assert sideshoot.json("result", job["job_id"])["decision"] == "kept"
        sideshoot("undo", job["job_id"]).ok()
        sideshoot("undo", job["job_id"])
        assert settled(repo.fingerprint()) == settled(before)

    def test_a_path_that_the_work_lacks_is_refused(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run(EDIT_20)
        before = repo.fingerprint()
        done = sideshoot("keep", job["job_id"], "no-such-file")
        assert done.status in (1, 2), done
        assert "no-such-file" in done.err
        assert repo.fingerprint() == before

    def test_as_a_branch(self, repo: Repo, sideshoot: Command) -> None:
        repo.write("notes.txt", "mine\n")
        sideshoot.run(EDIT_20 + "; git commit -qam 'the agent says why'; echo more > more.txt")
        before = repo.fingerprint()
        sideshoot("keep", "--branch", "agents-work").ok()
        after = repo.fingerprint()
        assert after["refs"].pop("refs/heads/agents-work")
        assert after == before
        assert repo.committed("agents-work")[b"app.py"][1] == app(l20="agent")
        assert repo.committed("agents-work")[b"more.txt"][1] == b"more\n"

    def test_as_a_commit(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run(EDIT_20 + "; echo new > new.txt")
        head = repo.head()
        repo.write("README.md", "# Mine, not to be committed\n")
        sideshoot("keep", "--commit", "-m", "the agent's work").ok()
        assert repo.text("log", "-1", "--format=%P %s") == f"{head} the agent's work"
        assert repo.committed("HEAD")[b"app.py"][1] == app(l20="agent")
        assert repo.committed("HEAD")[b"README.md"][1] != repo.read("README.md")
        assert repo.status().startswith(b"1 .M ")


def in_order(when: str, user: Callable[[], object], agent: Callable[[], object]) -> None:
    """What the user does before or after the run."""
    for step in (user, agent) if when == "before" else (agent, user):
        step()


def conflict(repo: Repo, path: str) -> None:
    """Leave an unfinished merge that has a conflict in the first line of `path`."""
    old = repo.read(path)
    rest = old.split(b"\n", 1)[1]
    repo.git("checkout", "-q", "-b", "side")
    repo.write(path, b"side\n" + rest)
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.write(path, b"main\n" + rest)
    repo.commit("main")
    repo.git("merge", "-q", "side", accept=(1,))
