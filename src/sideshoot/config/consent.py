"""What a repository's file may not do unasked, and what the user has consented to.

Who clones a repository has not chosen what its `sideshoot.toml` says. So what would run a program,
choose who gets the code, or take away from the user's own safety is not in force until the user has
consented to that very content, in that repository. Consents are kept in the user's state folder,
where neither a clone nor a fenced agent can write.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.config.settings import AGENTS, named
from sideshoot.errors import CannotStart
from sideshoot.home import state_folder
from sideshoot.lock import locked
from sideshoot.text import show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sideshoot.config.layer import Layer


class Item(NamedTuple):
    """One thing of a repository's file that needs consent."""

    key: str
    """A setting, or `agents.NAME` for all that starts an agent."""
    text: str
    """The exact content, on one line."""
    line: int | None

    @property
    def shown(self) -> str:
        """`key = content`, fit for a terminal: nothing in it is hidden or acts on the screen."""
        return f"{self.key} = {show_path(self.text)}"

    @property
    def parts(self) -> list[str]:
        """The content, each command of a list and each fact of an agent by itself, as fit to be shown."""
        if self.key.startswith(f"{AGENTS}."):
            facts = json.loads(self.text).items()
            parts = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in facts]
        else:
            content = named(self.key).kind.read(self.text)
            parts = list(content) if isinstance(content, tuple) else [self.text]
        return [show_path(part) for part in parts]


# -- what needs it


class Below(NamedTuple):
    """What would be in force without the repository's file."""

    text: str
    is_set: bool
    """Whether that is more than the default."""


def items_of(layer: Layer, below: Callable[[str], Below], top: Path) -> Iterator[Item]:
    """What of a repository's file needs consent, whether or not it was given."""
    for key, entry in layer.entries.items():
        if key.startswith(f"{AGENTS}."):
            continue
        found = below(key)
        if entry.text != found.text and _needs_consent(key, entry.text, found, top):
            yield Item(key, entry.text, entry.line)
    yield from _agents_of(layer)


def _agents_of(layer: Layer) -> Iterator[Item]:
    """What starts an agent is one thing: a command means little without its environment."""
    started: dict[str, dict[str, Any]] = {}
    lines: dict[str, int | None] = {}
    for key, entry in sorted(layer.entries.items()):
        name, _, field = key.rpartition(".")
        if key.startswith(f"{AGENTS}.") and field in STARTING:
            started.setdefault(name, {})[field] = named(key).kind.read(entry.text)
            lines.setdefault(name, entry.line)
    for name, facts in started.items():
        yield Item(name, json.dumps(facts, ensure_ascii=False), lines[name])


STARTING = ("acp", "command", "agent_mode", "environment", "writable")
"""What a table of an agent says of how its program is started, and of what it may do."""

_SANDBOXES = ("off", "write", "offline")
_COPIES = ("worktree", "clone")
_CARRIES = ("none", "tracked", "all")


def _needs_consent(key: str, text: str, below: Below, top: Path) -> bool:
    if key in ("run.agent", "run.agent_mode", "sandbox.writable", "workspace.setup"):
        return text not in ("", "[]")
    if key.startswith(("gate.", "guard.")):
        return True
    if key == "notify.command":
        return text not in ("", "off")
    if key == "worktree.dir":
        return bool(text) and not _lies_in(top, text)
    if key == "run.sandbox":
        return bool(text) and _SANDBOXES.index(text) < _SANDBOXES.index(below.text or "write")
    if key == "run.carry":
        return bool(text) and _CARRIES.index(text) > _CARRIES.index(below.text or "all")
    if key == "workspace.isolation":
        return _COPIES.index(text) < _COPIES.index(below.text)
    if key.startswith("gc."):
        return _amount(key, text) < _amount(key, below.text)
    if key in ("run.timeout", "run.idle_timeout", "run.output_limit"):
        return below.is_set and _amount(key, text) > _amount(key, below.text)
    return False


def _amount(key: str, text: str) -> float:
    amount = named(key).kind.read(text)
    return math.inf if amount is None else float(amount)


def _lies_in(top: Path, folder: str) -> bool:
    # What leads out through a link lies outside.
    return (top / Path(folder).expanduser()).resolve().is_relative_to(top.resolve())


# -- what was consented to


def without_consent(repository: Path, items: Sequence[Item]) -> tuple[Item, ...]:
    """Those of the items that the user has not consented to.

    :param repository: the common git directory, which is the same from every working tree.
    """
    if not items:
        return ()
    given = {one["digest"] for one in _read(_file(repository))}
    return tuple(item for item in items if _digest(repository, item) not in given)


def consent(repository: Path, items: Collection[Item]) -> None:
    """Note that the user consents to these.

    :raises CannotStart: it can't be noted.
    """
    with _changing(repository) as consents:
        known = {one["digest"] for one in consents}
        for item in items:
            if (digest := _digest(repository, item)) not in known:
                facts = {"key": item.key, "value": item.text, "at": time.time()}
                consents.append({**facts, "digest": digest})


def withdraw(repository: Path) -> int:
    """Forget all that the user has consented to in a repository; return how much that was.

    :raises CannotStart: it can't be noted.
    """
    if not _read(_file(repository)):
        return 0
    with _changing(repository) as consents:
        count = len(consents)
        consents.clear()
    return count


def _digest(repository: Path, item: Item) -> str:
    content = json.dumps([os.path.realpath(repository), item.key, item.text])
    return hashlib.sha256(content.encode()).hexdigest()


def _file(repository: Path) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.realpath(repository))).hexdigest()[:32]
    return state_folder("consents") / "consents" / f"{name}.json"


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        consents = json.loads(file.read_bytes())["consents"]
        return [one for one in consents if isinstance(one["digest"], str)]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # what can't be read is no consent


@contextlib.contextmanager
def _changing(repository: Path) -> Iterator[list[dict[str, Any]]]:
    file = _file(repository)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(file.with_suffix(".lock")):
            consents = _read(file)
            yield consents
            fresh = file.with_suffix(".new")
            facts = {"repository": str(repository), "consents": consents}
            fresh.write_text(json.dumps(facts, indent=1), encoding="ascii")
            fresh.replace(file)
    except OSError as error:
        raise CannotStart(
            f"can't write {show_path(file)}: {error.strerror}; no consent was noted"
        ) from error
