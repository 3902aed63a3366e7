"""Metadata of gray images of more than 8 bits: their depth, and how they were acquired."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthaug.store.database import Database


@dataclass(frozen=True, slots=True)
class GrayRecord:
    """``bits`` per pixel in the source; ``acquisition`` has modality, laterality ... (see importers.dicom)."""

    bits: int
    acquisition: Mapping[str, Any]


def add(db: Database, image_id: int, record: GrayRecord) -> None:
    """Record the depth and acquisition of a gray image."""
    row = {"image_id": image_id, "bits": record.bits, "acquisition": dict(record.acquisition)}
    db.insert("gray_images", [row])


def of_images(db: Database, ids: Sequence[int]) -> dict[int, GrayRecord]:
    """The records of the images among ``ids`` that are gray of more than 8 bits, by image id."""
    found = {}
    for row in db.query_among("SELECT * FROM gray_images WHERE image_id IN (:ids)", ids):
        found[row["image_id"]] = GrayRecord(row["bits"], json.loads(row["acquisition"]))
    return found
