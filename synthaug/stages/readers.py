"""Several people at one queue: who gets which image, what they may see of it, what their answer does."""

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
"""An image that nobody renews is handed to the next person after this long."""

WORK = ("unreviewed", "unlabeled")
"""Queues of what still needs an answer; the others show what has one."""

READERS = 2  # of an image that is read twice


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at an image; a reviewer may correct other people's answers and settle conflicts."""

    name: str
    reviewer: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and the label that the page showed beside the image; (None, None): no label, or a blind reading."""

    entry: LabelEntry
    seen: tuple[LabelValue | None, int | None] = (None, None)
    settles: bool = False  # given by a reviewer who saw the readings that differ


# ---------------------------------------------------------------------- leases


def take(
    workspace: Workspace, image_ids: Sequence[int], reader: Reader, scope: str, at: datetime | None = None
) -> list[int]:
    """Lease images to a person, or renew: those of them that are free, in the same order.

    Not free is what somebody else holds, in a queue of work what somebody else has answered meanwhile, and what is
    not here.
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
    """Those that another person answered, and this one is not to read a second time."""
    current = labels.current(workspace.db, image_ids)
    answered = {each for each, label in current.items() if _is_of_another(label, person)}
    return answered - due(workspace, person) if answered else answered


# ---------------------------------------------------------------------- second readings


def due(workspace: Workspace, person: str) -> set[int]:
    """Images that this person is to read a second time: of the sample, read by one other person and not settled."""
    share = settings(workspace).second_share
    if share == 0:
        return set()
    others = readings.answered_by_others(workspace.db, person)
    sample = [image_id for image_id, sha256 in others.items() if in_sample(sha256, share)]
    found = readings.of_images(workspace.db, sample)
    return {image_id for image_id, read in found.items() if _wants(read, person)}


def in_sample(sha256: str, share: float) -> bool:
    """Whether an image is read twice; drawn by its hash, so a larger share holds the images of a smaller one."""
    drawn = blake2b(f"second reading {sha256}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) < share * 2**64


def _wants(read: readings.Readings, person: str) -> bool:
    names = [each.annotator for each in read.each]
    return 0 < len(names) < READERS and person not in names and not read.settled


def hidden(workspace: Workspace, image_ids: Sequence[int], reader: Reader, scope: str) -> set[int]:
    """Those of these images whose labels and predictions the person may not see before the answer."""
    if reader.reviewer and scope not in WORK:
        return set()
    if settings(workspace).blind:
        return set(image_ids)
    return set(image_ids) & due(workspace, reader.name)


# ---------------------------------------------------------------------- answers


def answer(workspace: Workspace, answers: Sequence[Answer], *, reviewer: bool) -> list[int]:
    """Record answers, all or none; returns their log ids. Nobody's answer is replaced without being seen.

    An answer to an image that another person answered stands beside theirs as a second reading, unless a reviewer
    saw what counts: then it corrects that. Raises LabelRefused.
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
    """The entry, with what it is to those that were given before it."""
    entry = given.entry
    if labels.by_op_id(workspace.db, entry.op_id) is not None:
        return entry  # sent again: it has its place
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
        raise LabelRefused(f"{entry.annotator!r} is an annotator; a reviewer settles a conflict", entry.op_id)
    read = readings.of_images(workspace.db, [entry.image_id]).get(entry.image_id)
    if read is None or not read.conflict:
        raise LabelRefused(
            f"the readings of image {entry.image_id} do not differ any more, or were settled meanwhile",
            entry.op_id,
        )


def _is_of_another(label: labels.CurrentLabel, person: str) -> bool:
    return label.source in PEOPLE and label.annotator != person
