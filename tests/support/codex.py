"""The real Codex for tests: found where it is installed, with a home of its own, offline."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from support.models import ModelServer

_TOP = Path(__file__).parent.parent.parent

# Read once: a test's own environment no longer has it.
_NAMED = os.environ.get("SIDESHOOT_AGENTS_DIR")

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


def folders_of_agents() -> list[Path]:
    """Where real agents may be installed, besides PATH: as the caller says, or in the checkout."""
    places = [Path(_NAMED)] if _NAMED else []
    modules = [place / "node_modules" for place in (*places, _TOP / ".agents")]
    return [folder for place in modules for folder in (*_native(place), place / ".bin")]


def _native(modules: Path) -> list[Path]:
    """Where programs lie that a package's install script, which is not run, would put into place."""
    return [*sorted(modules.glob("@anthropic-ai/claude-code-*")), modules / _OPENCODE / "bin"]


def find_agent(name: str) -> str | None:
    """The program of a real agent."""
    path = os.pathsep.join([*map(str, folders_of_agents()), os.environ.get("PATH", "")])
    return shutil.which(name, path=path)


def _opencode_package() -> str:
    processor = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"opencode-{sys.platform}-{processor}"
    flags = Path("/proc/cpuinfo")
    old = processor == "x64" and flags.exists() and "avx2" not in flags.read_text()
    return f"{name}-baseline" if old else name


_OPENCODE = _opencode_package()


def set_up_codex(
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    models: ModelServer,
    *,
    model: str = "gpt-5.5",
    retries: int = 0,
) -> Path:
    """Put the real Codex on PATH, with `home` as its home and `models` as its only provider."""
    program = find_agent("codex")
    assert program is not None, "mark the test with pytest.mark.agent('codex')"
    # Codex keeps its sandbox's helper below its home, and refuses to below the temporary folder.
    temporary = home.with_name(f"{home.name}-tmp")
    for folder in (home, temporary):
        folder.mkdir(exist_ok=True)
    configuration = _CONFIGURATION.format(url=models.url, model=model, retries=retries)
    (home / "config.toml").write_text(configuration)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("CODEX_HOME", str(home))
    monkeypatch.setenv("PATH", str(Path(program).parent), prepend=os.pathsep)
    return home
