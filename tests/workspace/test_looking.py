"""What git is asked of a working tree finds all that differs, however it is asked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import Git, discover
from sideshoot.workspace import looking as module
from sideshoot.workspace.looking import Found, looking
from support.repos import Repo

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def found(repo: Repo, *, folders: bool = True, known: Path | None = None) -> Found:
    git = discover(repo.top).git
    with looking(git, folders=folders, known=git.with_index(known) if known else None) as look:
        return look.found()


@pytest.fixture(params=[200, 1], ids=["named", "too many to be named"])
def _most_named(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NAMED", request.param)


@pytest.mark.usefixtures("_most_named")
def test_finds_what_lies_in_new_folders(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.commit()
    repo.write("beside.py", "in a folder that git knows\n")
    repo.write("fresh/one.py", "1\n")
    repo.write("fresh/deep/two.py", "2\n")
    repo.write("fresh/three.log", "ignored\n")
    repo.write("src/more/four.py", "4\n")
    repo.write("only/five.log", "ignored\n")
    repo.place("empty/within").mkdir(parents=True)
    seen = found(repo)
    new = [b"beside.py", b"fresh/deep/two.py", b"fresh/one.py", b"src/more/four.py"]
    assert sorted(seen.present) == new
    assert set(seen.folders) == {b"fresh", b"src/more", b"only", b"empty"}
    assert sorted(found(repo, folders=False).present) == new


@pytest.mark.usefixtures("_most_named")
def test_finds_repositories_and_nothing_in_them(repo: Repo) -> None:
    for folder in ("alone", "fresh/inner"):
        Repo.create(repo.place(folder), {"file": "of another repository\n"})
    repo.write("fresh/file", "beside it\n")
    seen = found(repo)
    assert seen.repositories == (b"alone", b"fresh/inner")
    assert seen.folders == (b"fresh",)
    assert seen.present == (b"fresh/file",)


@pytest.mark.parametrize("name", [b"*", b":(top)x", b"[ab]", b"-v", b"odd \xff\nname", b"a b\t"])
def test_takes_the_names_of_folders_as_they_are(repo: Repo, name: bytes) -> None:
    repo.write(name + b"/file", "in a folder with such a name\n")
    assert found(repo).present == (name + b"/file",)


@pytest.mark.usefixtures("_most_named")
@pytest.mark.parametrize("folders", [True, False])
def test_finds_what_took_the_place_of_a_file(repo: Repo, *, folders: bool) -> None:
    for path in ("README.md", "app.py", "docs/guide.txt"):
        repo.remove(path)
    repo.write("README.md/inner", "a folder now\n")
    Repo.create(repo.place("app.py"), {"file": "a repository now\n"})
    repo.place("docs/guide.txt").mkdir()
    repo.remove("src")
    repo.write("src", "a file now\n")
    seen = found(repo, folders=folders)
    assert sorted(seen.present) == [b"README.md/inner", b"src"]
    assert seen.repositories == (b"app.py",)
    assert set(seen.folders) == ({b"README.md", b"docs/guide.txt"} if folders else set())
    assert {b"README.md", b"app.py", b"docs/guide.txt"} <= set(seen.gone)


def test_tells_what_is_changed_and_what_is_gone(repo: Repo) -> None:
    repo.write("app.py", "changed\n")
    repo.remove("README.md")
    seen = found(repo)
    assert (seen.present, seen.gone) == ((b"app.py",), (b"README.md",))


def test_leaves_out_what_another_index_knows(repo: Repo, tmp_path: Path) -> None:
    repo.write("given/file", "known\n")
    repo.write("fresh/file", "new\n")
    index = tmp_path / "index"
    shutil.copy2(repo.place(".git/index"), index)
    repo.git("add", "given", env={"GIT_INDEX_FILE": str(index)})
    assert found(repo, known=index).present == (b"fresh/file",)


@pytest.mark.parametrize(("new", "looks"), [("beside.py", 2), ("fresh/file", 3)])
def test_looks_for_new_files_once_more_only_in_new_folders(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, new: str, looks: int
) -> None:
    repo.write(new, "new\n")
    asked: list[tuple[str, ...]] = []
    start = Git.start

    def counted(git: Git, *argv: str, **how: int) -> subprocess.Popen[bytes]:
        asked.append(argv)
        return start(git, *argv, **how)

    monkeypatch.setattr(Git, "start", counted)
    found(repo)
    assert sum(argv[0] in ("diff-files", "ls-files") for argv in asked) == looks


def test_ends_git_if_nobody_waits_for_its_answers(repo: Repo) -> None:
    with looking(discover(repo.top).git) as look:
        pass
    assert look._changed.returncode is not None
    assert look._others is not None
    assert look._others.returncode is not None
