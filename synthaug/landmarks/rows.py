"""What a file says of the landmarks of one image: the record that its readers and writers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synthaug.landmarks.geometry import Places


@dataclass(frozen=True, slots=True)
class LandmarkRow:
    """``key``: the image's SHA-256 or id, or the name of the file it came from. Without ``points`` only ``angles``.

    What is written says all of it; of what is read, ``width`` and ``height`` may be 0: not said.
    """

    key: str
    points: Places
    angles: Mapping[str, float] = field(default_factory=dict)
    file_name: str = ""
    image_id: int = 0
    width: int = 0
    height: int = 0
    class_name: str = ""
    annotator: str = ""
    placed_at: str = ""
