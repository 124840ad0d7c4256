"""Whatever an agent does with git, its work arrives and the user's repository is left alone."""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING, Any

import pytest

from support.repos import SYMLINK
from support.twins import settled

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

pytestmark = pytest.mark.usefixtures("unfenced")

WORK = "echo '# agent' >> app.py; echo new > new.txt; rm docs/guide.txt"

SCRIPTS = {
    "commits, and goes on": f"{WORK}; git add -A; git commit -qm one; echo more > more.txt",
    "commits on another branch": f"{WORK}; git checkout -qb feature; git add -A; git commit -qm one; echo more > more.txt",
    "commits without a branch": f"{WORK}; git checkout -q --detach; git add -A; git commit -qm one; echo more > more.txt",
    "deletes its branch": f"{WORK}; B=$(git branch --show-current); git checkout -q --detach; git branch -qD $B; echo more > more.txt",
    "leaves it staged": f"{WORK}; git add -A; echo more > more.txt",
    "stages, then restores some": f"{WORK}; git add -A; git reset -q; echo more > more.txt",
    "leaves a lock": f'{WORK}; echo more > more.txt; touch "$(git rev-parse --git-dir)/index.lock"',
    "breaks its index": f'{WORK}; echo more > more.txt; echo broken > "$(git rev-parse --git-dir)/index"',
    "removes its index": f'{WORK}; echo more > more.txt; rm "$(git rev-parse --git-dir)/index"',
    "deletes the .git file": f"{WORK}; echo more > more.txt; rm .git",
    "aims the .git file elsewhere": f"{WORK}; echo more > more.txt; echo gitdir: /nowhere > .git",
    "aims the .git file at the user's": f'{WORK}; echo more > more.txt; echo "gitdir: $(git rev-parse --path-format=absolute --git-common-dir)" > .git',
    "makes a repository of the top": f"{WORK}; echo more > more.txt; rm .git; git init -q; git add -A; git -c user.name=a -c user.email=a@b commit -qm x",
    "locks the worktree": f"{WORK}; echo more > more.txt; git worktree unlock .; git worktree lock .; true",
    "stashes and takes it back": f"{WORK}; git stash -qu; git stash pop -q; echo more > more.txt",
    "hides its edits": f"git update-index --skip-worktree app.py; git update-index --assume-unchanged docs/guide.txt; {WORK}; echo more > more.txt",
    "writes ignore rules into its git directory": f'{WORK}; echo more > more.txt; git config core.excludesFile /dev/null; mkdir -p "$(git rev-parse --git-dir)/info"; echo "*" > "$(git rev-parse --git-dir)/info/exclude"',
    "cannot be trusted with hooks": f'{WORK}; echo more > more.txt; mkdir hooks; printf "#!/bin/sh\\ntouch pwned\\n" > hooks/post-checkout; chmod +x hooks/*; rm -r hooks',
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_work_arrives_when_the_agent(
    name: str, repo: Repo, sideshoot: Command, isolation: str
) -> None:
    app = repo.read("app.py")
    repo.write("README.md", "# mine, unstaged\n")
    repo.write("notes.txt", "mine, untracked\n")
    before = repo.fingerprint()
    job = sideshoot.run(SCRIPTS[name])
    after = repo.fingerprint()
    allowed = _of_the_agent(before, after, name) if isolation == "worktree" else []
    assert after == before, allowed
    assert {file["path"] for file in job["files"]} == {
        "app.py", "docs/guide.txt", "more.txt", "new.txt",
    }  # fmt: skip
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("app.py") == repo.staged()[b"app.py"][1] == app + b"# agent\n"
    assert repo.read("new.txt") == repo.staged()[b"new.txt"][1] == b"new\n"
    assert repo.read("more.txt") == repo.staged()[b"more.txt"][1] == b"more\n"
    assert not repo.exists("docs/guide.txt")
    assert repo.read("README.md") == b"# mine, unstaged\n"
    assert repo.read("notes.txt") == b"mine, untracked\n"
    assert not (repo.top / ".worktrees" / job["job_id"]).exists()
    sideshoot("undo", job["job_id"]).ok()
    assert repo.fingerprint()["files"] == before["files"]
    assert repo.fingerprint()["status"] == before["status"]


def _of_the_agent(before: dict[str, Any], after: dict[str, Any], name: str) -> list[str]:
    """What the agent itself made in the shared repository, and nothing else, is taken out."""
    made = [ref for ref in after["refs"] if ref not in before["refs"]]
    if name == "commits on another branch":
        assert made == ["refs/heads/feature"]
    elif name.startswith("stashes"):
        made = []
        after["stash"] = before["stash"]
    elif name.startswith("writes ignore rules"):
        assert b"excludesFile" in after["configuration"][0]
        after["configuration"] = before["configuration"]
    else:
        assert made == []
    for ref in made:
        del after["refs"][ref]
    return made


def test_commits_are_there_for_a_branch(repo: Repo, sideshoot: Command) -> None:
    sideshoot.run(
        f"{WORK}; git add -A; git commit -qm 'why I did it'; git commit -q --allow-empty -m two"
    )
    sideshoot("keep", "--branch", "feature").ok()
    subjects = repo.text("log", "--format=%s", "main..feature").splitlines()
    assert subjects[-2:] == ["two", "why I did it"]


def test_an_older_commit_as_its_head_takes_nothing_back(repo: Repo, sideshoot: Command) -> None:
    first = repo.head()
    repo.write("second.txt", "second\n")
    repo.commit("second")
    sideshoot.run(f"git reset -q --soft {first}; echo new > new.txt")
    sideshoot("keep").ok()
    assert repo.read("second.txt") == b"second\n"
    assert repo.read("new.txt") == b"new\n"


def test_a_reset_of_the_files_is_the_agents_will(repo: Repo, sideshoot: Command) -> None:
    first = repo.head()
    repo.write("second.txt", "second\n")
    repo.commit("second")
    job = sideshoot.run(f"git reset -q --hard {first}")
    assert [(file["path"], file["status"]) for file in job["files"]] == [("second.txt", "deleted")]
    sideshoot("keep").ok()
    assert not repo.exists("second.txt")


@pytest.mark.parametrize("how", ["merge -q --no-edit", "rebase -q"])
def test_a_newer_main_that_the_agent_took_in(how: str, repo: Repo, sideshoot: Command) -> None:
    repo.git("checkout", "-q", "-b", "newer")
    repo.write("app.py", "# upstream\n" + repo.read("app.py").decode())
    repo.write("upstream.txt", "upstream\n")
    repo.commit("upstream")
    repo.git("checkout", "-q", "main")
    job = sideshoot.run(f"{WORK}; git add -A; git commit -qm work; git {how} newer")
    repo.git("merge", "-q", "newer")
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("app.py").startswith(b"# upstream\nline_1 ")
    assert repo.read("app.py").endswith(b"# agent\n")
    assert repo.read("upstream.txt") == b"upstream\n"
    assert repo.read("new.txt") == b"new\n"


def test_a_stash_that_is_left_is_named_and_held(repo: Repo, sideshoot: Command) -> None:
    repo.write("app.py", "mine\n")
    repo.git("stash", "-q")
    mine = repo.text("rev-parse", "stash@{0}")
    job = sideshoot.run("echo hidden > hidden.txt; git stash -qu")
    assert any("stash" in warning for warning in job["warnings"]), job
    assert mine in repo.text("reflog", "show", "--format=%H", "refs/stash").splitlines() or (
        mine in repo.our_refs().values()
    )


def test_conflict_markers_are_named(repo: Repo, sideshoot: Command) -> None:
    repo.git("checkout", "-q", "-b", "other")
    repo.write("docs/guide.txt", "OTHER\ntwo\nthree\n")
    repo.commit("other")
    repo.git("checkout", "-q", "main")
    job = sideshoot.run(
        "echo AGENT > docs/guide.txt; git commit -qam agent; git merge -q other || true"
    )
    assert any("conflict markers" in warning for warning in job["warnings"]), job
    before = repo.fingerprint()
    done = sideshoot("keep")
    if done.status:
        done.refused("docs/guide.txt")
        assert repo.fingerprint() == before
    else:
        assert b"<<<<<<<" in repo.read("docs/guide.txt")


class TestTheWorkspaceIsGone:
    SCRIPT = (
        "echo new > new.txt; git add -A; git commit -qm work; D=$(pwd);"
        'cd /; rm -rf "$D"; test ! -e "$D"'
    )

    def test_commits_are_the_result(self, repo: Repo, sideshoot: Command) -> None:
        before = repo.fingerprint()
        job = sideshoot("run", "--json", "--", "sh", "-c", self.SCRIPT).json
        assert repo.fingerprint() == before
        assert job["warnings"]
        assert [file["path"] for file in job["files"]] == ["new.txt"]
        sideshoot("keep", job["job_id"]).ok()
        assert repo.tree() == before_with(before, b"new.txt", b"new\n")

    def test_nothing_committed_is_not_a_deletion_of_everything(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        tree = repo.tree()
        done = sideshoot("run", "--json", "--", "sh", "-c", 'D=$(pwd); cd /; rm -rf "$D"')
        assert done.json["files"] == []
        assert done.json["warnings"] or done.json["outcome"] == "failed"
        sideshoot("keep")
        assert repo.tree() == tree

    @pytest.mark.parametrize("how", ["deleted", "pruned"])
    def test_what_was_captured_can_still_be_kept(
        self, how: str, repo: Repo, sideshoot: Command
    ) -> None:
        job = sideshoot.run(WORK)
        shutil.rmtree(repo.top / ".worktrees")
        if how == "pruned":
            repo.git("worktree", "prune")
            repo.git("branch", "-D", f"sideshoot/{job['job_id']}", accept=(0, 1))
        before = repo.fingerprint()
        sideshoot("diff").ok()
        sideshoot("keep").ok()
        assert repo.read("new.txt") == b"new\n"
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)
        assert repo.text("worktree", "list", "--porcelain").count("worktree ") == 1

    def test_and_a_discard_says_so_and_can_be_taken_back(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        job = sideshoot.run(WORK)
        shutil.rmtree(repo.top / ".worktrees" / job["job_id"])
        sideshoot("discard").ok()
        sideshoot("restore", job["job_id"]).ok()
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("new.txt") == b"new\n"


class TestTheUsersRepository:
    """An agent that shares the git directory can reach what is the user's: that must be seen."""

    ACTIONS: tuple[tuple[str, str, str], ...] = (
        ("branch", "git update-ref refs/heads/main HEAD~0 && git branch -f victim HEAD", "victim"),
        ("branch deleted", "git branch -qD victim", "victim"),
        ("tag", "git tag -d v1 > /dev/null", "v1"),
        ("stash", "git stash drop -q", "stash"),
        ("config", "git config user.email evil@example.org", "config"),
        (
            "hook",
            'printf "#!/bin/sh\\n" > "$(git rev-parse --git-common-dir)/hooks/pre-commit"',
            "hook",
        ),
    )

    @pytest.mark.parametrize(("name", "script", "word"), ACTIONS)
    def test_a_change_is_named_and_the_old_objects_are_held(
        self, name: str, script: str, word: str, repo: Repo, sideshoot: Command
    ) -> None:
        repo.write("app.py", "for the stash\n")
        repo.git("stash", "-q")
        repo.git("tag", "v1")
        victim = repo.git("commit-tree", "-m", "victim", "HEAD^{tree}").decode().strip()
        repo.git("branch", "victim", victim)
        stash = repo.text("rev-parse", "refs/stash")
        job = sideshoot.run(script)
        assert any(word in warning for warning in job["warnings"]), (name, job["warnings"])
        sideshoot("keep")
        repo.git("reflog", "expire", "--expire=all", "--all")
        repo.git("gc", "-q", "--prune=now")
        for oid in (victim, stash):
            assert repo.text("cat-file", "-t", oid) == "commit"

    @pytest.mark.parametrize("script", ["core.bare true", "core.worktree /nowhere"])
    def test_damage_that_stops_git_is_repaired(
        self, script: str, repo: Repo, sideshoot: Command
    ) -> None:
        before = repo.fingerprint()
        job = sideshoot.run(f"echo new > new.txt; git config {script}")
        assert any(".git/config changed" in warning for warning in job["warnings"]), job
        assert settled(repo.fingerprint()) == settled(before)
        sideshoot("keep").ok()
        assert repo.read("new.txt") == b"new\n"


class TestProgramsThatTheWorkspaceNames:
    """Files that an agent leaves must not make the user's git, run by us, start a program."""

    def test_are_not_run(self, repo: Repo, sideshoot: Command) -> None:
        script = (
            'D=$(git rev-parse --path-format=absolute --git-dir); P="$PWD/evil";'
            f'printf "#!/bin/sh\\ntouch {repo.top}/pwned\\n" > evil; chmod +x evil;'
            'git config --file "$D/config.worktree" core.fsmonitor "$P";'
            "echo '*.py filter=evil diff=evil' > .gitattributes;"
            "mkdir in && cd in && git init -q && git config core.fsmonitor ../evil &&"
            " echo a > a && git config filter.evil.clean ../evil && cd ..; echo new >> app.py;"
            "mkdir bare && cd bare && mkdir objects refs && echo 'ref: refs/heads/x' > HEAD &&"
            ' printf "[core]\\n\\tbare = false\\n\\tworktree = ..\\n\\tfsmonitor = ../evil\\n" > config'
        )
        job = sideshoot.run(script)
        sideshoot("diff", job["job_id"]).ok()
        sideshoot("status").ok()
        sideshoot("keep", job["job_id"])
        sideshoot("undo", job["job_id"])
        sideshoot("discard", job["job_id"])
        assert not repo.exists("pwned")


class TestFilesBehindALink:
    """An agent may name a file that lies elsewhere; what is there is not its work."""

    def test_are_not_read(self, repo: Repo, sideshoot: Command, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "x.log").write_text("secret\n")
        job = sideshoot.run(
            "mkdir a; echo mine > a/x.log; git add -f a/x.log; rm -r a;"
            f"ln -s {tmp_path / 'outside'} a; echo work > work.txt"
        )
        assert [file["path"] for file in job["files"]] == ["a", "work.txt"]
        held = repo.committed(job["result"])
        assert held[b"a"] == (SYMLINK, str(tmp_path / "outside").encode())
        sideshoot("keep").ok()
        assert b"a/x.log" not in repo.staged()
        sideshoot("undo").ok()
        assert (tmp_path / "outside" / "x.log").read_text() == "secret\n"


class TestRulesThatCameLater:
    def test_take_nothing_out_of_what_was_captured(self, repo: Repo, sideshoot: Command) -> None:
        sideshoot.run("echo work > work.txt")
        repo.write(".git/info/exclude", "work.txt\n/.worktrees/\n")
        sideshoot("keep").ok()
        assert repo.read("work.txt") == repo.staged()[b"work.txt"][1] == b"work\n"


def before_with(before: dict[str, Any], path: bytes, content: bytes) -> dict[bytes, Any]:
    files = {name: found for name, found in before["files"].items() if not stat.S_ISDIR(found[0])}
    return files | {path: (0o644, content)}
