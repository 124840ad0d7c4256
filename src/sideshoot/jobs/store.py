"""The records of all jobs: one SQLite database in the repository's common git directory.

Many processes write at once. Each write is one short transaction that takes the write lock at its
beginning, and each change of a job says what state it must be in: who comes second is told so.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sideshoot.errors import (
    AmbiguousJob,
    Busy,
    CannotStart,
    JobNotFound,
    SideshootError,
    StoreDamaged,
    WrongState,
)
from sideshoot.jobs import schema
from sideshoot.jobs.folder import JobFolder, job_folders, write_json
from sideshoot.jobs.record import from_record, to_record
from sideshoot.lock import locked
from sideshoot.model import Decision, Job, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    Jobs = list[Job]

NAME = "sideshoot.db"
BUSY_TIMEOUT_S = 20.0
"""How long a write waits for other writes; each lasts about a millisecond."""

_SMALLEST = 512
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

HELD = "held.bytes"
"""The setting with how much all jobs hold by their records (`jobs/held.py`); none of the user's."""


class Store:
    """The jobs and settings of one repository. May be used by several threads."""

    def __init__(self, state_dir: Path) -> None:
        """:param state_dir: `Repository.state_dir`; see `open`."""
        self.state_dir = state_dir
        self.path = state_dir / NAME
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    @classmethod
    def open(cls, state_dir: Path) -> Store:
        """Open the store; make it if there is none, from the job folders that are there.

        :raises StoreDamaged: the database can't be read.
        :raises CannotStart: a newer version of Sideshoot made it, or the folder can't be written.
        """
        store = cls(state_dir)
        with store._translated(), store._lock:
            store._connected()
        return store

    def close(self) -> None:
        """Let go of the database; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    # -- jobs

    def add(self, job: Job) -> None:
        """Record a new job.

        :raises WrongState: there is a job with this id.
        """
        with self._write() as connection:
            try:
                connection.execute(schema.INSERT_JOB, _row(job))
            except sqlite3.IntegrityError:
                raise WrongState(f"there is a job {job.id} already") from None
            write_json(JobFolder(self.state_dir, job.id).record, to_record(job))

    def get(self, job_id: str) -> Job:
        """The job with this id.

        :raises JobNotFound: there is none.
        """
        found = self._jobs(schema.GET_JOB, (job_id,))
        if not found:
            raise JobNotFound(job_id)
        return found[0]

    def find(self, reference: str) -> Job:
        """The job whose id this is, or begins like this.

        :raises JobNotFound: there is none.
        :raises AmbiguousJob: there are several.
        """
        word = reference.strip().lower()
        if not word.isascii() or not word.isalnum():
            raise JobNotFound(reference)
        found = self._jobs(schema.FIND_JOBS, (f"{word}*",))
        exact = [job for job in found if job.id == word]
        if not found:
            raise JobNotFound(reference)
        if len(exact or found) > 1:
            raise AmbiguousJob([job.id for job in found], reference)
        return (exact or found)[0]

    def list(
        self,
        *,
        states: Collection[State] = tuple(State),
        session: str | None = None,
        limit: int | None = None,
    ) -> Jobs:
        """The newest jobs first.

        :param states: only jobs in one of these.
        :param session: only jobs that this host session asked for; `None` means all.
        """
        values = {"session": _text(session), "limit": -1 if limit is None else limit}
        return self._jobs(schema.LIST_JOBS.format(states=_listed(states)), values)

    def unsettled(self) -> Jobs:
        """Jobs that should have a worker, or that are decided and still have a workspace."""
        return self._jobs(schema.LIST_UNSETTLED)

    def count(self) -> int:
        """How many jobs there are."""
        with self._read() as connection:
            (number,) = connection.execute(schema.COUNT_JOBS).fetchone()
        return int(number)

    def update(
        self,
        job_id: str,
        *,
        expect: State | Collection[State] = tuple(State),
        decision_expect: Decision | Collection[Decision] = tuple(Decision),
        **facts: Any,
    ) -> Job:
        """Change facts of a job, if it is in a state that was expected; return it as it is now.

        :raises WrongState: it is in another state, and stays as it is.
        :raises JobNotFound: there is no such job.
        """
        states = _plural(expect)
        decisions = _plural(decision_expect)
        statement = schema.UPDATE_JOB.format(states=_listed(states), decisions=_listed(decisions))
        with self._write() as connection:
            found = [self._job(row) for row in connection.execute(schema.GET_JOB, (job_id,))]
            if not found:
                raise JobNotFound(job_id)
            before = found[0]
            job = replace(before, **facts)
            if connection.execute(statement, _row(job)).rowcount != 1:
                raise WrongState(_wrong_state(before))
            # A full disk must not keep a job from ending; the store is what counts.
            with contextlib.suppress(OSError):
                write_json(JobFolder(self.state_dir, job.id).record, to_record(job))
        return job

    def put(self, jobs: Iterable[Job]) -> None:
        """Record jobs as they are, whatever the store knew of them: for a rebuild."""
        with self._write() as connection:
            connection.executemany(schema.REPLACE_JOB, [_row(job) for job in jobs])

    def forget(self, job_id: str) -> bool:
        """Drop the record of a finished job; whether there was one."""
        with self._write() as connection:
            return connection.execute(schema.DELETE_JOB, (job_id,)).rowcount == 1

    # -- settings

    def setting(self, key: str) -> str | None:
        """The value of a setting, or `None`."""
        with self._read() as connection:
            found = connection.execute(schema.GET_SETTING, (key,)).fetchone()
        return str(found[0]) if found else None

    def settings(self) -> dict[str, str]:
        """All settings, the user's and those of ours."""
        with self._read() as connection:
            return dict(connection.execute(schema.LIST_SETTINGS))

    def set_setting(self, key: str, value: str | None) -> None:
        """Set a setting; `None` unsets it."""
        with self._write() as connection:
            if value is None:
                connection.execute(schema.DELETE_SETTING, (key,))
            else:
                connection.execute(schema.SET_SETTING, (key, value))

    # -- the database

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several changes, or none of them."""
        with self._write():
            yield

    @contextlib.contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._translated(), self._lock:
            yield self._connected()

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._translated(), self._lock:
            connection = self._connected()
            if connection.in_transaction:
                yield connection
                return
            with _transaction(connection):
                yield connection

    def _jobs(self, query: str, values: Any = ()) -> Jobs:
        with self._read() as connection:
            return [self._job(row) for row in connection.execute(query, values)]

    def _job(self, row: tuple[Any, ...]) -> Job:
        names = ("id", "state", "outcome", "decision", "created_at", "finished_at", "session")
        try:
            return from_record(json.loads(row[-1]) | dict(zip(names, row, strict=False)))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise StoreDamaged(_damage(f"the record of job {row[0]}", self.path)) from None

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one if the file was replaced by a rebuild."""
        if self._connection is not None and self._connection.in_transaction:
            return self._connection
        file = _identity(self.path)
        if self._connection is None or file is None or file != self._file:
            self.close()
            if file is None:
                self._create()
            self._connection = _connect(self.path)
            self._file = _identity(self.path)
            _migrate(self._connection)
        return self._connection

    def _create(self) -> None:
        """Make the database beside its place and put it there whole, so that nobody sees half of it."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        with locked(self.state_dir / "store.lock"):
            if _identity(self.path):
                return
            fresh = self.path.with_name(f".{NAME}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            with contextlib.closing(_connect(fresh)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                _migrate(connection)
                connection.executemany(
                    schema.REPLACE_JOB, [_row(job) for job in jobs_of_folders(self.state_dir)]
                )
            for ending in ("-wal", "-shm"):
                fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
                self.path.with_name(NAME + ending).unlink(missing_ok=True)
            fresh.rename(self.path)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn errors of the database into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise _translation(error, self.path) from error
        except OSError as error:
            raise CannotStart(f"can't use {self.state_dir}: {error.strerror}") from error


def jobs_of_folders(state_dir: Path) -> Iterator[Job]:
    """The jobs as their own folders tell of them; a folder whose record can't be read is left out."""
    for folder in job_folders(state_dir):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            job = from_record(json.loads(folder.record.read_bytes()))
            if job.id == folder.id:
                yield job


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == schema.VERSION:
        return
    with _transaction(connection):
        version = _version(connection)
        _refuse_newer(version)
        for statements in schema.MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")


def _refuse_newer(version: int) -> None:
    if version > schema.VERSION:
        raise CannotStart(
            f"the records here were made by a newer Sideshoot (format {version}, this one knows "
            f"{schema.VERSION}); update Sideshoot. Nothing was changed"
        )


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # Locked at once, not with the first change: who reads first and then writes can be too late,
    # and SQLite does not wait then.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    # What is shorter was cut off, and SQLite would take it for an empty database.
    return (found.st_dev, found.st_ino) if found.st_size >= _SMALLEST else None


def _row(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "state": job.state,
        "outcome": job.outcome,
        "decision": job.decision,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "session": _text(job.session),
        "agent": _text(job.request.agent),
        "workspace": job.worktree is not None,
        "record": json.dumps(to_record(job)),
    }


def _text(text: str | None) -> str | None:
    # A variable of the environment may hold bytes that are no text, which SQLite refuses.
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _plural(value: Any) -> Collection[Any]:
    return (value,) if isinstance(value, str) else value


def _listed(words: Collection[str]) -> str:
    # The words of two enumerations; none holds a quote.
    return ", ".join(f"'{word}'" for word in words)


def _wrong_state(job: Job) -> str:
    if job.state is not State.FINISHED:
        return f"job {job.id} is {job.state}; `sideshoot wait {job.id}` waits for its end"
    if job.decision is Decision.OPEN:
        return f"job {job.id} is finished ({job.outcome})"
    return f"job {job.id} is {job.decision} already"


def _damage(what: str, path: Path) -> str:
    return f"{what} in {path} can't be read; `sideshoot gc --rebuild` makes the records anew"


def _translation(error: sqlite3.Error, path: Path) -> SideshootError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # without its details
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(f"other commands keep {path} locked; try again in a moment")
    if code in _DAMAGED or "no such table" in str(error):
        return StoreDamaged(_damage("the store", path))
    return CannotStart(f"can't use {path}: {error}")
