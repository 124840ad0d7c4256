"""Any program as an agent: what it prints, how it ends, and that nothing of it is left."""

from __future__ import annotations

import base64
import os
import signal
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import pytest

from sideshoot.agents.base import AgentResult, Event, EventKind, Stop, StopReason, Task
from sideshoot.agents.command import CommandAgent
from sideshoot.agents.process import MARKER, Graces
from sideshoot.errors import AgentUnavailable
from support.processes import TIME_LIMIT_S, await_true, long_sleep, running

if TYPE_CHECKING:
    from pathlib import Path

JOB = f"command{os.getpid()}"
QUICK = Graces(interrupt_s=0.3, terminate_s=0.3)


@dataclass
class Round:
    """One run of a command in a folder, and what came of it."""

    folder: Path
    events: list[Event] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    def run(self, *command: str, prompt: str = "", **environment: str) -> AgentResult:
        task = Task(
            prompt=prompt,
            command=command,
            folder=self.folder,
            top=self.folder,
            environment={MARKER: JOB, **environment},
        )
        return CommandAgent(QUICK).run(task, self.events.append, self.stop)

    def shell(self, script: str, prompt: str = "", **environment: str) -> AgentResult:
        return self.run("sh", "-c", script, prompt=prompt, **environment)

    def printed(self, stream: str = "stdout") -> bytes:
        """All that came on a stream, byte for byte, put together again."""
        pieces = [event.data for event in self.events if event.data["stream"] == stream]
        return b"".join(
            base64.b64decode(data["base64"]) if "base64" in data else data["text"].encode()
            for data in pieces
        )

    def in_thread(self, script: str) -> tuple[threading.Thread, list[AgentResult]]:
        results: list[AgentResult] = []
        thread = threading.Thread(target=lambda: results.append(self.shell(script)))
        thread.start()
        return thread, results


@pytest.fixture
def run(tmp_path: Path) -> Round:
    return Round(tmp_path)


def test_output_and_success(run: Round) -> None:
    result = run.shell("echo one; echo two >&2; echo three")

    assert (result.succeeded, result.exit_code, result.error) == (True, 0, None)
    assert run.printed() == b"one\nthree\n"
    assert run.printed("stderr") == b"two\n"
    assert {event.kind for event in run.events} == {EventKind.OUTPUT}
    assert sorted(result.message.split()) == ["one", "three", "two"]


def test_arguments_arrive_as_they_are(run: Round) -> None:
    arguments = ["a b", "$HOME", "`id`", '"', "'", "\\", "*", "", "-x", "ü\n\udcff"]
    run.run(sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))", *arguments)
    assert run.printed().decode().strip() == ascii(arguments)


def test_it_starts_in_its_folder_with_its_variables(run: Round, tmp_path: Path) -> None:
    run.shell("pwd; echo $PWD $SEED $SIDESHOOT_JOB", SEED="oak")
    assert run.printed().decode() == f"{tmp_path}\n{tmp_path} oak {JOB}\n"


def test_a_program_of_the_folder_runs(run: Round, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\necho ran\n")
    (tmp_path / "tool").chmod(0o755)
    run.run("./tool")
    assert run.printed() == b"ran\n"


def test_git_is_not_led_out_of_the_workspace(run: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare=true'")
    run.shell("env | grep ^GIT_")
    assert b"elsewhere" not in run.printed()
    assert b"PARAMETERS" not in run.printed()
    assert b"GIT_CONFIG_GLOBAL" in run.printed()


def test_standard_input_is_empty_without_a_prompt(run: Round) -> None:
    assert run.shell("cat; echo end").message == "end\n"


def test_the_prompt_is_standard_input(run: Round) -> None:
    prompt = "-- 'quotes' \"and\" $more\n\0" + "x" * 300_000 + "ü\n"
    run.shell("cat", prompt)
    assert run.printed().decode() == prompt


def test_a_program_need_not_read_its_input(run: Round) -> None:
    assert run.shell("exec 0<&-; echo done", "x" * 300_000).succeeded


def test_exit_status(run: Round) -> None:
    result = run.shell("echo words; exit 7")
    assert (result.succeeded, result.exit_code) == (False, 7)
    assert result.error == "exit status 7"
    assert result.message == "words\n"


def test_a_signal_has_its_name(run: Round) -> None:
    result = run.shell("kill -KILL $$")
    assert (result.succeeded, result.exit_code) == (False, 128 + signal.SIGKILL)
    assert result.error == "ended by SIGKILL"


def test_a_missing_program_is_said(run: Round) -> None:
    with pytest.raises(AgentUnavailable, match="no-such-program-anywhere"):
        run.run("no-such-program-anywhere")


def test_bytes_that_are_no_text_are_kept(run: Round) -> None:
    content = bytes(range(256)) * 3
    (run.folder / "content").write_bytes(content)
    run.shell("cat content")
    assert run.printed() == content
    assert "base64" in run.events[0].data
    assert "\ufffd" in run.events[0].data["text"]


def test_characters_that_come_in_pieces_stay_text(run: Round) -> None:
    script = 'for b in 360 237 214 261; do printf "\\\\$b"; sleep 0.02; done'
    run.shell(script)
    assert run.printed().decode() == "🌱"
    assert all("base64" not in event.data for event in run.events)


def test_half_a_character_at_the_end_is_kept(run: Round) -> None:
    run.shell(r"printf 'ok\303'")
    assert run.printed() == b"ok\xc3"


def test_output_comes_while_the_program_runs(run: Round) -> None:
    thread, results = run.in_thread("echo begun; while [ ! -e go ]; do sleep 0.02; done; echo end")
    await_true(lambda: run.printed() == b"begun\n")
    (run.folder / "go").touch()
    thread.join(TIME_LIMIT_S)
    assert results[0].message == "begun\nend\n"


def test_the_message_is_the_end_of_the_output(run: Round) -> None:
    message = run.shell("seq 100000").message
    assert len(message.encode()) <= 4096
    assert message.endswith("99999\n100000\n")
    lines = message.splitlines()
    assert lines[0] == str(100_001 - len(lines))


def test_the_message_begins_with_a_whole_character(run: Round) -> None:
    message = run.run(sys.executable, "-c", "print('ü' * 5000 + 'x')").message
    assert message.strip("ü") == "x\n"


def test_a_flood_of_output_is_not_held(run: Round) -> None:
    process = psutil.Process()
    sizes = []
    count = 0

    def emit(event: Event) -> None:
        nonlocal count
        count += len(event.data["text"])
        sizes.append(process.memory_info().rss)

    size = 300_000_000
    task = Task("", ("head", "-c", str(size), "/dev/zero"), run.folder, run.folder)
    assert CommandAgent().run(task, emit, run.stop).succeeded
    assert count == size
    assert max(sizes) - sizes[0] < 100_000_000


def test_a_grandchild_that_holds_the_output_does_not_hang_the_reader(run: Round) -> None:
    sleep = long_sleep()
    result = run.shell(f"setsid -f {sleep}; (env -i {sleep} &); echo done")
    assert (result.succeeded, result.message) == (True, "done\n")
    assert running(sleep) == []


@pytest.mark.parametrize("script", ["{sleep}", "trap '' INT TERM; {sleep}; {sleep}; {sleep}"])
def test_stop_ends_all_of_it(run: Round, script: str) -> None:
    sleep = long_sleep()
    thread, results = run.in_thread("echo begun; " + script.format(sleep=sleep))
    await_true(lambda: running(sleep))

    run.stop.request(StopReason.TIMED_OUT)

    thread.join(TIME_LIMIT_S)
    assert (results[0].succeeded, results[0].error) == (False, "stopped: timed_out")
    # A shell that is killed a moment after its command has time to say so.
    assert results[0].message.removesuffix("Killed\n") == "begun\n"
    assert running(sleep) == []


def test_a_stop_before_the_start(run: Round) -> None:
    sleep = long_sleep()
    run.stop.request(StopReason.CANCELLED)
    assert run.shell(sleep).error == "stopped: cancelled"
    assert running(sleep) == []


def test_a_failing_listener_ends_the_program(run: Round) -> None:
    """Such as a log on a disk that is full."""
    sleep = long_sleep()

    def emit(event: Event) -> None:
        raise OSError(28, "No space left on device")

    task = Task("", ("sh", "-c", f"echo one; {sleep}"), run.folder, run.folder)
    with pytest.raises(OSError, match="No space left"):
        CommandAgent(QUICK).run(task, emit, run.stop)
    assert running(sleep) == []


def test_an_interrupt_ends_the_program(run: Round) -> None:
    sleep = long_sleep()

    def interrupt() -> None:
        await_true(lambda: running(sleep))
        os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        run.shell(sleep)
    watcher.join(TIME_LIMIT_S)
    assert running(sleep) == []


def test_it_is_always_ready() -> None:
    assert CommandAgent().readiness().installed
