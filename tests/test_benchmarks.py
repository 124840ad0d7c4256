"""`./dev bench` measures each step each way, and makes its page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

TOP = Path(__file__).parent.parent

pytestmark = pytest.mark.timeout(300)

STEPS = ("open", "capture", "keep, whole command", "discard", "discard, whole command")
WAYS = ("Sideshoot", "git", "plugins", "floor")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    argv = [sys.executable, "-m", "benchmarks", "--quick", "--page", str(folder)]
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"{name}  "))
    return line.removeprefix(name).split()


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_measured_each_way(printed: str, step: str) -> None:
    assert all(float(cell) >= 0 for cell in cells(printed, step)[: len(WAYS)])


def test_a_workspace_from_the_pool_is_measured(printed: str) -> None:
    assert float(cells(printed, "open, from the pool")[0]) > 0


def test_jobs_at_once_do_not_fail(printed: str) -> None:
    assert cells(printed, "failures of 2 jobs at once")[-1] == "yes"


def test_every_goal_is_a_row_with_its_limit_and_what_came_of_it(printed: str) -> None:
    rows = [line.split("  ") for line in printed.partition("goals\n")[2].splitlines()[2:]]

    assert len(rows) >= 10
    assert {row[-1].strip() for row in rows} <= {"yes", "NO", "not measured"}


def test_the_page_has_the_figures_that_were_printed(printed: str, folder: Path) -> None:
    page = (folder / "performance.md").read_text()

    for step in STEPS:
        assert f"| {step} | {' | '.join(cells(printed, step))} |" in page


@pytest.mark.parametrize("name", ["performance-steps.svg", "performance-growth.svg"])
def test_charts_show_every_way(printed: str, folder: Path, name: str) -> None:
    root = ET.fromstring((folder / "media" / name).read_text())

    assert {*WAYS} <= {node.text for node in root.iter("{http://www.w3.org/2000/svg}text")}


def test_the_page_in_the_documents_is_one_that_this_benchmark_makes(
    printed: str, folder: Path
) -> None:
    """It may hold other figures, but not other words."""
    made = {line for line in (folder / "performance.md").read_text().splitlines() if words(line)}
    kept = {line for line in (TOP / "docs/performance.md").read_text().splitlines() if words(line)}

    assert made == kept


def words(line: str) -> bool:
    """Whether a line is the same whatever was measured."""
    return line != "" and not any(character.isdigit() for character in line) and line[0] != "|"
