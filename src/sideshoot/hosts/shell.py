"""The commands that a shell script starts, as far as its text tells: read by the grammar of bash(1).

Nothing is expanded: a word with a variable in it keeps the variable's name. What stands in quotes, comments,
patterns and here-documents is no command; what stands in substitutions, in groups and behind `if` is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_OPERATOR = re.compile(r";;&|;;|;&|&&|\|\||\|&|;|&(?!>)|\|")
_REDIRECTION = re.compile(r"\d*(?:<<<|<<-?|<&|>&|>>|<>|>\||<(?!\()|>(?!\())|&>>?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=")
_BLANK = re.compile(r"(?:[ \t]|\\\n)*")
_ENDS_A_WORD = " \t\n;&|<>()"
_BEFORE_PATTERNS = ("?", "*", "+", "@", "!")

_GOES_ON = {"if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "fi", "done"}
"""Reserved words after which another command may begin."""


class Unclear(Exception):
    """The text ends in the middle of something."""


@dataclass(slots=True)
class Started:
    """One command: its words without their quotes, and what is given to it as here-documents."""

    words: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)


def commands_of(script: str) -> list[Started]:
    """Each simple command of a script, those of its substitutions included.

    :raises Unclear: a quote or a bracket is not closed.
    """
    scan = _Scan(script)
    scan.commands("")
    return scan.found


@dataclass(slots=True)
class _Document:
    """A here-document that begins in the next line."""

    command: Started
    ending: str
    strips: bool
    is_quoted: bool


class _Scan:
    def __init__(self, text: str, place: int = 0, found: list[Started] | None = None) -> None:
        self._text = text
        self._at = place
        self.found: list[Started] = [] if found is None else found
        self._now = Started()
        self._cases = 0
        self._due: list[_Document] = []

    def commands(self, closing: str) -> int:
        """Read commands up to the bracket that closes them, or to the end; returns where that is."""
        while self._at < len(self._text):
            self._blank()
            letter = self._peek()
            if letter == ")":
                if closing == ")":
                    self._end()
                    return self._at
                self._at += 1
                self._end()
            elif not letter:
                break
            else:
                self._step(letter)
        self._end()
        if closing:
            raise Unclear
        return self._at

    def _step(self, letter: str) -> None:
        if letter == "\n":
            self._at += 1
            self._end()
            self._documents()
        elif letter == "#":
            self._at = self._find("\n", len(self._text))
        elif letter == "(":
            self._bracket()
        elif redirection := _REDIRECTION.match(self._text, self._at):
            self._redirection(redirection[0])
        elif operator := _OPERATOR.match(self._text, self._at):
            self._at = operator.end()
            self._end()
            if self._cases and operator[0] in (";;", ";&", ";;&"):
                self._pattern()
        else:
            self._command_word()

    def _command_word(self) -> None:
        start = self._at
        word = self._word()
        if self._now.words:
            self._now.words.append(word)
            return
        raw = self._text[start : self._at]
        if raw == "case":
            self._case()
        elif raw == "esac":
            self._cases -= 1 if self._cases else 0
        elif raw == "[[":
            self._condition()
        elif raw in ("for", "select", "function"):
            self._rest_of_command()
        elif raw not in _GOES_ON and not _ASSIGNMENT.match(raw):
            self._now.words.append(word)

    def _end(self) -> None:
        if self._now.words:
            self.found.append(self._now)
        self._now = Started()

    # -- brackets and reserved words

    def _bracket(self) -> None:
        if self._text.startswith("((", self._at) and not self._now.words:
            self._balanced("(", ")")
        elif self._now.words:
            self._function()
        else:
            self._at = self._inner(self._at + 1) + 1

    def _function(self) -> None:
        """`NAME ()`, before the function's body."""
        self._at += 1
        self._blank()
        if len(self._now.words) > 1 or self._peek() != ")":
            raise Unclear
        self._at += 1
        self._now = Started()

    def _inner(self, place: int) -> int:
        """Read what stands in brackets from `place` on; returns where the closing one is."""
        return _Scan(self._text, place, self.found).commands(")")

    def _case(self) -> None:
        """`case WORD in`, and the first pattern."""
        self._space()
        self._word()
        self._space()
        if self._text.startswith("in", self._at):
            self._at += 2
        self._cases += 1
        self._pattern()

    def _pattern(self) -> None:
        self._space()
        if re.compile(r"esac\b").match(self._text, self._at):
            return
        if self._peek() == "(":
            self._at += 1
        while self._peek() != ")":
            self._space()
            if self._peek() == "|":
                self._at += 1
            elif self._peek() not in ("", ")"):
                before = self._at
                self._word()
                if self._at == before:
                    raise Unclear
            elif not self._peek():
                raise Unclear
        self._at += 1

    def _condition(self) -> None:
        """`[[ … ]]`, in which operators mean something else."""
        while self._at < len(self._text):
            self._space()
            before = self._at
            if self._word() == "]]":
                return
            self._at += 1 if self._at == before else 0
        raise Unclear

    def _rest_of_command(self) -> None:
        """The head of a loop, or the name of a function: none of its words is a command."""
        while self._peek() not in ("", "\n", ";", "{", ")"):
            self._blank()
            if self._text.startswith("((", self._at):
                self._balanced("(", ")")
                return
            if self._peek() == "(":
                self._at += 1 + (self._text[self._at + 1 : self._at + 2] == ")")
                return
            before = self._at
            if self._peek() not in ("\n", ";", "{"):
                self._word()
            if self._at == before:
                return

    # -- redirections

    def _redirection(self, sign: str) -> None:
        self._at += len(sign)
        self._blank()
        start = self._at
        word = self._word()
        if sign.lstrip("0123456789") in ("<<", "<<-"):
            is_quoted = any(letter in "'\"\\" for letter in self._text[start : self._at])
            self._due.append(_Document(self._now, word, sign.endswith("-"), is_quoted))
        elif sign.endswith("<<<"):
            self._now.documents.append(word)

    def _documents(self) -> None:
        for document in self._due:
            lines = []
            while self._at < len(self._text):
                end = self._find("\n", len(self._text))
                line = self._text[self._at : end]
                self._at = min(end + 1, len(self._text))
                line = line.lstrip("\t") if document.strips else line
                if line == document.ending:
                    break
                lines.append(line)
            text = "\n".join(lines)
            document.command.documents.append(text)
            if not document.is_quoted:
                _Scan(text, 0, self.found).substitutions()
        self._due = []

    def substitutions(self) -> None:
        """Read what of a text is expanded."""
        while self._at < len(self._text):
            if self._peek() == "\\":
                self._at += 2
            elif self._peek() in "$`":
                self._expansion()
            else:
                self._at += 1

    # -- words

    def _word(self) -> str:
        """The word that begins here, without its quotes."""
        said = ""
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter in "<>" and self._text.startswith("(", self._at + 1):
                start, self._at = self._at, self._inner(self._at + 2) + 1
                said += self._text[start : self._at]
            elif letter == "(" and (_ASSIGNMENT.fullmatch(said) or said[-1:] in _BEFORE_PATTERNS):
                said += self._list()
            elif letter in _ENDS_A_WORD:
                break
            else:
                said += self._part(letter)
        return said

    def _list(self) -> str:
        """The elements of an array, or of a pattern: words, and no commands."""
        start = self._at
        self._at += 1
        while self._peek() != ")":
            before = self._at
            self._word()
            if self._at == before:
                if not self._peek():
                    raise Unclear
                self._at += 1
        self._at += 1
        return self._text[start : self._at]

    def _part(self, letter: str) -> str:
        start = self._at
        if letter == "'":
            end = self._closing("'", start + 1)
            self._at = end + 1
            return self._text[start + 1 : end]
        if letter == '"':
            return self._in_quotes()
        if letter == "\\":
            self._at += 2
            return self._text[start + 1 : self._at].replace("\n", "")
        if letter in "$`":
            return self._expansion()
        self._at += 1
        return letter

    def _in_quotes(self) -> str:
        self._at += 1
        said = ""
        while True:
            letter = self._peek()
            if not letter:
                raise Unclear
            if letter == '"':
                self._at += 1
                return said
            if letter == "\\":
                following = self._text[self._at + 1 : self._at + 2]
                said += following if following in '$`"\\' else f"\\{following}"
                said = said.removesuffix("\\\n")
                self._at += 2
            elif letter in "$`":
                said += self._expansion()
            else:
                said += letter
                self._at += 1

    def _expansion(self) -> str:
        """`$…` or a command in backquotes, as it is written; the commands in it are noted."""
        start = self._at
        if self._text.startswith("$((", start):
            self._at += 1
            self._balanced("(", ")")
        elif self._text.startswith("$(", start):
            self._at = self._inner(start + 2) + 1
        elif self._text.startswith("${", start):
            self._braces()
        elif self._text.startswith("$'", start):
            end = start + 2
            while self._text[end : end + 1] != "'":
                if end >= len(self._text):
                    raise Unclear
                end += 2 if self._text[end] == "\\" else 1
            self._at = end + 1
            return self._text[start + 2 : end]
        elif self._text[start] == "`":
            self._backquoted()
        else:
            self._at += 1
        return self._text[start : self._at]

    def _backquoted(self) -> None:
        start = end = self._at + 1
        while self._text[end : end + 1] != "`":
            if end >= len(self._text):
                raise Unclear
            end += 2 if self._text[end] == "\\" else 1
        self.found += commands_of(re.sub(r"\\([\\`$])", r"\1", self._text[start:end]))
        self._at = end + 1

    def _braces(self) -> None:
        self._at += 2
        while self._peek() != "}":
            letter = self._peek()
            if not letter:
                raise Unclear
            self._part(letter)
        self._at += 1

    def _balanced(self, opening: str, closing: str) -> None:
        """Pass brackets with all that is in them: arithmetic."""
        depth = 0
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter in "$`" and self._at + 1 < len(self._text):
                self._expansion()
                continue
            depth += (letter == opening) - (letter == closing)
            self._at += 1
            if not depth:
                return
        raise Unclear

    # -- the text

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _blank(self) -> None:
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _space(self) -> None:
        while self._peek() and self._peek() in " \t\n":
            self._at += 1

    def _find(self, letter: str, otherwise: int) -> int:
        place = self._text.find(letter, self._at)
        return otherwise if place < 0 else place

    def _closing(self, quote: str, place: int) -> int:
        end = self._text.find(quote, place)
        if end < 0:
            raise Unclear
        return end
