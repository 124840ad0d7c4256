"""Keep objects reachable under refs of Sideshoot's own, whatever becomes of the user's refs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from sideshoot.errors import GitError
from sideshoot.workspace.refs import guard_ref, job_refs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sideshoot.git import Repository
    from sideshoot.model import JobId

_PARENTS = 1_000
"""The arguments of one command are limited, on some systems to 256 kilobytes."""

_MESSAGE = "sideshoot: what your refs named before the job\n"


def pin(repository: Repository, job_id: JobId, objects: Collection[str]) -> None:
    """Make all commits among `objects`, and those that tags among them name, reachable.

    It takes two git calls for any number of them. The tag objects themselves are not kept.
    """
    if not objects:
        return
    try:
        commit = _gathered(repository, sorted(objects))
    except GitError:  # There are rarer things: a tag of a blob, a ref to an object that is missing.
        commits = [oid for oid, kind in _kinds(repository, objects, "^{commit}") if kind]
        if not commits:
            return
        commit = _gathered(repository, commits)
    repository.git.run("update-ref", guard_ref(job_id), commit)


def pin_lost(repository: Repository, job_id: JobId, lost: Collection[str]) -> None:
    """Keep these objects, of every kind, and no others any more."""
    if not lost:
        repository.git.run("update-ref", "-d", guard_ref(job_id))
        return
    kinds = dict(_kinds(repository, lost, ""))
    pin(repository, job_id, [oid for oid in lost if kinds[oid] in ("commit", "tag")])
    commands = [
        f"update {job_refs(job_id)}guard/{kind}/{oid} {oid}\n"
        for oid, kind in kinds.items()
        if kind and kind != "commit"
    ]
    if commands:
        repository.git.run("update-ref", "--stdin", stdin="".join(commands).encode())


def _gathered(repository: Repository, objects: list[str]) -> str:
    """A commit from which all of `objects` are reachable."""
    if len(objects) == 1:
        return objects[0]
    commits = [
        repository.commit(
            f"{objects[0]}^{{tree}}",
            parents=tuple(f"{oid}^0" for oid in chunk),
            message=_MESSAGE,
        )
        for chunk in _chunks(objects)
    ]
    return _gathered(repository, commits)


def _chunks(objects: list[str]) -> Iterable[list[str]]:
    rest = iter(objects)
    while chunk := list(itertools.islice(rest, _PARENTS)):
        yield chunk


def _kinds(
    repository: Repository, objects: Collection[str], peel: str
) -> Iterable[tuple[str, str | None]]:
    """The type of each object, or of what it peels to; `None` if there is no such object."""
    names = "".join(f"{oid}{peel}\n" for oid in objects).encode()
    answer = repository.git.run("cat-file", "--batch-check=%(objecttype)", stdin=names)
    for oid, line in zip(objects, answer.stdout.decode().splitlines(), strict=True):
        yield oid, line if " " not in line else None
