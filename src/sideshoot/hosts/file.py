"""A settings file of a host: read whole, replaced whole, or left alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sideshoot.errors import CannotStart
from sideshoot.text import show_path


def read_text(file: Path) -> str | None:
    """What is in a file; `None` where there is none.

    :raises CannotStart: it can't be read, or is no text.
    """
    try:
        return file.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        why = error.strerror
    except UnicodeDecodeError:
        why = "it is no UTF-8"
    raise CannotStart(f"can't read {show_path(file)}: {why}; it was left alone")


def replace_text(file: Path, before: str | None, after: str | None) -> None:
    """Put `after` where `before` stands, in one step; `None` means that there is no file.

    Who reads the file meanwhile finds one of both. Its mode stays, and a link stays a link.

    :raises CannotStart: something else stands there by now, or it can't be written; it is as it was.
    """
    if read_text(file) != before:
        raise CannotStart(f"{show_path(file)} has just changed; it was left alone, so try again")
    target = Path(os.path.realpath(file))
    try:
        if after is None:
            target.unlink(missing_ok=True)
        else:
            _write(target, after)
    except OSError as error:
        why = error.strerror
        raise CannotStart(f"can't write {show_path(file)}: {why}; it was left alone") from None


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=".sideshoot-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(text.encode())
            out.flush()
            _like(target, out.fileno())
            os.fsync(out.fileno())
        Path(fresh).replace(target)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def _like(target: Path, descriptor: int) -> None:
    """Give a new file the mode and owner of the one whose place it takes."""
    try:
        known = target.stat()
    except FileNotFoundError:
        return  # settings may hold secrets: nobody else may read them
    if (known.st_uid, known.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, known.st_uid, known.st_gid)
    os.fchmod(descriptor, known.st_mode & 0o7777)
