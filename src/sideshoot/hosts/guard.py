"""Keep a host's agent from starting another one bare: without a copy, a record, and a way back.

It tells what a command line starts, and holds nothing else up. What it can't read goes through: it is there to
remind an agent of what it was told, not to hold back one that wants to get around it.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from sideshoot.hosts.shell import Unclear, commands_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sideshoot.hosts.shell import Started

AGENTS = ("claude", "codex", "gemini", "opencode")

_DEEPEST = 8
"""So many commands inside of commands are looked into."""


def bare_agent(script: str) -> str | None:
    """The agent that a command line starts by itself; `None` if it starts none, or can't be read."""
    try:
        return _first(commands_of(script), _DEEPEST)
    except (Unclear, RecursionError):
        return None


def reason(agent: str) -> str:
    """What the host's agent is told."""
    return (
        f"Don't start {agent} by itself: it would work in the user's own files, and nothing could be "
        f"taken back. Use the tool `run` of the MCP server sideshoot with agent {agent!r}, or "
        f"`sideshoot run --agent {agent} --prompt-file -` with the task on standard input; "
        f"`sideshoot review --agent {agent}` for a review. The user can switch this off with "
        "`sideshoot setup --disable-guard`."
    )


def _first(commands: Sequence[Started], depth: int) -> str | None:
    found = (_agent_of(command.words, command.documents, depth) for command in commands)
    return next((agent for agent in found if agent), None)


def _agent_of(words: Sequence[str], documents: Sequence[str], depth: int) -> str | None:
    """The agent that a simple command starts, through whatever stands in front of it."""
    if not words or not depth:
        return None
    name, rest = PurePath(words[0]).name, words[1:]
    if name in _WORKS:
        return name if _WORKS[name](rest) else None
    if name in _SHELLS:
        scripts = _scripts(rest, documents)
        found = (_first(commands_of(script), depth - 1) for script in scripts)
        return next((agent for agent in found if agent), None)
    if name == "eval":
        return _first(commands_of(" ".join(rest)), depth - 1)
    if name == "find":
        return _agent_of(_after_exec(rest), (), depth - 1)
    if name in _PACKAGE_RUNNERS:
        return _agent_of(_of_package(name, rest), documents, depth - 1)
    if name == "command" and rest[:1] in (["-v"], ["-V"]):
        return None  # it says where a program is
    if name in _PREFIXES:
        return _agent_of(_PREFIXES[name].without(rest), documents, depth - 1)
    return None


# -- agents


def _codex_works(words: Sequence[str]) -> bool:
    return _first_word(words, _CODEX_VALUES) not in _CODEX_TENDS and not _only_tells(words)


def _claude_works(words: Sequence[str]) -> bool:
    return (words[0] if words else "") not in _CLAUDE_TENDS and not _only_tells(words)


def _gemini_works(words: Sequence[str]) -> bool:
    return (words[0] if words else "") not in _GEMINI_TENDS and not _only_tells(words)


def _opencode_works(words: Sequence[str]) -> bool:
    first = next((word for word in words if not word.startswith("-")), "")
    return first in ("", "run", "pr") and not _only_tells(words)


def _only_tells(words: Sequence[str]) -> bool:
    return any(word in ("--version", "--help", "-h", "-V", "-v") for word in words[:2])


def _first_word(words: Sequence[str], taking: frozenset[str]) -> str:
    left = list(words)
    while left and left[0].startswith("-"):
        left = left[2 if left[0] in taking else 1 :]
    return left[0] if left else ""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CODEX_VALUES = _words(
    "-c --config -m --model -p --profile -C --cd -s --sandbox -a --ask-for-approval -i --image "
    "--enable --disable --local-provider --add-dir"
)
_CODEX_TENDS = _words(
    "login logout mcp mcp-server app-server completion sandbox debug features help update doctor "
    "plugin cloud"
)
_CLAUDE_TENDS = _words(
    "mcp plugin plugins auth config doctor update upgrade install setup-token agents help"
)
_GEMINI_TENDS = _words("mcp extensions extension skills skill hooks hook")

_WORKS: dict[str, Callable[[Sequence[str]], bool]] = {
    "codex": _codex_works,
    "claude": _claude_works,
    "gemini": _gemini_works,
    "opencode": _opencode_works,
}
"""Whether the words after the name have the agent work; else they look after its installation."""


# -- what stands in front


class _Prefix(NamedTuple):
    """A program that starts the command which its words end with."""

    values: str = ""
    """Its options that take the next word."""
    positionals: int = 0
    """How many words of its own come before the command."""

    def without(self, words: Sequence[str]) -> Sequence[str]:
        left = list(words)
        while left and left[0].startswith("-") and left[0] != "-":
            option = left.pop(0)
            if option == "--":
                break
            if left and option in self.values.split():
                left.pop(0)
        left = left[self.positionals :]
        while left and _VARIABLE.match(left[0]):
            left.pop(0)
        return left


_VARIABLE = re.compile(r"[A-Za-z_]\w*=")

_PREFIXES = {
    "sudo": _Prefix("-u --user -g --group -C -D --chdir -h -p --prompt -R -r -T -t -U"),
    "doas": _Prefix("-u -C"),
    "env": _Prefix("-u --unset -C --chdir"),
    "timeout": _Prefix("-k --kill-after -s --signal", positionals=1),
    "gtimeout": _Prefix("-k --kill-after -s --signal", positionals=1),
    "nice": _Prefix("-n --adjustment"),
    "ionice": _Prefix("-c --class -n --classdata"),
    "chrt": _Prefix(positionals=1),
    "taskset": _Prefix(positionals=1),
    "nohup": _Prefix(),
    "setsid": _Prefix(),
    "stdbuf": _Prefix("-i --input -o --output -e --error"),
    "unbuffer": _Prefix(),
    "time": _Prefix("-f --format -o --output"),
    "exec": _Prefix("-a"),
    "builtin": _Prefix(),
    "coproc": _Prefix(),
    "caffeinate": _Prefix("-t -w"),
    "xargs": _Prefix(
        "-I -i -L -l -n -P -s -d -E -a --max-args --max-procs --replace --delimiter --arg-file"
    ),
    "watch": _Prefix("-n --interval"),
    "command": _Prefix(),
}

_SHELLS = ("sh", "bash", "zsh", "dash", "ksh", "fish")
_PACKAGE_RUNNERS = ("npx", "bunx", "pnpm", "pnpx", "yarn", "npm")
_PACKAGES = {
    "@openai/codex": "codex",
    "@anthropic-ai/claude-code": "claude",
    "@google/gemini-cli": "gemini",
    "opencode-ai": "opencode",
}


def _scripts(words: Sequence[str], documents: Sequence[str]) -> list[str]:
    """What a shell runs: the word after `-c`, else what stands on its standard input."""
    for number, word in enumerate(words):
        if not word.startswith(("-", "+")):
            return []  # a script in a file
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            return list(words[number + 1 : number + 2])
    return list(documents)


def _after_exec(words: Sequence[str]) -> Sequence[str]:
    places = [number for number, word in enumerate(words) if word in ("-exec", "-execdir", "-ok")]
    return words[places[0] + 1 :] if places else []


def _of_package(runner: str, words: Sequence[str]) -> Sequence[str]:
    """The program of a package and its words: `npx -y @openai/codex exec` is codex with `exec`."""
    left = list(_Prefix("-p --package -c --call").without(words))
    if runner in ("pnpm", "yarn", "npm"):
        if not left or left.pop(0) not in ("dlx", "exec", "x"):
            return []
        left = list(_Prefix("-p --package -c --call").without(left))
    if not left:
        return []
    name = re.sub(r"(?<=.)@[^/]*$", "", left[0])
    return [_PACKAGES.get(name, name), *left[1:]]
