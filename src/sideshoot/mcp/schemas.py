"""JSON Schemas, as far as tools need them: to write them, and to check arguments against them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sideshoot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Schema = dict[str, Any]


def text(description: str, **more: Any) -> Schema:
    """A text."""
    return {"type": "string", "description": description, **more}


def flag(description: str) -> Schema:
    """Yes or no; no if it is left out."""
    return {"type": "boolean", "default": False, "description": description}


def choice(description: str, *values: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(values), "description": description}


def texts(description: str, **more: Any) -> Schema:
    """A list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": description, **more}


def numbers(description: str) -> Schema:
    """A list of whole numbers, from 1 on."""
    item = {"type": "integer", "minimum": 1}
    return {"type": "array", "items": item, "description": description}


def number(description: str, **more: Any) -> Schema:
    """A whole number."""
    return {"type": "integer", "description": description, **more}


def arguments(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    """The object of a tool's arguments: these, and no others."""
    schema: Schema = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = list(required)
    return schema | {"additionalProperties": False}


def check(given: Any, schema: Schema) -> dict[str, Any]:
    """The arguments of a call, once they fit their schema; one that is null counts as left out.

    :raises UsageError: they do not fit; its text names the argument and what it may be.
    """
    if not isinstance(given, dict):
        raise UsageError("the arguments of a tool are an object")
    properties: Mapping[str, Schema] = schema["properties"]
    facts = {name: value for name, value in given.items() if value is not None}
    for name, value in facts.items():
        if name not in properties:
            raise UsageError(_unknown(name, properties))
        _check_value(name, value, properties[name])
    for name in schema.get("required", ()):
        if name not in facts:
            raise UsageError(f"the argument {name!r} is missing: {properties[name]['description']}")
    return facts


def _unknown(name: str, known: Mapping[str, Schema]) -> str:
    close = get_close_matches(name, known, 1)
    meant = f" (did you mean {close[0]!r}?)" if close else f"; there are {', '.join(known)}"
    return f"there is no argument {name!r}{meant}"


def _check_value(name: str, value: Any, schema: Schema) -> None:
    kind = schema["type"]
    if not _is_of(value, kind):
        raise UsageError(f"the argument {name!r} has to be {_KINDS[kind]}")
    if "enum" in schema and value not in schema["enum"]:
        raise UsageError(f"the argument {name!r} has to be one of {', '.join(schema['enum'])}")
    if value < schema["minimum"] if "minimum" in schema else False:
        raise UsageError(f"the argument {name!r} has to be {schema['minimum']} or more")
    if kind == "array":
        if not value and schema.get("minItems"):
            raise UsageError(f"the argument {name!r} has no items")
        for item in value:
            _check_value(name, item, schema["items"])


def _is_of(value: Any, kind: str) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind])


_TYPES: dict[str, type] = {"string": str, "boolean": bool, "array": list}

_KINDS = {
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "integer": "a whole number",
}
