"""The routes that the label desk reads: the queues, the images in them, and a person's own answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends

from synthaug.errors import UserError
from synthaug.reading import queue, queue_filter
from synthaug.reading.queue import QueueItem, RedoableLabel, UndoableLabel
from synthaug.reading.queue_filter import QueueFilter

from .accounts.person import Asking, reader_of
from .context import AppContext
from .replies import Names

MAX_ITEMS = 200


@dataclass(frozen=True, slots=True)
class QueueIds:
    """The images of a queue, in its order."""

    total: int
    ids: list[int]


@dataclass(frozen=True, slots=True)
class Items:
    """Images, in the order that was asked for."""

    items: list[QueueItem]


@dataclass(frozen=True, slots=True)
class GivenAnswers:
    """What a person answered and can take back, newest first."""

    answers: list[UndoableLabel]


@dataclass(frozen=True, slots=True)
class AnswersTakenBack:
    """What a person took back and can give again, the last one first."""

    answers: list[RedoableLabel]


def queue_router(context: AppContext) -> APIRouter:
    """``/data/queue``, ``/data/items``, ``/data/answers``, ``/data/redo``, ``/data/annotators``."""
    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @router.get("/queue")
    def ids(
        who: Asking,
        wanted: Annotated[QueueFilter, Depends()],
        order: str = "newest",
        scope: str = "unreviewed",
        seed: int = 0,
    ) -> QueueIds:
        found = queue.ordered_ids(workspace, order, scope, seed, reader_of(who), wanted)
        return QueueIds(len(found), found)

    @router.get("/items")
    def items(ids: str, who: Asking) -> Items:
        return Items(queue.items(workspace, parse_ids(ids), reader_of(who)))

    @router.get("/answers")
    def answers(who: Asking, before: int | None = None) -> GivenAnswers:
        return GivenAnswers(queue.answers(workspace, reader_of(who), before, MAX_ITEMS))

    @router.get("/redo")
    def redo(who: Asking) -> AnswersTakenBack:
        return AnswersTakenBack(queue.taken_back(workspace, reader_of(who)))

    @router.get("/annotators")
    def annotators() -> Names:
        return Names(queue_filter.annotators(workspace))

    return router


def parse_ids(text: str) -> list[int]:
    """``"1,2,3"`` as image ids. Raises UserError."""
    parts = [part for part in text.split(",") if part]
    if len(parts) > MAX_ITEMS:
        raise UserError(f"{len(parts)} image ids were given; the maximum is {MAX_ITEMS} per request")
    for part in parts:
        if not part.isascii() or not part.isdigit() or len(part) > 18:
            raise UserError(f"image id {part[:30]!r} is not a number")
    return [int(part) for part in parts]
