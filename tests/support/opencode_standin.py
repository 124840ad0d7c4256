"""A stand-in for `opencode serve`, for what the real one can't be made to do.

It answers the calls before a turn as the real one does; what happens after the prompt is a piece
of Python that the test writes, with `say`, `assistant`, `text`, `idle` and `hang_up` at hand.
"""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_PROGRAM = """\
#!{python}
import json, os, queue, signal, subprocess, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

events, messages, asked, status = queue.SimpleQueue(), [], [], {{}}
answers = queue.SimpleQueue()
session = "ses_1"

def say(kind, **facts):
    events.put({{"type": kind, "properties": {{"sessionID": session, **facts}}}})

def assistant(name, told=True, finish="stop", completed=1, session=session, **more):
    info = {{"id": name, "role": "assistant", "time": {{"completed": completed}}, "finish": finish}}
    message = {{"info": info | more, "parts": []}}
    messages.append(message)
    if told:
        say("message.updated", info=info | more, sessionID=session)
    return message

def text(message, words, told=True, session=session):
    part = {{"id": f"prt_{{words}}", "messageID": message["info"]["id"], "type": "text",
            "text": words, "time": {{"end": 1}}}}
    message["parts"].append(part)
    if told:
        say("message.part.updated", part=part, sessionID=session)

def answer_all(words="fine"):
    text(assistant("msg_1"), words)

def idle():
    say("session.idle")

def hang_up():
    events.put(None)

def route(method, path, body):
    match method, path:
        case _, "/global/health": return {{"healthy": True}}
        case "POST", "/session": return {{"id": session}}
        case "GET", "/session/status": return status
        case "GET", "/session/ses_1/message": return messages
        case "POST", "/session/ses_1/prompt_async":
            threading.Thread(target=turn, daemon=True).start()
        case "GET", ("/permission" | "/question"):
            return [it for it in asked if it["id"].startswith(path[1:4])]
        case "POST", _ if path.startswith(("/permission", "/question")):
            answers.put([path, body])
    return True

{script}

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_POST(self): self.answer()
    def do_PATCH(self): self.answer()
    def do_GET(self):
        if self.path != "/event":
            return self.answer()
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        self.send(b'data: {{"type": "server.connected", "properties": {{}}}}\\n\\n')
        while (event := events.get()) is not None:
            raw = event if isinstance(event, bytes) else b"data: " + json.dumps(event).encode()
            self.send(raw + b"\\n\\n")
    def send(self, raw):
        self.wfile.write(raw)
        self.wfile.flush()
    def answer(self):
        size = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(size) or b"null")
        given = route(self.command, self.path, body)
        code, content = given if isinstance(given, tuple) else (200, json.dumps(given).encode())
        self.send_response(code)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

if sys.argv[1:] == ["--version"]:
    print("0.0.1")
    sys.exit()
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler)
print(f"opencode server listening on http://127.0.0.1:{{server.server_port}}", flush=True)
server.serve_forever()
"""


def install(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    turn: str = "answer_all(); idle()",
    more: str = "",
) -> None:
    """Put the stand-in on PATH as `opencode`.

    :param turn: what it does after it was given a prompt.
    :param more: definitions that take the place of its own, such as `route`.
    """
    folder.mkdir()
    body = textwrap.indent(textwrap.dedent(turn).strip(), "    ")
    script = f"usual = route\n{textwrap.dedent(more)}\ndef turn():\n{body}"
    program = folder / "opencode"
    program.write_text(_PROGRAM.format(python=sys.executable, script=script))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
