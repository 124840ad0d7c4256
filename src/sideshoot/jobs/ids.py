"""The ids of jobs: short enough to type, and no word of a task is ever one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sideshoot.model import JobId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DIGITS = "23456789"
LETTERS = "abcdefghjkmnpqrstuvwxyz"
"""No letter here is mistaken for a digit or for another letter."""
LENGTH = 6


def new_job_id(choose: Callable[[Sequence[str]], str] = secrets.choice) -> JobId:
    """A random id such as `k3fw9t`: a letter first, and at least one digit.

    So it never looks like an option, a number or a word. Who uses it makes sure that it is free.
    """
    while True:
        word = choose(LETTERS) + "".join(choose(LETTERS + DIGITS) for _ in range(LENGTH - 1))
        if any(character in DIGITS for character in word):
            return JobId(word)
