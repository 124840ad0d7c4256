"""A session, which is the protocol's word for a conversation: begun, gone on with, and set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sideshoot.agents.acp.connection import START_S, why
from sideshoot.agents.acp.faults import AUTH_REQUIRED, GONE, how_to_log_in
from sideshoot.agents.base import EventKind
from sideshoot.agents.rpc import Refused, RpcFailure
from sideshoot.agents.words import one_line
from sideshoot.errors import AgentUnavailable

if TYPE_CHECKING:
    from sideshoot.agents.acp.connection import Connection
    from sideshoot.agents.acp.turn import Turn
    from sideshoot.agents.base import Stop, Task

    Facts = dict[str, Any]

_LOOKING = ("read-only", "ask", "default", "plan")
"""Modes for looking only, the safest first: in a `default` one they ask, and are refused; in `plan`
they are told to write nothing, and run commands all the same (Claude Code, OpenCode)."""
_IDLE = ("read-only", "ask", "plan")
"""Modes in which no work gets done."""
_WORKING = ("auto", "agent", "code", "build", "default")
_SHOWN = 8


class Session:
    """The conversation that a task is done in."""

    def __init__(self, connection: Connection, task: Task, stop: Stop, said: Facts) -> None:
        """:param said: the agent's answer to `initialize`."""
        self._connection = connection
        self._task = task
        self._stop = stop
        self._said = said
        self._offers: Facts = {}
        self.id = ""

    def open(self, turn: Turn) -> None:
        """Begin one, or go on with the one that the task names.

        :raises RpcFailure: the agent refuses, or is gone.
        :raises AgentUnavailable: it is not logged in.
        """
        try:
            self._offers = (
                self._begun() if self._task.thread_id is None else self._gone_on_with(turn)
            )
        except Refused as refusal:
            if refusal.code == AUTH_REQUIRED:
                text = how_to_log_in(self._connection.name, self._said.get("authMethods"))
                raise AgentUnavailable(text) from None
            raise
        self.id = str(self._offers.get("sessionId") or self._task.thread_id)

    def set_up(self, turn: Turn) -> None:
        """Choose mode, model and effort.

        :raises RpcFailure: the agent does not answer.
        :raises AgentUnavailable: it has no such mode, model or effort.
        """
        self._choose_mode(turn)
        if self._task.model:
            self._choose("model", "model", self._task.model)
        if self._task.effort:
            self._choose("effort", "thought_level", self._task.effort)

    # -- opening

    def _begun(self) -> Facts:
        return self._ask("session/new", cwd=str(self._task.folder), mcpServers=[])

    def _gone_on_with(self, turn: Turn) -> Facts:
        method = self._way_to_go_on()
        if method is None:
            name = self._connection.name
            text = f"{name} can't go on with a conversation; this one begins without what was said"
            turn.say(EventKind.WARNING, "resume", text=text)
            return self._begun()
        place = {"cwd": str(self._task.folder), "mcpServers": []}
        try:
            return self._ask(method, sessionId=self._task.thread_id, **place)
        except Refused as refusal:
            if refusal.code == AUTH_REQUIRED:
                raise
            raise RpcFailure(f"{GONE} ({one_line(why(refusal))})") from None

    def _way_to_go_on(self) -> str | None:
        capabilities = _facts(self._said.get("agentCapabilities"))
        if "resume" in _facts(capabilities.get("sessionCapabilities")):
            return "session/resume"
        return "session/load" if capabilities.get("loadSession") else None

    # -- setting up

    def _choose_mode(self, turn: Turn) -> None:
        option = self._option("mode")
        current, there = _choices(option) if option else _modes(self._offers)
        wanted = self._mode_wanted(current, there, turn)
        if wanted is None or wanted == current:
            return
        if option:
            self._set_option(option, wanted)
        else:
            self._ask("session/set_mode", sessionId=self.id, modeId=wanted)

    def _mode_wanted(self, current: str | None, there: list[str], turn: Turn) -> str | None:
        asked = self._task.mode
        if asked is not None:
            if asked not in there:
                raise AgentUnavailable(_none_such(self._connection.name, "mode", asked, there))
            return asked
        if not self._task.read_only:
            return _first(_WORKING, there) if current in _IDLE else None
        found = _first(_LOOKING, there)
        if found is None:
            text = f"{self._connection.name} has no mode for looking only; it is refused what it asks for"
            turn.say(EventKind.WARNING, "mode", text=text)
        return found

    def _choose(self, what: str, category: str, wanted: str) -> None:
        name = self._connection.name
        option = self._option(category)
        if option is not None:
            _, there = _choices(option)
            if wanted not in there:
                raise AgentUnavailable(_none_such(name, what, wanted, there))
            self._set_option(option, wanted)
            return
        models = _facts(self._offers.get("models"))
        there = [str(it.get("modelId")) for it in _list(models.get("availableModels"))]
        if what != "model" or not there:
            raise AgentUnavailable(
                f"{name} takes no {what}; leave --{what} out, and set it in its own settings"
            )
        if wanted not in there:
            raise AgentUnavailable(_none_such(name, what, wanted, there))
        self._ask("session/set_model", sessionId=self.id, modelId=wanted)

    def _option(self, category: str) -> Facts | None:
        for option in _list(self._offers.get("configOptions")):
            if option.get("category") == category:
                return option
        return None

    def _set_option(self, option: Facts, value: str) -> None:
        # The answer has all options anew: of another model, the efforts may be others.
        self._offers |= self._ask(
            "session/set_config_option", sessionId=self.id, configId=option.get("id"), value=value
        )

    def _ask(self, method: str, **params: Any) -> Facts:
        return self._connection.call(method, params, timeout_s=START_S, stop=self._stop)


def _choices(option: Facts) -> tuple[str | None, list[str]]:
    """The value that an option has, and those that it can have, which may come in groups."""
    values = []
    for choice in _list(option.get("options")):
        group = _list(choice.get("options")) if "options" in choice else [choice]
        values += [str(it.get("value")) for it in group]
    return option.get("currentValue"), values


def _modes(offers: Facts) -> tuple[str | None, list[str]]:
    modes = _facts(offers.get("modes"))
    there = [str(it.get("id")) for it in _list(modes.get("availableModes"))]
    return modes.get("currentModeId"), there


def _none_such(name: str, what: str, wanted: str, there: list[str]) -> str:
    if not there:
        return f"{name} has no {what}s to choose from"
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return f"{name} has no {what} {wanted!r}; it has {', '.join(there[:_SHOWN])}{more}"


def _first(wanted: tuple[str, ...], there: list[str]) -> str | None:
    return next((name for name in wanted if name in there), None)


def _facts(value: Any) -> Facts:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Facts]:
    return [it for it in value if isinstance(it, dict)] if isinstance(value, list) else []
