"""The page about performance, with its charts, made from one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import chart, steps, table
from benchmarks.figures import GIT
from benchmarks.repositories import MEAN_BYTES, SMALL_BYTES, VERY_MANY

if TYPE_CHECKING:
    from benchmarks.run import Results

DOCS = Path(__file__).parent.parent / "docs"

_STEPS = "performance-steps.svg"
_GROWTH = "performance-growth.svg"

_MAIN = (steps.OPEN, steps.CAPTURE, steps.KEEP, steps.DISCARD)

_PAGE = """\
# Performance

What Sideshoot costs, next to plain git, to what plugins for agents in worktrees do, and to what the
machine needs at least.

- [What was aimed at](#what-was-aimed-at)
- [The steps of a job](#the-steps-of-a-job)
- [Whole commands](#whole-commands)
- [How it was measured](#how-it-was-measured)

This page and its charts are made by one command, `./dev bench --page`; nothing in them is written by
hand. Ratios are what counts: milliseconds of two machines can't be compared.

## What was aimed at

{goals}

## The steps of a job

![Bars: what each step takes at {size:,} files](media/{steps})

![Lines: how the steps grow with the number of files](media/{growth})

{tables}

What stands in a column:

- **Sideshoot**: *open* is from where a job begins to prepare until the agent's first sign of life, and
  *capture* from the agent's end until the job is finished, as the job's own log has it; all that makes a
  job safe is part of it, such as the look at your branches and hooks. *keep* and *discard* are whole
  commands, from the start of the interpreter, and save the workspace once more before they decide.
- **git**: `worktree add -b`, whether or not Sideshoot has a [pool](workspaces.md#workspaces-that-are-used-again);
  `status`; `apply --index` of a patch that is there already; `worktree remove --force` and `branch -D`. As a
  clone: `clone --shared`.
- **plugins**: the git commands by which plugins for agents in worktrees work. *capture* is `add -A` and
  `diff --cached --binary`; *keep* is both of these and `apply --index`. What is around the commands (such
  as the start of Node.js) is not in it.
- **floor**: *open* is to write as many bytes into one file, and one `lstat` for each file; *capture* and
  *open, from the pool* are one `lstat` for each file; *keep* and *discard* are the start of an empty Python program, and {changed}
  files written, or one folder renamed.

The agent changes {changed} files.

## Whole commands

{commands}

The script that `run -- true` is compared with has the git commands of such a job and nothing else: a
base, a worktree, a saved result, and the user's refs before and after. The floor of a command is
an empty program made with [click](https://click.palletsprojects.com). For `node_modules`, with {ignored:,} files, it
is `cp -a` of them, and *git* is `worktree add -b` and the same `cp -a`.

## How it was measured

On {machine}. On average {before:.1f} processes wanted to run when it began and {after:.1f} when it ended,
the benchmark's own among them; where that is more than the processors, others were at work, and the
figures are noisy. It took {took:.0f} seconds.

Each figure of a step is the median of {rounds}. Where there are more than three, one before them warms the
caches and is not counted. All ways take turns in each round, on the same repository.

Files are {mean:,} bytes on average ({small:,} from {very_many:,} files on), ten in a folder. The page cache is
warm. Neither git nor Sideshoot waits for the disk when files are written, so the disk's own speed shows
only where its cache is full. Workspaces are made without a fence (`--sandbox off`), unless a row says
otherwise.

`./dev bench --large` adds a repository of 200,000 files; `--files N` takes sizes of your own, and `--folder
DIR` another disk.
"""


def write(results: Results, folder: Path) -> None:
    """Write the page into this folder, and its charts into `media` there."""
    media = folder / "media"
    media.mkdir(parents=True, exist_ok=True)
    size = results.size_like(50_000)
    (media / _STEPS).write_text(_steps_chart(results, size))
    (media / _GROWTH).write_text(_growth_chart(results))
    (folder / "performance.md").write_text(_page(results, size))


def _page(results: Results, size: int) -> str:
    before, after = results.load
    return _PAGE.format(
        goals=table.goal_table(results).markdown(),
        tables=_sections(results),
        commands=table.command_table(results).markdown(),
        steps=_STEPS,
        growth=_GROWTH,
        size=size,
        changed=steps.CHANGED,
        ignored=results.plan.ignored,
        machine=results.machine,
        before=before,
        after=after,
        took=results.took_s,
        rounds=_rounds(results),
        mean=MEAN_BYTES,
        small=SMALL_BYTES,
        very_many=VERY_MANY,
    )


def _rounds(results: Results) -> str:
    counts = {figures.count(steps.CAPTURE, GIT) for figures in results.steps.values()}
    if counts == {1}:
        return "1 round"
    return " to ".join(map(str, sorted({min(counts), max(counts)}))) + " rounds"


def _sections(results: Results) -> str:
    tables = table.step_tables(results)
    return "\n\n".join(f"**{one.title}**\n\n{one.markdown()}" for one in tables)


def _steps_chart(results: Results, size: int) -> str:
    figures = results.steps[size]
    groups = {step: [figures.ms(step, way) for way in table.WAYS] for step in figures.steps}
    title = f"What each step takes at {size:,} files (shorter is better)"
    return chart.bars(title, [*table.WAYS.values()], groups)


def _growth_chart(results: Results) -> str:
    charts: dict[str, chart.Lines] = {}
    for step in _MAIN:
        charts[step] = {
            name: [(size, figures.ms(step, way)) for size, figures in results.steps.items()]
            for way, name in table.WAYS.items()
        }
    title = "How the steps grow with the number of files, in ms (lower is better)"
    return chart.panels(title, [*table.WAYS.values()], charts)
