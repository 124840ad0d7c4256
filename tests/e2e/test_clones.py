"""Jobs in quarantined clones: the user's repository hears of them when their work is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.fence.mechanism import Kind, find_mechanism
from support.command import Command
from support.processes import await_true
from support.repos import Repo
from support.twins import settled

if TYPE_CHECKING:
    from pathlib import Path

WORK = "echo '# agent' >> app.py; echo new > new.txt; rm docs/guide.txt"
COMMITS = f"{WORK}; git add -A; git commit -qm 'why I did it'; echo more > more.txt"
CLONE = ("--isolation", "clone")


def objects(repo: Repo) -> set[str]:
    """What the user's repository has, by name."""
    shape = ("--batch-all-objects", "--batch-check=%(objectname)")
    return {*repo.text("cat-file", *shape).splitlines()}


def run(sideshoot: Command, script: str, *options: str) -> dict[str, Any]:
    return sideshoot.run(script, *CLONE, *options)


def changed(job: dict[str, Any]) -> set[str]:
    return {file["path"] for file in job["files"]}


@pytest.mark.parametrize("carried", [True, False], ids=["uncommitted changes", "a clean tree"])
def test_a_discard_leaves_no_object(repo: Repo, sideshoot: Command, *, carried: bool) -> None:
    if carried:
        repo.write("README.md", "# mine\n")
        repo.git("add", "README.md")
        repo.write("notes.txt", "mine, untracked\n")
    before, fingerprint = objects(repo), repo.fingerprint()
    job = run(sideshoot, COMMITS)
    sideshoot("diff", job["job_id"]).ok()
    sideshoot("keep", "--dry-run", job["job_id"]).ok()
    sideshoot("discard", job["job_id"]).ok()
    assert objects(repo) == before
    assert repo.fingerprint() == fingerprint
    sideshoot("config", "gc.max_age_days", "0").ok()
    sideshoot("gc").ok()
    assert repo.our_refs() == {}
    assert [*(repo.common_dir / "sideshoot" / "jobs").iterdir()] == []
    assert objects(repo) == before


def test_a_keep_brings_what_is_needed_and_nothing_else(repo: Repo, sideshoot: Command) -> None:
    junk = "echo junk > junk; git add junk; git commit -qm junk; git reset -q --hard HEAD~1"
    side = "git branch side; git checkout -q side; echo s > s; git add s; git commit -qm side"
    job = run(sideshoot, f"{junk}; {COMMITS}; {side}; git checkout -q -")
    before = objects(repo)
    sideshoot("keep", job["job_id"]).ok()
    fresh = objects(repo) - before
    names = "\n".join(fresh)
    kinds = repo.git("cat-file", "--batch", stdin=names.encode())
    assert b"junk" not in kinds
    assert b"why I did it" in kinds
    repo.git("fsck", "--strict")
    sideshoot("undo", job["job_id"]).ok()


def test_its_work_is_kept_taken_back_and_kept_again(repo: Repo, sideshoot: Command) -> None:
    repo.write("README.md", "# mine, unstaged\n")
    before = repo.fingerprint()
    job = run(sideshoot, COMMITS)
    assert repo.fingerprint() == before
    assert changed(job) == {"app.py", "docs/guide.txt", "new.txt", "more.txt"}
    app = repo.read("app.py")
    for _ in range(2):
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("app.py") == repo.staged()[b"app.py"][1] == app + b"# agent\n"
        assert repo.read("README.md") == b"# mine, unstaged\n"
        assert not repo.exists("docs/guide.txt")
        sideshoot("undo", job["job_id"]).ok()
        assert settled(repo.fingerprint()) == settled(before)
    await_true(lambda: not repo.exists(".worktrees"), "the removal of the folder")


def test_a_part_is_kept_then_the_rest(repo: Repo, sideshoot: Command) -> None:
    job = run(sideshoot, COMMITS)
    sideshoot("keep", job["job_id"], "new.txt").ok()
    assert repo.read("new.txt") == b"new\n"
    assert not repo.exists("more.txt")
    (repo.top / ".worktrees" / job["job_id"] / "by-hand").write_text("later\n")
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("more.txt") == b"more\n"
    assert repo.read("by-hand") == b"later\n"


def test_what_was_discarded_is_restored_and_kept(repo: Repo, sideshoot: Command) -> None:
    job = run(sideshoot, COMMITS)
    sideshoot("discard", job["job_id"]).ok()
    repo.git("gc", "-q", "--prune=now")
    sideshoot("restore", job["job_id"]).ok()
    assert "new.txt" in sideshoot("diff", job["job_id"], "--stat").ok().out
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("new.txt") == b"new\n"


def test_its_commits_make_a_branch(repo: Repo, sideshoot: Command) -> None:
    run(sideshoot, f"{WORK}; git add -A; git commit -qm 'why I did it'")
    sideshoot("keep", "--branch", "feature").ok()
    assert repo.text("log", "-1", "--format=%s", "feature") == "why I did it"
    repo.git("fsck", "--strict")


def test_its_patch_and_its_review_are_of_the_same_change(repo: Repo, sideshoot: Command) -> None:
    job = run(sideshoot, COMMITS)
    sideshoot("keep", job["job_id"], "--patch", "work.patch").ok()
    repo.git("apply", "--check", "work.patch")
    assert b"+# agent" in sideshoot("diff", job["job_id"]).ok().stdout


def test_a_conflict_writes_nothing(repo: Repo, sideshoot: Command) -> None:
    job = run(sideshoot, "echo theirs > README.md")
    repo.write("README.md", "mine\n")
    before = repo.fingerprint()
    known = objects(repo)
    assert sideshoot("keep", job["job_id"]).status == 1
    assert repo.fingerprint() == before
    assert objects(repo) == known
    sideshoot("keep", job["job_id"], "--conflicts", "theirs").ok()
    assert repo.read("README.md") == b"theirs\n"


BAD_MANNERS = {
    "a branch": "git branch -f main HEAD~0; git checkout -q main; git commit -q --allow-empty -m x",
    "a deleted branch": "git branch -qD victim",
    "a tag": "git tag -d v1",
    "the stash": "git stash clear",
    "the settings": "git config user.email evil@example.org; git config core.bare false",
    "a hook": 'mkdir -p "$(git rev-parse --git-common-dir)/hooks"; echo x > "$(git rev-parse --git-common-dir)/hooks/pre-commit"',
    "garbage": "git reflog expire --expire=now --all; git gc -q --prune=now",
    "a push": "git push -q . HEAD:refs/heads/pushed",
    "worktrees": "git worktree prune; git worktree add -q ../elsewhere-in-a-clone",
}


@pytest.mark.usefixtures("unfenced")
@pytest.mark.parametrize("name", BAD_MANNERS)
def test_the_users_repository_is_out_of_reach(name: str, repo: Repo, sideshoot: Command) -> None:
    repo.git("branch", "victim")
    repo.git("tag", "v1")
    repo.write("app.py", "put away\n")
    repo.git("stash")
    before = repo.fingerprint()
    job = run(sideshoot, f"{BAD_MANNERS[name]}; echo new > new.txt")
    assert repo.fingerprint() == before
    assert not [line for line in job["warnings"] if "while the job ran" in line]
    assert "new.txt" in changed(job)
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("new.txt") == b"new\n"


@pytest.mark.skipif(find_mechanism().kind is Kind.NONE, reason="no fence can be put up here")
def test_inside_a_fence_it_commits_and_writes_nothing_of_the_users(
    repo: Repo, sideshoot: Command
) -> None:
    common = repo.common_dir
    script = (
        f"echo new > new.txt; git add -A; git commit -qm inside; git gc -q;"
        f" for f in config HEAD objects/x refs/x hooks/x; do echo x > '{common}'/$f && echo OUT; done;"
        f" cd '{common}'/sideshoot/jobs/$SIDESHOOT_JOB/quarantine && echo x > HEAD && echo OUT; true"
    )
    before = repo.fingerprint()
    job = run(sideshoot, script, "--sandbox", "write")
    assert "OUT" not in job["message"]
    assert changed(job) == {"new.txt"}
    assert repo.fingerprint() == before
    sideshoot("keep", "--branch", "feature").ok()
    assert repo.text("log", "-1", "--format=%s", "feature") == "inside"


def test_the_setting_and_the_option(repo: Repo, sideshoot: Command) -> None:
    ask = 'test "$(git rev-parse --git-common-dir)" = "$(git rev-parse --git-dir)" && echo own'
    sideshoot("config", "workspace.isolation", "clone").ok()
    assert "own" in sideshoot.run(f"{ask}; true")["message"]
    job = sideshoot.run(f"{ask}; true", "--isolation", "worktree")
    assert not job["message"]
    assert "worktree or clone" in sideshoot("config", "workspace.isolation", "no").err
    done = sideshoot("run", *CLONE, "--in-place", "--", "true")
    assert (done.status, "--isolation" in done.err) == (2, True)


def test_a_repository_may_ask_for_a_clone_but_not_for_less(
    repo: Repo, sideshoot: Command, home: Path
) -> None:
    repo.write("sideshoot.toml", '[workspace]\nisolation = "clone"\n')
    job = sideshoot.run("true")
    assert (repo.common_dir / "sideshoot" / "jobs" / job["job_id"] / "quarantine").is_dir()
    mine = home / ".config" / "sideshoot" / "config.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text('[workspace]\nisolation = "clone"\n')
    repo.write("sideshoot.toml", '[workspace]\nisolation = "worktree"\n')
    done = sideshoot("run", "--", "true")
    assert done.status != 0
    assert "workspace.isolation" in done.err


def test_records_that_are_lost_are_made_anew(repo: Repo, sideshoot: Command) -> None:
    job = run(sideshoot, COMMITS)
    state = repo.common_dir / "sideshoot"
    (state / "sideshoot.db").write_bytes(b"\0" * 8192)
    for ending in ("-wal", "-shm"):
        (state / f"sideshoot.db{ending}").unlink(missing_ok=True)
    (state / "jobs" / job["job_id"] / "job.json").unlink()
    sideshoot("status").ok()
    found = sideshoot.json("result", job["job_id"])
    assert changed(found) == {"app.py", "docs/guide.txt", "new.txt", "more.txt"}
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("more.txt") == b"more\n"


@pytest.mark.parametrize("decide", ["keep", "discard"])
def test_a_repository_that_was_moved(
    decide: str, repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    repo.write("README.md", "# mine\n")
    job = run(sideshoot, COMMITS)
    moved = repo.top.rename(tmp_path / "moved")
    here = Command(moved)
    assert "new.txt" in here("diff", job["job_id"], "--stat").ok().out
    (moved / ".worktrees" / job["job_id"] / "by-hand").write_text("later\n")
    here(decide, job["job_id"]).ok()
    assert (moved / "by-hand").exists() == (decide == "keep")


def test_submodules_and_repositories_inside_arrive(repo: Repo, tmp_path: Path) -> None:
    lib = Repo.create(tmp_path / "lib", {"lib.c": "int a;\n"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(lib.top), "lib")
    repo.commit("lib")
    sideshoot = Command(repo.top)
    commit = "git add -A && git -c user.name=a -c user.email=a@b commit -qm x"
    job = run(
        sideshoot,
        f"(cd lib && echo 'int b;' >> lib.c && {commit}) && git init -q in && cd in && echo y > y && {commit}",
    )
    assert changed(job) == {"lib"}
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("in/y") == b"y\n"
    held = Repo(repo.top / "lib")
    commit = next(oid for path, _, _, oid, _ in repo.index() if path == b"lib")
    assert "int b;" in held.text("show", f"{commit}:lib.c")


def test_without_a_branch_that_it_was_merged_from(repo: Repo, sideshoot: Command) -> None:
    """The user throws away everything that a job borrowed; the job is kept all the same."""
    repo.git("checkout", "-qb", "other")
    repo.write("theirs", "only on a branch\n")
    repo.commit("other")
    repo.git("checkout", "-q", "main")
    job = run(sideshoot, "git merge -q --no-edit other; echo new > new.txt")
    repo.git("branch", "-qD", "other")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    sideshoot("keep", job["job_id"]).ok()
    assert repo.read("theirs") == b"only on a branch\n"
    repo.git("fsck", "--strict")


def test_where_reftables_hold_the_refs_it_can_commit(tmp_path: Path) -> None:
    top = tmp_path / "garden"
    top.mkdir()
    Repo(top).git("init", "-q", "-b", "main", "--ref-format=reftable", accept=(0, 129))
    if not (top / ".git" / "reftable").is_dir():
        pytest.skip("this git has none")
    repo = Repo.create(top)
    job = run(Command(repo.top), COMMITS)
    Command(repo.top)("keep", job["job_id"]).ok()
    assert repo.read("more.txt") == b"more\n"
