"""The prompt, slot values, seed and generator from which each image was generated."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from synthaug.records import Json
from synthaug.store.database import Database

COLUMNS = "job_id, position, image_id, class_position, prompt, prompt_index, slots, seed, generator, revision, details"
PROMPTED_CLASS = "(SELECT min(class_position) FROM generations WHERE image_id = images.id)"
"""SQL: the class that an image of ``images`` was generated for; the first one if several jobs generated it."""


@dataclass(frozen=True, slots=True)
class Generation:
    """How an image was generated. ``position`` is its number in the job, from 0."""

    job_id: int
    position: int
    image_id: int
    class_index: int | None  # None: no class was requested
    prompt: str
    prompt_index: int
    slots: Mapping[str, str]
    seed: int
    generator: str
    revision: str
    details: Json = field(default_factory=dict)  # everything else that determined the pixels


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
    """The number of generated images in each range of ``size`` positions, by range; empty ones are left out."""
    rows = db.query(
        "SELECT position / ? AS number, count(*) AS there FROM generations WHERE job_id = ? GROUP BY 1",
        [size, job_id],
    )
    return {row["number"]: row["there"] for row in rows}


def done_positions(db: Database, job_id: int, first: int, stop: int) -> set[int]:
    """Positions in ``first`` .. ``stop`` - 1 whose images a job has generated."""
    rows = db.query(
        "SELECT position FROM generations WHERE job_id = ? AND position >= ? AND position < ?",
        [job_id, first, stop],
    )
    return {row["position"] for row in rows}


def count(db: Database) -> int:
    """The number of generations; one image may have several."""
    return int(db.query("SELECT count(*) FROM generations")[0][0])


def images_of_job(db: Database, job_id: int) -> list[str]:
    """SHA-256 of the images of a job, ordered by position."""
    rows = db.query(
        "SELECT images.sha256 FROM generations JOIN images ON images.id = generations.image_id"
        " WHERE job_id = ? ORDER BY position",
        [job_id],
    )
    return [row["sha256"] for row in rows]


def prompts_of_job(db: Database, job_id: int) -> list[str]:
    """The prompt of each image of a job, ordered by position."""
    rows = db.query("SELECT prompt FROM generations WHERE job_id = ? ORDER BY position", [job_id])
    return [row["prompt"] for row in rows]


def of_images(db: Database, image_ids: Sequence[int]) -> dict[int, Generation]:
    """The first generation of each generated image among ``image_ids``, by id."""
    rows = db.query_among(
        f"SELECT {COLUMNS} FROM generations WHERE image_id IN (:ids) ORDER BY job_id DESC, position DESC",
        image_ids,
    )
    return {row["image_id"]: _generation(row) for row in rows}


def all_of_image(db: Database, image_id: int) -> list[Generation]:
    """All generations of an image, oldest first; equal requests give the same image."""
    rows = db.query(
        f"SELECT {COLUMNS} FROM generations WHERE image_id = ? ORDER BY job_id, position", [image_id]
    )
    return [_generation(row) for row in rows]


def _generation(row: sqlite3.Row) -> Generation:
    values = dict(row)
    values |= {"slots": json.loads(row["slots"]), "details": json.loads(row["details"])}
    return Generation(class_index=values.pop("class_position"), **values)


def facts_of_scored(db: Database) -> list[sqlite3.Row]:
    """A row for each scored image, by id: the inputs of its first generation (NULL if real), and its annotator."""
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
    """Ids, ascending, of images whose prompt or imported caption contains all of these words.

    The case of ASCII letters is ignored.
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
