"""The routes that record answers: labels, undo, and how many images have been reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from synthaug.records import LabelEntry, Landmarks
from synthaug.stages import label, readers, refit
from synthaug.stages.readers import Answer
from synthaug.stages.refit import RefitState
from synthaug.stages.test_split import correct_test_label

from .accounts.person import Signer
from .context import AppContext
from .replies import Corrected, Done

MAX_ENTRIES = 1000


class SeenIn(BaseModel):
    """The label that the page showed beside the image."""

    value: Literal["class", "reject", "unsure"]
    class_index: int | None = None


class LandmarksIn(BaseModel):
    """Where the person placed the landmarks, in pixels of the image."""

    scheme: str = Field(max_length=100)
    revision: str = Field(max_length=64)
    points: dict[str, tuple[float, float] | tuple[float, float, float]] = Field(max_length=200)


class LabelIn(BaseModel):
    """One answer of a person about one image."""

    image_id: int = Field(ge=1, lt=2**63)
    value: Literal["class", "reject", "unsure"]
    class_index: int | None = None
    source: Literal["human", "accepted"]
    op_id: str = Field(min_length=8, max_length=64)
    model_id: int | None = Field(None, ge=1, lt=2**63)  # of the prediction that the person saw
    landmarks: LandmarksIn | None = None
    seen: SeenIn | None = None
    settles: bool = False  # the person saw readings that differ, and has the last word

    def answer(self, annotator: str) -> Answer:
        """The answer as the label log takes it, signed."""
        placed = None if self.landmarks is None else Landmarks(**self.landmarks.model_dump())
        plain = self.model_dump(exclude={"seen", "settles", "landmarks"})
        entry = LabelEntry(**plain, annotator=annotator, landmarks=placed)
        seen = (None, None) if self.seen is None else (self.seen.value, self.seen.class_index)
        return Answer(entry, seen, self.settles)


class LabelsIn(BaseModel):
    """The person's answers since the last request, in order."""

    entries: list[LabelIn] = Field(min_length=1, max_length=MAX_ENTRIES)


class CorrectionIn(BaseModel):
    """The new label of a real test image: a class, "reject" or "unsure", and the reason."""

    image_id: int = Field(ge=1, lt=2**63)
    label: str = Field(max_length=1000)
    reason: str = Field(max_length=2000)


class UndoIn(BaseModel):
    """The operation to undo, and the id of the undo itself."""

    op_id_to_undo: str
    op_id: str = Field(min_length=8, max_length=64)


class UndosIn(BaseModel):
    """The labels that the person takes back, in order."""

    entries: list[UndoIn] = Field(min_length=1, max_length=MAX_ENTRIES)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many images have an answer; ``refit`` is None unless a model is trained while people label."""

    reviewed: int  # synthetic images
    total: int
    real_labeled: int
    real_total: int
    refit: RefitState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Done):
    """The ids of the new log entries, and the progress with them."""

    ids: list[int]
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(Done):
    """For each entry whether there was anything left to undo, and the progress without them."""

    undone: list[bool]
    progress: Progress


def label_router(context: AppContext) -> APIRouter:
    """``/data/labels``, ``/data/labels/correction``, ``/data/undo``, ``/data/progress``."""
    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @router.post("/labels")
    def labels(body: LabelsIn, who: Signer) -> Recorded:
        answers = [entry.answer(who.name) for entry in body.entries]
        recorded = readers.answer(workspace, answers, reviewer=who.may("reviewer"))
        refit.refit_if_due(workspace)
        return Recorded(ids=recorded, progress=progress())

    @router.post("/labels/correction")
    def correct(body: CorrectionIn, who: Signer) -> Corrected:
        found = correct_test_label(workspace, str(body.image_id), body.label, who.name, body.reason)
        return Corrected(label=found.label)

    @router.post("/undo")
    def undo(body: UndosIn, who: Signer) -> Undone:
        undos = [(entry.op_id_to_undo, entry.op_id) for entry in body.entries]
        undone = label.undo_all(workspace, undos, who.name, own=not who.may("reviewer"))
        return Undone(undone=[entry is not None for entry in undone], progress=progress())

    @router.get("/progress")
    def progress() -> Progress:
        return Progress(**label.progress(workspace), refit=refit.state(workspace))

    return router
