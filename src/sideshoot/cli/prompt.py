"""What is asked for: a task in words, or a command."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sideshoot.cli.command import Command, Words
from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MAY_NAME_A_JOB = ("--resume", "--from-review")
_JOB_ID = re.compile(r"(?=.*\d)[a-z][0-9a-z]{5}")


@dataclass(frozen=True, slots=True)
class Asked:
    """Either a task or a command; a command's `prompt` is what it reads."""

    prompt: str = ""
    command: tuple[str, ...] = ()


class RunCommand(Command):
    """Options first: what comes after the first other word is never looked at.

    `--resume` and `--from-review` may name a job. Only a word that is shaped like an id is taken for
    one, so that `run --resume go on` is the task "go on"; `--resume=JOB` takes any beginning of an
    id.
    """

    def spelled_out(self, args: Sequence[str]) -> list[str]:
        kinds = list(Words(self, args))
        spelled: list[str] = []
        for (kind, word), (next_kind, following) in zip(kinds, [*kinds, ("", "")][1:], strict=True):
            name, equals, value = word.partition("=")
            if kind != "option" or name not in _MAY_NAME_A_JOB:
                spelled.append(word)
            elif equals:
                spelled.append(f"{name}-job={value}")
            elif next_kind == "word" and is_job_id(following):
                # The words after the id have not been looked at yet.
                rest = self.spelled_out(args[len(spelled) + 2 :])
                return [*spelled, f"{name}-job", following, *rest]
            else:
                spelled.append(word)
        return spelled


def asked_for(
    words: Sequence[str], *, dashed: bool, agent: str | None, prompt_file: str | None, folder: Path
) -> Asked:
    """What the words of a command line ask for.

    :param dashed: they stood after `--`.
    :param agent: the agent that was named; without one, words after `--` are a command.
    :param prompt_file: where the text of the task is instead; `-` is standard input.
    :raises UsageError: there is no task, or there are two.
    """
    text = _read(prompt_file, folder) if prompt_file is not None else None
    if dashed and agent in (None, "command"):
        if not words:
            raise UsageError("there is no command after `--`")
        return Asked(text or "", tuple(words))
    if text is not None and words:
        raise UsageError("the task is in the prompt file and on the command line; give one of them")
    prompt = text if text is not None else " ".join(words)
    if not is_text(prompt):
        raise UsageError("the task is not UTF-8 text; agents can't be given anything else")
    return Asked(prompt)


def _read(prompt_file: str, folder: Path) -> str:
    try:
        data = (
            sys.stdin.buffer.read() if prompt_file == "-" else (folder / prompt_file).read_bytes()
        )
    except OSError as error:
        raise UsageError(f"can't read the prompt file {prompt_file}: {error.strerror}") from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"the prompt file {prompt_file} is not UTF-8 (at byte {error.start})"
        ) from None


def is_job_id(word: str) -> bool:
    """Whether a word is shaped like a whole id, so that it is hardly the beginning of a text."""
    return _JOB_ID.fullmatch(word) is not None


def is_text(prompt: str) -> bool:
    """Whether a task can be said to an agent: whether it is all characters."""
    # Bytes of the command line that are no text come as lone surrogates.
    return not any("\ud800" <= character <= "\udfff" for character in prompt)
