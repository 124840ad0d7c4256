"""A project with secrets, dependencies, a submodule and large files works with the first command."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from support.hostile import configure
from support.processes import await_true
from support.repos import Repo

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

LFS = """\
import hashlib, os, pathlib, sys
store = pathlib.Path(os.environ["LFS_STORE"])
content = sys.stdin.buffer.read()
if sys.argv[1] == "clean":
    if not content.startswith(b"version "):
        oid = hashlib.sha256(content).hexdigest()
        (store / oid).write_bytes(content)
        content = b"version 1\\noid " + oid.encode() + b"\\n"
elif content.startswith(b"version ") and not os.environ.get("GIT_LFS_SKIP_SMUDGE"):
    found = store / content.split()[3].decode()
    if not found.exists():
        sys.exit("lfs: not in the store, and no network")
    content = found.read_bytes()
sys.stdout.buffer.write(content)
"""
"""What matters of git-lfs here: a filter with a store beside the repository."""

PULL = """\
import os, pathlib, subprocess, sys
store = pathlib.Path(os.environ["LFS_STORE"])
assert sys.argv[1:] == ["pull"], sys.argv
listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True).stdout
for name in listed.split(b"\\0")[:-1]:
    place = pathlib.Path(os.fsdecode(name))
    if place.name.endswith(".bin") and place.read_bytes().startswith(b"version "):
        found = store / place.read_text().split()[3]
        if not found.exists():
            sys.exit(f"failed to fetch {place}")
        place.write_bytes(found.read_bytes())
"""
"""And of `git lfs pull`: it brings what is a pointer yet, or says what it could not have."""

TESTS = """\
set -e
test "$(cat .env)" = SECRET=1
test "$(cat node_modules/dep/index.js)" = dep
test "$(.venv/bin/tool)" = tool
test "$(cat vendor/lib/app.txt)" = library
test "$(wc -c <model.bin)" -eq 3000
test "$SIDESHOOT_PORT" -gt 1024
test -z "$(git status --porcelain)"
echo passed
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the large files are."""
    (tmp_path / "lfs.py").write_text(LFS)
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("LFS_STORE", str(tmp_path / "store"))
    program = shlex.join([sys.executable, "-I", "-S", str(tmp_path / "lfs.py")])
    for name in ("clean", "smudge"):
        configure(f"filter.lfs.{name}", f"{program} {name}")
    configure("filter.lfs.required", "true")
    return tmp_path / "store"


@pytest.fixture
def project(repo: Repo, store: Path, tmp_path: Path) -> Repo:
    assert store.is_dir()
    library = Repo.create(tmp_path / "library", {"app.txt": "library\n"})
    repo.git("submodule", "add", "-q", str(library.top), "vendor/lib")
    library.top.rename(tmp_path / "gone")
    repo.write(".gitattributes", "*.bin filter=lfs -text\n")
    repo.write("model.bin", b"\0\1\2" * 1000)
    repo.write(".gitignore", ".env\nnode_modules/\n.venv/\n")
    repo.write(".worktreeinclude", ".env\nnode_modules/\n.venv/\n")
    repo.write("tests.sh", TESTS)
    repo.commit("a project")
    repo.write(".env", "SECRET=1\n")
    repo.write("node_modules/dep/index.js", "dep\n")
    repo.write(".venv/bin/tool", "#!/bin/sh\necho tool\n", mode=0o755)
    return repo


def change_and_lose_models(project: Repo, store: Path) -> None:
    """Commit another model; none can be had any more but what lies in the project."""
    project.write("model.bin", b"another")
    project.commit("another model")
    for content in store.iterdir():
        content.unlink()


@pytest.mark.usefixtures("unfenced")
def test_its_tests_pass_at_once_and_a_round_leaves_no_trace(
    project: Repo, sideshoot: Command
) -> None:
    before = project.fingerprint()
    job = sideshoot.run("sh tests.sh && echo fixed >>app.py")
    assert job["message"].splitlines()[-1] == "passed"
    assert (job["outcome"], job["warnings"], job["ignored"]["count"]) == ("succeeded", [], 0)
    assert [file["path"] for file in job["files"]] == ["app.py"]
    assert project.fingerprint() == before
    sideshoot("keep").ok()
    assert project.read("app.py").endswith(b"fixed\n")


@pytest.mark.usefixtures("unfenced")
def test_a_large_file_that_can_not_be_had_is_a_pointer(
    project: Repo, sideshoot: Command, store: Path
) -> None:
    change_and_lose_models(project, store)
    job = sideshoot.run("cat model.bin; git status --porcelain", "--base", "HEAD~1")
    assert job["outcome"] == "succeeded"
    assert job["message"].startswith("version 1\noid ")
    assert any("git-lfs could not bring every file" in line for line in job["warnings"])
    assert job["files"] == []


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `git lfs` that can pull."""
    program = tmp_path / "bin" / "git-lfs"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{PULL}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("unfenced")
def test_with_skip_all_large_files_are_pointers(project: Repo, sideshoot: Command) -> None:
    for number in range(30):  # as many as are copied, not checked out
        project.write(f"small/{number}.txt", "small\n")
    project.commit("more")
    sideshoot("config", "workspace.lfs", "skip").ok()
    before = project.fingerprint()

    job = sideshoot.run("cat model.bin; git status --porcelain; echo x >>app.py")

    assert job["message"].startswith("version 1\noid ")
    assert [file["path"] for file in job["files"]] == ["app.py"]
    assert job["warnings"] == []
    assert project.fingerprint() == before
    sideshoot("keep").ok()
    assert len(project.read("model.bin")) == 3000


@pytest.mark.usefixtures("unfenced")
def test_with_skip_the_agents_git_fetches_nothing_either(
    project: Repo, sideshoot: Command, store: Path
) -> None:
    change_and_lose_models(project, store)
    sideshoot("config", "workspace.lfs", "skip").ok()

    job = sideshoot.run("git checkout -q HEAD~1 && cat model.bin")

    assert job["message"].startswith("version 1\noid ")


@pytest.mark.usefixtures("unfenced", "downloads")
def test_with_pull_large_files_are_there_that_the_user_has_not(
    project: Repo, sideshoot: Command
) -> None:
    project.git("rm", "-q", "--cached", "model.bin")
    project.git("reset", "-q", "--hard", env={"GIT_LFS_SKIP_SMUDGE": "1"})
    assert project.read("model.bin").startswith(b"version ")
    sideshoot("config", "workspace.lfs", "pull").ok()
    before = project.fingerprint()

    job = sideshoot.run("wc -c <model.bin; git status --porcelain")

    assert job["message"].split() == ["3000"]
    assert (job["files"], job["warnings"]) == ([], [])
    assert project.fingerprint() == before


@pytest.mark.usefixtures("unfenced", "downloads")
def test_with_pull_a_job_without_all_of_them_does_not_begin(
    project: Repo, sideshoot: Command, store: Path
) -> None:
    project.git("rm", "-q", "--cached", "model.bin")
    project.git("reset", "-q", "--hard", env={"GIT_LFS_SKIP_SMUDGE": "1"})
    for content in store.iterdir():
        content.unlink()
    sideshoot("config", "workspace.lfs", "pull").ok()
    before = project.fingerprint()

    refused = sideshoot("run", "--", "touch", "ran")

    refused.refused("git-lfs could not bring every file (failed to fetch model.bin)", status=3)
    await_true(lambda: not project.exists(".worktrees"), "the removal of the folder")
    assert project.fingerprint() == before


@pytest.mark.usefixtures("unfenced")
def test_with_pull_a_project_without_large_files_needs_no_git_lfs(
    repo: Repo, sideshoot: Command
) -> None:
    sideshoot("config", "workspace.lfs", "pull").ok()

    assert sideshoot.run("echo x >>app.py")["warnings"] == []
