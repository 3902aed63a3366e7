"""Which image was made from which prompt, slot values, seed and generator."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthaug.store.database import Database

COLUMNS = "job_id, position, image_id, class_position, prompt, prompt_index, slots, seed, generator, revision, details"
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


def done_by_range(db: Database, job_id: int, size: int) -> dict[int, int]:
    """How many images of each range of ``size`` positions are already there; ranges by number, without empty ones."""
    rows = db.query(
        "SELECT position / ? AS number, count(*) AS there FROM generations WHERE job_id = ? GROUP BY 1",
        [size, job_id],
    )
    return {row["number"]: row["there"] for row in rows}


def done_positions(db: Database, job_id: int, first: int, stop: int) -> set[int]:
    """Which images of a job from ``first`` up to ``stop`` are already there."""
    rows = db.query(
        "SELECT position FROM generations WHERE job_id = ? AND position >= ? AND position < ?",
        [job_id, first, stop],
    )
    return {row["position"] for row in rows}


def count(db: Database) -> int:
    """How many images were generated, repeats counted."""
    return int(db.query("SELECT count(*) FROM generations")[0][0])


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
    rows = db.query_among(
        f"SELECT {COLUMNS} FROM generations WHERE image_id IN (:ids) ORDER BY job_id DESC, position DESC",
        image_ids,
    )
    return {row["image_id"]: _generation(row) for row in rows}


def all_of_image(db: Database, image_id: int) -> list[Generation]:
    """Every generation that gave this image, the first one first: equal requests give equal pixels."""
    rows = db.query(
        f"SELECT {COLUMNS} FROM generations WHERE image_id = ? ORDER BY job_id, position", [image_id]
    )
    return [_generation(row) for row in rows]


def _generation(row: sqlite3.Row) -> Generation:
    values = dict(row)
    values |= {"slots": json.loads(row["slots"]), "details": json.loads(row["details"])}
    return Generation(class_index=values.pop("class_position"), **values)


def facts_of_scored(db: Database) -> list[sqlite3.Row]:
    """A row a scored image, by id: what its first generation was made with, None of a real one, and who labeled it."""
    return db.query(
        """
        SELECT scores.image_id AS id, job_id, slots, generator,
            json_extract(details, '$.guidance_scale') AS guidance, annotator
        FROM scores
        LEFT JOIN (
            SELECT image_id, job_id, slots, generator, details, min(job_id * 1000000000 + position)
            FROM generations GROUP BY image_id
        ) AS made ON made.image_id = scores.image_id
        LEFT JOIN current_labels ON current_labels.image_id = scores.image_id
        ORDER BY scores.image_id
        """
    )


def with_prompt(db: Database, words: Sequence[str]) -> list[int]:
    """Ids, ascending, of images whose prompt, or the caption they came with, holds every one of these words.

    Upper and lower case are one among the letters of ASCII.
    """
    holds = " AND ".join("instr(lower(text), lower(?)) > 0" for _ in words) or "1"
    rows = db.query(
        f"""
        SELECT image_id FROM (
            SELECT image_id, prompt AS text FROM generations
            UNION ALL SELECT id, caption FROM images WHERE caption <> ''
        ) WHERE {holds} GROUP BY image_id ORDER BY image_id
        """,
        list(words),
    )
    return [row[0] for row in rows]
