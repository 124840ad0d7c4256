"""Measure Sideshoot's steps next to plain git, to what plugins do, and to the floor.

All take turns on the same repositories, so that what else the machine does falls on all of them, and
the figures are medians. Ratios are what counts: figures of two machines can't be compared.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

from benchmarks import page, table
from benchmarks.run import QUICK, Plan, Results, measure

LARGE = 200_000


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="sideshoot-bench-") as name:
        results = measure(_plan(options), Path(name))
    _show(results)
    if options.page:
        page.write(results, options.page)


def _show(results: Results) -> None:
    before, after = results.load
    print(f"{results.machine}; load {before:.1f} before, {after:.1f} after; {results.took_s:.0f} s")
    tables = [*table.step_tables(results), table.command_table(results), table.goal_table(results)]
    for one in tables:
        print(f"\n{one.text()}")


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else Plan()
    if options.files:
        plan = dataclasses.replace(plan, sizes=tuple(sorted(options.files)))
    elif options.large:
        plan = dataclasses.replace(plan, sizes=(*plan.sizes, LARGE))
    return dataclasses.replace(plan, rounds=options.rounds or plan.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--files", type=int, action="append", help="a size of your own; repeatable")
    parser.add_argument("--large", action="store_true", help=f"also {LARGE:,} files (minutes more)")
    parser.add_argument("--quick", action="store_true", help="seconds: only see that it works")
    parser.add_argument("--rounds", type=int, help="how often; 3 to 9 if not given")
    parser.add_argument("--folder", type=Path, help="where to build; a temporary folder by default")
    parser.add_argument(
        "--page",
        type=Path,
        nargs="?",
        const=page.DOCS,
        metavar="FOLDER",
        help="write performance.md and its charts into this folder; docs if none is named",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
