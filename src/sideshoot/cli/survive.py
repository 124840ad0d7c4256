"""`run --survive`: a job that goes on though the terminal or the host that asked for it goes away.

It is a background job from its beginning, and this process only shows what happens. Ctrl-C cancels
the job, as everywhere; a hang-up and SIGTERM end the showing alone.
"""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from sideshoot.cli import output
from sideshoot.errors import WrongState
from sideshoot.jobs import service
from sideshoot.jobs.interrupts import Interrupts

if TYPE_CHECKING:
    from sideshoot.cli.live import Story
    from sideshoot.cli.place import Place
    from sideshoot.model import Job


def follow_to_the_end(place: Place, job: Job, story: Story) -> signal.Signals | None:
    """Show a background job until it has ended, or until a signal says that nobody looks any more.

    :return: that signal; `None` if the job has ended.
    """
    left = threading.Event()
    is_heard = True

    def act() -> None:
        if interrupts.seen is signal.SIGINT:
            with suppress(WrongState):
                service.cancel(place.repository, job.id)
        else:
            left.set()

    interrupts = Interrupts(act, left.set)
    with interrupts:
        for event in service.follow(place.repository, job.id, until=left.is_set):
            if left.is_set():
                break
            try:
                if is_heard:
                    story.tell(event.kind, event.data)
            except (OSError, output.ReaderGone):
                is_heard = False  # the terminal is gone; its signal comes in a moment
        service.wait(place.repository, [job.id] if not left.is_set() else [], any=False)
    return interrupts.seen if left.is_set() else None
