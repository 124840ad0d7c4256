"""A model server for real agents, offline: on 127.0.0.1, and every answer is written by the test.

The play is part of the prompt (`play(...)`), so that one server serves any number of agents at
once and a thread that is resumed goes on where it was: the next step is told by how many answers
of tools follow the last play in what the agent sends. A prompt without a play is answered with
`DEFAULT`.

A dialect knows how one provider's requests and answers look; more can be added to `DIALECTS`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import select
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Step = dict[str, Any]
    Json = dict[str, Any]

TIME_LIMIT_S = 60.0
DEFAULT = "There is nothing to do."
USAGE = {"input": 1200, "cached": 200, "output": 50, "reasoning": 7}
"""What every answer says that it cost."""

_PLAY = re.compile(r"<play>(.*?)</play>", re.DOTALL)


def play(*steps: Step) -> str:
    """The part of a prompt that says what the model will do, one step for each of its answers."""
    # A step may give another agent a play of its own.
    text = json.dumps(steps).replace("<", "\\u003c")
    return f"<play>{text}</play>"


def shell(command: str, **arguments: Any) -> Step:
    """The model runs a command; `arguments` are further ones of the agent's shell tool."""
    return {"do": "shell", "command": command, "arguments": arguments}


def as_told(pattern: str, **words: str) -> Step:
    """The model runs the first command in what it was told that `pattern` matches on a line.

    :param words: what it puts in the place of words in the command.
    """
    return {"do": "as_told", "pattern": pattern, "words": words, "arguments": {}}


def filled(step: Step, **patterns: str) -> Step:
    """A call of a tool with further arguments: the group of each pattern, as last told."""
    return step | {"fill": patterns}


def patch(text: str) -> Step:
    """The model edits files by a patch in Codex's own form."""
    return {"do": "patch", "text": text}


def tool(name: str, /, **arguments: Any) -> Step:
    """The model calls any tool by its name."""
    return {"do": "tool", "name": name, "arguments": arguments}


def mcp_tool(server: str, name: str, /, **arguments: Any) -> Step:
    """The model calls a tool of an MCP server, as Codex and Claude Code each name it."""
    return tool(name, **arguments) | {"namespace": f"mcp__{server}"}


def say(text: str, *, reasoning: str = "") -> Step:
    """The model's last words of the turn."""
    return {"do": "say", "text": text, "reasoning": reasoning}


def repeat() -> Step:
    """The model's last words are what a tool has just answered, word for word."""
    return {"do": "repeat"}


def fail(status: int, message: str = "no", code: str | None = None) -> Step:
    """The provider answers with an error."""
    return {"do": "fail", "status": status, "message": message, "code": code}


def drop() -> Step:
    """The provider begins an answer and then closes the connection."""
    return {"do": "drop"}


def hang() -> Step:
    """The provider begins an answer and then says nothing, until the agent or the test is done."""
    return {"do": "hang"}


@dataclass(frozen=True)
class Asked:
    """One request that an agent made."""

    path: str
    headers: dict[str, str]
    body: Json

    @property
    def text(self) -> str:
        """All of it as text, to look for words in."""
        return json.dumps(self.body, ensure_ascii=False)


@dataclass
class History:
    """What of a request decides the next step."""

    user: list[str] = field(default_factory=list)
    """What the user said, newest last."""
    results: int = 0
    """How many tool answers came after the last play."""
    tools: set[str] = field(default_factory=set)
    host: list[str] = field(default_factory=list)
    """What the host said in the course of the conversation."""
    answer: str = ""
    """What a tool answered last."""

    def hear(self, text: str) -> None:
        self.user.append(text)
        if _PLAY.search(text):
            self.results = 0

    def step(self, unasked: Sequence[Step] = ()) -> Step:
        """:param unasked: the steps of who was given no play."""
        plays = [found for text in self.user for found in _PLAY.findall(text)]
        steps: Sequence[Step] = json.loads(plays[-1]) if plays else unasked
        step = steps[self.results] if self.results < len(steps) else say(DEFAULT)
        if "fill" in step:
            step = step | {"arguments": step["arguments"] | self._found(step["fill"])}
        if step["do"] == "repeat":
            return say(self.answer)
        return self._spelled_out(step) if step["do"] == "as_told" else step

    def _found(self, patterns: dict[str, str]) -> dict[str, str]:
        told = "\n".join([*self.user, *self.host])
        return {name: re.findall(pattern, told)[-1] for name, pattern in patterns.items()}

    def _spelled_out(self, step: Step) -> Step:
        told = re.search(rf"^\s*({step['pattern']})$", "\n".join(self.user), re.MULTILINE)
        command = told[1] if told else "false"
        for word, value in step["words"].items():
            command = command.replace(word, value)
        return shell(command)


class Dialect(Protocol):
    """How one provider is spoken to."""

    path: str
    """How the path of its requests ends."""

    def history(self, body: Json) -> History: ...

    def answer(self, body: Json, step: Step, tools: set[str]) -> Iterator[Json]:
        """The events of a streamed answer; the first alone where the step breaks off."""


class Responses:
    """OpenAI's Responses API, streamed, as far as agents use it."""

    path = "/responses"

    def history(self, body: Json) -> History:
        history = History(tools={str(tool.get("name")) for tool in body.get("tools") or []})
        for item in body.get("input") or []:
            if item.get("role") == "user":
                history.hear("\n".join(part.get("text", "") for part in item["content"]))
            elif str(item.get("type")).endswith("_call_output"):
                history.results += 1
        return history

    def answer(self, body: Json, step: Step, tools: set[str]) -> Iterator[Json]:
        response = {"id": _new("resp"), "object": "response", "model": body.get("model")}
        yield {"type": "response.created", "response": response | {"status": "in_progress"}}
        items = list(self._items(step, tools))
        for number, item in enumerate(items):
            yield {"type": "response.output_item.added", "output_index": number, "item": item}
            yield {"type": "response.output_item.done", "output_index": number, "item": item}
        finished = response | {"status": "completed", "output": items, "usage": self._usage()}
        yield {"type": "response.completed", "response": finished}

    def _items(self, step: Step, tools: set[str]) -> Iterator[Json]:
        if step.get("reasoning"):
            summary = [{"type": "summary_text", "text": step["reasoning"]}]
            yield {"type": "reasoning", "id": _new("rs"), "summary": summary}
        match step["do"]:
            case "say":
                content = [{"type": "output_text", "text": step["text"], "annotations": []}]
                yield {
                    "type": "message",
                    "id": _new("msg"),
                    "role": "assistant",
                    "content": content,
                }
            case "shell":
                yield self._call("exec_command", {"cmd": step["command"], **step["arguments"]})
            case "tool":
                call = self._call(step["name"], step["arguments"])
                yield call | ({"namespace": step["namespace"]} if "namespace" in step else {})
            case "patch" if "apply_patch" in tools:
                yield {
                    "type": "custom_tool_call",
                    "id": _new("ctc"),
                    "call_id": _new("call"),
                    "name": "apply_patch",
                    "input": step["text"],
                }
            case "patch":
                yield self._call(
                    "exec_command", {"cmd": f"apply_patch <<'EOF'\n{step['text']}\nEOF"}
                )

    def _call(self, name: str, arguments: Json) -> Json:
        return {
            "type": "function_call",
            "id": _new("fc"),
            "call_id": _new("call"),
            "name": name,
            "arguments": json.dumps(arguments),
        }

    def _usage(self) -> Json:
        return {
            "input_tokens": USAGE["input"],
            "input_tokens_details": {"cached_tokens": USAGE["cached"]},
            "output_tokens": USAGE["output"],
            "output_tokens_details": {"reasoning_tokens": USAGE["reasoning"]},
            "total_tokens": USAGE["input"] + USAGE["output"],
        }


class Messages:
    """Anthropic's Messages API, streamed, as far as agents use it."""

    path = "/messages"

    def history(self, body: Json) -> History:
        history = History(tools={str(tool.get("name")) for tool in body.get("tools") or []})
        for message in body.get("messages") or []:
            if message["role"] == "user":
                parts = _parts(message["content"])
                history.hear("\n".join(part.get("text", "") for part in parts))
                results = [part for part in parts if part.get("type") == "tool_result"]
                history.results += len(results)
                for result in results:
                    contents = _parts(result.get("content") or "")
                    history.answer = "".join(part.get("text", "") for part in contents)
            elif message["role"] == "system":
                history.host += [part.get("text", "") for part in _parts(message["content"])]
        return history

    def answer(self, body: Json, step: Step, tools: set[str]) -> Iterator[Json]:  # noqa: ARG002
        blocks = list(self._blocks(step))
        calls = any(block["type"] == "tool_use" for block in blocks)
        usage = {
            "input_tokens": USAGE["input"] - USAGE["cached"],
            "cache_read_input_tokens": USAGE["cached"],
            "output_tokens": USAGE["output"],
        }
        message: Json = {"id": _new("msg"), "type": "message", "role": "assistant", "content": []}
        message |= {"model": body.get("model"), "usage": usage}
        yield {"type": "message_start", "message": message}
        for number, block in enumerate(blocks):
            yield from self._streamed(number, block)
        delta = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": usage}
        yield {"type": "message_stop"}

    def _blocks(self, step: Step) -> Iterator[Json]:
        if step.get("reasoning"):
            yield {"type": "thinking", "thinking": step["reasoning"], "signature": "c2lnbmVk"}
        match step["do"]:
            case "say":
                yield {"type": "text", "text": step["text"]}
            case "shell":
                yield self._call("Bash", {"command": step["command"], **step["arguments"]})
            case "tool":
                named = [*([step["namespace"]] if "namespace" in step else []), step["name"]]
                yield self._call("__".join(named), step["arguments"])

    def _call(self, name: str, arguments: Json) -> Json:
        return {"type": "tool_use", "id": _new("toolu"), "name": name, "input": arguments}

    def _streamed(self, number: int, block: Json) -> Iterator[Json]:
        """A block's beginning, all of its content in one piece, and its end."""
        empty, *deltas = _PIECES[block["type"]](block)
        yield {"type": "content_block_start", "index": number, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": number, "delta": delta}
        yield {"type": "content_block_stop", "index": number}


def _text_pieces(block: Json) -> list[Json]:
    return [block | {"text": ""}, {"type": "text_delta", "text": block["text"]}]


def _thinking_pieces(block: Json) -> list[Json]:
    return [
        block | {"thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": block["thinking"]},
        {"type": "signature_delta", "signature": block["signature"]},
    ]


def _call_pieces(block: Json) -> list[Json]:
    arguments = json.dumps(block["input"])
    return [block | {"input": {}}, {"type": "input_json_delta", "partial_json": arguments}]


_PIECES = {"text": _text_pieces, "thinking": _thinking_pieces, "tool_use": _call_pieces}


class Gemini:
    """Google's Gemini API, streamed, as far as agents use it."""

    path = ":streamGenerateContent"

    def history(self, body: Json) -> History:
        declared = [it for tool in body.get("tools") or [] for it in tool["functionDeclarations"]]
        history = History(tools={str(it.get("name")) for it in declared})
        for content in body.get("contents") or []:
            if content["role"] == "user":
                history.hear("\n".join(part.get("text", "") for part in content["parts"]))
                history.results += sum("functionResponse" in part for part in content["parts"])
        return history

    def answer(self, body: Json, step: Step, tools: set[str]) -> Iterator[Json]:  # noqa: ARG002
        yield self._chunk([{"text": ""}])
        yield self._chunk(list(self._said(step))) | {"usageMetadata": self._usage()}

    def _chunk(self, parts: list[Json]) -> Json:
        candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
        finished = {"finishReason": "STOP"} if parts != [{"text": ""}] else {}
        return {"candidates": [candidate | finished]}

    def _said(self, step: Step) -> Iterator[Json]:
        if step.get("reasoning"):
            yield {"text": step["reasoning"], "thought": True}
        match step["do"]:
            case "say":
                yield {"text": step["text"]}
            case "shell":
                arguments = {"command": step["command"], **step["arguments"]}
                yield {"functionCall": {"name": "run_shell_command", "args": arguments}}
            case "tool":
                yield {"functionCall": {"name": step["name"], "args": step["arguments"]}}

    def _usage(self) -> Json:
        return {
            "promptTokenCount": USAGE["input"],
            "cachedContentTokenCount": USAGE["cached"],
            "candidatesTokenCount": USAGE["output"],
            "totalTokenCount": USAGE["input"] + USAGE["output"],
        }


def _parts(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


class Chat:
    """OpenAI's chat completions, streamed, with the tools of OpenCode."""

    path = "/chat/completions"

    def history(self, body: Json) -> History:
        names = {str(tool["function"]["name"]) for tool in body.get("tools") or []}
        history = History(tools=names)
        # Without tools it is a request for a title or a summary: no part of the play.
        for message in body["messages"] if names else []:
            if message["role"] == "user":
                history.hear(_chat_text(message["content"]))
            elif message["role"] == "tool":
                history.results += 1
        return history

    def answer(self, body: Json, step: Step, tools: set[str]) -> Iterator[Json]:  # noqa: ARG002
        base = {"id": _new("chat"), "object": "chat.completion.chunk", "model": body.get("model")}

        def chunk(delta: Json, finish: str | None = None) -> Json:
            return base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        yield chunk({"role": "assistant", "content": ""})
        if step.get("reasoning"):
            yield chunk({"reasoning_content": step["reasoning"]})
        if step["do"] == "say":
            yield chunk({"content": step["text"]})
        else:
            yield chunk({"tool_calls": [self._call(step)]})
        yield chunk({}, "stop" if step["do"] == "say" else "tool_calls")
        yield base | {"choices": [], "usage": self._usage()}

    def _call(self, step: Step) -> Json:
        name, arguments = "bash", {"command": step.get("command"), "description": "x"}
        if step["do"] == "tool":
            name, arguments = step["name"], {}
        arguments |= step["arguments"]
        function = {"name": name, "arguments": json.dumps(arguments)}
        return {"index": 0, "id": _new("call"), "type": "function", "function": function}

    def _usage(self) -> Json:
        return {
            "prompt_tokens": USAGE["input"],
            "prompt_tokens_details": {"cached_tokens": USAGE["cached"]},
            "completion_tokens": USAGE["output"],
            "completion_tokens_details": {"reasoning_tokens": USAGE["reasoning"]},
            "total_tokens": USAGE["input"] + USAGE["output"],
        }


def _chat_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or [])


DIALECTS: tuple[Dialect, ...] = (Responses(), Messages(), Gemini(), Chat())


class ModelServer:
    """The server, while its `with` block lasts."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.closing = threading.Event()
        self.asked: list[Asked] = []
        self.unasked: list[Step] = []
        """What the model does where no play stands in the prompt."""
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.models = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def record(self, asked: Asked) -> None:
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()

    def await_asked(self, count: int = 1) -> None:
        """Wait until agents have asked so often."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.asked) >= count, TIME_LIMIT_S)
        assert came, f"only {len(self.asked)} requests of {count} came"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def models(self) -> ModelServer:
        found = self.server.models  # type: ignore[attr-defined]
        assert isinstance(found, ModelServer)
        return found

    def do_HEAD(self) -> None:
        self._send_head(200, 0)

    def do_GET(self) -> None:
        self._send_json(404, {"error": {"message": "there is nothing to get"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.models.record(Asked(self.path, dict(self.headers.items()), body))
        dialect = next(it for it in DIALECTS if self.path.split("?")[0].endswith(it.path))
        history = dialect.history(body)
        step = history.step(self.models.unasked)
        if step["do"] == "fail":
            error = {"message": step["message"], "code": step["code"], "type": "error"}
            self._send_json(step["status"], {"type": "error", "error": error})
        else:
            self._stream(dialect.answer(body, step, history.tools), step)

    def _send_json(self, status: int, body: Json) -> None:
        content = json.dumps(body).encode()
        self._send_head(status, len(content))
        self.wfile.write(content)

    def _send_head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(length))
        self.end_headers()

    def _stream(self, events: Iterator[Json], step: Step) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self._send_event(next(events))
        if step["do"] == "hang":
            self._await_leaving()
        elif step["do"] != "drop":
            for event in events:
                self._send_event(event)

    def _send_event(self, event: Json) -> None:
        name = f"event: {event['type']}\n" if "type" in event else ""
        self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def _await_leaving(self) -> None:
        """Until the agent hangs up or the server closes."""
        while not self.models.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            with contextlib.suppress(ConnectionResetError):
                if not readable or self.connection.recv(1):
                    continue
            return


_numbers = itertools.count(1)


def _new(prefix: str) -> str:
    return f"{prefix}_{next(_numbers):08}"
