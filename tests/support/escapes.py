"""A program that wants out: it tries every way to change something outside of its workspace.

Run as a script with the facts that a test gives it, it prints as JSON which of its attempts went
well. A way that is closed raises an error; what has no effect that can be seen raises one itself.
It uses the standard library alone and needs no help from whoever started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS: dict[str, Callable[[Facts], object]] = {}
LIBC = ctypes.CDLL(None, use_errno=True)


class Facts:
    """What the program was told about its surroundings."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.main = Path(told["main"])
        self.common = self.main / ".git"
        self.workspace = Path(told["workspace"])
        self.git_dir = Path(told["git_dir"])
        self.other = Path(told["other"])
        self.home = Path(told["home"])
        self.sockets: list[str] = told["sockets"]
        self.abstract: str = told["abstract"]
        self.victim: int = told["victim"]
        self.address: int = told["address"]
        self.shared: str = told["shared"]
        self.terminal: str = told["terminal"]
        self.spared: list[str] = told["spared"]


def attempt(function: Callable[[Facts], object]) -> Callable[[Facts], object]:
    ATTEMPTS[function.__name__] = function
    return function


def shell(words: str, **places: object) -> None:
    """Let a shell do it: `$name` in the words is a place."""
    environment = os.environ | {name: str(place) for name, place in places.items()}
    subprocess.run(
        ["sh", "-ec", words], check=True, env=environment, stdout=subprocess.DEVNULL, timeout=60
    )


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-C", folder, *words],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )


def call(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def scratch(facts: Facts, name: str, content: str = "from inside\n") -> Path:
    place = facts.workspace / name
    place.write_text(content)
    return place


# -- writing straight there


@attempt
def redirect(facts: Facts) -> None:
    shell('echo leaked > "$to"', to=facts.main / "app.py")


@attempt
def append_to_home(facts: Facts) -> None:
    shell('echo leaked >> "$to"', to=facts.home / ".profile")


@attempt
def new_file(facts: Facts) -> None:
    (facts.main / "new.py").write_text("leaked")


@attempt
def new_folder(facts: Facts) -> None:
    (facts.main / "new").mkdir()


@attempt
def delete(facts: Facts) -> None:
    (facts.main / "README.md").unlink()


@attempt
def truncate(facts: Facts) -> None:
    os.truncate(facts.main / "docs.txt", 0)


@attempt
def truncate_on_open(facts: Facts) -> None:
    # Some kernels let a file be emptied by whoever may only read it.
    os.close(os.open(facts.main / "docs.txt", os.O_RDONLY | os.O_TRUNC))


@attempt
def map_shared(facts: Facts) -> None:
    with (
        (facts.main / "app.py").open("r+b") as file,
        mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED) as memory,
    ):
        memory[:1] = b"X"


@attempt
def make_fifo(facts: Facts) -> None:
    os.mkfifo(facts.main / "fifo")


@attempt
def make_socket(facts: Facts) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(facts.main / "socket"))


@attempt
def other_workspace(facts: Facts) -> None:
    (facts.other / "app.py").write_text("leaked")


@attempt
def store(facts: Facts) -> None:
    (facts.common / "sideshoot" / "jobs.db").write_text("leaked")


@attempt
def job_folder(facts: Facts) -> None:
    shell('echo leaked >> "$to"', to=facts.common / "sideshoot" / "jobs" / "k3f9" / "events.jsonl")


@attempt
def shared_memory(facts: Facts) -> None:
    place = Path("/dev/shm") / facts.shared
    place.write_text("leaked")
    if place.stat().st_dev == Path("/dev").stat().st_dev:
        raise OSError("it is the fence's own")


# -- going around


@attempt
def dots(facts: Facts) -> None:
    os.chdir(facts.workspace)
    Path("../../app.py").write_text("leaked")


@attempt
def through_link(facts: Facts) -> None:
    link = facts.workspace / "link"
    link.symlink_to(facts.main / "app.py")
    link.write_text("leaked")


@attempt
def through_folder_link(facts: Facts) -> None:
    link = facts.workspace / "folder"
    link.symlink_to(facts.main)
    (link / "linked.py").write_text("leaked")


@attempt
def hard_link(facts: Facts) -> None:
    name = facts.workspace / "hard"
    name.hardlink_to(facts.main / "app.py")
    name.write_text("leaked")


@attempt
def hard_link_outward(facts: Facts) -> None:
    (facts.main / "hard").hardlink_to(scratch(facts, "inward"))


@attempt
def rename_outward(facts: Facts) -> None:
    scratch(facts, "moved").rename(facts.main / "moved")


@attempt
def rename_inward(facts: Facts) -> None:
    (facts.main / "docs.txt").rename(facts.workspace / "taken")


@attempt
def rename_over(facts: Facts) -> None:
    scratch(facts, "over").replace(facts.main / "app.py")


@attempt
def exchange(facts: Facts) -> None:
    here, there = os.fsencode(scratch(facts, "mine")), os.fsencode(facts.main / "app.py")
    call(LIBC.renameat2(-100, here, -100, there, 2))


@attempt
def rename_own_folder(facts: Facts) -> None:
    facts.workspace.rename(facts.main / "elsewhere")
    (facts.main / "elsewhere").rename(facts.workspace)


@attempt
def descend_from_moved_folder(facts: Facts) -> None:
    folder = facts.workspace / "deep"
    folder.mkdir()
    place = os.open(folder, os.O_PATH)
    folder.rename(facts.workspace / "deeper")
    out = os.open("../../../app.py", os.O_WRONLY, dir_fd=place)
    os.write(out, b"leaked")


@attempt
def double_fork(facts: Facts) -> None:
    place = facts.main / "later.py"
    shell('setsid sh -c "(sleep 0.2; echo leaked > \\"$to\\") &" &', to=place)
    time.sleep(0.6)
    place.stat()


# -- by git


@attempt
def commit_in_main(facts: Facts) -> None:
    git(facts.main, "commit", "-q", "--allow-empty", "-m", "leaked")


@attempt
def configure(facts: Facts) -> None:
    git(facts.workspace, "config", "core.fsmonitor", "leaked")


@attempt
def configure_user(facts: Facts) -> None:
    git(facts.workspace, "config", "--file", str(facts.home / ".gitconfig"), "alias.x", "!leaked")


@attempt
def install_hook(facts: Facts) -> None:
    hook = facts.common / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)


@attempt
def move_branch(facts: Facts) -> None:
    git(facts.workspace, "update-ref", "refs/heads/main", "HEAD~1")


@attempt
def make_tag(facts: Facts) -> None:
    git(facts.workspace, "tag", "leaked")


@attempt
def stash(facts: Facts) -> None:
    scratch(facts, "app.py", "changed")
    git(facts.workspace, "stash")


@attempt
def write_packed_refs(facts: Facts) -> None:
    (facts.common / "packed-refs").write_text("leaked")


@attempt
def borrow_objects(facts: Facts) -> None:
    (facts.common / "objects" / "info" / "alternates").write_bytes(bytes(facts.workspace))


@attempt
def delete_packs(facts: Facts) -> None:
    for pack in (facts.common / "objects" / "pack").iterdir():
        pack.unlink()


@attempt
def rewrite_git_file(facts: Facts) -> None:
    (facts.workspace / ".git").write_text("gitdir: elsewhere\n")


@attempt
def replace_git_file(facts: Facts) -> None:
    (facts.workspace / ".git").rename(facts.workspace / "was.git")


@attempt
def rewrite_commondir(facts: Facts) -> None:
    (facts.git_dir / "commondir").write_text("/elsewhere\n")


@attempt
def rewrite_gitdir(facts: Facts) -> None:
    (facts.git_dir / "gitdir").unlink()


@attempt
def configure_worktree(facts: Facts) -> None:
    (facts.git_dir / "config.worktree").write_text("[core]\n\tfsmonitor = leaked\n")


@attempt
def rename_git_dir(facts: Facts) -> None:
    moved = facts.git_dir.with_name("moved")
    facts.git_dir.rename(moved)
    moved.rename(facts.git_dir)


# -- by what the kernel shows


@attempt
def own_root(facts: Facts) -> None:
    Path(f"/proc/self/root{facts.main}/app.py").write_text("leaked")


@attempt
def roots_of_others(facts: Facts) -> None:
    gone_well = False
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                Path(f"{process}/root{facts.main}/app.py").write_text("leaked")
                gone_well = True
    if not gone_well:
        raise OSError("none of them")


@attempt
def folder_of_victim(facts: Facts) -> None:
    Path(f"/proc/{facts.victim}/cwd/leaked").write_text("leaked")


@attempt
def memory_of_victim(facts: Facts) -> None:
    memory = os.open(f"/proc/{facts.victim}/mem", os.O_RDWR)
    os.pwrite(memory, b"X", facts.address)


@attempt
def write_into_victim(facts: Facts) -> None:
    content = ctypes.create_string_buffer(b"X")
    here = struct.pack("@PN", ctypes.addressof(content), 1)
    there = struct.pack("@PN", facts.address, 1)
    call(LIBC.process_vm_writev(facts.victim, here, 1, there, 1, 0))


@attempt
def trace_victim(facts: Facts) -> None:
    call(LIBC.ptrace(16, facts.victim, 0, 0))
    os.waitpid(facts.victim, 0x40000000)
    call(LIBC.ptrace(17, facts.victim, 0, 0))


@attempt
def signal_victim(facts: Facts) -> None:
    os.kill(facts.victim, signal.SIGUSR1)


@attempt
def write_settings(facts: Facts) -> None:
    os.close(os.open("/proc/sys/vm/swappiness", os.O_WRONLY))


@attempt
def write_devices(facts: Facts) -> None:
    os.close(os.open("/sys/kernel/mm/transparent_hugepage/enabled", os.O_WRONLY))


# -- by a right to do more


@attempt
def remount(facts: Facts) -> None:
    # MS_REMOUNT | MS_BIND
    call(LIBC.mount(None, b"/", None, 32 | 4096, None))
    (facts.main / "remounted.py").write_text("leaked")


@attempt
def mount_over(facts: Facts) -> None:
    call(
        LIBC.mount(os.fsencode(facts.workspace), os.fsencode(facts.main / "src"), None, 4096, None)
    )


@attempt
def remount_in_a_namespace(facts: Facts) -> None:
    shell(
        'unshare --user --map-root-user --mount sh -ec "mount -o remount,bind,rw / ;'
        ' echo leaked > \\"$to\\""',
        to=facts.main / "namespace.py",
    )


@attempt
def unmount_in_a_namespace(facts: Facts) -> None:
    shell(
        'unshare --user --map-root-user --mount sh -ec "umount \\"$held\\";'
        ' echo leaked > \\"$held\\""',
        held=facts.git_dir / "commondir",
    )


@attempt
def change_root(facts: Facts) -> None:
    if os.fork() == 0:
        with contextlib.suppress(OSError):
            os.chroot(facts.main)
            Path("/chrooted").write_text("leaked")
        os._exit(0)
    os.wait()
    (facts.main / "chrooted").stat()


@attempt
def make_device(facts: Facts) -> None:
    device = facts.workspace / "device"
    os.mknod(device, 0o060600, Path("/").stat().st_dev)
    os.close(os.open(device, os.O_WRONLY))


@attempt
def open_by_handle(facts: Facts) -> None:
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    place = os.fsencode(facts.main / "app.py")
    call(LIBC.name_to_handle_at(-100, place, handle, ctypes.byref(mount), 0))
    inside = os.open(facts.workspace, os.O_RDONLY)
    os.write(call(LIBC.open_by_handle_at(inside, handle, os.O_WRONLY)), b"leaked")


@attempt
def change_mode(facts: Facts) -> None:
    (facts.main / "src" / "a.py").chmod(0o600)


@attempt
def change_times(facts: Facts) -> None:
    os.utime(facts.main / "src" / "a.py", (1, 1))


# -- by what others opened


@attempt
def inherited(facts: Facts) -> None:
    gone_well = False
    for number in range(3, 256):
        with contextlib.suppress(OSError):
            os.write(number, b"leaked")
            gone_well = True
    if not gone_well:
        raise OSError("nothing was left open")


@attempt
def sockets(facts: Facts) -> None:
    gone_well = False
    for path in facts.sockets:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as made:
            made.connect(path)
            gone_well = True
    if not gone_well:
        raise OSError("nobody answers")


@attempt
def abstract_socket(facts: Facts) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.connect("\0" + facts.abstract)


@attempt
def named_socket(facts: Facts) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(os.environ.get("SSH_AUTH_SOCK", ""))


@attempt
def type_into_terminal(facts: Facts) -> None:
    fcntl.ioctl(0, termios.TIOCSTI, b"X")


@attempt
def write_to_terminal(facts: Facts) -> None:
    with open(facts.terminal, "wb", buffering=0) as terminal:
        terminal.write(b"leaked")


def main() -> None:
    facts = Facts(json.loads(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    went_well = []
    # Words of shells and git about what they may not do would only be in the way.
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    os.close(quiet)
    for name in [name for name in ATTEMPTS if name not in facts.spared]:
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            ATTEMPTS[name](facts)
            went_well.append(name)
    (facts.workspace / "went-well.json").write_text(json.dumps(went_well))


if __name__ == "__main__":
    main()
