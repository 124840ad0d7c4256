"""What a program finds inside of a fence, and how it is started, stopped and ended there."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.errors import AgentUnavailable, CannotStart
from sideshoot.fence.enclose import fenced_argv, fenced_environment
from sideshoot.fence.mechanism import Kind, Mechanism
from sideshoot.fence.model import Fence, Level
from sideshoot.fence.places import temporary_places
from support.estates import NOBODY, Estate, Listener, Way, check_way, make_estate
from support.processes import await_true, long_sleep, running

if TYPE_CHECKING:
    from collections.abc import Iterator

BUBBLEWRAP = pytest.mark.parametrize(
    "way",
    [
        pytest.param(Way("bubblewrap"), id="bubblewrap"),
        pytest.param(Way("bubblewrap", NOBODY), id="bubblewrap-nobody"),
    ],
)


@pytest.fixture
def estate_in_tmp() -> Iterator[Estate]:
    """Where a program gets its own of everything around."""
    way = Way("bubblewrap")
    check_way(way)
    with tempfile.TemporaryDirectory(dir="/tmp") as root:  # Short, for the addresses of sockets.
        yield make_estate(Path(root), way)


def shell(estate: Estate, words: str, *argv: str, **other: Any) -> subprocess.CompletedProcess[str]:
    return estate.run("sh", "-ec", words, "sh", *argv, **other)


def start(estate: Estate, *argv: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        estate.command(*argv), text=True, start_new_session=True, **options, **estate.options()
    )


# -- the usual work


def test_files_are_edited_made_and_deleted(estate: Estate) -> None:
    done = shell(estate, "echo more >> app.py; mkdir -p n/m; echo x > n/m/f; rm docs.txt; mv src s")

    assert (done.returncode, done.stderr) == (0, "")
    assert (estate.workspace / "app.py").read_text().endswith("more\n")
    assert (estate.workspace / "n" / "m" / "f").read_text() == "x\n"
    assert not (estate.workspace / "docs.txt").exists()
    assert (estate.workspace / "s" / "a.py").exists()


def test_git_commits_on_the_jobs_own_branch(estate: Estate) -> None:
    done = shell(estate, "echo x > new; git add -A; git commit -qm inside; git status --porcelain")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    log = subprocess.run(
        ["git", "-c", "safe.directory=*", "log", "-1", "--format=%s", "sideshoot/k3f9/work"],
        cwd=estate.repo.top,
        env=estate.environment,
        capture_output=True,
        text=True,
    )
    assert log.stdout == "inside\n", log.stderr


def test_git_resets_amends_and_checks_out_there(estate: Estate) -> None:
    words = (
        "echo x > a; git add a; git commit -qm one; echo y > a; git commit -qam two;"
        "git reset -q --hard HEAD~1; git commit -q --amend -m three; git checkout -q -- .;"
        "git log --format=%s -1; cat a"
    )

    done = shell(estate, words)

    assert (done.stdout, done.stderr) == ("three\nx\n", "")


def test_python_works_with_its_temporary_files(estate: Estate) -> None:
    program = (
        "import tempfile, subprocess, sys, sqlite3\n"
        "with tempfile.NamedTemporaryFile() as file: file.write(b'x')\n"
        "sqlite3.connect('data.db').execute('create table t (x)')\n"
        "print(subprocess.check_output([sys.executable, '-c', 'print(1)']).decode())\n"
    )

    done = estate.run(estate.way.python, "-c", program)

    assert (done.stdout, done.stderr) == ("1\n\n", "")


def test_node_works(estate: Estate) -> None:
    node = shutil.which("node", path="/usr/bin:/usr/local/bin:" + os.environ["PATH"])
    if node is None:
        pytest.skip("node is not installed")
    program = (
        "const fs = require('fs'), os = require('os'), child = require('child_process');"
        "fs.mkdtempSync(os.tmpdir() + '/x');"
        "fs.writeFileSync('made.js', 'x');"
        "const forked = child.fork('-e', ['process.send(7)'], {execArgv: ['-e', 'process.send(7)']});"
        "forked.on('message', (said) => { console.log(said); });"
    )

    done = estate.run(node, "-e", program)

    assert (done.stdout, done.stderr) == ("7\n", "")
    assert (estate.workspace / "made.js").exists()


def test_hard_coded_tmp_is_the_jobs_own(estate: Estate) -> None:
    if estate.way.mechanism == "landlock":
        pytest.skip("Landlock gives nobody a place of its own")

    done = shell(estate, "echo x > /tmp/made-inside; ls /tmp")

    assert "made-inside" in done.stdout
    assert (estate.temp / "made-inside").exists()
    assert not Path("/tmp/made-inside").exists()


def test_temporary_files_go_to_the_jobs_folder(estate: Estate) -> None:
    shell(estate, 'echo x > "$TMPDIR/made"')

    assert (estate.temp / "made").read_text() == "x\n"


def test_credentials_are_readable_and_home_is_not_writable(estate: Estate) -> None:
    done = shell(estate, 'cat "$HOME/.ssh/id"; echo x > "$HOME/.ssh/id" || echo refused')

    assert done.stdout == "secret\nrefused\n"


def test_the_agents_own_folder_can_be_granted(estate: Estate) -> None:
    state = estate.home / ".agent"
    state.mkdir()
    estate.give_away()

    done = shell(
        estate,
        'echo x > "$HOME/.agent/state"',
        writable=[str(place) for place in (*estate.writable, state)],
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (state / "state").read_text() == "x\n"


def test_what_lies_in_tmp_is_seen_where_it_is_named_or_beside(tmp_path: Path) -> None:
    top = tmp_path.parts[2]
    named = Path(tempfile.mkdtemp(prefix="named-", dir="/tmp"))
    sockets = Path(tempfile.mkdtemp(prefix="tmux-", dir="/tmp"))
    try:
        words = f"cat {named}/x {sockets}/default /tmp/none /tmp"
        beside = [Path("/tmp", top)] if tmp_path.parts[:2] == ("/", "tmp") else []
        assert sorted(temporary_places(words, around=[tmp_path])) == sorted([*beside, named])
        assert list(temporary_places("/etc/x", around=[Path("/home/gardener")])) == []
    finally:
        named.rmdir()
        sockets.rmdir()


def test_a_granted_place_may_be_a_link(estate: Estate) -> None:
    real = estate.root / "real"
    real.mkdir()
    link = estate.home / "link"
    link.symlink_to(real)
    estate.give_away()

    done = shell(
        estate,
        'echo x > "$HOME/link/state"',
        writable=[str(place) for place in (*estate.writable, link)],
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (real / "state").read_text() == "x\n"


def test_a_repository_in_tmp_is_there_too(estate_in_tmp: Estate) -> None:
    estate = estate_in_tmp

    done = shell(
        estate,
        'cat "$1/app.py" "$HOME/.ssh/id"; echo x > new; git add new; git commit -qm new;'
        'echo x > "$1/app.py" || echo refused',
        str(estate.repo.top),
    )

    assert done.stdout == "print('app')\nsecret\nrefused\n"
    assert (estate.workspace / "new").read_text() == "x\n"


def test_what_lies_elsewhere_in_tmp_is_out_of_sight(estate_in_tmp: Estate) -> None:
    with tempfile.NamedTemporaryFile(dir="/tmp") as neighbour:
        done = shell(estate_in_tmp, 'test -e "$1" || echo hidden', neighbour.name)

    assert done.stdout == "hidden\n"


def test_a_socket_in_a_repository_in_tmp_is_covered(estate_in_tmp: Estate) -> None:
    place = estate_in_tmp.repo.top / "daemon"
    listener = Listener([str(place)])
    try:
        done = shell(estate_in_tmp, 'test -e "$1"; test -S "$1" || echo covered', str(place))
    finally:
        listener.close()

    assert done.stdout == "covered\n"


@BUBBLEWRAP
def test_sockets_that_come_and_go_meanwhile_do_no_harm(estate: Estate) -> None:
    enough = threading.Event()

    def come_and_go() -> None:
        for number in itertools.count():
            path = estate.home / f"s{number % 7}"
            Listener([str(path)]).close()
            path.unlink()
            if enough.is_set():
                return

    restless = threading.Thread(target=come_and_go)
    restless.start()
    try:
        statuses = [shell(estate, "exit 7").returncode for _ in range(8)]
    finally:
        enough.set()
        restless.join()

    assert statuses == [7] * 8


# -- how it is started and ended


@pytest.mark.parametrize("status", [0, 1, 3, 125, 200])
def test_the_exit_status_is_the_programs(estate: Estate, status: int) -> None:
    assert shell(estate, f"exit {status}").returncode == status


def test_a_program_that_a_signal_ended_says_so(estate: Estate) -> None:
    done = shell(estate, "kill -SEGV $$")

    # Under Landlock it is the very process that was started.
    assert done.returncode in (128 + signal.SIGSEGV, -signal.SIGSEGV)


def test_standard_streams_are_the_programs(estate: Estate) -> None:
    content = bytes(range(256)) * 2000

    done = subprocess.run(
        estate.command("sh", "-c", "cat; echo said >&2"),
        input=content,
        capture_output=True,
        timeout=60,
        **estate.options(),
    )

    assert done.stdout == content
    assert done.stderr == b"said\n"


def test_arguments_and_folder_arrive_as_they_are(estate: Estate) -> None:
    folder = estate.workspace / "a b\nc\udcff"
    folder.mkdir()
    estate.give_away()
    odd = "x y\n\udcfe'\"$(id) --"

    done = subprocess.run(
        estate.command("sh", "-c", 'pwd; printf "%s|" "$@"', "sh", odd, "", cwd=folder),
        capture_output=True,
        timeout=60,
        **estate.options(),
    )

    assert done.stdout == os.fsencode(folder.resolve()) + b"\n" + os.fsencode(odd) + b"||"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_group_reach_the_program_once(
    estate: Estate, number: signal.Signals
) -> None:
    program = (
        "import signal, sys, time\n"
        "heard = []\n"
        f"signal.signal({int(number)}, lambda *_: heard.append(1))\n"
        "print('ready', flush=True)\n"
        "while not heard: time.sleep(0.01)\n"
        "time.sleep(0.2); print(len(heard)); sys.exit(7)\n"
    )
    with start(estate, estate.way.python, "-c", program, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        os.killpg(process.pid, number)

        assert process.stdout.read() == "1\n"
        assert process.wait(60) == 7


def test_a_program_that_takes_no_care_is_ended_by_a_signal(estate: Estate) -> None:
    words = long_sleep()
    with start(estate, "sh", "-c", f"echo ready; exec {words}", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        os.killpg(process.pid, signal.SIGTERM)

        assert process.wait(60) in (128 + signal.SIGTERM, -signal.SIGTERM)


@BUBBLEWRAP
def test_killed_it_leaves_nothing_running(estate: Estate) -> None:
    asleep = long_sleep()
    words = f"setsid {asleep} & (setsid env -i {asleep} &) ; echo ready; {asleep}"
    with start(estate, "sh", "-c", words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        await_true(lambda: len(running(asleep)) >= 3)

        process.kill()

        await_true(lambda: not running(asleep), "an end of all")


@BUBBLEWRAP
def test_killed_with_whoever_started_it_it_leaves_nothing_running(estate: Estate) -> None:
    asleep = long_sleep()
    starter = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    command = estate.command("sh", "-c", f"setsid {asleep} & echo ready; wait")
    with subprocess.Popen(
        [estate.way.python, "-c", starter, *command],
        stdout=subprocess.PIPE,
        text=True,
        **estate.options(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        process.kill()

        await_true(lambda: not running(asleep), "an end of all")


@BUBBLEWRAP
def test_what_a_program_leaves_behind_ends_with_it(estate: Estate) -> None:
    asleep = long_sleep()

    shell(estate, f"setsid {asleep} >/dev/null 2>&1 & exit 0")

    await_true(lambda: not running(asleep), "an end of all")


@BUBBLEWRAP
def test_it_sees_no_process_but_its_own(estate: Estate) -> None:
    done = shell(estate, "ls /proc | grep -c '^[0-9]'")

    assert int(done.stdout) < 8


# -- the network


@pytest.mark.parametrize(("level", "reached"), [("write", True), ("offline", False)])
@BUBBLEWRAP
def test_only_offline_closes_the_network(estate: Estate, level: str, reached: bool) -> None:
    program = (
        "import socket, sys\n"
        "for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "    s = socket.socket(socket.AF_INET, kind)\n"
        "    try: s.connect(('127.0.0.1', int(sys.argv[1]))); s.send(b'x'); print('sent')\n"
        "    except OSError: print('refused')\n"
    )
    with (
        socket.create_server(("127.0.0.1", 0)) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        port = stream.getsockname()[1]
        datagrams.bind(("127.0.0.1", port))
        datagrams.settimeout(0.2)

        done = estate.run(estate.way.python, "-c", program, str(port), level=level)

        arrived = []
        with contextlib.suppress(TimeoutError):
            arrived.append(datagrams.recv(10))
    assert done.stdout.splitlines()[0] == ("sent" if reached else "refused")
    assert arrived == ([b"x"] if reached else [])


def test_landlock_does_not_pretend_to_close_the_network() -> None:
    landlock = Mechanism(Kind.LANDLOCK, why="bubblewrap is not installed", remedy="install it")

    landlock.require(Level.WRITE)
    with pytest.raises(CannotStart, match=r"bubblewrap is not installed, and Landlock alone can't"):
        landlock.require(Level.OFFLINE)


# -- what is refused


def test_without_a_mechanism_a_level_is_refused_and_off_is_not(tmp_path: Path) -> None:
    nothing = Mechanism(Kind.NONE, why="bubblewrap is not installed", remedy="install it")

    for level in (Level.WRITE, Level.OFFLINE):
        with pytest.raises(CannotStart, match=f"--sandbox {level} is not possible here: .*install"):
            fenced_argv(Fence(level), ["true"], tmp_path, mechanism=nothing)
    assert fenced_argv(Fence(Level.OFF), ["true"], tmp_path, mechanism=nothing) == ["true"]
    assert fenced_environment(Fence(Level.OFF), {"A": "b"}, mechanism=nothing) == {"A": "b"}


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    landlock = Mechanism(Kind.LANDLOCK)

    for name in ("no-such-program", "./no-such", ""):
        with pytest.raises(AgentUnavailable, match="there is no such program"):
            fenced_argv(Fence(Level.WRITE), [name], tmp_path, mechanism=landlock)


def test_a_program_is_looked_for_from_where_it_starts(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o755)

    argv = fenced_argv(Fence(Level.WRITE), ["./tool"], tmp_path, mechanism=Mechanism(Kind.LANDLOCK))

    assert argv[-1] == "./tool"


def test_a_missing_place_is_named(tmp_path: Path) -> None:
    fence = Fence(Level.WRITE, writable=(tmp_path / "gone",))

    for kind in (Kind.BUBBLEWRAP, Kind.LANDLOCK):
        with pytest.raises(CannotStart, match="gone is not there; nothing was started"):
            fenced_argv(fence, ["true"], tmp_path, mechanism=Mechanism(kind, "bwrap"))


def held(tmp_path: Path, *read_only: Path) -> list[str]:
    fence = Fence(Level.WRITE, writable=(tmp_path,), read_only=read_only)
    return fenced_argv(fence, ["true"], tmp_path, mechanism=Mechanism(Kind.BUBBLEWRAP, "bwrap"))


def test_what_is_held_must_lie_directly_in_what_is_granted(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()

    with pytest.raises(CannotStart, match="does not lie directly in a folder that may be"):
        held(tmp_path, tmp_path / "deep" / "file")


def test_what_is_held_may_not_have_become_a_link(tmp_path: Path) -> None:
    (tmp_path / ".git").symlink_to("/etc/hostname")

    with pytest.raises(CannotStart, match="was replaced by something that is not a file"):
        held(tmp_path, tmp_path / ".git")


def test_what_is_held_and_missing_is_made(tmp_path: Path) -> None:
    held(tmp_path, tmp_path / "config.worktree")

    assert (tmp_path / "config.worktree").read_bytes() == b""


# -- the environment


def test_nothing_names_a_socket_or_a_place_that_is_not_there(tmp_path: Path) -> None:
    listener = Listener([str(tmp_path / "s")])
    try:
        environment = fenced_environment(
            Fence(Level.WRITE),
            {
                "PATH": "/bin",
                "SSH_AUTH_SOCK": "/gone",
                "DOCKER_HOST": f"unix://{tmp_path}/s",
                "BUS": f"unix:path={tmp_path}/s",
                "EDITOR_IPC": f"{tmp_path}/s",
            },
            mechanism=Mechanism(Kind.BUBBLEWRAP),
        )
    finally:
        listener.close()

    assert environment.keys() & {"SSH_AUTH_SOCK", "DOCKER_HOST", "BUS", "EDITOR_IPC"} == set()
    assert environment["PATH"] == "/bin"
    assert environment["TMPDIR"] == "/tmp"


def test_caches_that_must_be_written_are_where_they_can_be(tmp_path: Path) -> None:
    fence = Fence(Level.WRITE, temp=tmp_path)

    environment = fenced_environment(fence, {}, mechanism=Mechanism(Kind.LANDLOCK))

    assert environment["TMPDIR"] == str(tmp_path)
    assert environment["npm_config_cache"] == str(tmp_path / "cache" / "npm")
