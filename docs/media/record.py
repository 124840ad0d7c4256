#!/usr/bin/env python3
"""Record a real run of Sideshoot for the README: docs/media/run.svg.

    ./dev demo                                # makes .venv
    .venv/bin/pip install ruff                # what the recorded run fixes code with
    .venv/bin/python docs/media/record.py

Each command is really run, in a terminal of its own (a pseudo-terminal) and in a scratch
repository; what it printed there is what the picture shows. Nothing is drawn or edited, and a
command that does not end as it should stops the recording.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

PICTURE = Path(__file__).with_name("run.svg")
COLUMNS = 96

FILES = {
    "greet.py": """\
import json
import sys


def greet(name):
    if name == None:
        name = "world"
    return "Hello, %s!" % name


print(greet(sys.argv[1]))
""",
    "pyproject.toml": '[tool.ruff.lint]\nselect = ["E", "F", "I", "UP"]\n',
    "notes.txt": "Things to do\n",
}

RUN = (
    ("You are in the middle of something: notes.txt is not committed.", "git status -s"),
    ("Let any command, or a coding agent, work in a copy of it.",
     "sideshoot run -- ruff check --fix --unsafe-fixes --quiet ."),
    ("Nothing of yours has changed. See what it did.", "sideshoot diff"),
    ("Keep it: it comes beside your own change, staged.", "sideshoot keep"),
    ("", "git status -s"),
    ("Second thoughts? Take it back.", "sideshoot undo"),
    ("", "git status -s"),
)  # fmt: skip

THEME = TerminalTheme(
    background=(22, 27, 34),
    foreground=(214, 221, 229),
    normal=[
        (22, 27, 34),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (214, 221, 229),
    ],
)

# Of rich's own form this lacks the fonts from the network, which a picture in a page may not load.
FORM = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>A real run of Sideshoot</title>
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    font-size: {char_height}px;
    line-height: {line_height}px;
    font-variant-east-asian: full-width;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder) / "garden"
        make_repository(top)
        for number, (why, command) in enumerate(RUN):
            if number:
                console.print()
            if why:
                console.print(Text(f"# {why}", style="dim"))
            console.print(Text(f"$ {command}", style="bold"))
            if output := typed(command, top):
                console.print(Text.from_ansi(output))
    svg = console.export_svg(
        title="A real run of Sideshoot", theme=THEME, code_format=FORM, unique_id="sideshoot"
    )
    PICTURE.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE), encoding="utf-8")


def make_repository(top: Path) -> None:
    top.mkdir()
    for name, text in FILES.items():
        (top / name).write_text(text)
    for words in ("init -q -b main", "add --all", "commit -q -m Greet"):
        subprocess.run(["git", *words.split()], cwd=top, env=environment(), check=True)
    with (top / "notes.txt").open("a") as notes:
        notes.write("- water the tomatoes\n")


def typed(command: str, folder: Path) -> str:
    """Run a command in a terminal, and return what it showed there."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(
        shlex.split(command), cwd=folder, env=environment(), stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    shown = bytearray()
    while piece := read(ours):
        shown += piece
    if process.wait():
        sys.exit(f"`{command}` ended with status {process.returncode}:\n{shown.decode()}")
    return shown.decode().replace("\r\n", "\n").rstrip("\n")


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the last program has let go of the terminal
        return b""


def environment() -> dict[str, str]:
    """Programs from the environment that this script runs in, and nobody's configuration."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PAGER": "cat",
        "GIT_AUTHOR_NAME": "Gardener",
        "GIT_AUTHOR_EMAIL": "gardener@example.org",
        "GIT_COMMITTER_NAME": "Gardener",
        "GIT_COMMITTER_EMAIL": "gardener@example.org",
        "RUFF_NO_CACHE": "true",
    }


if __name__ == "__main__":
    main()
