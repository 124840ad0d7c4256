"""A change of files fails, or dies, before any one of its steps: then all of it is taken back."""

from __future__ import annotations

import contextlib
import itertools
import os
from typing import TYPE_CHECKING, Any

import pytest

from sideshoot.errors import KeepRefused
from sideshoot.git import discover
from sideshoot.model import JobId
from sideshoot.workspace import swap
from sideshoot.workspace.apply import recover
from sideshoot.workspace.capture import capture
from sideshoot.workspace.keep import keep
from sideshoot.workspace.keep_options import KeepOptions
from sideshoot.workspace.undo import undo
from support.workspaces import JOB, inside, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.repos import Repo

STEPS = ("link", "unlink", "rename", "mkdir", "rmdir")


class Died(BaseException):
    """Stands for a SIGKILL: nothing that follows runs."""


class Fate:
    """Lets `swap` do a number of steps, and then something else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int, end: BaseException) -> None:
        self.left = steps
        self.end = end
        self.over = False
        for name in STEPS:
            monkeypatch.setattr(os, name, self.watched(getattr(os, name)))

    def watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if self.over:
                return real(*arguments, **options)
            if not self.left:
                self.over = True
                raise self.end
            self.left -= 1
            return real(*arguments, **options)

        return step


def edited(repo: Repo) -> tuple[str, str]:
    """A job that replaces, adds, removes, and turns a file into a folder and back."""
    workspace = opened(repo)
    agent = inside(workspace)
    agent.write("app.py", "replaced\n")
    agent.write("new/deep/file", "added\n")
    agent.remove("docs/guide.txt")
    agent.remove("README.md")
    agent.write("README.md/inner", "a folder now\n")
    agent.remove("src/tools")
    agent.write("src/tools", "a file now\n")
    agent.link("link", "app.py")
    return workspace.base, capture(discover(repo.top), workspace).commit


def bring(repo: Repo, base: str, result: str) -> None:
    keep(discover(repo.top), JobId(JOB), base, result, KeepOptions())


def test_a_step_that_fails_takes_all_back(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sideshoot.workspace.indexing._PATIENCE_S", 0.0)
    base, result = edited(repo)
    before, lay = repo.fingerprint(), (repo.tree(), repo.index())
    for steps in itertools.count():
        with monkeypatch.context() as patched:
            fate = Fate(patched, steps, OSError(28, "No space left on device", "here"))
            with contextlib.suppress(KeepRefused, OSError):
                bring(repo, base, result)
        if not fate.over:
            break
        if repo.exists("README.md/inner"):
            # What failed came after the change, or did not matter: a lock that stayed, say.
            (repo.git_dir / "index.lock").unlink(missing_ok=True)
            undo(discover(repo.top), JobId(JOB))
            assert (repo.tree(), repo.index()) == lay, f"after {steps} steps"
            before = repo.fingerprint()
        assert repo.fingerprint() == before, f"after {steps} steps"

    assert steps > 15
    assert repo.read("src/tools") == b"a file now\n"


def test_a_death_before_any_step_is_mended_by_the_next_command(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, result = edited(repo)
    before = repo.fingerprint()
    for steps in itertools.count():
        with monkeypatch.context() as patched:
            dead(patched)
            Fate(patched, steps, Died())
            with contextlib.suppress(Died):
                bring(repo, base, result)
        found = recover(discover(repo.top))
        assert not (repo.git_dir / "index.lock").exists()
        assert [*(repo.common_dir / "sideshoot").glob("keep/*")] == []
        if repo.exists("README.md/inner"):
            break
        assert [one.finished for one in found] in ([False], [])
        assert repo.fingerprint() == before, f"after {steps} steps"

    assert steps > 15
    assert repo.git("diff") == b""


def dead(patched: pytest.MonkeyPatch) -> None:
    """See to it that nothing tidies up on the way out, as nothing does after a SIGKILL."""
    patched.setattr("sideshoot.workspace.swap.Swap.take_back", lambda _: None)
    patched.setattr("sideshoot.workspace.apply._remove", lambda _: None)
    patched.setattr("sideshoot.workspace.indexing.release_index", lambda *_: None)


def test_an_edit_made_after_the_death_is_left_and_the_old_content_is_saved(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, result = edited(repo)
    with monkeypatch.context() as patched:
        dead(patched)
        patched.setattr("sideshoot.workspace.swap._write", dying_at_the_mark(swap._write))
        with pytest.raises(Died):
            bring(repo, base, result)
    assert repo.read("app.py") == b"replaced\n"
    repo.write("app.py", "edited after the crash\n")

    found = recover(discover(repo.top))

    assert repo.read("app.py") == b"edited after the crash\n"
    assert repo.read("README.md").startswith(b"# Garden")
    assert found[0].left == (b"app.py",)
    assert found[0].folder is not None
    saved = [file.read_bytes() for file in (found[0].folder / "old").iterdir() if file.is_file()]
    assert any(content.startswith(b"line_1 = 1\n") for content in saved)


def dying_at_the_mark(real: Callable[..., None]) -> Callable[..., None]:
    def write(target: Any, content: object) -> None:
        if target.name == swap.MARK:
            raise Died
        real(target, content)

    return write
