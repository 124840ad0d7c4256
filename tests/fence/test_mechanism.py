"""What is taken for a fence has been seen to work."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from sideshoot.errors import CannotStart
from sideshoot.fence import kernel
from sideshoot.fence.mechanism import Kind, Mechanism, find_mechanism, try_bubblewrap, try_landlock
from sideshoot.fence.model import Level
from support.estates import Way, check_way, make_estate

INSTALLED = Path(__file__).parents[2] / ".agents" / "node_modules" / ".bin"
"""Where `./dev test` installs the real agents."""

NEEDS_LANDLOCK = pytest.mark.skipif(
    kernel.landlock_abi() < kernel.MINIMUM_ABI, reason="this kernel has no Landlock that would do"
)


@pytest.fixture
def bwrap() -> Path:
    check_way(Way("bubblewrap"))
    return Path(shutil.which("bwrap") or "")


def broken(folder: Path, says: str) -> Path:
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\necho 'bwrap: {says}' >&2\nexit 1\n")
    program.chmod(0o755)
    return program


def only(monkeypatch: pytest.MonkeyPatch, *programs: Path) -> None:
    """Let these be the bubblewraps of this machine."""
    monkeypatch.setattr("sideshoot.fence.mechanism._bubblewraps", lambda: iter(programs))


def test_bubblewrap_is_found_where_it_works(bwrap: Path) -> None:
    found = find_mechanism()

    assert found.kind is Kind.BUBBLEWRAP
    assert found.limits == ()
    for level in Level:
        found.require(level)


def test_what_was_found_is_not_tried_again(
    bwrap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_mechanism(tmp_path / "cache")
    monkeypatch.setattr("sideshoot.fence.mechanism._works", lambda _: pytest.fail("tried again"))

    assert find_mechanism(tmp_path / "cache") == found


def test_after_a_restart_it_is_tried_again(
    bwrap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_mechanism(tmp_path)
    monkeypatch.setattr("sideshoot.fence.mechanism._boot_id", lambda: "another")
    only(monkeypatch)

    assert find_mechanism(tmp_path).kind is not Kind.BUBBLEWRAP


@pytest.mark.parametrize("note", ["", "{", "[]", '{"key": 1}', "\udcff"])
def test_a_damaged_note_is_passed_over(bwrap: Path, tmp_path: Path, note: str) -> None:
    (tmp_path / "fence.json").write_bytes(os.fsencode(note))

    assert find_mechanism(tmp_path).kind is Kind.BUBBLEWRAP
    assert json.loads((tmp_path / "fence.json").read_text())["mechanism"]["kind"] == "bubblewrap"


def test_a_note_that_can_not_be_written_does_no_harm(bwrap: Path) -> None:
    assert find_mechanism(Path("/proc/nowhere")).kind is Kind.BUBBLEWRAP


@NEEDS_LANDLOCK
def test_landlock_stands_in_and_says_what_would_be_better(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch)

    found = find_mechanism(tmp_path)

    assert found.kind is Kind.LANDLOCK
    assert found.limits
    assert "apt-get install bubblewrap" in found.remedy
    assert not list(tmp_path.iterdir()), "what may be mended at any time must not be noted"


@NEEDS_LANDLOCK
@pytest.mark.parametrize(
    "says", ["setting up uid map: Permission denied", "Creating new namespace failed"]
)
def test_in_a_container_without_namespaces_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    only(monkeypatch, broken(tmp_path, says))

    found = find_mechanism()

    assert found.kind is Kind.LANDLOCK
    assert found.why == f"bubblewrap is not allowed to work ({says})"
    with pytest.raises(CannotStart, match=r"offline is not possible here.*namespaces"):
        found.require(Level.OFFLINE)


def test_where_nothing_works_it_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, broken(tmp_path, "Bad file descriptor"))
    monkeypatch.setattr(kernel, "landlock_abi", lambda: 0)

    found = find_mechanism()

    assert found.kind is Kind.NONE
    with pytest.raises(
        CannotStart, match=r"does not work \(Bad file descriptor\), and this kernel"
    ):
        found.require(Level.WRITE)
    found.require(Level.OFF)


def test_a_landlock_that_lets_files_be_emptied_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "landlock_abi", lambda: 2)

    assert try_landlock().kind is Kind.NONE


def test_a_bubblewrap_that_hangs_or_is_no_program_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bwrap").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "bwrap").chmod(0o755)

    found, reason = try_bubblewrap(tmp_path / "bwrap")

    assert found is None
    assert reason


def test_the_bubblewrap_of_codex_is_found_beside_it(
    bwrap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As npm lays it out; the machine's own comes first."""
    modules = tmp_path / "node_modules" / "@openai"
    bundled = modules / "codex-linux-x64" / "vendor" / "x86_64" / "codex-resources" / "bwrap"
    script = modules / "codex" / "bin" / "codex.js"
    for program in (bundled, script, tmp_path / "bin" / "x"):
        program.parent.mkdir(parents=True)
    shutil.copy(bwrap, bundled)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "bin" / "codex").symlink_to(script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("sideshoot.fence.mechanism._SYSTEM", str(tmp_path / "gone"))

    assert find_mechanism().program == str(bundled)


@pytest.mark.agent("codex")
def test_the_bubblewrap_that_comes_with_codex_works(
    bwrap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{INSTALLED}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("sideshoot.fence.mechanism._SYSTEM", "no-such-program")

    assert find_mechanism().kind is Kind.BUBBLEWRAP


def test_inside_of_a_fence_there_can_be_another(bwrap: Path, tmp_path: Path) -> None:
    """Bubblewrap's in an ordinary user's; whoever can't have that gets Landlock's."""
    estate = make_estate(tmp_path / "estate", Way("bubblewrap"))
    ask = "from sideshoot.fence.mechanism import *; print(find_mechanism().kind)"

    done = estate.run(estate.way.python, "-c", ask, readable=[str(estate.repo.top)])

    assert done.stdout.strip() in ("bubblewrap", "landlock"), done.stderr


def test_the_levels_have_the_names_of_the_option() -> None:
    assert [str(level) for level in Level] == ["off", "write", "offline"]
    assert Mechanism(Kind.NONE).limits == ("nothing is held back",)
