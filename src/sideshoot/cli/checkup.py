"""What `sideshoot setup` found, as text and as JSON."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from sideshoot.cli import output
from sideshoot.cli.columns import GAP, cut, pad, terminal_columns, width
from sideshoot.cli.hosts import host_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.agents.base import Readiness
    from sideshoot.config import Config
    from sideshoot.fence.mechanism import Mechanism
    from sideshoot.jobs.checkup import Checkup


DEFAULTS = {"agent": "run.agent", "model": "run.model", "effort": "run.effort"}
"""What is in force where a task is given without another word, and the settings that say it."""


class Step(NamedTuple):
    """Something that the user can do about what is missing."""

    command: str
    why: str


def checkup_record(config: Config, found: Checkup) -> dict[str, Any]:
    """What was found, for `--json`."""
    return {
        "ready": found.ready,
        "why_not": why_not(found),
        "agents": [_agent_record(name, said, found) for name, said in found.agents.items()],
        "git": {"version": found.git.version, "ready": not found.git.fault},
        "sandbox": _sandbox_record(found.mechanism),
        "defaults": {name: _default_record(config, found, name) for name in DEFAULTS},
        "review_gate": _gate_record(config),
        "guard": config.value("guard.enabled"),
        "hosts": host_records(),
        "next_steps": [step._asdict() for step in next_steps(found)],
    }


def show_checkup(config: Config, found: Checkup) -> None:
    """Print what was found, for a person."""
    for line in _lines(config, found):
        output.say(line)


def why_not(found: Checkup) -> str | None:
    """What keeps a task from being done by default, in one line; `None` if nothing does."""
    if found.git.fault or found.refused:
        return found.git.fault or found.refused
    if found.default is None:
        return "no agent is installed"
    said = found.agents.get(found.default)
    if said is None:
        return f"there is no agent {found.default!r}, which run.agent names"
    return None if said.ready else f"{found.default} is {_state(said)}"


def next_steps(found: Checkup) -> list[Step]:
    """What can be done, the default agent's first."""
    names = sorted(found.agents, key=lambda name: name != found.default)
    steps = [
        Step(said.remedy, f"{name} is {_state(said)}")
        for name in names
        if not (said := found.agents[name]).ready and said.remedy
    ]
    if not found.ready:
        steps += _others(found)
    if any(step.command.startswith("npm ") for step in steps) and shutil.which("npm") is None:
        steps.insert(
            0, Step("https://nodejs.org", "npm, which installs agents, comes with Node.js")
        )
    return steps


def _others(found: Checkup) -> Iterator[Step]:
    """Who could do a task instead of the default agent; of those that don't say, the first."""
    ready = [name for name, said in found.agents.items() if said.ready and name != found.default]
    sure = [name for name in ready if found.agents[name].logged_in]
    for name in sure or ready[:1]:
        yield Step(f"sideshoot setup --default-agent {name}", f"{name} is ready")


# -- records


def _agent_record(name: str, said: Readiness, found: Checkup) -> dict[str, Any]:
    return {
        "name": name,
        "default": name == found.default,
        "ready": said.ready,
        "installed": said.installed,
        "version": said.version,
        "logged_in": said.logged_in,
        "detail": said.detail,
        "remedy": said.remedy or None,
    }


def _sandbox_record(mechanism: Mechanism) -> dict[str, Any]:
    return {
        "mechanism": mechanism.kind.value,
        "levels": _levels(mechanism),
        "why": mechanism.why or None,
        "remedy": mechanism.remedy or None,
        "limits": list(mechanism.limits),
    }


def _levels(mechanism: Mechanism) -> list[str]:
    return {"bubblewrap": ["write", "offline"], "landlock": ["write"]}.get(mechanism.kind, [])


def _gate_record(config: Config) -> dict[str, Any]:
    most, cooldown_s = config.value("gate.max_per_session"), config.value("gate.cooldown")
    return {
        "enabled": config.value("gate.enabled"),
        "max_per_session": None if most == math.inf else most,
        "cooldown_s": cooldown_s,
    }


def _default_record(config: Config, found: Checkup, name: str) -> dict[str, Any]:
    value, where = _default(config, found, name)
    return {"value": value, "from": where}


def _default(config: Config, found: Checkup, name: str) -> tuple[str | None, str]:
    """What is in force for a task where nothing is said, and where that is from."""
    keys = [DEFAULTS[name]]
    if name != "agent" and found.default is not None:
        keys.append(f"agents.{found.default}.{name}")
    for key in keys:
        if value := config.value(key):
            return value, config.in_force(key).where
    if name == "agent":
        return (
            found.default,
            "the first that is installed" if found.default else "none is installed",
        )
    return None, "the agent's own choice"


# -- lines


def _lines(config: Config, found: Checkup) -> Iterator[str]:
    yield from _agent_lines(found)
    yield ""
    yield from _facts(config, found)
    if steps := next_steps(found):
        yield ""
        yield output.styled("For the others" if found.ready else "Next steps", "bold")
        longest = max(width(step.command) for step in steps)
        room = terminal_columns() - longest - 4
        for step in steps:
            why = cut(f"# {step.why}", room) if room > _LEAST_ROOM else ""
            yield f"  {pad(step.command, longest)}  {output.styled(why, 'dim')}".rstrip()
    yield ""
    yield _verdict(found)


def _agent_lines(found: Checkup) -> Iterator[str]:
    yield output.styled("Agents", "bold")
    rows = [(name, said.version or "-", _state(said)) for name, said in found.agents.items()]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    room = terminal_columns() - sum(widths) - 4 * len(GAP)
    for (name, version, state), said in zip(rows, found.agents.values(), strict=True):
        name_and_version = [pad(name, widths[0]), pad(version, widths[1])]
        shown = output.styled(pad(state, widths[2]), _colour(said))
        detail = cut(_detail(name, said, found), room) if room > _LEAST_ROOM else ""
        cells = ["", *name_and_version, shown, output.styled(detail, "dim")]
        yield GAP.join(cells).rstrip()


def _state(said: Readiness) -> str:
    if not said.installed:
        return "not installed"
    if not said.answers:
        return "not working"
    return "not logged in" if said.logged_in is False else "ready"


def _colour(said: Readiness) -> str:
    if said.ready:
        return "green"
    return "yellow" if said.installed else "dim"


def _detail(name: str, said: Readiness, found: Checkup) -> str:
    role = ["does a task by default"] if name == found.default else []
    told = [said.detail] if said.installed and said.detail not in ("", _state(said)) else []
    return "; ".join([*role, *told])


def _facts(config: Config, found: Checkup) -> Iterator[str]:
    yield from _fact("git", found.git.version or "-", found.git.fault)
    yield from _fact("sandbox", *_sandbox(found.mechanism))
    for name in DEFAULTS:
        value, where = _default(config, found, name)
        yield from _fact(f"default {name}", value or "-", where)
    yield from _fact("review gate", *_gate(config))
    is_on = "on" if config.value("guard.enabled") else "off"
    yield from _fact("guard", is_on, str(config.in_force("guard.enabled").origin))
    yield from _fact("called from", *_hosts())


def _gate(config: Config) -> tuple[str, str]:
    there = config.in_force("gate.enabled")
    if not config.value("gate.enabled"):
        return "off", str(there.origin)
    keys = {"gate.max_per_session": "{} a session at most", "gate.cooldown": "{} between two"}
    limits = [words.format(config.in_force(key).text) for key, words in keys.items()
              if config.in_force(key).text != "off"]  # fmt: skip
    return "on", ", ".join([str(there.origin), *limits])


def _hosts() -> tuple[str, str]:
    records = host_records()
    names = ", ".join(record["name"] for record in records if record["installed"])
    faults = [record["detail"] for record in records if record["detail"]]
    return names or "-", "; ".join(faults or ["`sideshoot setup --install HOST` adds one"])


def _sandbox(mechanism: Mechanism) -> tuple[str, str]:
    levels = ", ".join(f"--sandbox {level}" for level in _levels(mechanism))
    parts = [levels, mechanism.why, mechanism.remedy]
    return mechanism.kind.value, "; ".join(part for part in parts if part)


_LEAST_ROOM = 12
_NAMES = 14
_VALUES = 10


def _fact(name: str, value: str, more: str) -> Iterator[str]:
    """One fact; what there is more to say of it goes on in further lines."""
    import textwrap  # noqa: PLC0415 - only here

    begin = f"{output.styled(pad(name, _NAMES), 'bold')}  {value}"
    plain = _NAMES + 2 + max(width(value), _VALUES) + 2
    room = max(terminal_columns() - plain, _LEAST_ROOM)
    first, *rest = textwrap.wrap(more, room) or [""]
    gap = " " * max(_VALUES - width(value), 0)
    yield f"{begin}{gap}  {output.styled(first, 'dim')}".rstrip() if first else begin
    for line in rest:
        yield f"{' ' * plain}{output.styled(line, 'dim')}"


def _verdict(found: Checkup) -> str:
    reason = why_not(found)
    if reason is None:
        return f"{output.styled('ready:', 'green')} `sideshoot run TASK` goes to {found.default}"
    return f"{output.styled('not ready:', 'red')} {reason}"
