"""The real Codex for tests: with a home of its own, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.agents import put_on_path

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.models import ModelServer

_CONFIGURATION = """\
model = "{model}"
model_provider = "offline"

[model_providers.offline]
name = "offline"
base_url = "{url}/v1"
wire_api = "responses"
requires_openai_auth = false
request_max_retries = {retries}
stream_max_retries = {retries}

# Repositories of tests lie below the folder for temporary files, which would else be writable.
[sandbox_workspace_write]
exclude_slash_tmp = true
exclude_tmpdir_env_var = true
"""


def set_up_codex(
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    models: ModelServer,
    *,
    model: str = "gpt-5.5",
    retries: int = 0,
) -> Path:
    """Put the real Codex on PATH, with `home` as its home and `models` as its only provider."""
    put_on_path(monkeypatch, "codex")
    # Codex keeps its sandbox's helper below its home, and refuses to below the temporary folder.
    temporary = home.with_name(f"{home.name}-tmp")
    for folder in (home, temporary):
        folder.mkdir(exist_ok=True)
    configuration = _CONFIGURATION.format(url=models.url, model=model, retries=retries)
    (home / "config.toml").write_text(configuration)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("CODEX_HOME", str(home))
    return home
