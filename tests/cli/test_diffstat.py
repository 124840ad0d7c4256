"""What changed, as git shows it."""

from __future__ import annotations

import io

import pytest

from sideshoot.cli.columns import width
from sideshoot.cli.diffstat import stat_lines, sum_line
from sideshoot.workspace.compare import FileChange


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_lines_are_aligned_and_say_what_became_of_a_file() -> None:
    changes = [
        FileChange(b"src/app.py", "modified", insertions=3, deletions=1),
        FileChange(b"new.txt", "added", insertions=1),
        FileChange(b"gone.txt", "deleted", deletions=2),
        FileChange(b"logo.png", "modified", binary=True),
        FileChange(b"run.sh", "mode_changed"),
        FileChange(b"b.py", "renamed", b"a.py"),
    ]
    assert list(stat_lines(changes)) == [
        " src/app.py      |   4 +++-",
        " new.txt (new)   |   1 +",
        " gone.txt (gone) |   2 --",
        " logo.png        | Bin",
        " run.sh (mode)   |   0",
        " a.py => b.py    |   0",
        " 6 files changed, 4 insertions(+), 3 deletions(-)",
    ]


def test_a_graph_never_grows_past_the_screen_and_never_hides_a_change() -> None:
    changes = [
        FileChange(b"large", "modified", insertions=100_000, deletions=1),
        FileChange(b"small", "modified", insertions=1),
    ]
    large, small, _ = stat_lines(changes)
    assert width(large) <= 80
    assert large.endswith("+-")
    assert small.endswith(" +")


def test_a_path_that_is_too_long_loses_its_beginning() -> None:
    (line, _) = stat_lines([FileChange(b"d/" * 80 + b"end.py", "added", insertions=1)])
    assert width(line) <= 80
    assert "end.py (new) | 1 +" in line


def test_strange_names_fit_on_a_line() -> None:
    line, _ = stat_lines([FileChange(b"a\nb\xff\x1b[31m", "added")])
    assert line.startswith(" a\\x0ab\\xff\\x1b[31m (new)")


def test_only_so_many_paths_and_the_sum_of_all() -> None:
    changes = [FileChange(b"%d" % n, "added", insertions=1) for n in range(5)]
    lines = list(stat_lines(changes, most=2))
    assert lines[2:] == [" … and 3 more", " 5 files changed, 5 insertions(+)"]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ([], "no changes"),
        ([FileChange(b"a", "deleted", deletions=1)], "1 file changed, 1 deletion(-)"),
        (
            [FileChange(b"a", "mode_changed")],
            "1 file changed, 0 insertions(+), 0 deletions(-)",
        ),
    ],
)
def test_the_sum_speaks_as_git_does(changes: list[FileChange], shown: str) -> None:
    assert sum_line(changes) == shown


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [FileChange(b"a", "modified", insertions=1, deletions=1)]
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[32m+\x1b[0m\x1b[31m-\x1b[0m" in next(stat_lines(changes, stream=Screen()))
    assert "\x1b" not in next(stat_lines(changes, stream=io.StringIO()))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in next(stat_lines(changes, stream=Screen()))
