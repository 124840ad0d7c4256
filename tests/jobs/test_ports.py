"""Jobs that run at the same time have ports of their own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from sideshoot.jobs.ports import SIZE, reserved_ports

if TYPE_CHECKING:
    import pytest

    from support.jobs import Jobs


def test_a_block_follows_the_first_one() -> None:
    with reserved_ports("k3f9ab") as ports:
        first = int(ports["SIDESHOOT_PORT"])
        further = [int(ports[f"SIDESHOOT_PORT_{number}"]) for number in range(1, SIZE)]
    assert further == list(range(first + 1, first + SIZE))


def test_it_is_the_job_s_alone_until_its_end() -> None:
    with reserved_ports("k3f9ab") as ports, reserved_ports("k3f9ab") as others:
        assert others
        assert not {*ports.values()} & {*others.values()}
    with reserved_ports("k3f9ab") as again:
        assert again == ports


def test_a_port_that_somebody_listens_on_is_nobody_s() -> None:
    with reserved_ports("k3f9ab") as ports:
        pass
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", int(ports["SIDESHOOT_PORT_3"])))
        listener.listen()
        with reserved_ports("k3f9ab") as others:
            assert not {*ports.values()} & {*others.values()}


def test_a_job_does_without_where_nothing_can_be_reserved(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", f"{tmp_path}/file")
    with open(f"{tmp_path}/file", "w", encoding="utf-8"):
        pass
    with reserved_ports("k3f9ab") as ports:
        assert ports == {}


def test_the_agent_finds_them_in_its_environment(jobs: Jobs) -> None:
    job = jobs.run('echo "$SIDESHOOT_PORT $SIDESHOOT_PORT_9"')
    first, last = map(int, (job.message or "").split())
    assert last == first + SIZE - 1
