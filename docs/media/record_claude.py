#!/usr/bin/env python3
"""Record the plugin in Claude Code for docs/plugin.md: docs/media/claude.svg.

    ./dev test                                # makes .venv, and .agents with the real agents
    .venv/bin/python docs/media/record_claude.py

Claude Code and Codex are the real ones, in a terminal of tmux's and in a scratch repository. They are
offline: a model server of the tests speaks for their models, so that what is theirs to say is written
here, and Claude Code's model repeats what the tool answers, as the plugin tells it to. All else is what
Claude Code showed.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from record import FORM, THEME
from rich.console import Console
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.agents import find_agent
from support.codex import set_up_codex
from support.models import ModelServer, patch, repeat, say
from support.plugin import PLUGIN, slash_tool
from support.reviewing import answer, finding

if TYPE_CHECKING:
    from support.models import Step

PICTURE = Path(__file__).with_name("claude.svg")
TITLE = "Sideshoot in Claude Code"
COLUMNS, ROWS = 92, 96
PATIENCE_S = 60.0

CACHE = """\
import time


class Cache:
    def __init__(self, ttl):
        self.ttl = ttl
        self.items = {}

    def put(self, key, value):
        self.items[key] = value, time.time()

    def get(self, key):
        value, at = self.items[key]
        return value if time.time() - at < self.ttl else None
"""

FIX = """\
*** Begin Patch
*** Update File: cache.py
@@
-        self.items[key] = value, time.time()
+        self.items[key] = value, time.monotonic()
@@
-        return value if time.time() - at < self.ttl else None
+        return value if time.monotonic() - at < self.ttl else None
*** End Patch
"""

FIXED = """\
`put` and `get` read the **wall clock**. When it is set back between the two, an entry outlives its `ttl`, \
and that is when the test fails.

`cache.py` now uses `time.monotonic()`, which never goes back.
"""

FOUND = finding(
    "An unknown key is an error, not a miss",
    "cache.py",
    13,
    severity="medium",
    body="`get` raises KeyError for a key that was never put, where callers expect None.",
    recommendation="Use `self.items.get(key)`, and return None where there is nothing.",
)


def main() -> None:
    # What Claude Code still writes as it ends may be in the way of the clearing up.
    with tempfile.TemporaryDirectory(
        prefix="demo-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        shown = recorded(Path(folder))
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(shown))
    svg = console.export_svg(
        title=TITLE,
        theme=THEME,
        code_format=FORM.replace("A real run of Sideshoot", TITLE),
        unique_id="claude",
    )
    PICTURE.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), encoding="utf-8")


def recorded(folder: Path) -> str:
    """The conversation as the terminal showed it, with its colours."""
    with ModelServer() as host, ModelServer() as worker:
        terminal = Terminal(folder, environment(folder, host, worker))
        try:
            terminal.start("claude", "--plugin-dir", str(PLUGIN))
            talk = Talk(terminal, host)
            worker.unasked = [patch(FIX), say(FIXED)]
            talk.ask(
                "/sideshoot:rescue --agent codex the cache test is flaky; find out why, and fix it",
                "In a terminal",
            )
            talk.ask("/sideshoot:keep", "kept job")
            worker.unasked = [say(answer(FOUND, summary="One thing to mend."))]
            talk.ask(
                "/sideshoot:adversarial-review --agent codex what a caller may not expect",
                "run -C",
            )
            talk.ask("/sideshoot:status", "TITLE")
            return terminal.shown(colour=True)
        finally:
            terminal.end()


class Talk:
    """A conversation in which the model does what the slash commands tell it."""

    def __init__(self, terminal: Terminal, models: ModelServer) -> None:
        self._terminal = terminal
        self._models = models
        self._turns = 0

    def ask(self, prompt: str, seen: str) -> None:
        """Type a prompt, and wait until the end of its answer is seen."""
        before: list[Step] = [say("")] * self._turns  # the server counts from the beginning
        self._models.unasked = [*before, slash_tool(), repeat()]
        self._turns += 1
        self._terminal.type(prompt)
        self._terminal.wait_for(seen)


class Terminal:
    """A terminal of tmux's, on a server of its own."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self._socket = folder / "tmux"
        self._folder = folder / "garden"
        self._variables = variables

    def start(self, *command: str) -> None:
        options = ("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS))
        named = (f"{name}={value}" for name, value in self._variables.items())
        self._tmux(*options, "-c", str(self._folder), "env", "-i", *named, *command)
        self.wait_for("for shortcuts")

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)
        self.wait_for(text.rsplit(maxsplit=1)[-1])
        time.sleep(0.5)  # Enter in the same moment would count as a part of pasted text
        self._tmux("send-keys", "Enter")

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while text not in self.shown():
            if time.monotonic() > end:
                sys.exit(f"{text!r} was not shown:\n{self.shown()}")
            time.sleep(0.2)
        time.sleep(1.5)  # the rest of the answer

    def shown(self, *, colour: bool = False) -> str:
        return self._tmux("capture-pane", "-p", *(["-e"] if colour else [])).rstrip()

    def end(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        argv = ["tmux", "-S", str(self._socket), *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def environment(folder: Path, host: ModelServer, worker: ModelServer) -> dict[str, str]:
    """Make the repository, and homes for all who take part; return the variables that name them."""
    garden, home, bin_ = folder / "garden", folder / "home", folder / "bin"
    for each in (garden, home, bin_):
        each.mkdir()
    (bin_ / "sideshoot").symlink_to(Path(sys.executable).parent / "sideshoot")
    (garden / "cache.py").write_text(CACHE)
    git = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    author = ("-c", "user.name=Gardener", "-c", "user.email=gardener@example.org")
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Cache")):
        subprocess.run(["git", *author, *words], cwd=garden, env=git, check=True)
    state = {
        "hasCompletedOnboarding": True,
        "numStartups": 5,
        "theme": "dark",
        "customApiKeyResponses": {"approved": ["dummy"], "rejected": []},
        "projects": {str(garden): {"hasTrustDialogAccepted": True}},
    }
    (home / ".claude.json").write_text(json.dumps(state))
    return git | {
        "PATH": os.pathsep.join(
            map(str, [bin_, *folders_of("claude", "codex"), os.environ["PATH"]])
        ),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ANTHROPIC_API_KEY": "dummy",
        "ANTHROPIC_BASE_URL": host.url,
        "CLAUDE_CONFIG_DIR": str(home),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        **codex_home(folder, worker),
    }


def folders_of(*agents: str) -> list[Path]:
    found = [find_agent(name) for name in agents]
    if None in found:
        sys.exit(
            f"{' and '.join(agents)} are needed; `./dev test` installs them where npm is there"
        )
    return [Path(program).parent for program in found if program is not None]


def codex_home(folder: Path, models: ModelServer) -> dict[str, str]:
    with pytest.MonkeyPatch.context() as patched:
        home = set_up_codex(patched, folder / "codex", models)
        return {"CODEX_HOME": str(home), "TMPDIR": os.environ["TMPDIR"]}


if __name__ == "__main__":
    main()
