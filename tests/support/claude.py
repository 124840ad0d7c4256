"""The real Claude Code for tests: with a home of its own, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.agents import put_on_path

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.models import ModelServer


def set_up_claude(monkeypatch: pytest.MonkeyPatch, home: Path, models: ModelServer) -> Path:
    """Put the real Claude Code on PATH, with `home` for its files and `models` as its provider."""
    put_on_path(monkeypatch, "claude")
    home.mkdir(exist_ok=True)
    variables = {
        "ANTHROPIC_API_KEY": "dummy",
        "ANTHROPIC_BASE_URL": models.url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "CLAUDE_CODE_TMPDIR": str(home),
        "CLAUDE_CONFIG_DIR": str(home),
        "DISABLE_AUTOUPDATER": "1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return home
