"""Which images are worth a look beside one: its prior, what it was drawn from, its nearest neighbours, files nearby."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from synthaug.reading.feature_space import FeatureSpace
from synthaug.records import ImageRecord
from synthaug.store import catalog, generations, labels
from synthaug.workspace import Workspace

SMALL_FOLDER = 8
"""A folder of at most so many images is taken for one patient's."""
OF_A_SERIES = 4
NEAREST = 3
SHA256 = re.compile(r"[0-9a-f]{64}")
SEPARATOR = re.compile(r"[-_. ]")


@dataclass(frozen=True, slots=True)
class Companion:
    """An image to look at beside another, and why."""

    image_id: int
    why: str


def companions(
    workspace: Workspace, image_id: int, space: FeatureSpace | None, *, blind: bool = False
) -> list[Companion]:
    """What to offer, the likeliest first, each image once. ``blind``: not what tells how the image was made."""
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
    """The images that a generation names by their hash: what it started from, its subject, its mask."""
    for made in generations.all_of_image(workspace.db, image_id):
        hashes = {
            sha256: f"Drawn from: {name.replace('_', ' ')}"
            for name, value in made.details.items()
            for sha256 in SHA256.findall(json.dumps(value))
        }
        for sha256, known in labels.by_hash(workspace.db, list(hashes)).items():
            yield Companion(known.image_id, hashes[sha256])


def in_series(source: str, files: Sequence[tuple[int, str]]) -> list[Companion]:
    """The files of the same series, the one just before it first: ``dog7_2019`` is the prior of ``dog7_2021``.

    ``files``: (image id, path) of the images of the same folder. A series shares its name up to the last separator,
    or is a small folder as a whole.
    """
    ordered = _in_order(files)
    series = (
        ordered
        if len(ordered) <= SMALL_FOLDER
        else [(i, path) for i, path in ordered if _series(path) and _series(path) == _series(source)]
    )
    before = [each for each in series if _key(each[1]) < _key(source)][::-1]
    after = [each for each in series if _key(each[1]) > _key(source)]
    said = [Companion(i, f"Prior: {PurePosixPath(path).name}") for i, path in before[:OF_A_SERIES]]
    return said + [Companion(i, f"Later: {PurePosixPath(path).name}") for i, path in after[:OF_A_SERIES]]


def next_files(source: str, files: Sequence[tuple[int, str]]) -> list[Companion]:
    """The files just before and just after it in its folder."""
    ordered = _in_order(files)
    before = [each for each in ordered if _key(each[1]) < _key(source)][-1:]
    after = [each for each in ordered if _key(each[1]) > _key(source)][:1]
    said = [Companion(i, f"File before: {PurePosixPath(path).name}") for i, path in before]
    return said + [Companion(i, f"File after: {PurePosixPath(path).name}") for i, path in after]


def _in_order(files: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted(files, key=lambda each: _key(each[1]))


def _key(path: str) -> list[tuple[int, int | str]]:
    """Film 9 stands before film 10."""
    return [
        (0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", path.lower()) if part
    ]


def _series(path: str) -> str:
    """A file's name up to its last separator; "" where it has none."""
    stem = PurePosixPath(path).stem.lower()
    cut = [found.start() for found in SEPARATOR.finditer(stem)]
    return stem[: cut[-1]] if cut else ""
