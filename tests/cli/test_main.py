"""Every end becomes an exit status and one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

from sideshoot.cli import main as entry
from sideshoot.cli.command import Command
from sideshoot.errors import AgentUnavailable, AmbiguousJob, KeepConflict, SideshootError
from support.command import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.command import Command as Sideshoot

Said = tuple[int, str, str]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*words: str) -> Said:
        status = entry.main(words)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """A command `status` that raises what it is given."""

    def install(error: BaseException) -> None:
        @click.command("status", cls=Command, example="sideshoot status")
        def command(call: Any) -> int:
            raise error

        monkeypatch.setitem(entry.ALIASES, "fails", "failing_command:command")
        monkeypatch.setitem(
            sys.modules, "failing_command", type("module", (), {"command": command})
        )

    return install


def test_help_lists_every_command_by_what_it_is_for(call: Callable[..., Said]) -> None:
    status, out, _ = call("--help")
    assert status == 0
    for section, commands in entry.SECTIONS.items():
        assert f"{section}:" in out
        assert all(f"  {name} " in out for name in commands)
    assert not any(f"  {alias} " in out for alias in entry.ALIASES)
    assert call() == (0, out, "")


@pytest.mark.parametrize(
    "name", [name for section in entry.SECTIONS.values() for name in section] + [*entry.ALIASES]
)
def test_every_command_has_help_with_an_example(call: Callable[..., Said], name: str) -> None:
    status, out, _ = call(name, "--help")
    assert status == 0
    assert "Example" in out
    assert f"  sideshoot {'run' if name == 'task' else name}" in out
    assert "-C, --cwd DIR" in out
    assert "--json" in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["kep"], "there is no command 'kep' (did you mean 'keep'?); see `sideshoot --help`"),
        (["--wat"], "no such option '--wat'; see `sideshoot --help`"),
        (
            ["keep", "--wat"],
            " (did you mean one of: '--cwd', '--patch'?); see `sideshoot keep --help`",
        ),
        (["keep", "--ignred"], " (did you mean '--ignored'?); see `sideshoot keep --help`"),
        (["wait", "--timeout", "5"], "5' is not a duration"),
        (["keep", "--conflicts", "mine"], "'mine' is not one of"),
        (["completion"], "missing argument"),
        (["run"], "there is no task"),
        (["run", "--in-place", "--read-only", "x"], "--in-place and --read-only contradict"),
        (["run", "--read-only", "--write", "x"], "--read-only and --write contradict"),
        (["run", "--fresh", "--resume-last", "x"], "--fresh starts a new thread"),
        (["keep", "--commit", "--branch", "b"], "different ways to keep"),
        (["keep", "-m", "text"], "give --commit as well"),
        (["discard", "--all", "k3f9ab"], "name none"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(
    call: Callable[..., Said], words: Sequence[str], line: str
) -> None:
    status, out, err = call(*words)
    assert (status, out) == (2, "")
    assert err.startswith("sideshoot: ")
    assert line in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["--json", "kep"], ["keep", "--json", "--wat"], ["kep", "--json"]]
)
def test_json_has_errors_too(call: Callable[..., Said], words: Sequence[str]) -> None:
    status, out, err = call(*words)
    error = json.loads(out)["error"]
    assert (status, err) == (2, "")
    assert error["exit_status"] == 2
    assert error["type"] == "UsageError"
    assert "\n" not in error["message"]


def test_a_task_that_speaks_of_json_does_not_ask_for_it(
    call: Callable[..., Said], tmp_path: Path
) -> None:
    status, out, err = call("-C", str(tmp_path), "run", "say", "--json")
    assert (status, out) == (3, "")
    assert "not in a git repository" in err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SideshootError("it failed\nat once"), 1),
        (AgentUnavailable("codex is not logged in"), 3),
        (AmbiguousJob(["a1", "a2"], "a"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_have_their_exit_status(
    call: Callable[..., Said], failing: Callable[..., None], error: BaseException, status: int
) -> None:
    failing(error)
    found, out, err = call("fails")
    assert (found, out) == (status, "")
    last = err.splitlines()[-1]
    assert last.startswith("sideshoot: ")
    failing(error)
    assert json.loads(call("fails", "--json")[1])["error"]["exit_status"] == status


def test_the_facts_of_an_error_are_in_its_object(
    call: Callable[..., Said], failing: Callable[..., None]
) -> None:
    failing(KeepConflict("both changed it", [b"a\xff.py"]))
    assert json.loads(call("fails", "--json")[1])["error"]["paths"] == ["a\\xff.py"]
    failing(AmbiguousJob(["a1", "a2"], "a"))
    assert json.loads(call("fails", "--json")[1])["error"]["candidates"] == ["a1", "a2"]


def test_a_fault_of_our_own_becomes_a_report(
    call: Callable[..., Said],
    failing: Callable[..., None],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    failing(ZeroDivisionError("by nothing"))
    status, out, err = call("fails")
    assert (status, out) == (70, "")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    report = next((home / ".state" / "sideshoot" / "reports").iterdir())
    assert str(report) in err
    assert "ZeroDivisionError: by nothing" in report.read_text()


class TestTheRealCommand:
    def test_non_utf8_words_are_no_obstacle(self, sideshoot: Sideshoot) -> None:
        sideshoot(b"caf\xe9").refused("there is no command", status=2)
        sideshoot("run", b"caf\xe9").refused("UTF-8", status=2)

    @pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1"])
    def test_any_locale_will_do(self, sideshoot: Sideshoot, locale: str) -> None:
        env = {"LANG": locale, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        done = sideshoot(b"caf\xe9 \xe2\x80\xa6", env=env)
        done.refused("there is no command", status=2)
        sideshoot("--help", env=env).ok()

    def test_a_reader_that_leaves_is_no_failure(self) -> None:
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            done = subprocess.run(
                [*PROGRAM, "completion", "bash"], stdout=pipe, stderr=subprocess.PIPE, timeout=60
            )
        assert (done.returncode, done.stderr) == (0, b"")

    def test_closed_files_are_no_obstacle(self) -> None:
        shell = f"{' '.join(PROGRAM)} completion bash >&- 2>&- <&-"
        assert subprocess.run(["sh", "-c", shell], timeout=60).returncode == 0

    def test_a_result_that_can_not_be_written_is_a_failure(self) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*PROGRAM, "completion", "bash"], stdout=full, stderr=subprocess.PIPE, timeout=60
            )
        assert done.returncode == 1
        assert done.stderr == b"sideshoot: can't write the result: No space left on device\n"
