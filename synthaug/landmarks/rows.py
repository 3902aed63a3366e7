"""The landmarks of one image in a file, as readers and writers exchange them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synthaug.landmarks.geometry import Places


@dataclass(frozen=True, slots=True)
class LandmarkRow:
    """The landmarks of one image. A row that is read may lack the fields after ``angles``."""

    key: str  # SHA-256 or id of the image, or the name of the file from which it was imported
    points: Places  # empty if only the angles are known
    angles: Mapping[str, float] = field(default_factory=dict)  # degrees
    file_name: str = ""
    image_id: int = 0
    width: int = 0  # pixels; 0: unknown
    height: int = 0
    class_name: str = ""
    annotator: str = ""
    placed_at: str = ""
