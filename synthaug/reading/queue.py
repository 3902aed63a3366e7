"""The queue: the images that a person should look at, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal, get_args

from synthaug.errors import UnknownName, UserError
from synthaug.landmarks.scheme import Scheme
from synthaug.reading.landmarks import Proposal, own_answer, proposals, starts
from synthaug.reading.queue_filter import QueueFilter, matching
from synthaug.reading.queue_order import by_predicted_class, least_as_prompted_first, least_certain_first
from synthaug.reading.series import series_key
from synthaug.records import ImageRecord, Json, LabelSource, LabelValue, Origin, Split
from synthaug.stages import readers
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.stages.readers import Reader
from synthaug.store import (
    catalog,
    generations,
    gray_images,
    labels,
    landmarks,
    models,
    notes,
    readings,
    redo,
)
from synthaug.store.labels import UndoableLabel as UndoableLabel
from synthaug.store.notes import Note
from synthaug.store.readings import Reading
from synthaug.store.redo import RedoableLabel as RedoableLabel
from synthaug.workspace import Workspace

Order = Literal["newest", "random", "least-confident", "disagreement", "predicted-class"]
Scope = Literal["unreviewed", "unlabeled", "synthetic", "real", "all", "conflicts", "flagged"]


@dataclass(frozen=True, slots=True)
class QueueItem:
    """The information on one image in the label desk. Classes are given by index."""

    image_id: int
    sha256: str
    width: int
    height: int
    origin: Origin
    split: Split
    prompt: str | None
    slots: Mapping[str, str]
    prompted_class: int | None
    predicted_class: int | None
    confidence: float | None
    model_id: int | None  # model that predicted; it is recorded with the label
    label_value: LabelValue | None
    label_class: int | None
    label_source: LabelSource | None
    locked: bool  # a labeled real test image: only an owner can correct the label, also one that is not shown
    review: bool  # whether a larger original is stored
    bits: int  # per channel; if more than 8, /media serves the full depth
    acquisition: Json  # of a gray image: modality, laterality ...
    series: str  # the same for the images of one series; "" without one
    landmarks: Proposal | None  # None: the workspace has no landmark scheme
    notes: tuple[Note, ...]  # in a blind reading, only those of the reader
    blind: bool  # labels of others and predictions are left out
    trained_on: bool  # the model that predicted was trained on this image
    cross_fitted: bool  # it was, but the prediction shown is that of models trained without this image
    readings: tuple[Reading, ...]  # only for settling a conflict


def ordered_ids(
    workspace: Workspace,
    order: str = "newest",
    scope: str = "unreviewed",
    seed: int = 0,
    reader: Reader | None = None,
    wanted: QueueFilter | None = None,
) -> list[int]:
    """Image ids of ``scope`` in ``order``.

    Scopes: "unreviewed" (synthetic images without a label) and "unlabeled" (real images without a label), both with the
    images that are due for a second reading by ``reader``; "synthetic", "real", "all"; "conflicts" (readings that a
    reviewer has to settle); "flagged" (by anyone). Orders: "newest"; "random" (by ``seed``); "least-confident" (lowest
    top probability first, or with landmark predictions the largest expected error first); "disagreement" (lowest
    probability of the prompted class first); "predicted-class" (by class, then the least confident first). In the last
    three, images without a prediction or a prompted class come last. ``wanted`` filters the images. Raises UnknownName,
    and UserError for "conflicts" if the reader may not settle them.
    """
    if order not in get_args(Order):
        raise UnknownName("queue order", order, get_args(Order))
    if scope == "conflicts" and reader is not None and not reader.reviewer:
        raise UserError(f"{reader.name!r} is an annotator; only a reviewer settles conflicts")
    ids = _in_scope(workspace, scope, reader)
    if wanted is not None and not wanted.is_open:
        unseen = set() if reader is None else readers.hidden(workspace, ids, reader, scope)
        ids = matching(workspace, ids, wanted, unseen)
    if order == "newest":
        return sorted(ids, reverse=True)
    if order == "random":
        return sorted(ids, key=lambda image_id: _drawn(seed, image_id))
    if order == "predicted-class":
        return by_predicted_class(workspace, ids)
    if order == "least-confident" and current_scheme(workspace) is not None:
        doubts = landmarks.doubts(workspace.db)
        if doubts:
            return sorted(ids, key=lambda image_id: (-doubts.get(image_id, -1.0), image_id))
    if order == "disagreement":
        return least_as_prompted_first(workspace, ids)
    return least_certain_first(workspace, ids)


def answers(workspace: Workspace, reader: Reader, before: int | None, limit: int) -> list[UndoableLabel]:
    """The labels that a person can undo, newest first, older than the entry ``before`` of the log."""
    found = labels.undoable(workspace.db, reader.name, before, limit)
    unseen = readers.hidden(workspace, [each.image_id for each in found], reader, "all")
    return [
        replace(each, previous_value=None, previous_class=None) if each.image_id in unseen else each
        for each in found
    ]


def taken_back(workspace: Workspace, reader: Reader) -> list[RedoableLabel]:
    """The labels that a person has undone and can redo, the last undone first."""
    return redo.redoable(workspace.db, reader.name)


def newest_ids(workspace: Workspace, count: int) -> list[int]:
    """Ids of the newest synthetic images, newest first."""
    return catalog.newest_synthetic(workspace.db, count)


def items(
    workspace: Workspace, ids: Sequence[int], reader: Reader | None = None, scope: str = "all"
) -> list[QueueItem]:
    """The information on these images, in the given order. Raises UnknownImage.

    For a ``reader`` with this scope, labels and predictions of images to be read blind are left out.
    """
    images = catalog.images_by_id(workspace.db, ids)
    made = generations.of_images(workspace.db, ids)
    current = labels.current(workspace.db, ids)
    model = models.predicting(workspace.db)
    predicted = {} if model is None else models.predictions_of(workspace.db, model.id, ids)
    gray = gray_images.of_images(workspace.db, ids)
    learned = set() if model is None else models.learned_from(workspace.db, model, ids)
    shown = [
        _item(workspace, image, made.get(image.id), current.get(image.id), predicted.get(image.id), model)
        for image in images
    ]
    written = notes.of_images(workspace.db, ids)
    frozen = labels.frozen(workspace.db, ids)
    shown = [
        replace(
            item,
            locked=item.image_id in frozen,
            trained_on=item.image_id in learned and not item.cross_fitted,
            notes=tuple(written.get(item.image_id, ())),
        )
        for item in shown
    ]
    shown = [_in_gray(item, gray[item.image_id]) if item.image_id in gray else item for item in shown]
    shown = _with_landmarks(workspace, images, shown)
    return shown if reader is None else _as_seen(workspace, shown, reader, scope)


def _as_seen(workspace: Workspace, shown: Sequence[QueueItem], reader: Reader, scope: str) -> list[QueueItem]:
    """The items as a reader may see them: without labels for blind readings, with readings for settling conflicts.

    An annotator who has read an image sees the own label, not that of another reader.
    """
    ids = [item.image_id for item in shown]
    blind = readers.hidden(workspace, ids, reader, scope)
    settling = scope == "conflicts" and reader.reviewer
    reads_own = bool(blind) or not reader.reviewer
    read = readings.of_images(workspace.db, ids) if reads_own or settling else {}
    scheme = current_scheme(workspace)
    images = catalog.known_images(workspace.db, ids)
    begin = {} if scheme is None or not blind else starts(workspace, scheme, [images[i] for i in blind])
    found = []
    for item in shown:
        each = read[item.image_id].each if item.image_id in read else ()
        own = next((reading for reading in each if reading.annotator == reader.name), None)
        placed = _own_landmarks(scheme, images[item.image_id], own)
        if item.image_id in blind:
            item = _blinded(item, own, placed or begin.get(item.image_id))
            item = replace(item, notes=tuple(note for note in item.notes if note.annotator == reader.name))
        elif own is not None and not reader.reviewer:
            item = replace(
                item,
                label_value=own.value,
                label_class=own.class_index,
                landmarks=placed or item.landmarks,
            )
        found.append(replace(item, readings=each) if settling else item)
    return found


def _own_landmarks(scheme: Scheme | None, image: ImageRecord, own: Reading | None) -> Proposal | None:
    return None if scheme is None or own is None else own_answer(scheme, image, own.annotator, own.points)


def _blinded(item: QueueItem, own: Reading | None, placed: Proposal | None) -> QueueItem:
    """Only the image and the reader's own label; ``placed`` are the own landmarks, or a starting position."""
    return replace(
        item,
        prompt=None,
        slots={},
        prompted_class=None,
        predicted_class=None,
        confidence=None,
        model_id=None,
        trained_on=False,
        cross_fitted=False,
        label_value=None if own is None else own.value,
        label_class=None if own is None else own.class_index,
        label_source=None,
        landmarks=placed,
        blind=True,
    )


def _with_landmarks(
    workspace: Workspace, images: Sequence[ImageRecord], items: list[QueueItem]
) -> list[QueueItem]:
    scheme = current_scheme(workspace)
    if scheme is None:
        return items
    proposed = proposals(workspace, scheme, images)
    return [replace(item, landmarks=proposed[item.image_id]) for item in items]


def _in_gray(item: QueueItem, gray: gray_images.GrayRecord) -> QueueItem:
    return replace(item, bits=gray.bits, acquisition=gray.acquisition)


def _item(
    workspace: Workspace,
    image: ImageRecord,
    generation: generations.Generation | None,
    label: labels.CurrentLabel | None,
    prediction: models.Prediction | None,
    model: models.Model | None,
) -> QueueItem:
    return QueueItem(
        image_id=image.id,
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        origin=image.origin,
        split=image.split,
        prompt=None if generation is None else generation.prompt,
        slots={} if generation is None else generation.slots,
        prompted_class=None if generation is None else generation.class_index,
        predicted_class=None if prediction is None else prediction.class_index,
        confidence=None if prediction is None else prediction.confidence,
        model_id=None if prediction is None or model is None else model.id,
        label_value=None if label is None else label.value,
        label_class=None if label is None else label.class_index,
        label_source=None if label is None else label.source,
        locked=False,
        review=workspace.images.has_review(image.sha256),
        bits=8,
        acquisition={},
        series=series_key(image),
        landmarks=None,
        notes=(),
        blind=False,
        trained_on=False,
        cross_fitted=prediction is not None and prediction.cross_fitted,
        readings=(),
    )


def _in_scope(workspace: Workspace, scope: str, reader: Reader | None) -> list[int]:
    """Ids of the images in a scope, ascending; only ids are read, because there may be a million images."""
    if scope not in get_args(Scope):
        raise UnknownName("queue scope", scope, get_args(Scope))
    if scope == "conflicts":
        return readings.conflicts(workspace.db)
    if scope == "flagged":
        return notes.flagged(workspace.db)
    if scope == "all":
        return catalog.image_ids(workspace.db)
    if scope == "real":
        return catalog.image_ids(workspace.db, origin="real")
    if scope == "synthetic":
        return catalog.image_ids(workspace.db, origin="synthetic")
    origin: Origin = "synthetic" if scope == "unreviewed" else "real"
    found = catalog.image_ids(workspace.db, origin=origin, unlabeled=True)
    again = [] if reader is None else sorted(readers.due(workspace, reader.name))
    return sorted({*found, *catalog.of_origin(workspace.db, again, origin)}) if again else found


def _drawn(seed: int, image_id: int) -> bytes:
    """A random sort key of an image, so that the order does not change when other images leave the queue."""
    return blake2b(f"{seed} {image_id}".encode(), digest_size=8).digest()
