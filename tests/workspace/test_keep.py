"""Keeping: all of it or nothing, beside whatever the user did meanwhile."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import KeepConflict, KeepRefused, UsageError
from sideshoot.git import discover
from sideshoot.workspace.capture import capture
from sideshoot.workspace.keep import Kept, keep
from sideshoot.workspace.keep_options import KeepOptions
from sideshoot.workspace.undo import undo
from support.workspaces import JOB, inside, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.repos import Repo


class Round:
    """One job of an agent whose work is done by a test."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.workspace = opened(repo)
        self.agent = inside(self.workspace)

    def keep(self, **options: object) -> Kept:
        repository = discover(self.repo.top)
        result = capture(repository, self.workspace)
        chosen = KeepOptions(**options)  # type: ignore[arg-type]
        return keep(repository, JOB, self.workspace.base, result.commit, chosen)

    def undo(self) -> None:
        undo(discover(self.repo.top), JOB)


def everything(agent: Repo) -> None:
    """One edit of each kind."""
    agent.write("app.py", agent.read("app.py").replace(b"line_9 = 9", b"line_9 = 'nine'"))
    agent.write("new/deep/file.bin", bytes(range(256)) * 8)
    agent.write("latin.txt", "Grün\n".encode("latin-1"))
    agent.write("run.sh", "#!/bin/sh\n", mode=0o755)
    agent.link("link", "/nowhere at all")
    agent.chmod("src/beds.py", 0o755)
    agent.remove("docs/guide.txt")
    agent.write(b"odd\n\xff name", "odd\n")


def test_every_kind_of_change_arrives_byte_for_byte_and_staged(repo: Repo) -> None:
    job = Round(repo)
    everything(job.agent)
    wanted = job.agent.tree()

    job.keep()

    assert repo.tree() == wanted
    assert repo.git("diff") == b""
    assert b"rename" not in repo.git("diff", "--cached", "--summary")
    assert repo.git("status", "--porcelain", "-z").count(b"\0") == 8


@pytest.mark.parametrize("more", ["", "one more file"])
def test_the_index_knows_the_files_that_were_brought(repo: Repo, more: str) -> None:
    # Else git would read each of them again, with the next command that looks at the tree.
    job = Round(repo)
    job.agent.write("app.py", "changed\n")
    job.agent.chmod("src/beds.py", 0o755)
    if more:
        job.agent.write(more, "more\n")
    job.keep()
    assert repo.git("diff-files", "--name-only") == b""
    assert repo.git("write-tree") == repo.git("write-tree", env=copied_index(repo))


def test_a_disk_that_is_full_for_the_index_stops_it(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Round(repo)
    job.agent.write("app.py", "changed\n")
    before = repo.tree()
    monkeypatch.setattr("sideshoot.workspace.index_file.IndexFile.write", full)
    with pytest.raises(KeepRefused, match="No space left on device; nothing was changed"):
        job.keep()
    assert repo.tree() == before
    assert repo.git("status", "--porcelain") == b""


def test_a_disk_that_is_full_once_the_files_are_there_does_not(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Round(repo)
    job.agent.write("app.py", "changed\n")
    job.agent.write("more", "more\n")  # so that the first index is git's
    monkeypatch.setattr("sideshoot.workspace.index_file.IndexFile.write", full)
    job.keep()
    assert repo.git("status", "--porcelain") == b"M  app.py\nA  more\n"


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_change_that_only_the_time_of_the_index_betrays_still_shows(repo: Repo) -> None:
    # The same size, and the time at which git read the file last.
    repo.git("config", "core.trustCtime", "false")
    repo.git("config", "core.checkStat", "minimal")
    when, place = 1_700_000_000, repo.top / "docs" / "guide.txt"
    os.utime(place, (when, when))
    repo.git("update-index", "--refresh")
    os.utime(repo.git_dir / "index", (when, when))
    job = Round(repo)
    job.agent.write("app.py", "changed\n")
    place.write_text("1ne\ntwo\nthree\n")
    os.utime(place, (when, when))
    assert repo.git("diff-files", "--name-only") == b"docs/guide.txt\n"
    job.keep()
    assert repo.git("diff-files", "--name-only") == b"docs/guide.txt\n"


def copied_index(repo: Repo) -> dict[str, str]:
    """The user's index without what git remembers of trees."""
    env = {"GIT_INDEX_FILE": str(repo.git_dir / "copied-index")}
    repo.git("update-index", "--index-info", stdin=repo.git("ls-files", "-s"), env=env)
    return env


def test_undo_gives_back_every_byte_and_index_entry(repo: Repo) -> None:
    repo.write("app.py", "changed\r\nmixed\n")
    repo.write("untracked.txt", "mine\n")
    before, index = repo.tree(), repo.index()
    job = Round(repo)
    everything(job.agent)
    job.agent.write("untracked.txt", "theirs\n")
    job.agent.write("app.py", "all new\n")

    job.keep()
    job.undo()

    assert repo.tree() == before
    assert repo.index() == index


@pytest.mark.parametrize("staged", [False, True], ids=["unstaged", "staged"])
def test_a_change_of_the_user_elsewhere_in_the_file_is_merged(repo: Repo, staged: bool) -> None:
    job = Round(repo)
    job.agent.write("app.py", job.agent.read("app.py").replace(b"line_2 = 2", b"line_2 = 22"))
    repo.write("app.py", repo.read("app.py").replace(b"line_29 = 29", b"line_29 = 2929"))
    if staged:
        repo.git("add", "app.py")

    job.keep()

    text = repo.read("app.py")
    assert b"line_2 = 22\n" in text
    assert b"line_29 = 2929\n" in text
    in_index = repo.staged()[b"app.py"][1]
    assert b"line_2 = 22\n" in in_index
    assert (b"line_29 = 2929\n" in in_index) is staged


def test_the_same_place_changed_on_both_sides_stops_with_nothing_written(repo: Repo) -> None:
    job = Round(repo)
    job.agent.write("app.py", "theirs\n")
    job.agent.write("other.txt", "other\n")
    repo.write("app.py", "mine\n")
    before = repo.fingerprint()

    with pytest.raises(KeepConflict) as refusal:
        job.keep()

    assert refusal.value.paths == (b"app.py",)
    assert repo.fingerprint() == before


@pytest.mark.parametrize(("side", "wanted"), [("ours", b"mine\n"), ("theirs", b"theirs\n")])
def test_a_conflict_can_be_settled_for_one_side(repo: Repo, side: str, wanted: bytes) -> None:
    job = Round(repo)
    job.agent.write("app.py", "theirs\n")
    job.agent.write("other.txt", "other\n")
    repo.write("app.py", "mine\n")

    job.keep(conflicts=side)

    assert repo.read("app.py") == wanted
    assert repo.read("other.txt") == b"other\n"


def test_markers_leave_an_unfinished_merge(repo: Repo) -> None:
    job = Round(repo)
    job.agent.write("app.py", "theirs\n")
    repo.write("app.py", "mine\n")
    repo.git("add", "app.py")

    kept = job.keep(conflicts="markers")

    assert kept.conflicts == (b"app.py",)
    marked = f"<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> job {JOB}\n"
    assert repo.read("app.py").decode() == marked
    assert [stage for path, stage, *_ in repo.index() if path == b"app.py"] == [1, 2, 3]


@pytest.mark.parametrize("paths", [(), (b"app.py",)])
def test_markers_say_what_was_before_where_git_is_to_show_it(
    repo: Repo, paths: tuple[bytes, ...]
) -> None:
    repo.git("config", "merge.conflictStyle", "diff3")
    repo.write(".gitattributes", "app.py conflict-marker-size=9\n")
    before = repo.read("app.py").decode()
    job = Round(repo)
    job.agent.write("app.py", "theirs\n<<<<<<< 1234567\n")
    repo.write("app.py", "mine\n")

    job.keep(conflicts="markers", paths=paths)

    assert repo.read("app.py").decode() == (
        f"<<<<<<<<< yours\nmine\n||||||||| before\n{before}=========\n"
        f"theirs\n<<<<<<< 1234567\n>>>>>>>>> job {JOB}\n"
    )


def test_a_file_that_meets_a_folder_is_named_after_whose_it_is(repo: Repo) -> None:
    job = Round(repo)
    job.agent.remove("app.py")
    job.agent.write("app.py/inner", "theirs\n")
    repo.write("app.py", "mine\n")

    kept = job.keep(conflicts="markers")

    assert kept.conflicts == (b"app.py~yours",)
    assert repo.read("app.py~yours") == b"mine\n"
    assert repo.read("app.py/inner") == b"theirs\n"


def test_an_ignored_file_in_the_way_is_not_overwritten(repo: Repo) -> None:
    job = Round(repo)
    job.agent.write(".gitignore", "")
    job.agent.write("trace.log", "the agent's\n")
    repo.write("trace.log", "mine\n")

    with pytest.raises(KeepConflict):
        job.keep()

    assert repo.read("trace.log") == b"mine\n"


def test_a_link_out_of_the_repository_is_never_written_through(repo: Repo) -> None:
    outside = repo.top.parent / "outside"
    outside.mkdir()
    job = Round(repo)
    job.agent.write("out/file.txt", "escaped\n")
    repo.link("out", str(outside))

    with pytest.raises((KeepConflict, KeepRefused)):
        job.keep()

    assert list(outside.iterdir()) == []


def test_chosen_paths_come_and_the_others_stay(repo: Repo) -> None:
    job = Round(repo)
    everything(job.agent)

    job.keep(paths=(b"new", b"app.py"))

    assert repo.exists("new/deep/file.bin")
    assert b"'nine'" in repo.read("app.py")
    assert not repo.exists("run.sh")
    with pytest.raises(UsageError):
        job.keep(paths=(b"no/such",))


@pytest.mark.parametrize(
    "turn",
    [
        lambda tree: (tree.remove("src"), tree.write("src", "a file now\n")),
        lambda tree: (tree.remove("app.py"), tree.write("app.py/inner", "a folder now\n")),
        lambda tree: (tree.remove("app.py"), tree.link("app.py", "README.md")),
    ],
    ids=["folder to file", "file to folder", "file to link"],
)
def test_a_path_may_change_its_kind(repo: Repo, turn: Callable[[Repo], object]) -> None:
    before = repo.tree()
    job = Round(repo)
    turn(job.agent)
    wanted = job.agent.tree()

    job.keep()
    assert repo.tree() == wanted
    assert repo.git("diff") == b""

    job.undo()
    assert repo.tree() == before


def test_an_index_lock_of_somebody_else_stops_it(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sideshoot.workspace.indexing._PATIENCE_S", 0.05)
    job = Round(repo)
    job.agent.write("app.py", "theirs\n")
    lock = repo.git_dir / "index.lock"
    lock.touch()
    before = repo.tree()

    with pytest.raises(KeepRefused, match=r"index\.lock"):
        job.keep()

    assert repo.tree() == before
    assert lock.exists()


def test_new_attributes_are_in_force_for_what_comes_with_them(repo: Repo) -> None:
    job = Round(repo)
    job.agent.write(".gitattributes", "*.bat text eol=crlf\n")
    job.agent.write("start.bat", "echo\r\n")

    job.keep()

    assert repo.read("start.bat") == b"echo\r\n"
    assert repo.staged()[b"start.bat"][1] == b"echo\n"
    assert repo.git("status", "--porcelain") == b"A  .gitattributes\nA  start.bat\n"


def test_permissions_of_a_replaced_file_stay(repo: Repo) -> None:
    repo.chmod("app.py", 0o600)
    job = Round(repo)
    job.agent.write("app.py", "theirs\n")

    job.keep()

    assert repo.place("app.py").stat().st_mode & 0o777 == 0o600


def test_commit_takes_what_is_kept_and_nothing_else(repo: Repo) -> None:
    repo.write("README.md", "mine, unfinished\n")
    job = Round(repo)
    job.agent.write("app.py", "theirs\n")
    head = repo.head()

    kept = job.keep(commit_message="from the agent")

    assert repo.head() == kept.commit
    assert repo.text("rev-parse", "HEAD~1") == head
    assert repo.text("diff", "--name-only", "HEAD~1", "HEAD") == "app.py"
    assert repo.text("status", "--porcelain") == "M README.md" or repo.status()


def test_empty_folders_come_too_and_go_again(repo: Repo) -> None:
    job = Round(repo)
    for path in ("empty", "deep/er/empty", "new/beside", "build/ignored"):
        job.agent.place(path).mkdir(parents=True)
    job.agent.write("new/file", "1\n")

    kept = job.keep()

    assert kept.extras == (b"deep/er/empty", b"empty", b"new/beside")
    assert repo.place("deep/er/empty").is_dir()
    assert not repo.exists("build")

    job.undo()
    assert not repo.exists("deep")
    assert not repo.exists("new")


def test_undo_gives_back_entries_whose_folder_the_agent_made_a_file(repo: Repo) -> None:
    job = Round(repo)
    job.agent.remove("docs")
    job.agent.write("docs", "a file now\n")
    repo.remove("docs")  # but not from the index
    before, index = repo.tree(), repo.index()

    job.keep()
    assert repo.staged()[b"docs"] == (0o100644, b"a file now\n")

    job.undo()
    assert (repo.tree(), repo.index()) == (before, index)


def test_undo_leaves_entries_under_an_untracked_file_of_the_user(repo: Repo) -> None:
    repo.remove("docs")
    repo.write("docs", "the user's file\n")
    index = repo.index()
    job = Round(repo)
    job.agent.remove("docs")
    job.agent.write("moved", "the user's file\n")

    job.keep()
    job.undo()

    assert repo.read("docs") == b"the user's file\n"
    assert repo.index() == index


def test_a_path_outside_of_a_sparse_checkout_goes_out_again(repo: Repo) -> None:
    repo.git("sparse-checkout", "set", "docs")
    index = repo.index()
    job = Round(repo)
    job.agent.write("src/beds.py", "changed\n")

    job.keep()
    assert repo.read("src/beds.py") == b"changed\n"

    job.undo()
    assert not repo.exists("src/beds.py")
    assert repo.index() == index


@pytest.mark.parametrize("setting", ["true", "input", "false"])
def test_line_ends_arrive_as_the_agent_left_them(repo: Repo, setting: str) -> None:
    repo.git("config", "core.autocrlf", setting)
    repo.write(".gitattributes", "*.bat text eol=crlf\n*.sh text eol=lf\n")
    repo.commit()
    before, index = repo.tree(), repo.index()
    job = Round(repo)
    wanted = {
        b"lf.txt": b"a\nb\n",
        b"crlf.txt": b"a\r\nb\r\n",
        b"mixed.txt": b"a\r\nb\nc\r\n",
        b"run.bat": b"a\nb\n",
        b"run.sh": b"a\r\nb\n",
    }
    for path, content in wanted.items():
        job.agent.write(path, content)
    capture(discover(repo.top), job.workspace)
    repo.git("gc", "-q", "--prune=now")

    job.keep()

    assert {path: repo.read(path) for path in wanted} == wanted
    assert repo.git("diff", "--name-only") == b""

    job.undo()
    assert (repo.tree(), repo.index()) == (before, index)


def test_the_top_named_beside_another_path_means_all(repo: Repo) -> None:
    job = Round(repo)
    job.agent.place("empty").mkdir()
    job.agent.write("app.py", "theirs\n")

    assert job.keep(paths=(b"", b"app.py")).extras == (b"empty",)
