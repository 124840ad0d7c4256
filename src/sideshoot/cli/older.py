"""What options and values of the plugins that began this mean here."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import click

from sideshoot.cli import output
from sideshoot.cli.options import MILLISECONDS
from sideshoot.errors import AgentUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sideshoot.config import Config

_MODES = ("build", "plan")
"""OpenCode's own; `--agent build` was a word for one of them."""

_MODELS = {"spark": "gpt-5.3-codex-spark"}
"""Short names of Codex's models."""


def older_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `run` and the reviews take for those who know them."""
    command = click.option("--wait", is_flag=True, hidden=True)(command)
    return click.option("--free", is_flag=True, hidden=True)(command)


def older_waiting(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--timeout` in milliseconds; how often is looked meanwhile no longer matters."""
    command = click.option("--timeout-ms", type=MILLISECONDS, hidden=True)(command)
    return click.option("--poll-interval-ms", type=int, hidden=True, expose_value=False)(command)


def refuse_older(options: Mapping[str, Any]) -> None:
    """Stop where such an option contradicts another one."""
    if options.get("wait") and options["background"]:
        raise UsageError("--wait and --background contradict each other")
    if options.get("free") and options["model"]:
        raise UsageError("--free chooses a model; it can't be combined with --model")
    if options.get("free") and options["agent"] not in (None, "opencode", *_MODES):
        raise UsageError("--free chooses among the models of opencode")


def meant(given: Mapping[str, Any], options: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """The given fields of a request with older words in the words of today.

    :raises AgentUnavailable: a free model is wanted, and there is none.
    """
    meaning = dict(given)
    if meaning.get("agent") in _MODES and meaning["agent"] not in config.agents:
        meaning = {"agent_mode": meaning["agent"], **meaning, "agent": "opencode"}
    if options.get("free"):
        meaning |= {"agent": "opencode", "model": _free_model()}
    return meaning


def one_by_one(paths: Sequence[str], folder: Path) -> list[str]:
    """Paths of which several were given in one word with commas; a comma of a path's own is one."""
    return [
        path
        for word in paths
        for path in ([word] if os.path.lexists(folder / word) else word.split(","))
    ]


def mode_of(given: Mapping[str, str]) -> dict[str, str]:
    """What `setup --default-agent build` sets: the agent opencode, and a mode of it."""
    agent = given.get("run.agent")
    return {"run.agent": "opencode", "run.agent_mode": agent} if agent in _MODES else {}


def by_full_name(manner: Mapping[str, Any]) -> dict[str, Any]:
    """The manner of a request with the model's full name."""
    model = manner.get("model")
    if manner["agent"] == "codex" and model and model.lower() in _MODELS:
        return {**manner, "model": _MODELS[model.lower()]}
    return dict(manner)


def _free_model() -> str:
    from sideshoot.agents.opencode.free import free_models  # noqa: PLC0415 - rare

    found = free_models()
    if not found:
        raise AgentUnavailable("opencode has no free model; choose one with --model")
    model = random.choice(found)
    output.note(f"free model: {model}")
    return model
