"""Which shell commands only look: judged by their words, for agents whose shell nothing holds back.

Whatever is not known to be harmless is refused. That costs a model one more try; a command that
writes would cost the user a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SEPARATORS = re.compile(r"\|\||&&|[|;\n]")
_TO_NOWHERE = re.compile(r"(?:2>&1|[12]?>\s*/dev/null)(?=$|[\s|;&])")
_EXPANDED = "*?[{~"
"""Unquoted they become names of files, which may look like options."""


class _Word(NamedTuple):
    text: str
    expands: bool = False


class _Unclear(Exception):
    """The command has a form that is not judged."""


def only_looks(command: str) -> bool:
    """Whether a command for bash(1) reads files and git's objects, and does nothing else.

    Pipes and lists of such commands are; substitutions, variables and redirections are not, but for
    those to `/dev/null`.
    """
    try:
        commands = _commands(command)
    except _Unclear:
        return False
    return bool(commands) and all(map(_is_harmless, commands))


# -- the words


def _commands(text: str) -> list[list[_Word]]:
    """The simple commands of a list or a pipe, each as its words."""
    found: list[list[_Word]] = [[]]
    place = 0
    while place < len(text):
        if text[place] in " \t":
            place += 1
        elif nowhere := _TO_NOWHERE.match(text, place):
            place = nowhere.end()
        elif separator := _SEPARATORS.match(text, place):
            found.append([])
            place = separator.end()
        else:
            word, place = _word(text, place)
            found[-1].append(word)
    # A list may end with a separator, and lines may be empty.
    return [command for command in found if command]


def _word(text: str, place: int) -> tuple[_Word, int]:
    """The word that begins at `place`, without its quotes, and where it ends."""
    said, expands, quote = "", False, ""
    while place < len(text):
        letter = text[place]
        if letter == quote:
            quote = ""
        elif quote == "'":
            said += letter
        elif letter in "$`" or (letter in "<>&()#!" and not quote):
            raise _Unclear
        elif letter == "\\" and place + 1 < len(text):
            if quote and text[place + 1] not in '"\\':
                said += letter
            place += 1
            said += text[place]
        elif letter in "'\"" and not quote:
            quote = letter
        elif not quote and letter in " \t\n|;":
            break
        else:
            said += letter
            expands = expands or (not quote and letter in _EXPANDED)
        place += 1
    if quote:
        raise _Unclear
    return _Word(said, expands), place


# -- the programs


def _is_harmless(words: Sequence[_Word]) -> bool:
    program = words[0].text
    judge = _JUDGES.get(program)
    if judge is None:
        return program in _READERS
    if any(word.expands for word in words):
        return False
    return judge([word.text for word in words[1:]])


# No option of theirs writes a file or starts a program.
_READERS = frozenset(
    {
        "basename", "cat", "cmp", "comm", "cut", "diff", "dirname", "du", "echo", "egrep", "fgrep",
        "grep", "head", "ls", "nl", "printf", "pwd", "readlink", "realpath", "stat", "tail", "tr",
        "true", "wc", "which",
    }
)  # fmt: skip

_LOOKING_GIT = frozenset(
    {
        "blame", "cat-file", "diff", "diff-tree", "for-each-ref", "grep", "log",
        "ls-files", "ls-tree", "merge-base", "name-rev", "range-diff", "rev-list", "rev-parse",
        "shortlog", "show", "show-ref", "status",
    }
)  # fmt: skip
_GIT_ITSELF = frozenset({"--no-pager", "--literal-pathspecs", "--no-optional-locks", "-P"})
# git takes the beginning of a long option for the whole of it.
_GIT_WRITES = re.compile(r"--ou|--op|--ext|--textc|--filters?$|-O")


def _git(words: Sequence[str]) -> bool:
    rest = list(words)
    while rest and rest[0] in _GIT_ITSELF:
        del rest[0]
    if not rest or rest[0] not in _LOOKING_GIT:
        return False
    options = rest[1 : rest.index("--")] if "--" in rest else rest[1:]
    return not any(map(_GIT_WRITES.match, options))


def _find(words: Sequence[str]) -> bool:
    return not any(re.match(r"-(exec|ok|delete|fprint|fls)", word) for word in words)


def _rg(words: Sequence[str]) -> bool:
    starts = re.compile(r"--(pre|hostname|search-z)|-[a-zA-Z]*z")
    return not any(map(starts.match, words))


def _sort(words: Sequence[str]) -> bool:
    return all(re.fullmatch(r"-[bdfghnruV]+|-[kt].*|[^-].*", word) for word in words)


def _sed(words: Sequence[str]) -> bool:
    """`sed -n 1,20p FILE`, by which models like to read a part of a file."""
    match list(words):
        case ["-n", script, *files]:
            shows = re.fullmatch(r"\d+(,(\d+|\$))?p", script)
            return shows is not None and not any(name.startswith("-") for name in files)
    return False


def _only_options(words: Sequence[str]) -> bool:
    return all(word.startswith("-") for word in words)


_JUDGES: dict[str, Callable[[Sequence[str]], bool]] = {
    "cd": lambda words: len(words) <= 1,
    "find": _find,
    "git": _git,
    "rg": _rg,
    "sed": _sed,
    "sort": _sort,
    "uniq": _only_options,
}
