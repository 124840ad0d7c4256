"""The hermetic floor of every test, and the fixtures that most of them use."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.git import discover
from sideshoot.jobs.store import Store
from support.agents import find_agent
from support.command import Command
from support.hostile import make_tools
from support.repos import Repo

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIGURATION = """\
[user]
	name = Gardener
	email = gardener@example.org
	useConfigOnly = true
[init]
	defaultBranch = main
"""

_FOREIGN = (
    "GIT_",
    "SIDESHOOT_",
    "CODEX_",
    "CLAUDE",
    "OPENAI_",
    "ANTHROPIC_",
    "GEMINI_",
    "GOOGLE_",
    "OPENCODE",
    "XDG_",
    "LC_",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--isolation",
        choices=("worktree", "clone"),
        help="The kind of copy that agents get where a test says nothing of it.",
    )


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """Every test has a home of its own, its own git configuration, and no variable of the caller's."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".gitconfig").write_text(_CONFIGURATION)
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_FOREIGN) and name != "SIDESHOOT_REQUIRE_AGENTS":
                patch.delenv(name)
        for name in ("CONFIG", "STATE", "DATA", "CACHE", "RUNTIME"):
            place = folder / f".{name.lower()}"
            place.mkdir(mode=0o700)
            patch.setenv(f"XDG_{name}_{'DIR' if name == 'RUNTIME' else 'HOME'}", str(place))
        patch.setenv("HOME", str(folder))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / ".gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_TERMINAL_PROMPT", "0")
        patch.setenv("LANG", "C.UTF-8")
        patch.setenv("TERM", "dumb")
        patch.delenv("NO_COLOR", raising=False)
        patch.delenv("FORCE_COLOR", raising=False)
        chosen = request.config.getoption("--isolation")
        if chosen:
            _set_isolation(folder, chosen)
        yield folder


@pytest.fixture(params=["worktree", "clone"])
def isolation(home: Path, request: pytest.FixtureRequest) -> str:
    """Each kind of copy in turn, as what the user has set."""
    _set_isolation(home, request.param)
    return str(request.param)


@pytest.fixture
def cloning(home: Path) -> None:
    """Copies are quarantined clones, as the user has set it."""
    _set_isolation(home, "clone")


def _set_isolation(home: Path, kind: str) -> None:
    file = home / ".config" / "sideshoot" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'[workspace]\nisolation = "{kind}"\n')


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with a few committed files (`support.repos.FILES`) and a clean tree."""
    return Repo.create(tmp_path / "garden")


@pytest.fixture
def sideshoot(repo: Repo) -> Command:
    """The real command, started in `repo`."""
    return Command(repo.top)


@pytest.fixture
def unfenced(repo: Repo) -> None:
    """In `repo`, nothing holds a command back that says nothing of a fence."""
    Store.open(discover(repo.top).state_dir).set_setting("run.sandbox", "off")


@pytest.fixture
def roomy() -> Iterator[Path]:
    """A folder that is no place for temporary files: Codex's home can't lie among those."""
    made = Path(tempfile.mkdtemp(prefix="sideshoot-", dir="/var/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of programs that hostile settings name."""
    return make_tools(tmp_path / "tools")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test of a real agent is skipped where there is none; where one is required, it fails."""
    for marker in item.iter_markers("agent"):
        name = marker.args[0]
        if find_agent(name) is None:
            reason = f"{name} is not installed; ./dev test installs it where npm is there"
            if os.environ.get("SIDESHOOT_REQUIRE_AGENTS"):
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
