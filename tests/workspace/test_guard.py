"""What happens to the user's refs, stash, configuration and hooks while a job runs is seen."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.workspace.guard import Guard, compare, repair_configuration, take_guard
from support.repos import Repo, calm_environment
from support.workspaces import JOB, inside, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BRANCH = f"sideshoot/{JOB}"
PIN = f"refs/sideshoot/{JOB}/guard/before"


@pytest.fixture
def busy(repo: Repo) -> Repo:
    """A repository with branches, tags, a stash, hooks and settings."""
    repo.git("branch", "feature")
    repo.write("app.py", "second\n")
    repo.commit("second")
    repo.git("tag", "light", "HEAD~1")
    repo.git("tag", "-a", "-m", "heavy", "heavy")
    repo.write("app.py", "stashed\n")
    repo.git("stash", "push", "-q", "-m", "first stash")
    repo.write("app.py", "stashed again\n")
    repo.git("stash", "push", "-q", "-m", "second stash")
    repo.git("config", "garden.colour", "green")
    hook = repo.common_dir / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o755)
    (repo.common_dir / "info" / "attributes").write_text("*.md -diff\n")
    return repo


def guarded(repo: Repo) -> Guard:
    return take_guard(discover(repo.top), JOB, BRANCH)


def warnings_after(repo: Repo, damage: Callable[[], object], folder: Path) -> list[str]:
    """What a comparison says after `damage`, with the guard saved and loaded in between."""
    repository = discover(repo.top)
    take_guard(repository, JOB, BRANCH).save(folder / "guard")
    damage()
    return compare(repository, Guard.load(folder / "guard"), folder=folder)


def take_back(repo: Repo, line: str) -> None:
    """Do what a warning says."""
    command = line.split("`")[1]
    subprocess.run(
        ["/bin/sh", "-c", command], cwd=repo.top, env=calm_environment(), check=True, timeout=60
    )


def test_says_nothing_if_nothing_changed(busy: Repo, tmp_path: Path) -> None:
    before = busy.fingerprint()
    assert warnings_after(busy, lambda: None, tmp_path) == []
    assert busy.fingerprint() == before
    assert PIN not in busy.our_refs()


def test_keeps_all_tips_reachable_meanwhile(busy: Repo) -> None:
    tips = [*busy.refs().values(), busy.text("rev-parse", "stash@{1}")]
    guarded(busy)
    reachable = busy.text("rev-list", PIN).splitlines()
    for tip in tips:
        assert busy.text("rev-parse", f"{tip}^0") in reachable
    assert b"missing" not in busy.git("fsck", "--full")


def test_what_a_job_does_on_its_own_is_no_change(busy: Repo, tmp_path: Path) -> None:
    workspace = opened(busy)

    def work() -> None:
        inside(workspace).write("app.py", "by the agent\n")
        inside(workspace).commit("by the agent")
        opened(busy, "other")

    assert warnings_after(busy, work, tmp_path) == []


def test_is_saved_for_the_users_eyes_only(busy: Repo, tmp_path: Path) -> None:
    guard = guarded(busy)
    guard.save(tmp_path / "guard")
    assert stat.S_IMODE((tmp_path / "guard").stat().st_mode) == 0o600
    assert Guard.load(tmp_path / "guard") == guard
    (tmp_path / "guard").write_text("{}")
    with pytest.raises(ValueError, match="not whole"):
        Guard.load(tmp_path / "guard")


# -- each change is named, and its command takes it back


def move_branch(repo: Repo) -> None:
    repo.git("branch", "-f", "feature", "main")


def move_checked_out_branch(repo: Repo) -> None:
    repo.git("update-ref", "refs/heads/main", "main~1")


def delete_branch(repo: Repo) -> None:
    repo.git("branch", "-D", "feature")


def create_branch(repo: Repo) -> None:
    repo.git("branch", "stray it's")


def create_odd_branch(repo: Repo) -> None:
    repo.git("update-ref", b"refs/heads/odd$'\xff", "HEAD")


def delete_light_tag(repo: Repo) -> None:
    repo.git("tag", "-d", "light")


def delete_heavy_tag(repo: Repo) -> None:
    repo.git("tag", "-d", "heavy")
    repo.git("gc", "-q")


def switch_head(repo: Repo) -> None:
    repo.git("symbolic-ref", "HEAD", "refs/heads/feature")


def detach_head(repo: Repo) -> None:
    repo.git("update-ref", "--no-deref", "HEAD", "HEAD~1")


def change_configuration(repo: Repo) -> None:
    repo.git("config", "user.email", "agent@example.org")


def delete_setting(repo: Repo) -> None:
    repo.git("config", "--unset", "garden.colour")


def change_hook(repo: Repo) -> None:
    (repo.common_dir / "hooks" / "pre-commit").write_text("#!/bin/sh\nexit 1\n")


def disarm_hook(repo: Repo) -> None:
    (repo.common_dir / "hooks" / "pre-commit").chmod(0o644)


def delete_hook(repo: Repo) -> None:
    (repo.common_dir / "hooks" / "pre-commit").unlink()


def add_hook(repo: Repo) -> None:
    (repo.common_dir / "hooks" / "post-commit").write_text("#!/bin/sh\n")


def link_hook(repo: Repo) -> None:
    delete_hook(repo)
    other = repo.top.parent / "other program"
    other.write_text("precious\n")
    (repo.common_dir / "hooks" / "pre-commit").symlink_to(other)


def change_exclude(repo: Repo) -> None:
    with (repo.common_dir / "info" / "exclude").open("a") as file:
        file.write("*.py\n")


def change_attributes(repo: Repo) -> None:
    (repo.common_dir / "info" / "attributes").write_text("* filter=evil\n")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (move_branch, "branch feature moved from"),
        (move_checked_out_branch, "branch main moved from"),
        (delete_branch, "branch feature was deleted"),
        (delete_light_tag, "tag light was deleted"),
        (delete_heavy_tag, "tag heavy was deleted"),
        (create_odd_branch, "branch odd$'\\xff was created"),
        (switch_head, "HEAD of your working tree changed from refs/heads/main to refs/heads/feat"),
        (detach_head, "HEAD of your working tree changed from refs/heads/main to "),
        (change_configuration, "config changed while the job ran (user.email)"),
        (delete_setting, "config changed while the job ran (garden.colour)"),
        (change_hook, "hooks/pre-commit changed"),
        (disarm_hook, "hooks/pre-commit changed"),
        (delete_hook, "hooks/pre-commit was deleted"),
        (add_hook, "hooks/post-commit was created"),
        (link_hook, "hooks/pre-commit changed"),
        (change_exclude, "info/exclude changed"),
        (change_attributes, "info/attributes changed"),
    ],
)
def test_names_a_change_and_the_way_back(
    busy: Repo, tmp_path: Path, change: Callable[[Repo], None], named: str
) -> None:
    before = busy.fingerprint(), guarded(busy).files
    (line,) = warnings_after(busy, lambda: change(busy), tmp_path)
    assert named in line
    assert "while the job ran" in line
    take_back(busy, line)
    fingerprint = busy.fingerprint()
    del fingerprint["log of HEAD"], before[0]["log of HEAD"]
    assert (fingerprint, guarded(busy).files) == before
    if change is link_hook:
        assert (tmp_path / "other program").read_text() == "precious\n"


def test_names_a_dropped_stash_entry(busy: Repo, tmp_path: Path) -> None:
    old = busy.text("rev-parse", "stash@{1}")
    lines = warnings_after(busy, lambda: busy.git("stash", "drop", "-q", "stash@{1}"), tmp_path)
    assert len(lines) == 1
    assert "first stash' was dropped" in lines[0]
    busy.git("gc", "-q", "--prune=now")
    take_back(busy, lines[0])
    assert busy.text("rev-parse", "stash@{0}") == old


def test_names_a_cleared_stash_even_after_gc(busy: Repo, tmp_path: Path) -> None:
    def clear() -> None:
        busy.git("stash", "clear")
        busy.git("reflog", "expire", "--expire=now", "--all")
        busy.git("gc", "-q", "--prune=now")

    lines = warnings_after(busy, clear, tmp_path)
    assert len(lines) == 2
    for line in lines:
        take_back(busy, line)
    assert busy.git("show", "stash@{0}:app.py") == b"stashed again\n"
    assert busy.git("show", "stash@{1}:app.py") == b"stashed\n"


def test_names_what_an_agent_stashed(busy: Repo, tmp_path: Path) -> None:
    workspace = opened(busy)

    def stash() -> None:
        inside(workspace).write("app.py", "put away\n")
        inside(workspace).git("stash", "push", "-q", "-m", "later")

    (line,) = warnings_after(busy, stash, tmp_path)
    assert "later' was added" in line
    assert "put away" in busy.git(*shlex.split(line.split("`")[1])[1:]).decode()


def test_old_objects_stay_reachable_through_gc(busy: Repo, tmp_path: Path) -> None:
    busy.git("checkout", "-q", "feature")
    lost = busy.commit("only here")
    busy.git("checkout", "-q", "main")

    def delete() -> None:
        busy.git("branch", "-D", "feature")
        busy.git("reflog", "expire", "--expire=now", "--all")
        busy.git("gc", "-q", "--prune=now")

    lines = warnings_after(busy, delete, tmp_path)
    busy.git("gc", "-q", "--prune=now")
    take_back(busy, next(line for line in lines if "branch feature" in line))
    assert busy.text("rev-parse", "feature") == lost


def test_many_changes_are_counted(repo: Repo, tmp_path: Path) -> None:
    def create() -> None:
        names = "".join(f"create refs/heads/b{n} {repo.head()}\n" for n in range(40))
        repo.git("update-ref", "--stdin", stdin=names.encode())

    lines = warnings_after(repo, create, tmp_path)
    assert len(lines) == 11
    assert lines[-1] == "30 more refs changed while the job ran"


def test_a_fetch_is_one_line(repo: Repo, tmp_path: Path) -> None:
    def fetch() -> None:
        for number in range(3):
            repo.git("update-ref", f"refs/remotes/origin/b{number}", "HEAD")

    (line,) = warnings_after(repo, fetch, tmp_path)
    assert line.startswith("3 remote-tracking branches changed")


def test_refs_of_every_kind_can_be_watched(busy: Repo, tmp_path: Path) -> None:
    blob = busy.text("rev-parse", "HEAD:app.py")
    tree = busy.text("rev-parse", "HEAD^{tree}")
    busy.git("tag", "blob", blob)
    busy.git("tag", "-a", "-m", "x", "heavy-blob", blob)
    busy.git("tag", "tree", tree)
    busy.git("tag", "-a", "-m", "x", "twice", "heavy")
    heavy = busy.text("rev-parse", "heavy-blob")

    def delete() -> None:
        busy.git("tag", "-d", "heavy-blob", "blob", "tree", "twice")

    lines = warnings_after(busy, delete, tmp_path)
    busy.git("gc", "-q", "--prune=now")
    for line in lines:
        take_back(busy, line)
    assert busy.text("rev-parse", "heavy-blob") == heavy
    assert b"missing" not in busy.git("fsck", "--full")


def test_a_ref_whose_object_is_missing_stops_nothing(busy: Repo, tmp_path: Path) -> None:
    (busy.common_dir / "refs" / "heads" / "broken").write_text("1" * 40 + "\n")
    assert warnings_after(busy, lambda: None, tmp_path) == []


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = Repo.create(tmp_path / "new", {})
    (tmp_path / "job").mkdir()
    assert warnings_after(repo, lambda: None, tmp_path / "job") == []
    lines = warnings_after(repo, lambda: repo.commit("first"), tmp_path / "job")
    assert [line.split(" while")[0] for line in lines] == ["branch main was created"]


def test_in_a_linked_working_tree(busy: Repo, tmp_path: Path) -> None:
    busy.git("worktree", "add", "-q", "-b", "linked", "../linked")
    linked = Repo(busy.top.parent / "linked")
    (line,) = warnings_after(linked, lambda: switch_head(linked), tmp_path)
    assert "HEAD of your working tree changed from refs/heads/linked" in line
    take_back(linked, line)
    assert linked.text("symbolic-ref", "HEAD") == "refs/heads/linked"


def test_thousands_of_refs(repo: Repo, tmp_path: Path) -> None:
    tree = repo.text("rev-parse", "HEAD^{tree}")
    script = "".join(
        f"commit refs/heads/b{n}\ncommitter A <a@b> {n} +0000\ndata 1\nx\n"
        f"from {repo.head()}\nM 040000 {tree} \n\n"
        for n in range(1200)
    )
    repo.git("fast-import", "--quiet", stdin=script.encode())
    repo.git("pack-refs", "--all")
    tip = repo.text("rev-parse", "b1199")

    def delete() -> None:
        repo.git("update-ref", "-d", "refs/heads/b1199")
        repo.git("gc", "-q", "--prune=now")

    (line,) = warnings_after(repo, delete, tmp_path)
    take_back(repo, line)
    assert repo.text("rev-parse", "b1199") == tip


# -- damage that keeps git from working


def make_bare(repo: Repo) -> None:
    repo.git("config", "core.bare", "true")


def init_with_git_dir(repo: Repo) -> None:
    # What an agent does that runs `git init` under a variable it inherited; seen in the wild.
    repo.git("init", "-q", env={"GIT_DIR": str(repo.git_dir)}, cwd=repo.top.parent)
    repo.git("config", "core.bare", "true")


def move_worktree(repo: Repo) -> None:
    repo.git("config", "core.worktree", "/nowhere")


def unreadable_configuration(repo: Repo) -> None:
    (repo.common_dir / "config").write_text("[core\nnonsense")


def delete_configuration(repo: Repo) -> None:
    (repo.common_dir / "config").unlink()


def unknown_format(repo: Repo) -> None:
    repo.git("config", "core.repositoryFormatVersion", "99")


def broken_include(repo: Repo) -> None:
    (repo.common_dir / "included").write_text("[core\n")
    repo.git("config", "include.path", "included")


DAMAGES = [
    make_bare,
    init_with_git_dir,
    move_worktree,
    unreadable_configuration,
    delete_configuration,
    unknown_format,
    broken_include,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_git_works_again(busy: Repo, tmp_path: Path, damage: Callable[[Repo], None]) -> None:
    before = busy.fingerprint()
    repository = discover(busy.top)
    guard = take_guard(repository, JOB, BRANCH)
    damage(busy)
    (note,) = repair_configuration(repository, guard, folder=tmp_path)
    assert "changed while the job ran so that git did not work" in note
    assert busy.status() == before["status"]
    assert busy.text("config", "garden.colour") == "green"
    assert repair_configuration(repository, guard, folder=tmp_path) == []
    if damage is not delete_configuration:
        assert (tmp_path / "damaged" / "config").exists()


def test_a_repair_keeps_what_else_changed(busy: Repo, tmp_path: Path) -> None:
    def damage() -> None:
        busy.git("config", "garden.colour", "blue")
        busy.git("config", "core.bare", "true")

    repaired, changed = warnings_after(busy, damage, tmp_path)
    assert "git did not work" in repaired
    assert "(garden.colour)" in changed
    assert busy.text("config", "garden.colour") == "blue"
    assert busy.text("config", "core.bare") == "false"


def test_a_linked_working_tree_repairs_the_main_one(busy: Repo, tmp_path: Path) -> None:
    busy.git("worktree", "add", "-q", "-b", "linked", "../linked")
    lines = warnings_after(Repo(busy.top.parent / "linked"), lambda: make_bare(busy), tmp_path)
    assert len(lines) == 1
    assert busy.status() == b""


def test_files_of_the_guard_are_private(busy: Repo, tmp_path: Path) -> None:
    (busy.common_dir / "config").chmod(0o640)
    warnings_after(busy, lambda: unreadable_configuration(busy), tmp_path)
    assert stat.S_IMODE((tmp_path / "damaged" / "config").stat().st_mode) == 0o600
    assert stat.S_IMODE((busy.common_dir / "config").stat().st_mode) == 0o640
    assert os.access(busy.common_dir / "config", os.R_OK)
