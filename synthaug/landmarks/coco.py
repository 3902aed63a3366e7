"""Landmarks as COCO keypoints (https://cocodataset.org/#format-data); the scheme is the only category.

A keypoint is ``x, y, v``: pixels from the upper left corner of the image, and v = 0 for not labeled, 1 for hidden and 2
for visible. COCO has no circles, so the centre of a circle is a keypoint and its radius is in the field ``radii``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from synthaug.errors import UserError
from synthaug.landmarks.geometry import Places, start_places
from synthaug.landmarks.rows import LandmarkRow
from synthaug.landmarks.scheme import Circle, Scheme
from synthaug.parsing import parse_json

VISIBLE = 2


@dataclass(frozen=True, slots=True)
class _Image:
    id: int
    file_name: str
    width: int
    height: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class _Category:
    id: int
    keypoints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Annotation:
    image_id: int
    category_id: int
    keypoints: list[float] = field(default_factory=list)
    radii: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Coco:
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


class _WrittenImage(TypedDict):
    """An image as it is written."""

    id: int
    file_name: str
    width: int
    height: int
    sha256: str
    source: str  # the path from which it was imported


class _WrittenCategory(TypedDict):
    """A scheme as it is written."""

    id: int
    name: str
    supercategory: str
    keypoints: list[str]
    skeleton: list[list[int]]  # pairs of keypoints, which COCO counts from 1 here


_WrittenAnnotation = TypedDict(
    "_WrittenAnnotation",
    {
        "id": int,
        "image_id": int,
        "category_id": int,
        "keypoints": list[float],
        "num_keypoints": int,
        "bbox": list[float],
        "area": float,
        "iscrowd": int,
        "radii": dict[str, float],
        "angles": dict[str, float],
        "class": str,
        "annotator": str,
        "placed_at": str,
    },
)
"""The landmarks of one image as they are written; fields from "radii" on are not part of COCO."""


def coco_text(scheme: Scheme, rows: Iterable[LandmarkRow]) -> str:
    """The content of a COCO file with the rows that have points."""
    placed = [row for row in rows if row.points]
    content = {
        "info": {"description": scheme.title, "scheme": scheme.name, "scheme_revision": scheme.revision},
        "images": [_image(row) for row in placed],
        "annotations": [_annotation(scheme, number, row) for number, row in enumerate(placed, start=1)],
        "categories": [_category(scheme)],
    }
    return json.dumps(content, indent=1) + "\n"


def _image(row: LandmarkRow) -> _WrittenImage:
    return {
        "id": row.image_id,
        "file_name": f"{row.key}.png",
        "width": row.width,
        "height": row.height,
        "sha256": row.key,
        "source": row.file_name,
    }


def _category(scheme: Scheme) -> _WrittenCategory:
    arms = [(angle.at, end) for angle in scheme.angles for end in angle.between or ()]
    drawn = [(line.start, line.end) for line in scheme.lines]
    joined = dict.fromkeys(
        tuple(sorted((scheme.names.index(str(a)), scheme.names.index(b)))) for a, b in drawn + arms
    )
    skeleton = [[a + 1, b + 1] for a, b in joined]
    return {
        "id": 1,
        "name": scheme.name,
        "supercategory": "landmarks",
        "keypoints": list(scheme.names),
        "skeleton": skeleton,
    }


def _annotation(scheme: Scheme, number: int, row: LandmarkRow) -> _WrittenAnnotation:
    keypoints = [each for name in scheme.names for each in (*row.points[name][:2], VISIBLE)]
    radii = {each.name: row.points[each.name][2] for each in scheme.circles}
    left, top, width, height = _box(row.points.values())
    return {
        "id": number,
        "image_id": row.image_id,
        "category_id": 1,
        "keypoints": keypoints,
        "num_keypoints": len(scheme.names),
        "bbox": [left, top, width, height],
        "area": width * height,
        "iscrowd": 0,
        "radii": radii,
        "angles": dict(row.angles),
        "class": row.class_name,
        "annotator": row.annotator,
        "placed_at": row.placed_at,
    }


def _box(places: Iterable[Sequence[float]]) -> tuple[float, float, float, float]:
    """x, y, width and height of the box around all points and circles, in pixels."""
    reach = [(x, y, radius[0] if radius else 0.0) for x, y, *radius in places]
    left, top = min(x - r for x, _, r in reach), min(y - r for _, y, r in reach)
    right, bottom = max(x + r for x, _, r in reach), max(y + r for _, y, r in reach)
    return left, top, round(right - left, 2), round(bottom - top, 2)


def read_coco(text: str | bytes, scheme: Scheme, what: str) -> list[LandmarkRow]:
    """The annotations of categories that have the landmarks of the scheme as keypoints. Raises UserError.

    A keypoint with v = 0 is left out of the row. A circle without a radius gets the radius of the scheme's ``mean``.
    """
    coco = parse_json(_Coco, text, what)
    categories = {each.id: each for each in coco.categories if set(scheme.names) <= set(each.keypoints)}
    if not categories:
        raise UserError(
            f"{what} has no category with the keypoints of the scheme {scheme.name!r}: {', '.join(scheme.names)}"
        )
    images = {image.id: image for image in coco.images}
    rows = []
    for annotation in coco.annotations:
        if annotation.image_id not in images:
            raise UserError(
                f"{what}: an annotation refers to the image {annotation.image_id}, which is not in the file"
            )
        if annotation.category_id in categories:
            category = categories[annotation.category_id]
            rows.append(_row(scheme, images[annotation.image_id], category, annotation, what))
    return rows


def _row(
    scheme: Scheme, image: _Image, category: _Category, annotation: _Annotation, what: str
) -> LandmarkRow:
    flat, names = annotation.keypoints, category.keypoints
    if len(flat) != 3 * len(names):
        raise UserError(
            f"{what}: the image {image.file_name!r} has {len(flat)} numbers for {len(names)} keypoints, not 3 for each"
        )
    seen = {name: (flat[3 * i], flat[3 * i + 1]) for i, name in enumerate(names) if flat[3 * i + 2] > 0}
    points = _with_radii(scheme, image, seen, annotation.radii)
    return LandmarkRow(
        image.sha256 or image.file_name, points, {}, image.file_name, image.id, image.width, image.height
    )


def _with_radii(scheme: Scheme, image: _Image, seen: Places, radii: Mapping[str, float]) -> Places:
    start = start_places(scheme, image.width, image.height)
    found = {}
    for landmark in scheme.landmarks:
        if landmark.name not in seen:
            continue
        place = seen[landmark.name]
        radius = radii.get(landmark.name, start[landmark.name][-1])
        found[landmark.name] = (*place, radius) if isinstance(landmark, Circle) else place
    return found
