"""Let a copy share its blocks on the disk with its original until one of them is written to.

The kernel says whether a clone was made (ioctl_ficlone(2) on Linux, fclonefileat(2) on macOS);
nothing is taken for one that is not.
"""

from __future__ import annotations

import os
import sys

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

if sys.platform == "darwin":
    import ctypes

    _LIBC = ctypes.CDLL(None, use_errno=True)

    def _clone(source: int, folder: int, name: bytes) -> int:
        if _LIBC.fclonefileat(source, folder, ctypes.c_char_p(name), ctypes.c_int(0)):
            raise OSError(ctypes.get_errno(), "not cloned")
        os.chmod(name, 0o600, dir_fd=folder, follow_symlinks=False)
        return os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)

else:
    import fcntl

    # linux/fs.h; where the number is another one (MIPS, PowerPC, SPARC) the kernel refuses it.
    _FICLONE = 0x40049409

    def _clone(source: int, folder: int, name: bytes) -> int:
        handle = os.open(name, CREATE, 0o600, dir_fd=folder)
        try:
            fcntl.ioctl(handle, _FICLONE, source)
        except BaseException:
            os.close(handle)
            os.unlink(name, dir_fd=folder)
            raise
        return handle


class Cloner:
    """Clones open files; after a first refusal it no longer tries."""

    def __init__(self) -> None:
        self.able = True

    def __call__(self, source: int, folder: int, name: bytes) -> int | None:
        """A handle of the new file `name` with the contents of `source`; `None` if there is none."""
        if not self.able:
            return None
        try:
            return _clone(source, folder, name)
        except FileExistsError:
            raise
        except OSError:
            self.able = False
            return None
