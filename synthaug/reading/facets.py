"""Facets: further properties by which the map colours and filters images, such as slot values, jobs and tags."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.store import generations, models, tags
from synthaug.workspace import Workspace

MOST_VALUES = 250
MOST_FACETS = 24
"""Maximum number of facets; the browser stores one bit for each."""
OTHER = "other values"


@dataclass(frozen=True, slots=True)
class Facet:
    """One property of N images. ``codes`` (N,) are positions in ``values``, counted from 1; 0 means no value.

    ``values`` are ordered by frequency, the most frequent first. If an image can have several values, ``codes`` are
    positions in ``sets``, whose members are positions in ``values`` counted from 0.
    """

    name: str
    title: str
    values: tuple[str, ...]
    codes: NDArray[np.uint16]
    sets: tuple[tuple[int, ...], ...] | None = None


def facets(workspace: Workspace) -> list[Facet]:
    """The facets of the scored images, in the order of the points; facets without any value are left out."""
    rows = generations.facts_of_scored(workspace.db)
    slots = [json.loads(row["slots"]) if row["slots"] else {} for row in rows]
    names = sorted({name for each in slots for name in each})
    found = [
        _facet(f"slot:{name}", f"Slot {name}", (each.get(name) for each in slots))
        for name in names[: MOST_FACETS - 5]
    ]
    found += [
        _facet("job", "Job", (None if row["job_id"] is None else f"job {row['job_id']}" for row in rows)),
        _facet("generator", "Generator", (row["generator"] for row in rows)),
        _facet(
            "guidance",
            "Guidance",
            (None if row["guidance"] is None else f"{row['guidance']:g}" for row in rows),
        ),
        _facet("annotator", "Labeled by", (row["annotator"] for row in rows)),
        _tags(workspace, [row["id"] for row in rows]),
    ]
    return [each for each in found if each.values]


def version(workspace: Workspace) -> str:
    """A text that changes whenever the result of :func:`facets` changes."""
    return f"{models.scores_version(workspace.db)}/{tags.version(workspace.db)}"


def search(workspace: Workspace, text: str) -> NDArray[np.uint32]:
    """Ids (uint32), ascending, of images whose prompt or caption contains every word of ``text``."""
    return np.array(generations.with_prompt(workspace.db, text.split()), np.uint32)


def _facet(name: str, title: str, values: Iterable[str | None]) -> Facet:
    found = list(values)
    ranked = [value for value, _ in Counter(each for each in found if each is not None).most_common()]
    kept = ranked[:MOST_VALUES]
    code = {value: index for index, value in enumerate(kept, start=1)}
    rest = len(kept) + 1
    codes = np.array([0 if each is None else code.get(each, rest) for each in found], np.uint16)
    return Facet(name, title, (*kept, *([OTHER] if len(ranked) > len(kept) else [])), codes)


def _tags(workspace: Workspace, ids: list[int]) -> Facet:
    """The facet of tags; images with the same tags share a code."""
    mine: dict[int, list[str]] = {}
    for image_id, tag in tags.of_scored(workspace.db):
        mine.setdefault(image_id, []).append(tag)
    ranked = [tag for tag, _ in Counter(tag for each in mine.values() for tag in each).most_common()]
    kept = ranked[:MOST_VALUES]
    values = (*kept, *([OTHER] if len(ranked) > len(kept) else []))
    place = {tag: index for index, tag in enumerate(kept)}
    sets: dict[tuple[int, ...], int] = {}
    codes = np.zeros(len(ids), np.uint16)
    for row, image_id in enumerate(ids):
        if image_id in mine:
            members = tuple(sorted({place.get(tag, len(kept)) for tag in mine[image_id]}))
            codes[row] = sets.setdefault(members, len(sets) + 1)
    return Facet("tag", "Tag", values, codes, tuple(sets))
