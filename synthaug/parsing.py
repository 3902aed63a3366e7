"""JSON from outside as typed records: every field is there and has its type, or one line says which is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from synthaug.errors import UserError

Record = TypeVar("Record")
Unknown = Literal["ignore", "forbid"]
SHOWN = 80  # characters of a value in a message


def parse_json(
    kind: type[Record],
    text: str | bytes,
    what: str,
    error: type[UserError] = UserError,
    *,
    unknown: Unknown = "ignore",
) -> Record:
    """``text`` as a ``kind``: a dataclass, or a plain type such as ``dict[str, str]``.

    Types are not converted: "3" is no number. ``unknown`` fields are passed over or refused. ``what`` names the
    text in the message of ``error``, e.g. its path.
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
    """A value read from JSON as a ``kind``; see :func:`parse_json`."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError) as found:
        raise error(f"{what} cannot be used: {found}") from found
    return parse_json(kind, text, what, error, unknown=unknown)


def read_json(
    kind: type[Record], path: Path, error: type[UserError] = UserError, *, unknown: Unknown = "ignore"
) -> Record:
    """The file ``path`` as a ``kind``; see :func:`parse_json`."""
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
    more = f", and {len(others)} more such problems" if others else ""
    return f"cannot be used: {place + ': ' if place else ''}{first['msg']}{_seen(first)}{more}"


def _seen(problem: Any) -> str:
    if problem["type"] == "missing":
        return ""
    return f" (it is {repr(problem['input'])[:SHOWN]})"
