"""Ids of jobs."""

from __future__ import annotations

import itertools

from sideshoot.jobs.ids import LETTERS, new_job_id


def test_an_id_begins_with_a_letter_and_has_a_digit() -> None:
    for _ in range(2000):
        word = new_job_id()
        assert len(word) == 6
        assert word[0] in LETTERS
        assert any(character.isdigit() for character in word)
        assert word.isascii()
        assert word.isalnum()
        assert word == word.lower()


def test_a_word_without_a_digit_is_drawn_again() -> None:
    drawn = itertools.chain("garden", "bed2bb")
    assert new_job_id(lambda _: next(drawn)) == "bed2bb"


def test_ids_differ() -> None:
    assert len({new_job_id() for _ in range(1000)}) > 990
