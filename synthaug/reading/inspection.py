"""All information on one image: its generations, predictions, labels, neighbours, views and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synthaug.errors import UnknownImage
from synthaug.reading import queue
from synthaug.reading.feature_space import FeatureSpace, duplicate_groups
from synthaug.reading.queue import QueueItem
from synthaug.records import ImageRecord, Json, LabelReading, LabelSource, LabelValue, Origin, Split
from synthaug.store import catalog, generations, jobs, labels, models, readings, tags, views
from synthaug.store.tags import Tagging
from synthaug.workspace import Workspace

NEIGHBOURS = 6
GUESSES = 3


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """One generation of the image; equal requests of several jobs give the same image."""

    job_id: int
    made_at: str
    template: str
    prompt: str
    slots: Mapping[str, str]
    class_index: int | None
    seed: int
    generator: str
    revision: str
    guidance: float | None  # None: the default of the generator
    details: Json  # everything else that determined the pixels


@dataclass(frozen=True, slots=True)
class ModelPrediction:
    """The prediction of one model: (class index, probability) of the most probable classes, highest first.

    ``cross_fitted``: the model was trained on the image; this is the prediction of models trained without it.
    """

    model: str
    classes: tuple[tuple[int, float], ...]
    cross_fitted: bool


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry of the label log of the image; ``undone_by`` is an annotator, ``counts`` marks the current label."""

    value: LabelValue
    class_index: int | None
    annotator: str
    source: LabelSource
    op_id: str
    model: str | None  # whose prediction the annotator saw
    reason: str | None
    created_at: str
    undone_by: str | None
    counts: bool
    reading: LabelReading | None
    number: int | None  # number of the reading, from 1; None: not a reading, or undone


Conflict = Literal["open", "settled"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A neighbour, with the class of its label or else its prompt; ``distance`` is 0..2."""

    image_id: int
    sha256: str
    width: int
    origin: Origin
    split: Split
    class_index: int | None
    distance: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """All information on one image; ``real`` and ``synthetic`` are its neighbours of each kind, nearest first."""

    item: QueueItem
    source: str
    caption: str | None
    added_at: str
    locked: bool  # a labeled real test image, which only an owner can correct
    makings: tuple[GenerationRecord, ...]
    guesses: tuple[ModelPrediction, ...]
    history: tuple[HistoryEntry, ...]  # oldest first
    conflict: Conflict | None  # None: the readings do not differ
    features: str | None  # model or extractor by which neighbours are found; None: no features
    real: tuple[Neighbour, ...]
    synthetic: tuple[Neighbour, ...]
    duplicates: tuple[Neighbour, ...]  # near-duplicates, without the image itself
    holders: tuple[views.Holder, ...]
    tags: tuple[str, ...]  # current tags
    taggings: tuple[Tagging, ...]  # tag log, oldest first


def find(workspace: Workspace, key: str) -> ImageRecord:
    """The image with this id or SHA-256 (64 hexadecimal digits). Raises UnknownImage."""
    if len(key) == 64:
        return catalog.image_by_hash(workspace.db, key)
    if not (key.isascii() and key.isdigit() and len(key) <= 18):
        raise UnknownImage(key)
    return catalog.images_by_id(workspace.db, [int(key)])[0]


def inspect(workspace: Workspace, key: str, space: FeatureSpace | None) -> Inspection:
    """Collect the information on an image by id or SHA-256; without ``space``, no neighbours. Raises UnknownImage."""
    image = find(workspace, key)
    db = workspace.db
    return Inspection(
        item=queue.items(workspace, [image.id])[0],
        source=image.source,
        caption=catalog.captions(db, [image.id]).get(image.id),
        added_at=catalog.added_at(db, image.id),
        locked=image.id in labels.frozen(db, [image.id]),
        makings=tuple(_generation_record(workspace, each) for each in generations.all_of_image(db, image.id)),
        guesses=tuple(_model_prediction(*each) for each in models.predictions_of_image(db, image.id)),
        history=_history(workspace, image.id),
        conflict=_conflict(readings.of_images(db, [image.id]).get(image.id)),
        features=None if space is None else space.name,
        real=_nearest(workspace, image.id, space, synthetic=False),
        synthetic=_nearest(workspace, image.id, space, synthetic=True),
        duplicates=_duplicates(workspace, image.id, space),
        holders=tuple(views.holding(db, image.id)),
        tags=tuple(tags.of_image(db, image.id)),
        taggings=tuple(tags.history(db, image.id)),
    )


def _generation_record(workspace: Workspace, made: generations.Generation) -> GenerationRecord:
    job = jobs.get(workspace.db, made.job_id)
    details = dict(made.details)
    guidance = details.pop("guidance_scale", None)
    return GenerationRecord(
        job_id=made.job_id,
        made_at=job.created_at,
        template=str(job.params.get("template", "")),
        prompt=made.prompt,
        slots=made.slots,
        class_index=made.class_index,
        seed=made.seed,
        generator=made.generator,
        revision=made.revision,
        guidance=guidance,
        details=details,
    )


def _model_prediction(model: models.Model, prediction: models.Prediction) -> ModelPrediction:
    likeliest = np.argsort(-prediction.probs, kind="stable")[:GUESSES]
    classes = tuple((int(i), float(prediction.probs[i])) for i in likeliest)
    return ModelPrediction(model.name, classes, prediction.cross_fitted)


def _history(workspace: Workspace, image_id: int) -> tuple[HistoryEntry, ...]:
    log = labels.history(workspace.db, image_id)
    names = {model.id: model.name for model in models.all_models(workspace.db)}
    undone = {entry.undoes: entry.annotator for entry in log if entry.undoes is not None}
    counting = labels.counting_id(workspace.db, image_id)
    numbers = _reading_numbers(workspace, image_id)
    return tuple(
        HistoryEntry(
            value=entry.value,
            class_index=entry.class_index,
            annotator=entry.annotator,
            source=entry.source,
            op_id=entry.op_id,
            model=None if entry.model_id is None else names[entry.model_id],
            reason=entry.reason,
            created_at=entry.created_at,
            undone_by=undone.get(entry.id),
            counts=entry.id == counting,
            reading=entry.reading,
            number=None if entry.id in undone else numbers.get((entry.annotator, entry.created_at)),
        )
        for entry in log
        if entry.value != "undo"
    )


def _reading_numbers(workspace: Workspace, image_id: int) -> dict[tuple[str, str], int]:
    """(reader, time of the reading) -> number of the reading, from 1."""
    read = readings.of_images(workspace.db, [image_id]).get(image_id)
    each = () if read is None else read.each
    return {(reading.annotator, reading.created_at): number for number, reading in enumerate(each, start=1)}


def _conflict(read: readings.Readings | None) -> Conflict | None:
    if read is None or not read.differ:
        return None
    return "settled" if read.settled else "open"


def _nearest(
    workspace: Workspace, image_id: int, space: FeatureSpace | None, *, synthetic: bool
) -> tuple[Neighbour, ...]:
    if space is None:
        return ()
    return _neighbours(workspace, space.nearest(image_id, space.synthetic == synthetic, NEIGHBOURS))


def _duplicates(workspace: Workspace, image_id: int, space: FeatureSpace | None) -> tuple[Neighbour, ...]:
    groups = duplicate_groups(models.duplicates(workspace.db))
    group = next((each for each in groups if image_id in each), [])
    if space is None or not group:
        return ()
    return _neighbours(workspace, space.nearest(image_id, np.isin(space.ids, group), len(group)))


def _neighbours(workspace: Workspace, near: list[tuple[int, float]]) -> tuple[Neighbour, ...]:
    items = queue.items(workspace, [image_id for image_id, _ in near])
    return tuple(
        Neighbour(
            image_id=item.image_id,
            sha256=item.sha256,
            width=item.width,
            origin=item.origin,
            split=item.split,
            class_index=item.prompted_class if item.label_class is None else item.label_class,
            distance=distance,
        )
        for item, (_, distance) in zip(items, near, strict=True)
    )
