"""Replies of routes: records that FastAPI writes as JSON, and files. A reply of one route is declared beside it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from mimetypes import guess_type
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from fastapi.responses import Response

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Reply = TypeVar("Reply")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The reply to a change that was made."""

    ok: Literal[True] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(Done):
    """The id of the job that the request queued."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Done):
    """The label of a test image after its correction: a class, "reject" or "unsure"."""

    label: str


@dataclass(frozen=True, slots=True)
class ImageIds:
    """Image ids, in an order that the route describes."""

    ids: list[int]


@dataclass(frozen=True, slots=True)
class Names:
    """Names, in alphabetical order."""

    names: list[str]


def attachment(content: bytes, name: str) -> Response:
    """A file that the browser saves under this name, which must be plain ASCII; its ending gives the media type."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=guess_type(name)[0], headers=headers)


def extended(kind: type[Reply], record: DataclassInstance, **changes: Any) -> Reply:
    """A ``kind`` with the fields of a record that it extends, some of them changed or added."""
    return kind(**{field.name: getattr(record, field.name) for field in fields(record)} | changes)
