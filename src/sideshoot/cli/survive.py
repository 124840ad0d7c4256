"""`run --survive`: a job that goes on though the terminal or the host that asked for it goes away.

It is a background job from its beginning, and this process only shows what happens. Ctrl-C cancels
the job, as everywhere; a hang-up and SIGTERM end the showing alone.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self, TextIO

from sideshoot.cli import output
from sideshoot.cli.actions import next_command
from sideshoot.cli.record import job_record
from sideshoot.errors import SideshootError
from sideshoot.jobs import service
from sideshoot.jobs.interrupts import Interrupts

if TYPE_CHECKING:
    from sideshoot.cli.live import Story
    from sideshoot.cli.place import Place
    from sideshoot.git import Repository
    from sideshoot.model import Job


class Watch:
    """Looks after one background job; signals are heard from before the job is recorded.

    `left` is the signal that ended the showing, and `None` while there is somebody who looks;
    `interrupted` says that the user wants the job to stop.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._interrupts = Interrupts(self._first, self._further)
        self._job_id = ""
        self._launched = threading.Event()
        self.left: signal.Signals | None = None
        self.interrupted = False

    def __enter__(self) -> Self:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._interrupts.__exit__()

    def launch(self, job: Job) -> None:
        """Have the job begun by a worker of its own, whatever was heard until now."""
        self._job_id = job.id
        service.launch(self._repository, job.id)
        self._launched.set()

    def follow(self, story: Story) -> None:
        """Tell what happens, until the job is finished or nobody looks any more."""
        for event in service.follow(self._repository, self._job_id, until=self._is_left):
            if self._is_left():
                return
            story.tell(event.kind, event.data)
        if not self._is_left():
            service.wait(self._repository, [self._job_id])

    def _is_left(self) -> bool:
        return self.left is not None

    def _first(self) -> None:
        if self._interrupts.seen is signal.SIGINT:
            self.interrupted = True
            # In a thread of its own, so that a second Ctrl-C is heard meanwhile.
            threading.Thread(target=self._cancel, name="sideshoot-cancel", daemon=True).start()
        else:
            self.left = self._interrupts.seen

    def _further(self) -> None:
        if not self._is_left() and self._launched.is_set():
            from sideshoot.agents.ending import end_marked  # noqa: PLC0415 - rare

            end_marked(self._job_id)

    def _cancel(self) -> None:
        self._launched.wait()
        with suppress(SideshootError):  # it has finished in this moment
            service.cancel(self._repository, self._job_id)


def say_it_goes_on(place: Place, job: Job) -> None:
    """Say what becomes of the job, where anybody still hears it."""
    if place.call.json:
        with suppress(SideshootError, output.ReaderGone):
            output.say_object(job_record(place, job, []))
    wait = next_command(place.call, "wait", job.id)
    line = f"job {job.id} goes on in the background; {wait}"
    if not _is_said(line, sys.stderr) and not place.call.json:
        _is_said(line, sys.stdout)


def _is_said(line: str, stream: TextIO | None) -> bool:
    if stream is None:
        return False
    try:
        print(line, file=stream, flush=True)
    except (OSError, ValueError):
        return False
    return True
