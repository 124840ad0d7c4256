"""The real Gemini CLI for tests: with a home of its own, offline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.agents import put_on_path

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.models import ModelServer

_SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"maxAttempts": 1},
    "privacy": {"usageStatisticsEnabled": False},
}


def set_up_gemini(monkeypatch: pytest.MonkeyPatch, home: Path, models: ModelServer) -> Path:
    """Put the real Gemini CLI on PATH, with `home` for its files and `models` as its provider."""
    put_on_path(monkeypatch, "gemini")
    (home / ".gemini").mkdir(parents=True)
    (home / ".gemini" / "settings.json").write_text(json.dumps(_SETTINGS))
    variables = {
        "GEMINI_API_KEY": "dummy",
        "GEMINI_CLI_HOME": str(home),
        # Else a small model is asked first which model should do it.
        "GEMINI_MODEL": "gemini-2.5-pro",
        "GOOGLE_GEMINI_BASE_URL": models.url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return home
