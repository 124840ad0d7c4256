"""What an agent that nothing holds changes in the user's tree is told loudly."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sideshoot.model import Isolation

if TYPE_CHECKING:
    from support.jobs import Jobs
    from support.repos import Repo


def test_what_changed_is_named(repo: Repo, jobs: Jobs) -> None:
    odd = os.fsdecode(b"odd\n\xff")
    script = (
        f'cd {repo.top}; echo x >> app.py; rm README.md; echo x > "$ODD"; mkdir new; touch new/x'
    )
    job = jobs.run(f"ODD=$(printf 'odd\\n\\377x'); {script}")
    (told,) = (warning for warning in job.warnings if "CHANGED" in warning)
    assert all(name in told for name in ("README.md", "app.py", "new", "odd\\x0a\\xffx"))
    assert "new/x" not in told
    assert odd not in told


def test_many_are_counted(repo: Repo, jobs: Jobs) -> None:
    job = jobs.run(f"cd {repo.top}; for n in $(seq 30); do touch leak$n; done")
    (told,) = (warning for warning in job.warnings if "CHANGED" in warning)
    assert "and 20 more" in told


def test_work_in_the_workspace_is_no_leak(repo: Repo, jobs: Jobs) -> None:
    job = jobs.run("echo x > new.txt; rm README.md; git add -A; git commit -qm work")
    assert job.warnings == ()


def test_neither_is_what_was_to_be_done_in_place(repo: Repo, jobs: Jobs) -> None:
    job = jobs.run("echo x > new.txt", isolation=Isolation.IN_PLACE)
    assert job.warnings == ()


def test_neither_are_other_workspaces(repo: Repo, jobs: Jobs) -> None:
    """Those of other jobs change meanwhile, wherever in the tree they lie."""
    copies = str(repo.top / "heap" / "copies")
    first = jobs.run("true", directory=copies)
    second = jobs.run(f"touch {first.worktree}/new.txt", directory=str(repo.top / "pile"))
    assert first.warnings == second.warnings == ()
    third = jobs.run(f"touch {repo.top}/mine.txt", directory=copies)
    assert [warning for warning in third.warnings if "mine.txt" in warning]
