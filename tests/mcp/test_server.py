"""The protocol, as a client meets it: whatever is sent, the next request is answered."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.mcp import wire
from support.mcp import NEWEST, STATELESS, Client, Refused, stateless
from support.processes import await_true, running

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo

TOOLS = [
    "run", "review", "status", "wait", "logs", "result", "diff", "keep", "discard", "undo", "cancel",
]  # fmt: skip


def waiting_for(go: Path) -> list[str]:
    """A command that works until a file is there, and then changes something."""
    return ["sh", "-c", f"echo ready; while [ ! -e '{go}' ]; do sleep 0.05; done; echo x > x"]


def error_of(client: Client, number: Any = None) -> dict[str, Any]:
    """The error that answers a message whose id is, or would be, this one."""
    with pytest.raises(Refused) as refused:
        client.result_of(number)
    return {"code": refused.value.code, "message": str(refused.value), "data": refused.value.data}


def is_alive(client: Client) -> bool:
    return client.request("ping") == {}


class TestHandshake:
    @pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", NEWEST])
    def test_a_revision_that_is_known_is_settled_on(self, fresh: Client, version: str) -> None:
        answer = fresh.begin(version)
        assert answer["protocolVersion"] == version
        assert answer["serverInfo"]["name"] == "sideshoot"
        assert set(answer["capabilities"]) == {"tools", "resources"}
        assert "keep" in answer["instructions"]

    @pytest.mark.parametrize("version", ["2019-01-01", "2099-01-01", "", STATELESS])
    def test_for_any_other_the_newest_with_a_handshake_is_offered(
        self, fresh: Client, version: str
    ) -> None:
        assert fresh.begin(version)["protocolVersion"] == NEWEST

    def test_one_has_to_be_offered(self, fresh: Client) -> None:
        number = fresh.ask("initialize", {"capabilities": {}})
        assert error_of(fresh, number)["code"] == -32602
        assert fresh.begin()

    def test_before_it_only_a_ping_is_answered(self, fresh: Client) -> None:
        assert is_alive(fresh)
        number = fresh.ask("tools/list")
        assert error_of(fresh, number)["code"] == -32600
        fresh.begin()
        assert fresh.request("tools/list")["tools"]


class TestWithoutHandshake:
    def test_a_server_can_be_discovered(self, fresh: Client) -> None:
        answer = fresh.request("server/discover", {"_meta": stateless()})
        assert answer["supportedVersions"] == [STATELESS]
        assert answer["resultType"] == "complete"
        assert answer["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "sideshoot"
        assert {"ttlMs", "cacheScope", "capabilities", "instructions"} <= set(answer)

    def test_requests_stand_for_themselves(self, fresh: Client) -> None:
        listed = fresh.request("tools/list", {"_meta": stateless()})
        assert [tool["name"] for tool in listed["tools"]] == TOOLS
        params = {"name": "status", "arguments": {}, "_meta": stateless()}
        called = fresh.request("tools/call", params)
        assert called["resultType"] == "complete"
        assert called["structuredContent"] == {"jobs": [], "warnings": []}

    def test_another_revision_is_refused_with_those_that_are_spoken(self, fresh: Client) -> None:
        number = fresh.ask("tools/list", {"_meta": stateless(version="2031-01-01")})
        error = error_of(fresh, number)
        assert error["code"] == -32022
        assert error["data"] == {"supported": [STATELESS], "requested": "2031-01-01"}

    @pytest.mark.parametrize("capabilities", [None, [], "roots"])
    def test_what_the_client_can_do_has_to_be_said(self, fresh: Client, capabilities: Any) -> None:
        meta = stateless() | {"io.modelcontextprotocol/clientCapabilities": capabilities}
        assert error_of(fresh, fresh.ask("tools/list", {"_meta": meta}))["code"] == -32602

    def test_there_is_no_ping(self, fresh: Client) -> None:
        assert error_of(fresh, fresh.ask("ping", {"_meta": stateless()}))["code"] == -32601


class TestMessages:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (b"{", -32700),
            (b"no json at all", -32700),
            (b'{"jsonrpc":"2.0","id":\xff}', -32700),
            (b"[" * 20000, -32700),
            (b"7", -32600),
            (b'"text"', -32600),
            (b"null", -32600),
            (b"[]", -32600),
            (b'[{"jsonrpc":"2.0","id":5,"method":"ping"}]', -32600),  # this revision has no batches
            (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
        ],
    )
    def test_what_is_no_request_is_answered_without_an_id(
        self, client: Client, line: bytes, code: int
    ) -> None:
        client.send_line(line)
        assert error_of(client, None)["code"] == code
        assert is_alive(client)

    @pytest.mark.parametrize(
        ("message", "code"),
        [
            ({"jsonrpc": "2.0", "id": "a", "method": "no/such"}, -32601),
            ({"jsonrpc": "2.0", "id": "a", "method": "server/discover"}, -32601),
            ({"jsonrpc": "2.0", "id": "a", "method": 7}, -32600),
            ({"jsonrpc": "1.0", "id": "a", "method": "ping"}, -32600),
            ({"id": "a", "method": "ping"}, -32600),
            ({"jsonrpc": "2.0", "id": "a", "method": "ping", "params": [1]}, -32602),
            ({"jsonrpc": "2.0", "id": "a", "method": "tools/call"}, -32602),
            (
                {"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "x"}},
                -32602,
            ),
            ({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": []}}, -32602),
        ],
    )
    def test_a_request_that_can_not_be_answered_is_refused(
        self, client: Client, message: dict[str, Any], code: int
    ) -> None:
        client.send(message)
        assert error_of(client, "a")["code"] == code
        assert is_alive(client)

    @pytest.mark.parametrize(
        "message",
        [
            {"jsonrpc": "2.0", "method": "no/such"},
            {"jsonrpc": "2.0", "method": "notifications/cancelled"},
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": []}},
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}},
            {"jsonrpc": "2.0", "method": 7},
            {"jsonrpc": "2.0", "id": 99, "result": {}},
            {"jsonrpc": "2.0", "id": [], "error": {}},
            {},
        ],
    )
    def test_what_asks_nothing_is_not_answered(
        self, client: Client, message: dict[str, Any]
    ) -> None:
        client.send(message)
        client.send_line(b"")
        before = len(client.said)
        assert is_alive(client)
        assert len(client.said) == before + 1

    @pytest.mark.parametrize("number", ["", "7", 7, 0, -1, "ü"])
    def test_ids_come_back_as_they_are(self, fresh: Client, number: Any) -> None:
        fresh.send({"jsonrpc": "2.0", "id": number, "method": "ping"})
        said = fresh.await_said(lambda it: "result" in it)
        assert said["id"] == number
        assert type(said["id"]) is type(number)

    def test_a_line_that_is_too_long_is_no_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wire, "LONGEST_LINE", 10)
        lines = list(wire.Wire(io.BytesIO(b"1234567890123456789012\n12\n"), io.BytesIO()).lines())
        assert lines[1:] == [b"12\n"]
        with pytest.raises(wire.Unreadable, match="more than 10 bytes"):
            wire.decoded(lines[0])


class TestBatches:
    def test_the_answers_come_together(self, fresh: Client) -> None:
        fresh.begin("2025-03-26")
        fresh.send(
            [
                {"jsonrpc": "2.0", "id": "a", "method": "ping"},
                {"jsonrpc": "2.0", "method": "notifications/x"},
                {"jsonrpc": "2.0", "id": "b", "method": "no/such"},
                {"jsonrpc": "2.0", "id": "c", "method": "tools/call", "params": {"name": "status"}},
                7,
            ]
        )
        answers = fresh.await_said(lambda said: isinstance(said, list))
        found = {answer["id"]: answer for answer in answers}
        assert set(found) == {"a", "b", "c", None}
        assert found["a"]["result"] == {}
        assert found["b"]["error"]["code"] == -32601
        assert found["c"]["result"]["structuredContent"]["jobs"] == []
        assert found[None]["error"]["code"] == -32600

    def test_notices_alone_get_no_answer(self, fresh: Client) -> None:
        fresh.begin("2025-03-26")
        before = len(fresh.said)
        fresh.send([{"jsonrpc": "2.0", "method": "notifications/x"}])
        assert is_alive(fresh)
        assert len(fresh.said) == before + 1


class TestCalls:
    def test_several_are_answered_at_once(self, client: Client, tmp_path: Path) -> None:
        go = tmp_path / "go"
        first = client.start("run", command=waiting_for(go), name="first")
        second = client.start("run", command=waiting_for(go), name="second")
        await_true(lambda: len(client.do("status")["jobs"]) == 2)
        go.touch()
        results = [client.result_of(number)["structuredContent"] for number in (first, second)]
        assert [result["outcome"] for result in results] == ["succeeded"] * 2

    def test_an_id_that_is_in_use_is_refused(self, client: Client, tmp_path: Path) -> None:
        go = tmp_path / "go"
        number = client.start("run", command=waiting_for(go))
        await_true(lambda: client.do("status")["jobs"])
        client.send({"jsonrpc": "2.0", "id": number, "method": "resources/list"})
        assert error_of(client, number)["code"] == -32600
        client.do("cancel")

    def test_nothing_else_comes_on_standard_output(self, client: Client) -> None:
        client.do("run", command=["sh", "-c", "seq 1 2000; seq 1 2000 >&2; echo x > x"])
        client.do("keep")
        client.do("undo")
        assert client.close() == 0
        assert client.noise == []

    def test_progress_is_told_to_who_asks_for_it(self, client: Client, tmp_path: Path) -> None:
        go = tmp_path / "go"
        meta = {"progressToken": "t-1"}
        number = client.start("run", meta=meta, command=waiting_for(go))
        client.await_said(lambda said: "ready" in str(said.get("params")))
        go.touch()
        client.result_of(number)
        told = client.notices("notifications/progress")
        assert {notice["progressToken"] for notice in told} == {"t-1"}
        steps = [notice["progress"] for notice in told]
        assert steps == sorted(set(steps))
        assert "has begun" in told[0]["message"]

    def test_and_to_nobody_else(self, client: Client) -> None:
        client.do("run", command=["sh", "-c", "echo said"])
        assert client.notices("notifications/progress") == []


class TestCancellation:
    def test_a_run_that_the_user_stops_is_stopped_and_its_work_saved(
        self, client: Client, sideshoot: Command
    ) -> None:
        script = "echo half > half; echo ready; sleep 3600"
        number = client.start("run", meta={"progressToken": 1}, command=["sh", "-c", script])
        client.await_said(lambda said: "ready" in str(said.get("params")))
        self.cancel(client, number, "AbortError: This operation was aborted")
        await_true(lambda: self.only_job(client)["state"] == "finished")
        job = sideshoot.json("result")
        assert job["outcome"] == "cancelled"
        assert [change["path"] for change in job["files"]] == ["half"]
        assert not any(said.get("id") == number for said in client.said)

    @pytest.mark.parametrize(
        "reason",
        ["McpError: Request timed out", "request timeout", "MCP request cancelled by caller"],
    )
    def test_one_that_the_client_only_tires_of_goes_on(
        self, client: Client, tmp_path: Path, reason: str
    ) -> None:
        go = tmp_path / "go"
        number = client.start("run", command=waiting_for(go))
        await_true(lambda: client.do("status")["jobs"])
        self.cancel(client, number, reason)
        assert is_alive(client)
        assert self.only_job(client)["state"] != "finished"
        go.touch()
        assert client.do("wait")["jobs"][0]["outcome"] == "succeeded"
        assert not any(said.get("id") == number for said in client.said)

    def test_a_wait_that_is_cancelled_leaves_the_job_alone(
        self, client: Client, tmp_path: Path
    ) -> None:
        go = tmp_path / "go"
        client.do("run", command=waiting_for(go), background=True)
        number = client.start("wait")
        self.cancel(client, number, "the user pressed escape")
        assert is_alive(client)
        assert self.only_job(client)["state"] != "finished"
        go.touch()
        assert client.do("wait")["jobs"][0]["outcome"] == "succeeded"

    def cancel(self, client: Client, number: int, reason: str) -> None:
        client.notify("notifications/cancelled", {"requestId": number, "reason": reason})

    def only_job(self, client: Client) -> dict[str, Any]:
        (job,) = client.do("status")["jobs"]
        found: dict[str, Any] = job
        return found


class TestLeaving:
    @pytest.mark.parametrize("way", ["hang up", "SIGTERM", "SIGINT", "SIGKILL"])
    def test_a_job_goes_on_without_its_client(
        self, client: Client, sideshoot: Command, tmp_path: Path, way: str
    ) -> None:
        go = tmp_path / "go"
        client.start("run", meta={"progressToken": 1}, command=waiting_for(go))
        client.await_said(lambda said: "ready" in str(said.get("params")))
        if way == "hang up":
            assert client.close() == 0
        else:
            os.kill(client.process.pid, getattr(signal, way))
            status = client.process.wait(60)
            assert status == (-signal.SIGKILL if way == "SIGKILL" else 0)
        assert sideshoot.json("status")["jobs"][0]["state"] == "running"
        go.touch()
        sideshoot("wait").ok()
        assert [change["path"] for change in sideshoot.json("keep")["files"]] == ["x"]

    def test_a_call_that_changes_something_is_done_to_its_end(
        self, client: Client, repo: Repo
    ) -> None:
        client.do("run", command=["sh", "-c", "echo x > x"])
        client.start("keep")
        assert client.close() == 0
        assert repo.read("x") == b"x\n"

    def test_no_process_is_left(self, client: Client, repo: Repo) -> None:
        client.request("tools/list")
        assert client.close() == 0
        assert "Traceback" not in client.errors()
        assert running(f"sideshoot mcp -C {repo.top}") == []

    def test_a_client_that_does_not_read_is_still_heard(self, client: Client) -> None:
        # More answers than a pipe holds, and none of them read: our reader is a thread that stops.
        for _ in range(40):
            client.ask("tools/list")
        assert is_alive(client)


def test_it_serves_the_folder_that_is_named(repo: Repo, tmp_path: Path) -> None:
    with Client(tmp_path, argv=["-C", str(repo.top)]) as client:
        client.begin()
        assert client.do("status")["jobs"] == []
    with Client(repo.top, argv=["-C", "no-such-folder"]) as client:
        assert client.process.wait(60) == 3
        assert "no-such-folder" in client.errors()


def test_to_list_tools_little_is_loaded(repo: Repo) -> None:
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": NEWEST}},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    script = (
        "import json, sys; from sideshoot.cli.main import main; main(['mcp']);"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=text.encode(),
        cwd=repo.top,
        capture_output=True,
        timeout=90,
    )
    assert len(done.stdout.splitlines()) == 2, done
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    heavy = {"asyncio", "logging", "msgspec", "psutil", "rich", "sqlite3", "tempfile", "subprocess"}
    assert not modules & heavy
    assert not {name for name in modules if name.startswith(("sideshoot.jobs", "sideshoot.git"))}
