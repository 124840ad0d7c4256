"""What is installed has all that belongs to it: the plugin's texts and scripts as well as the code."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.command import TIME_LIMIT_S, environment

TOP = Path(__file__).parent.parent
PLUGIN = "sideshoot/plugin/claude"

FILL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import sideshoot
assert Path(sideshoot.__file__).is_relative_to(sys.argv[1]), sideshoot.__file__
from sideshoot.hosts.marketplace import Marketplace
Marketplace(Path(sys.argv[2])).fill()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=TOP,
        capture_output=True,
        timeout=TIME_LIMIT_S,
    )
    assert done.returncode == 0, done
    (found,) = folder.glob("*.whl")
    return found


def test_a_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    package = TOP / "src" / "sideshoot"
    files = [path for path in package.rglob("*") if path.is_file()]
    wanted = {
        f"sideshoot/{path.relative_to(package).as_posix()}"
        for path in files
        if path.suffix != ".pyc"
    }

    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if name.startswith("sideshoot/")}

    assert names == wanted
    for name in ("sideshoot/hooks/hooks.json", "sideshoot/.mcp.json", "sideshoot/scripts/guard"):
        assert f"{PLUGIN}/{name}" in names
    assert f"{PLUGIN}/.claude-plugin/marketplace.json" in names


def test_the_plugin_is_put_out_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    installed, put_out = tmp_path / "installed", tmp_path / "put-out"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(installed)
        texts = {name: packed.read(name) for name in packed.namelist() if PLUGIN in name}

    subprocess.run(
        [sys.executable, "-c", FILL, str(installed), str(put_out)],
        env=environment({}),
        check=True,
        timeout=TIME_LIMIT_S,
    )

    found = {
        f"{PLUGIN}/{path.relative_to(put_out).as_posix()}": path.read_bytes()
        for path in put_out.rglob("*")
        if path.is_file()
    }
    starter = f"{PLUGIN}/sideshoot/scripts/sideshoot"
    assert found.keys() == texts.keys()
    assert {name for name in found if found[name] != texts[name]} == {starter}
    assert found[starter].startswith(b"#!/bin/sh\nexec /")
