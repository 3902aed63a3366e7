"""Images to compare with an image: earlier ones of its series, its sources, its nearest neighbours, other files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from synthaug.reading.feature_space import FeatureSpace
from synthaug.reading.series import series_name
from synthaug.records import ImageRecord
from synthaug.store import catalog, generations, labels
from synthaug.workspace import Workspace

SMALL_FOLDER = 8
"""A folder of at most this many images is assumed to be of one patient."""
OF_A_SERIES = 4  # maximum number of earlier and of later images
NEAREST = 3  # neighbours of each origin
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Companion:
    """An image to compare with another, and the reason."""

    image_id: int
    why: str


def companions(
    workspace: Workspace, image_id: int, space: FeatureSpace | None, *, blind: bool = False
) -> list[Companion]:
    """Images to compare with, the most useful first; ``blind`` leaves out those that reveal how it was generated."""
    image = catalog.images_by_id(workspace.db, [image_id])[0]
    found: dict[int, Companion] = {}
    for each in _offered(workspace, image, space, blind=blind):
        if each.image_id != image_id:
            found.setdefault(each.image_id, each)
    return list(found.values())


def _offered(
    workspace: Workspace, image: ImageRecord, space: FeatureSpace | None, *, blind: bool
) -> Iterator[Companion]:
    if not blind:
        yield from _drawn_from(workspace, image.id)
    files = [] if image.origin == "synthetic" else catalog.files_beside(workspace.db, image.source)
    yield from in_series(image.source, files)
    if space is not None:
        for word, among in (("real", ~space.synthetic), ("synthetic", space.synthetic)):
            for near, distance in space.nearest(image.id, among, NEAREST):
                yield Companion(near, f"Nearest {word}, distance {distance:.2f}")
    yield from next_files(image.source, files)


def _drawn_from(workspace: Workspace, image_id: int) -> Iterator[Companion]:
    """The images in the details of a generation: its starting image, its subject, its mask."""
    for made in generations.all_of_image(workspace.db, image_id):
        hashes = {
            sha256: f"Drawn from: {name.replace('_', ' ')}"
            for name, value in made.details.items()
            for sha256 in SHA256.findall(json.dumps(value))
        }
        for sha256, known in labels.by_hash(workspace.db, list(hashes)).items():
            yield Companion(known.image_id, hashes[sha256])


def in_series(source: str, files: Sequence[tuple[int, str]]) -> list[Companion]:
    """The images of the same series, the previous one first: ``dog7_2019`` is the prior of ``dog7_2021``.

    ``files`` are (image id, path) of the images in the same folder. The files of a series have equal names up to the
    last separator; a small folder is one series.
    """
    ordered = _in_order(files)
    series = (
        ordered
        if len(ordered) <= SMALL_FOLDER
        else [
            (i, path) for i, path in ordered if series_name(path) and series_name(path) == series_name(source)
        ]
    )
    before = [each for each in series if _key(each[1]) < _key(source)][::-1]
    after = [each for each in series if _key(each[1]) > _key(source)]
    found = [Companion(i, f"Prior: {PurePosixPath(path).name}") for i, path in before[:OF_A_SERIES]]
    return found + [Companion(i, f"Later: {PurePosixPath(path).name}") for i, path in after[:OF_A_SERIES]]


def next_files(source: str, files: Sequence[tuple[int, str]]) -> list[Companion]:
    """The previous and the next file in the folder."""
    ordered = _in_order(files)
    before = [each for each in ordered if _key(each[1]) < _key(source)][-1:]
    after = [each for each in ordered if _key(each[1]) > _key(source)][:1]
    found = [Companion(i, f"File before: {PurePosixPath(path).name}") for i, path in before]
    return found + [Companion(i, f"File after: {PurePosixPath(path).name}") for i, path in after]


def _in_order(files: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted(files, key=lambda each: _key(each[1]))


def _key(path: str) -> list[tuple[int, int | str]]:
    """A sort key that orders numbers by value, so that 9 precedes 10."""
    return [
        (0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", path.lower()) if part
    ]
