"""Whatever a program started ends with it, and nothing else does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.process import AT_ONCE, LEFTOVERS, MARKER, Graces, Tree, end_marked
from sideshoot.errors import AgentUnavailable
from support.processes import TIME_LIMIT_S, await_true, long_sleep, running, zombies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

JOB = f"process{os.getpid()}"
"""No two jobs have the same id; tests run side by side are no exception."""

QUICK = Graces(interrupt_s=0.3, terminate_s=0.3)

DAEMON = """
import os, sys
if os.fork():
    sys.exit()
os.setsid()
if os.fork():
    os._exit(0)
os.execvp("sleep", ["sleep", sys.argv[1]])
"""

DEAF = """
import signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
subprocess.run(["sleep", sys.argv[1]])
signal.pause()
"""


def start(argv: Sequence[str], folder: Path, job_id: str = JOB) -> Tree:
    return Tree.start(
        argv,
        folder=folder,
        environment={**os.environ, MARKER: job_id},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def start_shell(script: str, folder: Path, job_id: str = JOB) -> Tree:
    return start(["sh", "-c", script], folder, job_id)


def words_of(sleep: str) -> str:
    return sleep.split()[1]


def test_the_program_and_its_child_end(tmp_path: Path) -> None:
    sleep = long_sleep()
    tree = start_shell(f"{sleep} & {sleep}", tmp_path)
    await_true(lambda: len(running(sleep)) == 2)

    assert tree.end(QUICK) == ()

    assert running(sleep) == []
    assert tree.over


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param("{sleep} &", id="background"),
        pytest.param("(({sleep} &) &)", id="double fork"),
        pytest.param("setsid {sleep} &", id="own session"),
        pytest.param("setsid setsid -f {sleep}", id="own session, orphan"),
        pytest.param("nohup {sleep} >/dev/null 2>&1 &", id="nohup"),
        pytest.param("env -u SIDESHOOT_JOB {sleep} &", id="no marker"),
        pytest.param("(env -i {sleep} &)", id="empty environment"),
        pytest.param("env -i setsid {sleep} &", id="empty environment, own session"),
        pytest.param("(env -i {python} -c '{daemon}' {number} &)", id="daemon without a marker"),
        pytest.param("{python} -c '{daemon}' {number}", id="daemon"),
    ],
)
def test_what_hides_from_its_program_ends_as_well(hide: str, tmp_path: Path) -> None:
    sleep = long_sleep()
    script = hide.format(sleep=sleep, number=words_of(sleep), python=sys.executable, daemon=DAEMON)
    tree = start_shell(script, tmp_path)
    await_true(lambda: running(sleep))
    await_true(lambda: tree.over)

    assert tree.end(LEFTOVERS) == ()

    assert running(sleep) == []


def test_adopted_orphans_leave_no_zombies(tmp_path: Path) -> None:
    before = zombies()
    sleep = long_sleep()
    tree = start_shell(f"(true &); (sleep 0.01 &); (setsid {sleep} &); ({sleep} &)", tmp_path)
    await_true(lambda: len(running(sleep)) == 2 and tree.over)

    tree.end(LEFTOVERS)

    assert set(zombies()) <= set(before)


def test_a_program_with_an_odd_name_is_found(tmp_path: Path) -> None:
    name = "a) Z 1 (b"
    (tmp_path / name).symlink_to(shutil.which("sleep") or "")
    sleep = long_sleep()
    tree = start_shell(f'"./{name}" {words_of(sleep)} & wait', tmp_path)
    await_true(lambda: running(words_of(sleep)))
    tree.end(AT_ONCE)
    assert running(words_of(sleep)) == []


def test_deaf_processes_are_killed(tmp_path: Path) -> None:
    sleep = long_sleep()
    tree = start([sys.executable, "-c", DEAF, words_of(sleep)], tmp_path)
    await_true(lambda: running(sleep))

    assert tree.end(QUICK) == ()

    assert running(sleep) == []
    assert tree.process.returncode == -signal.SIGKILL


def test_a_program_may_tidy_up_when_interrupted(tmp_path: Path) -> None:
    script = "trap 'echo tidy > done; exit 3' INT; touch ready; while :; do sleep 0.05; done"
    tree = start_shell(script, tmp_path)
    await_true((tmp_path / "ready").exists)

    tree.end(Graces(interrupt_s=TIME_LIMIT_S))

    assert (tmp_path / "done").read_text() == "tidy\n"
    assert tree.process.returncode == 3


def test_what_is_left_may_tidy_up_when_terminated(tmp_path: Path) -> None:
    deaf_to_interrupts = "trap '' INT; trap 'echo tidy > done; exit 0' TERM; touch ready;"
    tree = start_shell(f"({deaf_to_interrupts} while :; do sleep 0.05; done)& wait", tmp_path)
    await_true((tmp_path / "ready").exists)

    tree.end(Graces(interrupt_s=0.1, terminate_s=TIME_LIMIT_S))

    assert (tmp_path / "done").read_text() == "tidy\n"


def test_processes_that_beget_others_and_end_are_outrun(tmp_path: Path) -> None:
    """Each lives for a moment only and leaves an orphan that does the same."""
    script = tmp_path / "hop"
    script.write_text('#!/bin/sh\necho >> hops\nsleep 0.01\n"$0" "$@" &\n')
    script.chmod(0o755)
    name = str(script)
    tree = start_shell(f"{name} 1 & {name} 2 & {name} 3 & setsid {name} 4 &", tmp_path)
    await_true(lambda: (tmp_path / "hops").exists() and (tmp_path / "hops").stat().st_size > 8)

    assert tree.end(AT_ONCE) == ()

    assert running(name) == []
    size = (tmp_path / "hops").stat().st_size
    threading.Event().wait(0.2)
    assert (tmp_path / "hops").stat().st_size == size


def test_children_of_the_caller_are_spared(tmp_path: Path) -> None:
    before, during, apart, removal, other = (long_sleep() for _ in range(5))
    bystanders = [subprocess.Popen(before.split()), subprocess.Popen(f"exec {before}", shell=True)]
    scrubbed = ["env", "-i", *before.split()]
    bystanders.append(subprocess.Popen(scrubbed, start_new_session=True))
    await_true(lambda: len(running(before)) == 3)
    with (
        start_shell(f"{other} & wait", tmp_path, f"other{JOB}") as neighbour,
        start_shell(f"setsid -f {long_sleep()}; {long_sleep()}", tmp_path) as tree,
    ):
        bystanders.append(subprocess.Popen(during.split()))
        bystanders.append(subprocess.Popen(apart.split(), start_new_session=True))
        # As the removal of trash is started: an orphan, given to this process as well.
        subprocess.run(["sh", "-c", f"nohup {removal} 2>/dev/null &"], start_new_session=True)
        await_true(lambda: running(other) and running(removal))

        tree.end(AT_ONCE)

        assert [process.poll() for process in bystanders] == [None] * 5
        assert running(other)
        assert running(removal)
        neighbour.end(AT_ONCE)
        assert running(other) == []
    for pid in running(removal):
        os.kill(pid, signal.SIGKILL)
    for process in bystanders:
        process.kill()
        process.wait(TIME_LIMIT_S)


def test_an_orphan_of_another_program_is_spared(tmp_path: Path) -> None:
    sleep = long_sleep()
    with (
        start_shell(f"setsid -f {sleep}", tmp_path, f"other{JOB}") as other,
        start_shell("exit", tmp_path) as tree,
    ):
        await_true(lambda: running(sleep) and other.over)
        tree.end(AT_ONCE)
        assert running(sleep)
    assert running(sleep) == []


def test_an_exception_ends_the_tree(tmp_path: Path) -> None:
    sleep = long_sleep()
    with contextlib.suppress(KeyboardInterrupt), start_shell(f"{sleep} & wait", tmp_path):
        await_true(lambda: running(sleep))
        raise KeyboardInterrupt
    assert running(sleep) == []


def test_a_second_interrupt_ends_the_politeness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = long_sleep()
    tree = start([sys.executable, "-c", DEAF, words_of(sleep)], tmp_path)
    await_true(lambda: running(sleep))
    old = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            tree.end(Graces(interrupt_s=TIME_LIMIT_S, terminate_s=TIME_LIMIT_S))
    finally:
        signal.signal(signal.SIGALRM, old)
    assert running(sleep) == []


def test_ending_twice_is_no_matter(tmp_path: Path) -> None:
    tree = start_shell("exit 4", tmp_path)
    await_true(lambda: tree.over)
    tree.end()
    assert tree.end(AT_ONCE) == ()
    assert tree.process.returncode == 4


def test_a_dead_workers_processes_are_found_by_their_marker(tmp_path: Path) -> None:
    """As `kill -9` of the worker leaves them: nobody's children, known by the marker alone."""
    mine, other = long_sleep(), long_sleep()
    for job_id, sleep in ((f"mine{JOB}", mine), (f"other{JOB}", other)):
        script = f"({sleep} & env -i {sleep} & wait) & exit"
        subprocess.run(["setsid", "-f", "sh", "-c", script], env={**os.environ, MARKER: job_id})
    await_true(lambda: len(running(mine)) == len(running(other)) == 2)

    assert end_marked(f"mine{JOB}") >= 3

    assert running(mine) == []
    assert len(running(other)) == 2
    end_marked(f"other{JOB}")
    assert end_marked(f"mine{JOB}") == 0


def test_who_carries_the_marker_itself_survives(tmp_path: Path) -> None:
    """An agent may run a command of ours, which then finds that the worker is dead."""
    script = "from sideshoot.agents.process import end_marked; print(end_marked('self'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, MARKER: "self"},
        capture_output=True,
        timeout=TIME_LIMIT_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0\n", b"")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(["no-such-program-anywhere"], ["no such program"], id="not on PATH"),
        pytest.param(["./missing"], ["./missing", "no such program"], id="not in the folder"),
        pytest.param(["./plain"], ["./plain", "not executable"], id="not executable"),
        pytest.param(["./empty"], ["./empty", "not executable"], id="not a program"),
        pytest.param(["./lost"], ["./lost", "no such program"], id="without its interpreter"),
        pytest.param(["true", "a\0b"], ["'true'", "NUL"], id="NUL"),
        pytest.param(["true", "x" * 1_000_000], ["'true'", "too long"], id="too long"),
    ],
)
def test_a_program_that_cannot_start(argv: list[str], words: list[str], tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    (tmp_path / "empty").write_text("no program")
    (tmp_path / "lost").write_text("#!/no/such/interpreter\n")
    for name in ("empty", "lost"):
        (tmp_path / name).chmod(0o755)

    with pytest.raises(AgentUnavailable) as failure:
        start(argv, tmp_path)

    said = str(failure.value)
    assert all(word in said for word in words), said
    assert "\n" not in said
    assert failure.value.exit_status == 3


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(AgentUnavailable, match=r"folder .* is not there"):
        start(["true"], tmp_path / "gone")
