"""Template health: how often the images of each slot value are rejected, so that bad values can be retired."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from synthaug.errors import UnknownName
from synthaug.measures.quality import read_ood
from synthaug.store import catalog, generations, labels, models
from synthaug.workspace import Workspace

Trouble = Literal["rejected", "flipped", "far", "any"]
TROUBLES = ("rejected", "flipped", "far")
STANDS_OUT = (
    ("rejected", "rejected"),
    ("flipped", "corrected to another class"),
    ("far", "far from real images"),
)
Z95 = 1.959964  # standard normal quantile of a two-sided 95% interval


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``total`` as a share, 0..1, with its 95% interval (Wilson 1927); ``share`` is None if total is 0."""

    count: int
    total: int
    share: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SlotHealth:
    """The images generated with one value of a slot. ``far``: artefacts and redundant images (measures.quality)."""

    slot: str
    value: str
    images: int
    reviewed: int
    rejected: Rate  # of the reviewed images
    flipped: Rate  # of the reviewed images: labeled with another class than the prompted one
    far: Rate  # of the images with out-of-distribution scores


@dataclass(slots=True)
class _Tally:
    images: int = 0
    reviewed: int = 0
    troubles: dict[str, list[int]] = field(default_factory=lambda: {each: [] for each in TROUBLES})
    scored: int = 0


def health(workspace: Workspace) -> list[SlotHealth]:
    """One row for each slot value, the most often rejected first."""
    tallies: dict[tuple[str, str], _Tally] = {}
    for image_id, made, label, far in _outcomes(workspace):
        for slot in made.slots.items():
            tally = tallies.setdefault(slot, _Tally())
            tally.images += 1
            tally.reviewed += label is not None
            tally.scored += far is not None
            for trouble in _troubles(made, label, far):
                tally.troubles[trouble].append(image_id)
    rows = [_row(slot, value, tally) for (slot, value), tally in tallies.items()]
    return sorted(rows, key=lambda row: (-(row.rejected.share or 0), -row.images, row.slot, row.value))


def image_ids(workspace: Workspace, slot: str, value: str, trouble: str = "any") -> list[int]:
    """Ids of the images generated with a slot value that have this ``trouble`` ("any": all of them), newest first."""
    if trouble not in get_args(Trouble):
        raise UnknownName("kind of trouble", trouble, get_args(Trouble))
    found = [
        image_id
        for image_id, made, label, far in _outcomes(workspace)
        if made.slots.get(slot) == value and (trouble == "any" or trouble in _troubles(made, label, far))
    ]
    return sorted(found, reverse=True)


def sentences(rows: list[SlotHealth], most: int = 3) -> list[str]:
    """Sentences on the values whose interval lies above the rate of the other values of their slot."""
    found = []
    for row in rows:
        others = [each for each in rows if each.slot == row.slot and each.value != row.value]
        for name, words in STANDS_OUT:
            rate: Rate = getattr(row, name)
            total = sum(getattr(each, name).total for each in others)
            if total and rate.low > (rest := sum(getattr(each, name).count for each in others) / total):
                text = f"{row.value}: {rate.count} of {rate.total} {words} (the others in {row.slot}: {rest:.0%})"
                found.append((rate.low - rest, text))
    return [text for _, text in sorted(found, reverse=True)[:most]]


def wilson(count: int, total: int) -> Rate:
    """A share with its 95% score interval, which is accurate for few images as well."""
    if total == 0:
        return Rate(0, 0, None, 0.0, 1.0)
    share = count / total
    middle = share + Z95**2 / (2 * total)
    reach = Z95 * math.sqrt(share * (1 - share) / total + Z95**2 / (4 * total**2))
    scale = 1 + Z95**2 / total
    low = (
        max(0.0, (middle - reach) / scale) if count else 0.0
    )  # exactly: rounding would leave a trace of a rate
    return Rate(count, total, share, low, min(1.0, (middle + reach) / scale))


def _row(slot: str, value: str, tally: _Tally) -> SlotHealth:
    rejected, flipped, far = (len(tally.troubles[each]) for each in TROUBLES)
    return SlotHealth(
        slot,
        value,
        tally.images,
        tally.reviewed,
        wilson(rejected, tally.reviewed),
        wilson(flipped, tally.reviewed),
        wilson(far, tally.scored),
    )


def _troubles(
    made: generations.Generation, label: labels.CurrentLabel | None, far: bool | None
) -> Iterator[str]:
    if label is not None and label.value == "reject":
        yield "rejected"
    if (
        label is not None
        and label.value == "class"
        and made.class_index is not None
        and label.class_index != made.class_index
    ):
        yield "flipped"
    if far:
        yield "far"


def _outcomes(
    workspace: Workspace,
) -> Iterator[tuple[int, generations.Generation, labels.CurrentLabel | None, bool | None]]:
    """Every generated image: id, generation, current label, and whether it is far from the real images."""
    images = catalog.find_images(workspace.db, origin="synthetic")
    made = generations.of_images(workspace.db, [image.id for image in images])
    current = labels.current(workspace.db, list(made))
    far = _far(workspace)
    for image_id, generation in made.items():
        yield image_id, generation, current.get(image_id), far.get(image_id)


def _far(workspace: Workspace) -> Mapping[int, bool]:
    """Image id -> whether a scored synthetic image is far from the real ones, alone or with others like it."""
    rows = [row for row in models.scored_images(workspace.db) if row["ood_real"] is not None]
    real = np.array([row["ood_real"] for row in rows], np.float64)
    other = np.array(
        [np.nan if row["ood_synthetic"] is None else row["ood_synthetic"] for row in rows], np.float64
    )
    readings = read_ood(real, other)
    return {row["id"]: word in ("artefact", "redundant") for row, word in zip(rows, readings, strict=True)}
