"""Parsing JSON to typed records; an invalid field raises an error that names it in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from synthaug.errors import UserError

Record = TypeVar("Record")
Unknown = Literal["ignore", "forbid"]
JsonObject = dict[str, JsonValue]
"""A JSON object whose fields synthaug does not define."""

SHOWN = 80  # characters of a value that a message shows


class JsonRecord:
    """Base class of the frozen dataclasses that are stored as JSON objects, or sent to another process as such.

    Later releases read what earlier ones stored: a field that the object lacks gets its default, and keys that are
    not fields are ignored.
    """

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON, with lists for tuples; :meth:`from_json` restores the record."""
        return {name: as_json(value) for name, value in _fields(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a record. Raises UserError for a missing field without default, or a value of another type."""
        return parse_record(cls, data, f"the stored {cls.__name__}")


def as_json(value: object) -> Any:
    """A value as JSON: dictionaries for dataclasses and mappings, lists for sequences."""
    if isinstance(value, JsonRecord):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: as_json(each) for name, each in _fields(value).items()}
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(each) for each in value]
    return value


def _fields(record: Any) -> dict[str, object]:
    return {each.name: getattr(record, each.name) for each in fields(record)}


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""The validator of a type; it is kept, because building one takes milliseconds."""


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
        record: Record = _adapter(kind).validate_json(text, strict=True, extra=unknown)
    except ValidationError as found:
        raise error(f"{what} {_first_problem(found)}") from found
    return record


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
