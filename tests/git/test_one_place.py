"""Only `sideshoot.git` starts git."""

from __future__ import annotations

import ast
from pathlib import Path

import sideshoot

PACKAGE = Path(sideshoot.__file__).parent

PLAYS_A_USER = {"cli/demo.py"}
"""The demonstration types what a person would type."""


def git_calls(source: str) -> list[int]:
    """Lines on which a list or tuple begins with the word git: the beginning of a command."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.List | ast.Tuple)
        and node.elts
        and isinstance(node.elts[0], ast.Constant)
        and node.elts[0].value == "git"
    ]


def test_nothing_else_starts_git() -> None:
    elsewhere = {
        f"{file.relative_to(PACKAGE)}:{line}"
        for file in PACKAGE.rglob("*.py")
        if PACKAGE / "git" not in file.parents
        and str(file.relative_to(PACKAGE)) not in PLAYS_A_USER
        for line in git_calls(file.read_text())
    }

    assert elsewhere == set()


def test_the_search_finds_what_it_looks_for() -> None:
    assert git_calls((PACKAGE / "git" / "command.py").read_text())
