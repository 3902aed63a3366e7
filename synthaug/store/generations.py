"""Which image was made from which prompt, slot values, seed and generator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthaug.store.catalog import chunks
from synthaug.store.database import Database


@dataclass(frozen=True, slots=True)
class Generation:
    """How one image came to be. ``position`` is its number in the job."""

    job_id: int
    position: int
    image_id: int
    class_index: int
    prompt: str
    prompt_index: int
    slots: Mapping[str, str]
    seed: int
    generator: str
    revision: str


def add(db: Database, generation: Generation) -> None:
    """Record one generated image."""
    with db.transaction() as connection:
        connection.execute(
            "INSERT INTO generations (job_id, position, image_id, class_position, prompt, prompt_index, slots,"
            " seed, generator, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            ],
        )


def done_positions(db: Database, job_id: int) -> set[int]:
    """Which images of a job are already there."""
    return {
        row["position"] for row in db.query("SELECT position FROM generations WHERE job_id = ?", [job_id])
    }


def of_images(db: Database, image_ids: Sequence[int]) -> dict[int, Generation]:
    """The (first) generation of each image that was generated."""
    found: dict[int, Generation] = {}
    for chunk in chunks(image_ids):
        marks = ",".join("?" * len(chunk))
        rows = db.query(
            "SELECT job_id, position, image_id, class_position, prompt, prompt_index, slots, seed, generator,"
            f" revision FROM generations WHERE image_id IN ({marks}) ORDER BY job_id DESC, position DESC",
            chunk,
        )
        for row in rows:
            values = list(row)
            values[6] = json.loads(values[6])
            found[row["image_id"]] = Generation(*values)
    return found
