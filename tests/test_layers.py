"""Imports point down only: cli, review, jobs, workspace and agents, git, and the words at the bottom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sideshoot

PACKAGE = Path(sideshoot.__file__).parent

BOTTOM = {"amounts", "boot", "config", "errors", "home", "lock", "model", "text", "__init__"}
ALLOWED = {
    "git": {"git"},
    "workspace": {"workspace", "git"},
    "agents": {"agents", "fence"},
    "fence": {"fence"},
    "hosts": {"hosts"},
    "jobs": {"jobs", "workspace", "agents", "fence", "git"},
    "review": {"review", "jobs", "workspace", "agents", "fence", "git"},
    "mcp": {"mcp", "cli", "review", "jobs", "workspace", "agents", "git"},
    "plugin": {"plugin", "mcp", "cli", "review", "jobs", "workspace", "agents", "git"},
}


def imported(file: Path) -> set[str]:
    """The parts of the package that a file imports from, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("sideshoot.")}


@pytest.mark.parametrize("layer", sorted(ALLOWED))
def test_a_layer_imports_only_from_below(layer: str) -> None:
    upward = {
        f"{file.relative_to(PACKAGE)} imports {name}"
        for file in (PACKAGE / layer).rglob("*.py")
        for name in imported(file) - ALLOWED[layer] - BOTTOM
    }

    assert upward == set()


def test_the_bottom_imports_nothing_from_above() -> None:
    for name in sorted(BOTTOM - {"__init__"}):
        folder = PACKAGE / name
        files = [*folder.rglob("*.py")] if folder.is_dir() else [PACKAGE / f"{name}.py"]
        assert files
        for file in files:
            assert imported(file) <= BOTTOM
