"""The real OpenCode for tests: found where it is installed, with a home of its own, offline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.agents import put_on_path

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.models import ModelServer

MODEL = "offline/garden-1"

# Nothing of it looks for updates, lists of models or plugins; and a dead registry keeps it from
# installing its plugin kit into every folder with a configuration.
_OFFLINE = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_CLAUDE_CODE": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_SHARE": "1",
    "npm_config_registry": "http://127.0.0.1:9/",
    "npm_config_fetch_retries": "0",
    "npm_config_offline": "true",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


def configuration(url: str, **more: Any) -> dict[str, Any]:
    """A configuration with the model server at `url` as the only provider."""
    models = {
        name: {
            "name": name,
            "tool_call": True,
            "reasoning": True,
            "limit": {"context": 1_000_000, "output": 8000},
        }
        for name in ("garden-1", "garden/2")
    }
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Offline",
        "options": {"baseURL": f"{url}/v1", "apiKey": "x"},
        "models": models,
    }
    chosen = {"model": MODEL, "small_model": MODEL, "enabled_providers": ["offline"]}
    return {**chosen, "provider": {"offline": provider}, **more}


def set_up_opencode(
    monkeypatch: pytest.MonkeyPatch, models: ModelServer, home: Path, **more: Any
) -> Path:
    """Put the real OpenCode on PATH, with `models` as its only provider.

    :param home: its home, where nothing else is.
    :param more: further entries of its configuration.
    :return: the file with that configuration.
    """
    put_on_path(monkeypatch, "opencode")
    for name, value in _OFFLINE.items():
        monkeypatch.setenv(name, value)
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    file = home / "config" / "opencode" / "opencode.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(configuration(models.url, **more)))
    return file
