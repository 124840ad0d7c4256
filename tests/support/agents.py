"""Where real agents are found for tests."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_TOP = Path(__file__).parent.parent.parent

# Read once: a test's own environment no longer has it.
_NAMED = os.environ.get("SIDESHOOT_AGENTS_DIR")


def find_agent(name: str) -> str | None:
    """The program of a real agent: where the caller says, in the checkout, or on PATH."""
    return shutil.which(name, path=os.pathsep.join([*_folders(), os.environ.get("PATH", "")]))


def put_on_path(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the real agent of this name be the one that a test starts."""
    program = find_agent(name)
    assert program is not None, f"mark the test with pytest.mark.agent({name!r})"
    monkeypatch.setenv("PATH", str(Path(program).parent), prepend=os.pathsep)


def _folders() -> list[str]:
    places = [Path(_NAMED)] if _NAMED else []
    modules = [place / "node_modules" for place in (*places, _TOP / ".agents")]
    return [str(folder) for it in modules for folder in (*_native(it), it / ".bin")]


def _native(modules: Path) -> list[Path]:
    """Where the programs lie that install scripts, which are not run, would put into place."""
    return [*sorted(modules.glob("@anthropic-ai/claude-code-*")), modules / _OPENCODE / "bin"]


def _opencode_package() -> str:
    processor = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"opencode-{sys.platform}-{processor}"
    flags = Path("/proc/cpuinfo")
    old = processor == "x64" and flags.exists() and "avx2" not in flags.read_text()
    return f"{name}-baseline" if old else name


_OPENCODE = _opencode_package()
