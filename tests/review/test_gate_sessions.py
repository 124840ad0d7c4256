"""What the gate remembers: when a turn began, how often it looked, and for how long it knows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sideshoot.jobs.store import Store
from sideshoot.review.gate_sessions import KEPT_S, KEY, MOST_SESSIONS, Sessions, session_key
from sideshoot.review.gate_settings import GateSettings

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.time = 1e9

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "state")


@pytest.fixture
def sessions(store: Store, clock: Clock) -> Sessions:
    return Sessions(store, now=clock)


def test_a_prompt_begins_a_turn_and_a_stop_ends_it(sessions: Sessions) -> None:
    sessions.begin("s", "start")
    sessions.prompt("s", "one")
    assert (sessions.turn("s").tree, sessions.turn("s").is_due) == ("one", True)
    sessions.prompt("s", "in the middle")
    assert sessions.turn("s").tree == "one"
    sessions.settle("s", "two")
    assert (sessions.turn("s").tree, sessions.turn("s").is_due) == ("two", False)
    sessions.prompt("s", "the user's edit")
    assert sessions.turn("s").tree == "the user's edit"


def test_a_session_that_is_gone_on_with_keeps_what_is_due(sessions: Sessions) -> None:
    sessions.prompt("s", "one")
    sessions.begin("s", "later")
    assert sessions.turn("s").tree == "one"


def test_what_was_not_reviewed_is_still_due(sessions: Sessions) -> None:
    sessions.owe("s", "before")
    sessions.prompt("s", "after")
    assert sessions.turn("s").tree == "before"


def test_so_many_reviews_and_no_more(sessions: Sessions) -> None:
    settings = GateSettings(max_per_session=2)
    assert [sessions.claim("s", settings) is None for _ in range(4)] == [True, True, False, False]
    assert sessions.claim("other", settings) is None
    assert "2 turns of this session were reviewed" in str(sessions.claim("s", settings))


def test_none_at_all(sessions: Sessions) -> None:
    assert sessions.claim("s", GateSettings(max_per_session=0)) is not None


def test_a_time_between_reviews(sessions: Sessions, clock: Clock) -> None:
    settings = GateSettings(cooldown_s=600)
    assert sessions.claim("s", settings) is None
    clock.time += 180
    assert sessions.claim("s", settings) == "the last review was 3 min ago"
    clock.time += 420
    assert sessions.claim("s", settings) is None
    clock.time -= 3600  # the clock was set back
    assert sessions.claim("s", settings) is None


def test_a_review_that_came_to_nothing_does_not_count(sessions: Sessions, clock: Clock) -> None:
    settings = GateSettings(max_per_session=1, cooldown_s=600)
    before = sessions.turn("s")
    assert sessions.claim("s", settings) is None
    sessions.release("s", before)
    assert sessions.claim("s", settings) is None


def test_two_at_once_take_one_place(store: Store) -> None:
    settings = GateSettings(max_per_session=3)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: Sessions(store).claim("s", settings), range(8)))
    assert claims.count(None) == 3


def test_old_sessions_are_forgotten(sessions: Sessions, clock: Clock, store: Store) -> None:
    sessions.begin("old", "x")
    clock.time += KEPT_S + 1
    sessions.begin("new", "x")
    assert sessions.turn("old").tree is None
    assert "old" not in str(store.setting(KEY))
    for number in range(MOST_SESSIONS + 10):
        clock.time += 1
        sessions.begin(f"s{number}", "x")
    assert sessions.turn("new").tree is None
    assert sessions.turn(f"s{MOST_SESSIONS + 9}").tree == "x"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"s": 1}', '{"s": {"of a later version": 1}}'])
def test_what_another_version_left_is_no_error(store: Store, sessions: Sessions, text: str) -> None:
    store.set_setting(KEY, text)
    assert sessions.turn("s").tree is None
    sessions.begin("s", "x")
    assert sessions.turn("s").tree == "x"


def test_a_session_is_one_for_each_tree() -> None:
    assert session_key("s", "/a") != session_key("s", "/b")
    assert session_key("\ud800", "/\udcff").isalnum()
