"""Parsing external JSON to typed records; an invalid field raises an error that names it in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from synthaug.errors import UserError

Record = TypeVar("Record")
Unknown = Literal["ignore", "forbid"]
JsonObject = dict[str, JsonValue]
"""A JSON object whose fields synthaug does not define."""

SHOWN = 80  # characters of a value that a message shows


def parse_json(
    kind: type[Record],
    text: str | bytes,
    what: str,
    error: type[UserError] = UserError,
    *,
    unknown: Unknown = "ignore",
) -> Record:
    """Parse ``text`` to a ``kind``: a dataclass, or a plain type such as ``dict[str, str]``.

    Types are not converted: "3" is not a number. ``unknown`` says whether unknown fields are ignored or forbidden.
    Raises ``error``, whose message calls the text ``what``, such as its path.
    """
    try:
        return TypeAdapter(kind).validate_json(text, strict=True, extra=unknown)
    except ValidationError as found:
        raise error(f"{what} {_first_problem(found)}") from found


def parse_record(
    kind: type[Record],
    value: object,
    what: str,
    error: type[UserError] = UserError,
    *,
    unknown: Unknown = "ignore",
) -> Record:
    """Convert a value read from JSON to a ``kind``; see :func:`parse_json`."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError) as found:
        raise error(f"{what} cannot be used: {found}") from found
    return parse_json(kind, text, what, error, unknown=unknown)


def read_json(
    kind: type[Record], path: Path, error: type[UserError] = UserError, *, unknown: Unknown = "ignore"
) -> Record:
    """Parse the file ``path`` to a ``kind``; see :func:`parse_json`."""
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise error(f"{path} cannot be read: {reason.strerror}") from reason
    return parse_json(kind, content.removeprefix(b"\xef\xbb\xbf"), str(path), error, unknown=unknown)


def _first_problem(error: ValidationError) -> str:
    """ "cannot be used: images.3.label: Input should be a valid integer (it is 'x'), and 2 more problems"."""
    first, *others = error.errors(include_url=False, include_context=False)
    if first["type"] == "json_invalid":
        return f"is not valid JSON: {first['msg'].removeprefix('Invalid JSON: ')}"
    place = ".".join(str(part) for part in first["loc"])
    more = f", and {len(others)} more problems" if others else ""
    return f"cannot be used: {place + ': ' if place else ''}{first['msg']}{_seen(first)}{more}"


def _seen(problem: Any) -> str:
    if problem["type"] == "missing":
        return ""
    return f" (it is {repr(problem['input'])[:SHOWN]})"
