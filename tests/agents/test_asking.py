"""Several agents are asked at once whether they can be used."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from sideshoot.agents.asking import ask
from sideshoot.agents.base import Readiness
from support.jobs import Gardener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest

    from sideshoot.agents.base import Agent

LIMIT_S = 60.0


class Asked(Gardener):
    """An agent that answers as a test says."""

    def __init__(self, name: str, answer: Callable[[], Readiness]) -> None:
        super().__init__()
        self.name = name
        self._answer = answer
        self.environment: Mapping[str, str] = {}

    def readiness(self, environment: Mapping[str, str] | None = None) -> Readiness:
        self.environment = environment or {}
        return self._answer()


def asked(name: str, answer: Callable[[], Readiness]) -> Agent:
    return cast("Agent", Asked(name, answer))


def test_all_are_asked_at_the_same_time() -> None:
    """Each waits for the others: in turn none would ever answer."""
    together = threading.Barrier(3, timeout=LIMIT_S)

    def answer() -> Readiness:
        together.wait()
        return Readiness(True, "1")

    said = ask([asked(name, answer) for name in ("c", "a", "b")], limit_s=LIMIT_S)

    assert list(said) == ["c", "a", "b"]
    assert all(one.version == "1" for one in said.values())


def test_who_has_not_answered_yet_is_told() -> None:
    second = threading.Event()
    told: list[Sequence[str]] = []

    def waiting(names: Sequence[str]) -> None:
        told.append(names)
        if names == ["b"]:
            second.set()

    def late() -> Readiness:
        assert second.wait(LIMIT_S)
        return Readiness(True)

    ask([asked("a", lambda: Readiness(True)), asked("b", late)], limit_s=LIMIT_S, waiting=waiting)

    assert told == [["a", "b"], ["b"]]


def test_nobody_is_waited_for_longer_than_the_limit() -> None:
    over = threading.Event()

    def never() -> Readiness:
        over.wait(LIMIT_S)
        return Readiness(True)

    said = ask([asked("a", never), asked("b", lambda: Readiness(False))], limit_s=0.5)

    over.set()
    assert said["a"].installed
    assert not said["a"].ready
    assert said["a"].detail == "did not answer within 0.5 seconds"
    assert said["b"] == Readiness(False)


def test_the_defect_of_one_is_not_that_of_the_others() -> None:
    def fails() -> Readiness:
        raise RuntimeError("a\ndefect")

    said = ask([asked("a", fails), asked("b", lambda: Readiness(True))], limit_s=LIMIT_S)

    assert said["a"].detail == "can't be asked: a defect"
    assert [one.ready for one in said.values()] == [False, True]


def test_nobody_is_asked_where_there_is_nobody() -> None:
    assert ask([]) == {}


def test_each_is_asked_in_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BED", "north")
    plain, own = (Asked(name, lambda: Readiness(True)) for name in ("a", "b"))

    ask(cast("list[Agent]", [plain, own]), environments={"b": {"BED": "south"}}, limit_s=LIMIT_S)

    assert (plain.environment["BED"], own.environment["BED"]) == ("north", "south")
