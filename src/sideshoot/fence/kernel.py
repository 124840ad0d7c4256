"""What a process can have the kernel hold it, and all that it starts, back from: by ctypes alone.

Landlock: landlock(7), Documentation/userspace-api/landlock.rst. Seccomp: seccomp(2). Neither can be
taken back. Numbers are those of Linux's headers.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys

TYPE_CHECKING = False  # what it is imported from is slow to import
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MINIMUM_ABI = 3
"""Landlock before this one (Linux 6.2) lets any file be truncated."""
_NETWORK_ABI, _DEVICE_ABI, _SCOPE_ABI = 4, 5, 6

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_FOR_VERSION = 1
_PATH_BENEATH = 1
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_SET_PDEATHSIG = 24, 38, 22, 1


class Access:
    """What may be done with files, in the order of the kernel's bits."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


_READ = Access.EXECUTE | Access.READ_FILE | Access.READ_DIR
_FILE = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE
_ALL = 0xFFFF
_WRITE = _ALL & ~(Access.MAKE_CHAR | Access.MAKE_BLOCK | Access.IOCTL_DEV)
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
"""What every program may write to, and nothing comes of it."""

_KEPT_CAPABILITIES = (1, 4)
"""CAP_DAC_OVERRIDE and CAP_FSETID: root may still write in a workspace that belongs to a user."""


def landlock_abi() -> int:
    """The version of the kernel's Landlock; 0 where there is none or it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _ASK_FOR_VERSION)))


def hold_files(writable: Iterable[str], *, abi: int) -> None:
    """From here on write nowhere but in `writable`, and reach no socket that has no path.

    :raises OSError: the kernel refuses; then nothing is held back.
    """
    handled = _ALL if abi >= _DEVICE_ABI else _ALL & ~Access.IOCTL_DEV
    ruleset = _ruleset(handled, abi)
    _allow(ruleset, "/", _READ)
    for device in DEVICES:
        _allow(ruleset, device, (_FILE | Access.IOCTL_DEV) & handled)
    for path in writable:
        _allow(ruleset, path, _WRITE & handled)
    _restrict(ruleset)


def hold_abstract_sockets(*, abi: int) -> None:
    """Reach no socket without a path (unix(7)) and signal no process of anybody else's.

    Does nothing where Landlock is too old for it. Mounting stays allowed, for an agent that has a
    sandbox of its own.
    """
    if abi >= _SCOPE_ABI:
        _restrict(_ruleset(0, abi))


def _ruleset(files: int, abi: int) -> int:
    attributes = struct.pack("=QQQ", files, 0, _ABSTRACT_SOCKETS | _SIGNALS)
    # An older kernel takes a shorter structure and refuses bits that it doesn't know.
    size = 8 if abi < _NETWORK_ABI else 16 if abi < _SCOPE_ABI else 24
    return _checked(_libc().syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))


def _allow(ruleset: int, path: str, access: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _FILE | Access.IOCTL_DEV
        rule = struct.pack("=Qi", access, place)
        _checked(_libc().syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    finally:
        os.close(place)


def _restrict(ruleset: int) -> None:
    gain_nothing()
    _checked(_libc().syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def gain_nothing() -> None:
    """No program that is started has more rights than this one (no_new_privs)."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def end_with_parent() -> None:
    """Be killed when the thread that started this process ends."""
    _prctl(_PR_SET_PDEATHSIG, 9)


def drop_capabilities() -> None:
    """Of what root can do, keep no more than to write files whosoever they are."""
    if os.geteuid() != 0:
        return
    known = int(_read("/proc/sys/kernel/cap_last_cap") or 40)
    for capability in set(range(known + 1)) - set(_KEPT_CAPABILITIES):
        # Refused where it is gone already.
        _libc().prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    kept = _held_capabilities() & sum(1 << capability for capability in _KEPT_CAPABILITIES)
    header = struct.pack("=Ii", 0x20080522, 0)
    data = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    _checked(_libc().capset(header, data))


def _held_capabilities() -> int:
    lines = _read("/proc/self/status").splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapPrm"))


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


# -- seccomp

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000
_EPERM, _EACCES, _ENOSYS = 1, 13, 38
_AF_UNIX = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_IO_URING_SETUP = 425

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

# Machine: its own architecture and the numbers of `ioctl` and `socket` there; the 32-bit
# architecture that it runs as well, with the number of `ioctl`.
_MACHINES = {
    "x86_64": ((0xC000003E, 16, 41), (0x40000003, 54)),
    "aarch64": ((0xC00000B7, 29, 198), (0x40000028, 54)),
    "riscv64": ((0xC00000F3, 29, 198), None),
}
_X32 = 0x40000000


def filters_calls() -> bool:
    """Whether the numbers of this machine's system calls are known here."""
    return os.uname().machine in _MACHINES and sys.byteorder == "little"


def refuse_calls(*, sockets: bool) -> None:
    """Put nothing into a terminal's input (TIOCSTI and the console's own way).

    :param sockets: also refuse local sockets, except pairs of them, since Landlock lets a program
        connect to any that has a path. What would get around this is refused too: asking the kernel
        by io_uring, and programs of another architecture.
    :raises OSError: the kernel refuses.
    """
    native, other = _MACHINES[os.uname().machine]
    program = _native_rules(*native, sockets=sockets)
    if other is not None and not sockets:
        program = _for_architecture(other[0], _terminal_rules(other[1])) + program
    _install(program)


def _native_rules(architecture: int, ioctl: int, socket: int, *, sockets: bool) -> list[bytes]:
    rules = _terminal_rules(ioctl)
    if sockets:
        rules = [
            *_if_number(_IO_URING_SETUP, [_answer(_ENOSYS)]),
            *_if_number(socket, [_argument(0), *_if_equal(_AF_UNIX, _EACCES), _answer(0)]),
            *rules,
        ]
    x32 = [_op(_LOAD, _NUMBER_AT), _op(_AT_LEAST, _X32, 0, 1), _answer(_ENOSYS)]
    rest = _answer(_ENOSYS if sockets else 0)
    return [*_for_architecture(architecture, x32 + rules), rest]


def _terminal_rules(ioctl: int) -> list[bytes]:
    inputs = [*_if_equal(_TIOCSTI, _EPERM), *_if_equal(_TIOCLINUX, _EPERM)]
    return [*_if_number(ioctl, [_argument(1), *inputs]), _answer(0)]


def _for_architecture(architecture: int, rules: list[bytes]) -> list[bytes]:
    return [
        _op(_LOAD, _ARCHITECTURE_AT),
        _op(_EQUAL, architecture, 0, len(rules)),
        *rules,
    ]


def _if_number(number: int, then: list[bytes]) -> list[bytes]:
    return [_op(_LOAD, _NUMBER_AT), _op(_EQUAL, number, 0, len(then)), *then]


def _if_equal(value: int, error: int) -> list[bytes]:
    return [_op(_EQUAL, value, 0, 1), _answer(error)]


def _argument(position: int) -> bytes:
    """Load the lower half of an argument: what these calls look at."""
    return _op(_LOAD, _ARGUMENTS_AT + 8 * position)


def _answer(error: int) -> bytes:
    return _op(_RETURN, _REFUSE | error if error else _ALLOW)


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _install(program: Sequence[bytes]) -> None:
    gain_nothing()
    code = ctypes.create_string_buffer(b"".join(program))
    header = struct.pack("@HP", len(program), ctypes.addressof(code))
    _checked(_libc().prctl(_PR_SET_SECCOMP, 2, header, 0, 0))


# -- calls


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    _checked(_libc().prctl(option, value, 0, 0, 0))


def _checked(answer: int) -> int:
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer
