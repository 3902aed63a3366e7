"""The series of a file: the images whose paths are equal up to the last separator of the name."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import PurePosixPath

from synthaug.records import ImageRecord

SEPARATOR = re.compile(r"[-_. ]")


def series_name(path: str) -> str:
    """The name of a file up to the last separator; "" if it has none."""
    stem = PurePosixPath(path).stem.lower()
    cut = [found.start() for found in SEPARATOR.finditer(stem)]
    return stem[: cut[-1]] if cut else ""


def series_key(image: ImageRecord) -> str:
    """The same short text for all images of a series; of names without a separator, a folder is one series.

    "" for a synthetic image, and for a file with neither a separator nor a folder. The key is a hash, because browsers
    keep it and a path may name a patient or, in a blind reading, the class.
    """
    folder, name = image.source.rpartition("/")[0], series_name(image.source)
    if image.origin == "synthetic" or not (folder or name):
        return ""
    return blake2b(f"{folder}/{name}".encode(), digest_size=8).hexdigest()
