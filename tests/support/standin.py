"""A stand-in for `codex app-server`, for what the real one can't be made to do.

It answers the calls before a turn as the real one does; what happens at `turn/start` is a piece of
Python that the test writes, with `say`, `call`, `finish` and `thread` at hand.
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
import json, os, subprocess, sys, time
thread = "thread-1"

def say(message):
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\\n")
    sys.stdout.buffer.flush()

def write(raw):
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()

def notice(method, **params):
    say({{"method": method, "params": {{"threadId": thread, "turnId": "turn-1", **params}}}})

def call(method, **params):
    say({{"id": "ours-1", "method": method, "params": params}})
    return json.loads(sys.stdin.readline())

def message(text):
    notice("item/completed", item={{"type": "agentMessage", "id": "m", "text": text}})

def finish(status="completed", error=None):
    notice("turn/completed", turn={{"id": "turn-1", "status": status, "error": error}})

def refuse(request, text):
    say({{"id": request["id"], "error": {{"code": -32600, "message": text}}}})

def on_resume(request):
    say({{"id": request["id"], "result": {{"thread": {{"id": thread}}}}}})

def on_turn(request):
    say({{"id": request["id"], "result": {{"turn": {{"id": "turn-1"}}}}}})
    notice("turn/started", turn={{"id": "turn-1"}})

{script}

if sys.argv[1:] == ["--version"]:
    print("codex-cli 0.0.1")
    sys.exit()
for line in sys.stdin:
    request = json.loads(line)
    match request["method"]:
        case "initialized": pass
        case "thread/start": on_resume_default(request)
        case "thread/resume": on_resume(request)
        case "turn/start": on_turn(request); turn()
        case "thread/backgroundTerminals/clean": refuse(request, "unknown method")
        case _: say({{"id": request["id"], "result": {{}}}})
"""


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, turn: str = "finish()", more: str = ""
) -> None:
    """Put the stand-in on PATH as `codex`.

    :param turn: what it does after it has begun a turn.
    :param more: definitions that take the place of its own, such as `on_resume`.
    """
    folder.mkdir()
    body = textwrap.indent(textwrap.dedent(turn).strip(), "    ")
    script = f"on_resume_default = on_resume\n{textwrap.dedent(more)}\ndef turn():\n{body}"
    program = folder / "codex"
    program.write_text(_PROGRAM.format(python=sys.executable, script=script))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
