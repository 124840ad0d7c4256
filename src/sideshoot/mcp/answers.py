"""The answer of a tool: a record, as an object and as the same in text, or one line that says why not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sideshoot.mcp.records import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sideshoot.errors import SideshootError


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool has done."""

    record: Mapping[str, Any]
    """What the command of the same name prints with `--json`."""
    failed: bool = False
    """The tool did its work, and the work did not succeed."""
    links: Sequence[Mapping[str, Any]] = ()
    """Resources that hold more."""
    text: str | None = None
    """What is for a person, in place of the record."""

    @property
    def fields(self) -> dict[str, Any]:
        """The result of `tools/call`."""
        if self.text is not None:
            return {"content": [{"type": "text", "text": self.text}], "isError": self.failed}
        record = bounded(self.record)
        text = {"type": "text", "text": json.dumps(record, ensure_ascii=False, default=str)}
        links = [{"type": "resource_link", **link} for link in self.links]
        return {
            "content": [text, *links],
            "structuredContent": record,
            "isError": self.failed,
        }


def failure(error: SideshootError) -> dict[str, Any]:
    """The result of a call that was refused: its line, and the facts that the error has."""
    from sideshoot.cli.failure import failure_fields  # noqa: PLC0415 - not to list tools

    fields = failure_fields(error)
    line = " ".join(str(error).splitlines())
    paths = [f"  {path}" for path in fields.get("paths", ())]
    return {
        "content": [{"type": "text", "text": "\n".join([line, *paths])}],
        "structuredContent": {"error": fields},
        "isError": True,
    }
