"""Several people at one queue: leases of images, second and blind readings, and recording answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from synthaug.errors import LabelRefused
from synthaug.records import PEOPLE, LabelEntry, LabelValue
from synthaug.stages.label import record
from synthaug.stages.reading_settings import settings
from synthaug.store import catalog, labels, leases, readings
from synthaug.store.database import timestamp
from synthaug.workspace import Workspace

LEASE = timedelta(minutes=5)
"""Duration of a lease; without a renewal, the image is then given to the next person."""

WORK = ("unreviewed", "unlabeled")
"""Scopes of images that need an answer; the other scopes also show answered images."""

READERS = 2  # readers of an image with a second reading


@dataclass(frozen=True, slots=True)
class Reader:
    """A person at the queue; a reviewer may correct the labels of others and settle conflicts."""

    name: str
    reviewer: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and the label that was shown with the image; (None, None) without one, or for a blind reading."""

    entry: LabelEntry
    seen: tuple[LabelValue | None, int | None] = (None, None)
    settles: bool = False  # settles a conflict of readings


# ---------------------------------------------------------------------- leases


def take(
    workspace: Workspace, image_ids: Sequence[int], reader: Reader, scope: str, at: datetime | None = None
) -> list[int]:
    """Lease the available images to a person, or renew the leases; returns their ids in the same order.

    Not available are images that another person holds, images in a scope of WORK that another person has answered, and
    unknown images.
    """
    there = catalog.known_images(workspace.db, image_ids)
    wanted = [each for each in image_ids if each in there]
    if workspace.read_only:
        return wanted
    moment = at or datetime.now(UTC)

    def write(connection: object) -> list[int]:
        leases.remove_expired(workspace.db, timestamp(moment))
        taken = leases.of_others(workspace.db, wanted, reader.name, timestamp(moment))
        if scope in WORK:
            taken |= _answered(workspace, wanted, reader.name)
        free = [each for each in wanted if each not in taken]
        leases.hold(workspace.db, free, reader.name, timestamp(moment + LEASE))
        return free

    return workspace.db.grouped(write)


def _answered(workspace: Workspace, image_ids: Sequence[int], person: str) -> set[int]:
    """The images that another person has answered and that are not due for a second reading by this person."""
    current = labels.current(workspace.db, image_ids)
    answered = {each for each, label in current.items() if _is_of_another(label, person)}
    return answered - due(workspace, person) if answered else answered


# ---------------------------------------------------------------------- second readings


def due(workspace: Workspace, person: str) -> set[int]:
    """Images due for a second reading by this person: in the sample, with one reading of another, and not settled.

    Labeled test images are left out: they take no further answer.
    """
    share = settings(workspace).second_share
    if share == 0:
        return set()
    others = readings.answered_by_others(workspace.db, person)
    sample = [image_id for image_id, sha256 in others.items() if in_sample(sha256, share)]
    found = readings.of_images(workspace.db, sample)
    wanted = {image_id for image_id, read in found.items() if _wants(read, person)}
    return wanted - labels.frozen(workspace.db, list(wanted))


def in_sample(sha256: str, share: float) -> bool:
    """Whether an image gets a second reading, by its hash; a larger share includes the images of a smaller one."""
    drawn = blake2b(f"second reading {sha256}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) < share * 2**64


def _wants(read: readings.Readings, person: str) -> bool:
    names = [each.annotator for each in read.each]
    return 0 < len(names) < READERS and person not in names and not read.settled


def hidden(workspace: Workspace, image_ids: Sequence[int], reader: Reader, scope: str) -> set[int]:
    """The images whose labels and predictions are hidden from the reader until the answer."""
    if reader.reviewer and scope not in WORK:
        return set()
    if settings(workspace).blind:
        return set(image_ids)
    return set(image_ids) & due(workspace, reader.name)


# ---------------------------------------------------------------------- answers


def answer(workspace: Workspace, answers: Sequence[Answer], *, reviewer: bool) -> list[int]:
    """Record all answers or none; returns their ids in the log.

    The answer to an image that another person has answered becomes a second reading, unless a reviewer saw the current
    label, which it then corrects. Raises LabelRefused.
    """
    db = workspace.db

    def write(connection: object) -> list[int]:
        ids = []
        for each in answers:
            ids += record(workspace, [_placed(workspace, each, reviewer)])
            leases.release(db, [each.entry.image_id], each.entry.annotator)
        return ids

    return db.grouped(write)


def _placed(workspace: Workspace, given: Answer, reviewer: bool) -> LabelEntry:
    """The entry, marked as a second reading or a settlement if it is one."""
    entry = given.entry
    if labels.by_op_id(workspace.db, entry.op_id) is not None:
        return entry  # a retry
    if given.settles:
        _check_settlement(workspace, entry, reviewer)
        return replace(entry, reading="settlement")
    counting = labels.current(workspace.db, [entry.image_id]).get(entry.image_id)
    if counting is None or not _is_of_another(counting, entry.annotator):
        return entry
    if reviewer and given.seen == (counting.value, counting.class_index):
        return entry
    return replace(entry, reading="second")


def _check_settlement(workspace: Workspace, entry: LabelEntry, reviewer: bool) -> None:
    if not reviewer:
        raise LabelRefused(
            f"{entry.annotator!r} is an annotator; only a reviewer settles a conflict", entry.op_id
        )
    read = readings.of_images(workspace.db, [entry.image_id]).get(entry.image_id)
    if read is None or not read.conflict:
        raise LabelRefused(
            f"the readings of image {entry.image_id} no longer differ, or have been settled",
            entry.op_id,
        )


def _is_of_another(label: labels.CurrentLabel, person: str) -> bool:
    return label.source in PEOPLE and label.annotator != person
