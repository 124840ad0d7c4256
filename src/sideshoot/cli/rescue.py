"""`run --from-review`: the findings of a review as a task."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from sideshoot.cli import output
from sideshoot.cli.diffstat import counted
from sideshoot.cli.durations import show_age
from sideshoot.errors import UsageError
from sideshoot.jobs.brief import Brief
from sideshoot.review.rescue import (
    changed_since,
    chosen,
    last_review,
    rescue_of,
    start_of,
    task_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sideshoot.cli.place import Place
    from sideshoot.model import Request
    from sideshoot.review.rescue import Rescue

_MOST_NAMED = 5


def wanted_rescue(place: Place, reference: str | None, numbers: Sequence[int]) -> Rescue:
    """The findings of the review that is named, or else of the last one that found anything.

    :raises UsageError: there are none.
    """
    if reference is not None:
        return rescue_of(place.repository, place.find(reference), numbers)
    found = last_review(place.repository, place.jobs())
    if found is None:
        raise UsageError("there is no review with findings; `sideshoot review` makes one")
    return chosen(found, numbers)


def offered_rescue(place: Place) -> Rescue | None:
    """Ask the person at the terminal, if there is one, whether the last review is the task."""
    if place.call.json or not (output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr)):
        return None
    found = last_review(place.repository, place.jobs())
    if found is None:
        return None
    age = show_age(time.time() - (found.review.finished_at or time.time()))
    facts = f"{counted(len(found.findings), 'finding')}, {age}"
    question = f"There is no task. Let an agent mend what review {found.review.id} found ({facts})?"
    return found if click.confirm(question, default=False, err=True) else None


def brief_for(place: Place, request: Request, rescue: Rescue) -> Brief:
    """What the agent is told; where the findings are about another state, the user is told, too."""
    resumed = place.find(request.resume) if request.resume else None
    seeing = place.seeing(resumed) if resumed else place.repository
    changed = changed_since(seeing, rescue, start_of(seeing, request, resumed))
    if changed is not None:
        output.note(_of_another_state(rescue, changed))
    return Brief(task_for(rescue, request.prompt, changed))


def _of_another_state(rescue: Rescue, changed: Sequence[str]) -> str:
    review = rescue.review.request.review
    assert review is not None
    if not changed:
        return f"review {rescue.review.id} is of another state, but the files of its findings are the same"
    named = ", ".join(changed[:_MOST_NAMED]) + (", …" if len(changed) > _MOST_NAMED else "")
    note = f"review {rescue.review.id} is of another state; changed since, or not here: {named}"
    if review.job is not None:
        note += f"; `sideshoot keep {review.job}` brings what it reviewed"
    return note
