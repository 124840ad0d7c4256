"""Workspaces that have only some folders, and what is saved of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.workspace.capture import capture
from sideshoot.workspace.sparse import covered_by, environment, patterns
from support.workspaces import inside, opened

if TYPE_CHECKING:
    from sideshoot.workspace.opening import Workspace
    from support.repos import Repo

SWITCHES = (("core.sparseCheckout", "true"), ("core.sparseCheckoutCone", "true"))
SETTINGS = [word for name, value in SWITCHES for word in ("-c", f"{name}={value}")]


@pytest.fixture(params=[3, 60], ids=["few files", "many files"])
def grown(repo: Repo, request: pytest.FixtureRequest) -> Repo:
    """With few files git checks out all of them, with many they are copied."""
    for folder in ("docs/deep", "src/tools", "lib"):
        for number in range(request.param):
            repo.write(f"{folder}/{number}.txt", f"{folder} {number}\n")
    repo.write("src/above.txt", "above\n")
    repo.commit("more")
    return repo


def files(workspace: Workspace) -> set[str]:
    found = (path.relative_to(workspace.path) for path in workspace.path.rglob("*"))
    return {str(path.parent) for path in found if (workspace.path / path).is_file()} - {".git"}


def changes(repo: Repo, workspace: Workspace) -> list[str]:
    result = capture(discover(repo.top), workspace).commit
    argv = ("diff-tree", "-r", "--name-status", "--no-renames", workspace.base, result)
    return repo.text(*argv).splitlines()


def test_it_has_what_was_asked_for_and_what_lies_above(grown: Repo) -> None:
    before = grown.fingerprint()
    workspace = opened(grown, sparse=[b"src/tools", b"new"])

    assert files(workspace) == {".", "src", "src/tools"}
    assert inside(workspace).status() == grown.status()
    assert inside(workspace).text(*SETTINGS, "sparse-checkout", "list") == "new\nsrc/tools"
    assert changes(grown, workspace) == []
    assert grown.fingerprint() == before


def test_ignored_files_are_copied_only_where_it_has_a_folder(grown: Repo) -> None:
    grown.write(".gitignore", ".env\nnode_modules/\n")
    grown.write(".worktreeinclude", ".env\nnode_modules/\n")
    names = [f"{folder}{name}" for folder in ("", "src/tools/", "lib/") for name in (".env", "x")]
    for name in names:
        grown.write(name.replace("x", "node_modules/dep"), "x\n")
    workspace = opened(grown, sparse=[b"src/tools"])

    assert files(workspace) >= {".", "src/tools", "node_modules", "src/tools/node_modules"}
    assert (workspace.path / ".env").exists()
    assert (workspace.path / "src/tools/.env").exists()
    assert not (workspace.path / "lib").exists()
    assert changes(grown, workspace) == []


def test_changes_of_the_users_outside_of_it_are_not_taken_back(grown: Repo) -> None:
    grown.write("lib/0.txt", "changed\n")
    grown.write("lib/untracked.txt", "new\n")
    grown.write("src/above.txt", "changed\n")
    (grown.top / "lib/1.txt").unlink()
    workspace = opened(grown, sparse=[b"src"])

    assert (workspace.path / "src/above.txt").read_text() == "changed\n"
    assert not (workspace.path / "lib").exists()
    assert changes(grown, workspace) == []


def test_what_the_agent_writes_outside_of_it_counts(grown: Repo) -> None:
    workspace = opened(grown, sparse=[b"docs"])
    lib = workspace.path / "lib"
    lib.mkdir()
    (lib / "0.txt").write_text("changed\n")
    (lib / "mine.txt").write_text("new\n")
    (workspace.path / "docs/deep/0.txt").unlink()

    assert changes(grown, workspace) == ["D\tdocs/deep/0.txt", "M\tlib/0.txt", "A\tlib/mine.txt"]


def test_what_commits_change_outside_of_it_counts_though_it_is_nowhere(grown: Repo) -> None:
    grown.git("checkout", "-q", "-b", "other")
    grown.write("lib/0.txt", "theirs\n")
    grown.write("lib/added.txt", "theirs\n")
    grown.git("rm", "-q", "lib/1.txt")
    grown.commit("theirs")
    grown.git("checkout", "-q", "-")
    workspace = opened(grown, sparse=[b"docs"])

    inside(workspace).git(*SETTINGS, "merge", "-q", "--no-ff", "-m", "merged", "other")

    assert not (workspace.path / "lib").exists()
    assert changes(grown, workspace) == ["M\tlib/0.txt", "D\tlib/1.txt", "A\tlib/added.txt"]


def test_a_merge_does_not_take_back_what_the_user_has_there(grown: Repo) -> None:
    grown.git("checkout", "-q", "-b", "other")
    grown.write("lib/0.txt", "theirs\n")
    grown.commit("theirs")
    grown.git("checkout", "-q", "-")
    grown.write("lib/0.txt", "not committed\n")
    workspace = opened(grown, sparse=[b"docs"])

    inside(workspace).git(*SETTINGS, "merge", "-q", "other")

    assert changes(grown, workspace) == []


def test_what_the_agent_committed_and_then_put_away_counts(grown: Repo) -> None:
    grown.git("sparse-checkout", "set", "docs", "lib")
    workspace = opened(grown, sparse=[b"docs", b"lib"])
    (workspace.path / "lib/0.txt").write_text("changed\n")
    inside(workspace).git("commit", "-qam", "mine")
    inside(workspace).git("sparse-checkout", "set", "docs")

    assert not (workspace.path / "lib").exists()
    assert changes(grown, workspace) == ["M\tlib/0.txt"]


def test_it_takes_the_place_of_the_users_own_patterns(grown: Repo) -> None:
    grown.git("sparse-checkout", "set", "lib")
    workspace = opened(grown, sparse=[b"docs"])

    assert files(workspace) == {".", "docs", "docs/deep"}
    assert inside(workspace).text("config", "core.sparseCheckout") == "true"
    assert inside(workspace).text("sparse-checkout", "list") == "docs"
    assert grown.text("sparse-checkout", "list") == "lib"
    assert changes(grown, workspace) == []


def test_the_patterns_are_those_that_git_writes(repo: Repo) -> None:
    folders = ["a/b/c", "a/b", "d/e", "odd [name]*", "b\\s"]
    for folder in folders:
        repo.write(f"{folder}/file", "x\n")
    repo.commit("folders")
    repo.git("sparse-checkout", "set", "--cone", "--skip-checks", *folders)

    written = (repo.git_dir / "info/sparse-checkout").read_bytes()

    assert sorted(patterns([*map(str.encode, folders)]).splitlines()) == sorted(
        written.splitlines()
    )


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        (b"top", True),
        (b"a/on the way", True),
        (b"a/b/in", True),
        (b"a/b/c/deep", True),
        (b"a/bc/beside", False),
        (b"other/file", False),
    ],
)
def test_what_is_covered(path: bytes, covered: bool) -> None:
    assert covered_by([b"a/b"])(path) is covered


def test_the_agents_git_is_told_beside_what_it_is_told_already(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'garden.colour=green'")
    told = environment(["docs"])

    for name, value in [*SWITCHES, ("garden.colour", "green")]:
        assert repo.git("config", name, env=told) == f"{value}\n".encode()
    assert environment([]) == {}
