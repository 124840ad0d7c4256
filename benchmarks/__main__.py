"""Measure Sideshoot's steps next to plain git commands: `python -m benchmarks`.

Both ways take turns on one repository, so that what else the machine does falls on both, and the
figures are medians. Ratios are what counts: figures of two machines can't be compared.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

from benchmarks import commands, rounds
from benchmarks.repositories import build, machine
from benchmarks.table import show

SIZES = (200, 5_000)
LARGE = 50_000


def main() -> None:
    options = _options()
    sizes = options.files or ([*SIZES, LARGE] if options.large else list(SIZES))
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="sideshoot-bench-") as name:
        os.environ |= _calm(Path(name))
        print(f"{machine()}, Python {platform.python_version()}, {platform.system()}")
        if not options.no_steps:
            for size in sizes:
                _measure_steps(Path(name), size, options.rounds)
        if not options.no_commands:
            _measure_commands(Path(name), options.rounds)


def _measure_steps(folder: Path, size: int, wanted: int | None) -> None:
    count = wanted or (3 if size > 20_000 else 7)
    repo = build(folder / f"{size}", size)
    print(f"\n{size} files, {rounds.CHANGED} of them changed; {count} rounds; load {_load()}")
    show(("", "sideshoot ms", "git ms", "ratio"), rounds.measure(repo, count))
    print(f"load at the end {_load()}")


def _measure_commands(folder: Path, wanted: int | None) -> None:
    count = wanted or 9
    print(f"\nwhole commands, the interpreter's start included; {count} rounds; load {_load()}")
    repo = build(folder / "commands", 200)
    show(("", "ms", "to an empty click program"), commands.measure(repo, count))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument(
        "--large", action="store_true", help=f"also {LARGE} files (600 MB, minutes)"
    )
    parser.add_argument("--files", type=int, action="append", help="a size of your own; repeatable")
    parser.add_argument("--rounds", type=int, help="how often; 3 to 9 if not given")
    parser.add_argument("--folder", type=Path, help="where to build; a temporary folder by default")
    parser.add_argument("--no-steps", action="store_true", help="only whole commands")
    parser.add_argument("--no-commands", action="store_true", help="only steps")
    return parser.parse_args()


def _calm(folder: Path) -> dict[str, str]:
    """A configuration of the benchmark's own, whatever the user's is."""
    place = folder / "gitconfig"
    place.write_text(
        "[user]\n\tname = Bench\n\temail = bench@example.org\n[gc]\n\tauto = 0\n"
        "[maintenance]\n\tauto = false\n[init]\n\tdefaultBranch = main\n"
    )
    return {"GIT_CONFIG_GLOBAL": str(place), "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder)}


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


if __name__ == "__main__":
    main()
