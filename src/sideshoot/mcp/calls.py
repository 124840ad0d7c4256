"""One call of a tool: its arguments are checked, it is done, and what goes wrong becomes its answer."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sideshoot.cli.failure import machine_failure
from sideshoot.errors import SideshootError, UsageError
from sideshoot.mcp.answers import Answer, failure
from sideshoot.mcp.roots import InputNeeded
from sideshoot.mcp.schemas import check

if TYPE_CHECKING:
    from sideshoot.mcp.catalogue import Tool
    from sideshoot.mcp.exchange import Exchange


def called(tool: Tool, exchange: Exchange) -> dict[str, Any]:
    """The result of `tools/call`.

    :raises InputNeeded: the client has to be asked for something first; nothing was done.
    """
    try:
        return _done(tool, exchange).fields
    except InputNeeded:
        raise
    except SideshootError as error:
        return failure(error)
    except OSError as error:
        return failure(machine_failure(error) or reported(error, tool.name))
    except Exception as error:  # noqa: BLE001 - the last resort: a report instead of a trace
        return failure(reported(error, tool.name))


def reported(error: Exception, *words: str) -> SideshootError:
    """A defect of ours, once it is written into a report file."""
    from sideshoot.cli.faults import report_fault  # noqa: PLC0415 - rare

    return report_fault(error, ["mcp", *words])


def _done(tool: Tool, exchange: Exchange) -> Answer:
    given = check(exchange.params.get("arguments") or {}, tool.input)
    _refuse_ends(given)
    module, name = tool.place.split(":")
    answer = getattr(importlib.import_module(module), name)(exchange, given)
    assert isinstance(answer, Answer)
    return answer


def _refuse_ends(given: dict[str, Any]) -> None:
    """No name and no path can hold the character that ends them; what the user says can hold all."""
    for name, value in given.items():
        if name not in ("task", "words") and "\0" in str(
            value if isinstance(value, str) else "".join(_words(value))
        ):
            raise UsageError(f"the argument {name!r} has a NUL character in it")


def _words(value: Any) -> list[str]:
    return value if isinstance(value, list) else []
