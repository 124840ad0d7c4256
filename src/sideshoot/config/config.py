"""What is in force, from all that says something about it, and where each value is from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.config.consent import STARTING, Below, Item, items_of, without_consent
from sideshoot.config.files import NAME, own_file, read_file
from sideshoot.config.layer import Entry, Layer, Origin
from sideshoot.config.settings import AGENTS, named
from sideshoot.errors import BadConfiguration, ConsentNeeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


class InForce(NamedTuple):
    """The value of a setting and what it is from."""

    text: str
    origin: Origin
    file: Path | None = None
    line: int | None = None

    @property
    def where(self) -> str:
        """The source in words, with the line if it is a file."""
        return f"{self.origin}, line {self.line}" if self.line else self.origin.value


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What a table `[agents.NAME]` says."""

    name: str
    acp: tuple[str, ...] | None = None
    """The argument list of a program that speaks the Agent Client Protocol."""
    command: tuple[str, ...] | None = None
    """The argument list of a program that does a task; `{prompt}` in it stands for the task. There
    is never both, this and `acp`."""
    model: str | None = None
    effort: str | None = None
    agent_mode: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of the caller's."""
    writable: tuple[str, ...] = ()
    """Folders that a fence leaves open to it."""


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What a new workspace is given beyond what git has."""

    link: tuple[str, ...]
    """Paths relative to the top, to share with the user's tree."""
    setup: tuple[str, ...]
    """Commands for a shell."""
    cache: tuple[str, ...]
    """Paths relative to the top, to leave in a workspace that is used again."""


@dataclass(frozen=True)
class Config:
    """Settings from all sources; nothing in it that the user would have to consent to first."""

    layers: tuple[Layer, ...] = ()
    """The sources, the strongest first."""
    repository: Path | None = None
    """The common git directory of the repository that it is for."""
    top: Path | None = None
    untrusted: tuple[Item, ...] = ()
    """What the repository's file says and is not in force, for want of consent."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with files, one line each; it is left out."""
        return tuple(problem for layer in reversed(self.layers) for problem in layer.problems)

    def value(self, key: str) -> Any:
        """What a setting is, as its kind means it: seconds, bytes, a number, a text or `None`."""
        return named(key).kind.read(self.in_force(key).text)

    def in_force(self, key: str) -> InForce:
        """The value of a setting as text, and where it is from.

        Where another version has stored a value that this one does not know, it counts for nothing.
        """
        setting = named(key)
        for layer in self.layers:
            entry = layer.entries.get(key)
            if entry is None:
                continue
            try:
                setting.kind.read(entry.text)
            except ValueError:
                continue
            return InForce(entry.text, layer.origin, layer.file, entry.line)
        return InForce(setting.default, Origin.DEFAULT)

    @property
    def workspace(self) -> WorkspaceSettings:
        return WorkspaceSettings(
            *(self.value(f"workspace.{name}") for name in ("link", "setup", "cache"))
        )

    @cached_property
    def agents(self) -> Mapping[str, AgentSettings]:
        """The agents that files have a table for, by name."""
        found: dict[str, dict[str, Any]] = {}
        for layer in reversed(self.layers):
            for name, key, value in _agent_values(layer):
                facts = found.setdefault(name, {})
                if key == "environment":
                    value = {**facts.get(key, {}), **value}  # noqa: PLW2901 - added to
                elif key in _WAYS:
                    facts.pop(_WAYS[key], None)
                facts[key] = value
        return {name: AgentSettings(name, **found[name]) for name in sorted(found)}

    @property
    def agent_keys(self) -> list[str]:
        """The settings of agents that something is set for."""
        keys = {key for layer in self.layers for key in layer.entries}
        return sorted(key for key in keys if key.startswith(f"{AGENTS}."))


_WAYS = {"acp": "command", "command": "acp"}
"""The ways to start an agent, each with the other one: the strongest source says which."""


def _agent_values(layer: Layer) -> Iterator[tuple[str, str, Any]]:
    for key, entry in layer.entries.items():
        if key.startswith(f"{AGENTS}."):
            _, name, field_name = key.split(".")
            yield name, field_name, named(key).kind.read(entry.text)


def load(
    top: Path | None = None,
    *,
    repository: Path | None = None,
    stored: Mapping[str, str] | None = None,
    lenient: bool = False,
) -> Config:
    """Read all sources.

    :param top: the top of the working tree whose `sideshoot.toml` counts.
    :param repository: its common git directory, to which consents belong.
    :param stored: what `sideshoot config KEY VALUE` has set there.
    :param lenient: for commands that only look: what is wrong is left out, and in `problems`.
    :raises BadConfiguration: a file can't be read, or says what can't be.
    """
    own = own_file()
    layers = [
        read_file(own, Origin.OWN_FILE) if own else Layer(Origin.OWN_FILE),
        read_file(top / NAME, Origin.REPOSITORY_FILE) if top else Layer(Origin.REPOSITORY_FILE),
        Layer(Origin.REPOSITORY, entries={k: Entry(v) for k, v in (stored or {}).items()}),
    ]
    problems = [problem for layer in layers for problem in layer.problems]
    if problems and not lenient:
        raise BadConfiguration(problems)
    untrusted: tuple[Item, ...] = ()
    if top is not None and layers[1].entries:
        untrusted = _untrusted(layers[0], layers[1], top, repository or top)
        layers[1] = layers[1].without(_keys_of(untrusted))
    return Config(tuple(reversed(layers)), repository, top, untrusted)


_LONGEST_SHOWN = 200
"""How much of one item an error shows; `sideshoot config` shows all of it."""


def require_consent(config: Config, *keys: str) -> None:
    """Refuse where something that is about to count needs the user's consent first.

    :param keys: settings that are about to be used, or what they begin with: `run`, `agents.codex`.
    :raises ConsentNeeded: the repository's file says something of them that is not in force.
    """
    wanted = [item for item in config.untrusted if _matters(config, item, keys)]
    if wanted:
        shown = "; ".join(_with_line(item) for item in config.untrusted)
        raise ConsentNeeded(shown, [item.key for item in wanted])


def _matters(config: Config, item: Item, keys: Iterable[str]) -> bool:
    near = (item.key, *(item.key[:n] for n, letter in enumerate(item.key) if letter == "."))
    used = any(key in near or key.startswith(f"{item.key}.") for key in keys)
    return used and not _is_overruled(config, item)


def _is_overruled(config: Config, item: Item) -> bool:
    return any(
        item.key in layer.entries for layer in config.layers if layer.origin is Origin.REPOSITORY
    )


def _with_line(item: Item) -> str:
    shown = item.shown
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}…"
    return f"{shown} (line {item.line})" if item.line else shown


def _untrusted(own: Layer, theirs: Layer, top: Path, repository: Path) -> tuple[Item, ...]:
    def below(key: str) -> Below:
        entry = own.entries.get(key)
        return Below(entry.text if entry else named(key).default, entry is not None)

    return without_consent(repository, [*items_of(theirs, below, top)])


def _keys_of(items: Iterable[Item]) -> frozenset[str]:
    """The settings that items are made of."""
    keys = [item.key for item in items]
    return frozenset(keys) | {f"{key}.{field}" for key in keys for field in STARTING}
