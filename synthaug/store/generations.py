"""Which image was made from which prompt, slot values, seed and generator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthaug.store.catalog import chunks
from synthaug.store.database import Database

PROMPTED_CLASS = "(SELECT min(class_position) FROM generations WHERE image_id = images.id)"
"""SQL of the class that an image of ``images`` was made for: the first in order, where jobs asked for several."""


@dataclass(frozen=True, slots=True)
class Generation:
    """How one image came to be. ``position`` is its number in the job."""

    job_id: int
    position: int
    image_id: int
    class_index: int | None  # None: no class was asked for
    prompt: str
    prompt_index: int
    slots: Mapping[str, str]
    seed: int
    generator: str
    revision: str
    details: Mapping[str, Any] = field(default_factory=dict)  # what else decided the pixels; JSON-ready


def add(db: Database, generation: Generation) -> None:
    """Record one generated image."""
    with db.transaction() as connection:
        connection.execute(
            "INSERT INTO generations (job_id, position, image_id, class_position, prompt, prompt_index, slots,"
            " seed, generator, revision, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                generation.job_id,
                generation.position,
                generation.image_id,
                generation.class_index,
                generation.prompt,
                generation.prompt_index,
                json.dumps(dict(generation.slots)),
                generation.seed,
                generation.generator,
                generation.revision,
                json.dumps(dict(generation.details)),
            ],
        )


def done_positions(db: Database, job_id: int) -> set[int]:
    """Which images of a job are already there."""
    return {
        row["position"] for row in db.query("SELECT position FROM generations WHERE job_id = ?", [job_id])
    }


def images_of_job(db: Database, job_id: int) -> list[str]:
    """SHA-256 of the images that a job made, in its order."""
    rows = db.query(
        "SELECT images.sha256 FROM generations JOIN images ON images.id = generations.image_id"
        " WHERE job_id = ? ORDER BY position",
        [job_id],
    )
    return [row["sha256"] for row in rows]


def prompts_of_job(db: Database, job_id: int) -> list[str]:
    """The prompt of each image that a job made, in its order."""
    rows = db.query("SELECT prompt FROM generations WHERE job_id = ? ORDER BY position", [job_id])
    return [row["prompt"] for row in rows]


def of_images(db: Database, image_ids: Sequence[int]) -> dict[int, Generation]:
    """The (first) generation of each image that was generated."""
    found: dict[int, Generation] = {}
    for chunk in chunks(image_ids):
        marks = ",".join("?" * len(chunk))
        rows = db.query(
            "SELECT job_id, position, image_id, class_position, prompt, prompt_index, slots, seed, generator,"
            f" revision, details FROM generations WHERE image_id IN ({marks}) ORDER BY job_id DESC, position DESC",
            chunk,
        )
        for row in rows:
            values = dict(row)
            values |= {"slots": json.loads(row["slots"]), "details": json.loads(row["details"])}
            found[row["image_id"]] = Generation(class_index=values.pop("class_position"), **values)
    return found
