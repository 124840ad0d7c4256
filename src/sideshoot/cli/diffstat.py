"""What changed, as git shows it: one line a path, aligned, with its pluses and minuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sideshoot.cli.columns import cut_left, pad, terminal_columns, width
from sideshoot.cli.output import styled
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from sideshoot.workspace.compare import FileChange

MARKS = {
    "added": " (new)",
    "deleted": " (gone)",
    "mode_changed": " (mode)",
    "type_changed": " (type)",
}
_WIDEST_GRAPH = 40


def stat_lines(
    changes: Sequence[FileChange], *, most: int | None = None, stream: TextIO | None = None
) -> Iterator[str]:
    """The lines of a diffstat, its sum last.

    :param most: how many paths to show; a line says how many more there are.
    :param stream: where it will be shown, which decides on colour.
    """
    shown = changes[:most]
    columns = max(terminal_columns(), 40)
    names = [_name(change) for change in shown]
    counts = [_count(change) for change in shown]
    count_width = max(map(len, counts), default=0)
    name_width = min(max(map(width, names), default=0), columns - count_width - 16)
    graph_width = min(columns - name_width - count_width - 5, _WIDEST_GRAPH)
    largest = max((c.insertions + c.deletions for c in shown), default=0)
    for change, name, count in zip(shown, names, counts, strict=True):
        graph = _graph(change, graph_width, largest, stream)
        line = f" {pad(cut_left(name, name_width), name_width)} | {count:>{count_width}} {graph}"
        yield line.rstrip()
    if len(changes) > len(shown):
        yield f" … and {len(changes) - len(shown)} more"
    yield f" {sum_line(changes)}"


def sum_line(changes: Sequence[FileChange]) -> str:
    """`3 files changed, 10 insertions(+), 2 deletions(-)`."""
    if not changes:
        return "no changes"
    added, gone = sum(c.insertions for c in changes), sum(c.deletions for c in changes)
    parts = [f"{counted(len(changes), 'file')} changed"]
    if added or not gone:
        parts.append(f"{counted(added, 'insertion')}(+)")
    if gone or not added:
        parts.append(f"{counted(gone, 'deletion')}(-)")
    return ", ".join(parts)


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `12,000 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _name(change: FileChange) -> str:
    name = show_path(change.path)
    if change.old_path is not None:
        name = f"{show_path(change.old_path)} => {name}"
    return name + MARKS.get(change.status, "")


def _count(change: FileChange) -> str:
    return "Bin" if change.binary else str(change.insertions + change.deletions)


def _graph(change: FileChange, columns: int, largest: int, stream: TextIO | None) -> str:
    plus, minus = change.insertions, change.deletions
    if largest > columns:
        # Whatever changed at all keeps at least one sign.
        plus, minus = (-(-n * columns // largest) for n in (plus, minus))
        minus = min(minus, max(columns - plus, 1)) if minus else 0
    return (styled("+" * plus, "green", stream) if plus else "") + (
        styled("-" * minus, "red", stream) if minus else ""
    )
