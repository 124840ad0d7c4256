"""Whatever an agent makes of its clone's git directory, its work is taken over, and nothing runs."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.workspace.capture import capture
from support.repos import Repo
from support.workspaces import cloned, inside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sideshoot.workspace.capture import Captured
    from sideshoot.workspace.place import Workspace


def taken(repo: Repo, workspace: Workspace) -> Captured:
    return capture(discover(repo.top), workspace)


def content(workspace: Workspace, commit: str, path: str) -> bytes:
    """What a file holds in a commit that the quarantine has."""
    return workspace.holder.git.run("cat-file", "blob", f"{commit}:{path}").stdout


def parents(workspace: Workspace, commit: str) -> list[str]:
    return workspace.holder.git.text("rev-parse", f"{commit}^@").split()


def committed(workspace: Workspace, text: str = "agent\n") -> str:
    """A commit of the agent's."""
    agent = inside(workspace)
    agent.write("made", text)
    return agent.commit("the agent's")


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def users_objects(repo: Repo) -> set[str]:
    """What the user's repository has, by name."""
    shape = ("--batch-all-objects", "--batch-check=%(objectname)")
    return {*repo.text("cat-file", *shape).splitlines()}


def test_the_agents_commits_are_the_second_parent(repo: Repo) -> None:
    workspace = cloned(repo)
    commit = committed(workspace)
    found = taken(repo, workspace)
    assert parents(workspace, found.commit) == [workspace.base, commit]
    assert content(workspace, found.commit, "made") == b"agent\n"


def test_a_second_capture_of_the_same_is_the_same(repo: Repo) -> None:
    repo.write("app.py", "mine\n")
    workspace = cloned(repo)
    committed(workspace)
    assert taken(repo, workspace).commit == taken(repo, workspace).commit


def test_nothing_of_it_is_in_the_users_repository(repo: Repo) -> None:
    repo.write("app.py", "mine, not committed\n")
    before, refs = users_objects(repo), repo.refs()
    workspace = cloned(repo)
    committed(workspace)
    taken(repo, workspace)
    assert users_objects(repo) == before
    assert repo.refs() == refs
    assert repo.our_refs() == {"refs/sideshoot/k3f9/borrowed": repo.head()}


def test_branches_tags_and_stashes_are_held_and_told(repo: Repo) -> None:
    workspace = cloned(repo)
    agent = inside(workspace)
    commit = committed(workspace)
    agent.git("branch", "idea")
    agent.git("tag", "-am", "t", "done")
    agent.write("made", "put away\n")
    agent.git("stash")
    found = taken(repo, workspace)
    said = "\n".join(found.warnings)
    assert "branch idea" in said
    assert "tag done" in said
    assert "a stash entry" in said
    held = Repo(workspace.common_dir)
    assert held.text("rev-parse", "refs/heads/idea") == commit
    assert content(workspace, "refs/sideshoot/stash/0", "made") == b"put away\n"
    where = said.split("git fetch ")[1].split(" ")[0]
    repo.git("fetch", "-q", where, "refs/heads/idea:refs/heads/idea")
    assert repo.text("rev-parse", "idea") == commit


def test_what_is_borrowed_from_a_branch_that_goes_is_held(repo: Repo) -> None:
    """The user may delete branches and throw away what nothing names, and the work stays whole."""
    repo.git("checkout", "-qb", "other")
    repo.write("theirs", "only on a branch\n")
    other = repo.commit("other")
    repo.git("checkout", "-q", "main")
    repo.write("staged", "only in the index\n")
    repo.git("add", "staged")
    workspace = cloned(repo)
    inside(workspace).git("merge", "-q", "--no-edit", other)
    found = taken(repo, workspace)
    repo.git("branch", "-qD", "other")
    repo.git("reset", "-q", "--hard")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert other not in users_objects(repo)
    for path in ("theirs", "staged"):
        assert content(workspace, found.commit, path).startswith(b"only")
    workspace.holder.git.run("rev-list", "--objects", "--all", "--quiet")
    assert taken(repo, workspace).commit == found.commit


def test_staged_work_outlives_the_folder(repo: Repo) -> None:
    workspace = cloned(repo)
    agent = inside(workspace)
    agent.write("staged", "staged\n")
    agent.git("add", "staged")
    shutil.rmtree(workspace.path)
    found = taken(repo, workspace)
    assert content(workspace, found.commit, "staged") == b"staged\n"
    assert "is gone" in "\n".join(found.warnings)


def _aimed_elsewhere(workspace: Workspace) -> None:
    (workspace.git_dir / "objects" / "info" / "alternates").write_text("/nowhere\n")


def _without_git_dir(workspace: Workspace) -> None:
    shutil.rmtree(workspace.git_dir)


def _broken_head(workspace: Workspace) -> None:
    (workspace.git_dir / "HEAD").write_text("nonsense\n")


def _head_is_a_pipe(workspace: Workspace) -> None:
    (workspace.git_dir / "HEAD").unlink()
    os.mkfifo(workspace.git_dir / "HEAD")


def _other_refs_format(workspace: Workspace) -> None:
    (workspace.git_dir / "reftable").mkdir()


def _broken_refs(workspace: Workspace) -> None:
    (workspace.git_dir / "packed-refs").write_bytes(b"\xff" * 100 + b"\n0000 refs/heads/x\n")
    (workspace.git_dir / "refs" / "heads" / "y").write_text("1" * 40 + "\n")


def _refs_with_bad_names(workspace: Workspace) -> None:
    """git ends at once where it reads one of these."""
    names = ("refs/heads/../../../x", "refs/heads//x", "refs/heads/.x", "refs/heads/x.lock")
    oid = inside(workspace).head()
    with (workspace.git_dir / "packed-refs").open("a") as file:
        file.writelines(f"{oid} {name}\n" for name in names)


def _forged_graph(workspace: Workspace) -> None:
    (workspace.git_dir / "objects" / "info" / "commit-graph").write_bytes(b"CGPH" + b"\1" * 2000)


def _broken_index(workspace: Workspace) -> None:
    (workspace.git_dir / "index").write_text("nonsense")


def _broken_objects(workspace: Workspace) -> None:
    for path in (workspace.git_dir / "objects").glob("??/*"):
        path.chmod(0o644)
        path.write_bytes(b"nonsense")


def _objects_are_a_file(workspace: Workspace) -> None:
    shutil.rmtree(workspace.git_dir / "objects")
    (workspace.git_dir / "objects").write_text("a file\n")


def _leads_elsewhere(workspace: Workspace) -> None:
    (workspace.git_dir / "commondir").write_text("/nowhere\n")


@pytest.mark.parametrize(
    "spoil",
    [
        _aimed_elsewhere,
        _without_git_dir,
        _broken_head,
        _head_is_a_pipe,
        _other_refs_format,
        _broken_refs,
        _refs_with_bad_names,
        _forged_graph,
        _broken_index,
        _broken_objects,
        _objects_are_a_file,
        _leads_elsewhere,
    ],
)
def test_the_files_are_taken_when_the_clone_is(
    spoil: Callable[[Workspace], None], repo: Repo
) -> None:
    workspace = cloned(repo)
    committed(workspace)
    (workspace.path / "later").write_text("not committed\n")
    spoil(workspace)
    for _ in range(2):
        found = taken(repo, workspace)
        assert content(workspace, found.commit, "made") == b"agent\n"
        assert content(workspace, found.commit, "later") == b"not committed\n"
    workspace.holder.git.run("rev-list", "--objects", "--all", "--quiet")


PROGRAMS = {
    "core.fsmonitor": "{}",
    "core.sshCommand": "{}",
    "filter.x.clean": "{}; cat",
    "filter.x.process": "{}",
    "diff.external": "{}",
    "core.pager": "{}",
    "core.alternateRefsCommand": "{}",
    "core.hooksPath": "hooks",
    "uploadpack.packObjectsHook": "{}",
}


def test_nothing_that_the_clone_names_runs(repo: Repo, tmp_path: Path) -> None:
    workspace = cloned(repo)
    committed(workspace)
    ran = tmp_path / "ran"
    for name, text in PROGRAMS.items():
        inside(workspace).git("config", name, text.format(f"touch {ran}"))
    hooks = workspace.git_dir / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    (workspace.git_dir / "info" / "attributes").write_text("* filter=x diff=x\n")
    (workspace.path / "later").write_text("later\n")
    found = taken(repo, workspace)
    assert content(workspace, found.commit, "later") == b"later\n"
    assert not ran.exists()


def test_a_link_in_its_place_is_not_written_through(repo: Repo, tmp_path: Path) -> None:
    workspace = cloned(repo)
    other = Repo.create(tmp_path / "other")
    before = everything(other.top)
    shutil.rmtree(workspace.git_dir / "objects")
    (workspace.git_dir / "objects").symlink_to(other.git_dir / "objects")
    (workspace.git_dir / "HEAD.sideshoot").symlink_to(other.top / "app.py")
    (workspace.git_dir / "HEAD").write_text("nonsense\n")
    (workspace.path / "later").write_text("later\n")
    assert content(workspace, taken(repo, workspace).commit, "later") == b"later\n"
    assert everything(other.top) == before


def test_an_object_is_not_replaced_by_another(repo: Repo) -> None:
    """git obeys refs/replace wherever it reads; those of the agent's are not believed."""
    workspace = cloned(repo)
    agent = inside(workspace)
    evil = agent.git("hash-object", "-w", "--stdin", stdin=b"evil\n").decode().strip()
    agent.git("replace", agent.text("rev-parse", "HEAD:app.py"), evil)
    (workspace.path / "later").write_text("later\n")
    found = taken(repo, workspace)
    assert content(workspace, found.commit, "app.py") == repo.read("app.py")


def test_rules_to_ignore_that_the_agent_makes_hide_nothing(repo: Repo) -> None:
    workspace = cloned(repo)
    (workspace.git_dir / "info" / "exclude").write_text("*\n")
    (workspace.path / "later").write_text("later\n")
    assert content(workspace, taken(repo, workspace).commit, "later") == b"later\n"
