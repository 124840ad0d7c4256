"""A path in a command that an agent is told to run: in every shell, it is that path."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from sideshoot.agents.looking import only_looks
from sideshoot.review.pathspec import as_word

if TYPE_CHECKING:
    from support.repos import Repo

NAMES = [
    b"plain.py",
    b"with space",
    b"-dash",
    b"it's",
    b'"double"',
    b"$HOME `id` $(id)",
    b"back\\slash",
    b"star*",
    b"query?[a]",
    b":(top)magic",
    b":colon",
    b"!bang #hash ~tilde {a,b}",
    b"new\nline",
    b"tab\t",
    b"caf\xe9",
    "grün 🌱".encode(),
    b"all 'of* \xff\n\\it",
    b"deep/er/it's/here",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_command_shows_exactly_that_file(repo: Repo, name: bytes, shell: str) -> None:
    before = repo.head()
    for other in ("plain.pz", "witness", "deep/er/its/here"):
        repo.write(other, "x\n")
    repo.write(name, "x\n")
    after = repo.commit()
    command = f"git diff --name-only -z {before} {after} -- {as_word(name)}"

    done = subprocess.run([shell, "-c", command], cwd=repo.top, capture_output=True, check=True)

    assert done.stdout == name + b"\0"
    assert only_looks(command)
    assert command.isprintable()
