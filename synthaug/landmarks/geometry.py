"""Calculating angles from landmarks and the class that follows from them, and mirroring landmarks.

Coordinates are pixels of the full-size image, x to the right and y downwards; the centre of the upper left pixel is
(0.5, 0.5). ``app/components/landmarks/geometry.js`` calculates the same in the browser; both are tested on
``tests/landmarks/cases.json``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from synthaug.errors import UserError
from synthaug.landmarks.scheme import GREATEST, LEAST, Angle, Scheme, partner

Places = Mapping[str, tuple[float, ...]]
"""(x, y) of points and (x, y, radius) of circles, by name."""

Vector = tuple[float, float]


def angle_at(vertex: Sequence[float], first: Sequence[float], second: Sequence[float]) -> float:
    """The angle at ``vertex`` between two other places, in degrees, 0 .. 180. Raises UserError if places coincide."""
    return _between(_from_to(vertex, first), _from_to(vertex, second))


def _from_to(start: Sequence[float], end: Sequence[float]) -> Vector:
    return (end[0] - start[0], end[1] - start[1])


def _between(a: Vector, b: Vector) -> float:
    if not any(a) or not any(b):
        raise UserError("landmarks in the same place have no angle between them; move one of them")
    return math.degrees(math.atan2(abs(a[0] * b[1] - a[1] * b[0]), a[0] * b[0] + a[1] * b[1]))


def measure(scheme: Scheme, places: Places) -> dict[str, float]:
    """Every angle of the scheme in degrees, by name. Raises UserError if landmarks coincide."""
    found: dict[str, float] = {}
    for angle in scheme.angles:
        found[angle.name] = _measured(angle, places, found)
    return found


def _measured(angle: Angle, places: Places, found: Mapping[str, float]) -> float:
    if angle.difference is not None:
        return found[angle.difference[0]] - found[angle.difference[1]]
    if angle.lines is not None:
        (a, b), (c, d) = angle.lines
        return _between(_from_to(places[a], places[b]), _from_to(places[c], places[d]))
    vertex, first, second = angle.landmarks
    return angle_at(places[vertex], places[first], places[second])


def class_by_angles(scheme: Scheme, angles: Mapping[str, float]) -> str | None:
    """The class that follows from the angles; None if the scheme has no classes or a required angle is missing."""
    if (classes := scheme.classes) is None:
        return None
    deciding = [angle.name for angle in scheme.angles] if classes.by in (LEAST, GREATEST) else [classes.by]
    if not all(name in angles for name in deciding):
        return None
    values = [angles[name] for name in deciding]
    value = max(values) if classes.by == GREATEST else min(values)
    return classes.names[sum(value >= threshold for threshold in classes.thresholds)]


def mirrored(places: Places, width: float) -> dict[str, tuple[float, ...]]:
    """The landmarks of the image flipped left to right; left landmarks take the places and names of right ones."""
    return {partner(name): (width - place[0], *place[1:]) for name, place in places.items()}


def sides_look_swapped(scheme: Scheme, places: Places) -> bool:
    """Whether most left landmarks lie on the right side, where left is that of the picture or of the subject."""
    pairs = [
        (places[each.name][0], places[partner(each.name)][0])
        for each in scheme.landmarks
        if each.side == "left" and each.name in places and partner(each.name) in places
    ]
    wrong = [left > right if scheme.sides == "picture" else left < right for left, right in pairs]
    return sum(wrong) * 2 > len(pairs)


def in_pixels(shares: Places, width: float, height: float) -> dict[str, tuple[float, ...]]:
    """Convert shares of the width, the height and (for a radius) the width to pixels of an image of this size."""
    size = (width, height, width)
    return {
        name: tuple(share * side for share, side in zip(place, size, strict=False))
        for name, place in shares.items()
    }


def in_shares(places: Places, width: float, height: float) -> dict[str, tuple[float, ...]]:
    """Convert pixels to shares; the inverse of :func:`in_pixels`."""
    return in_pixels(places, 1 / width, 1 / height)


def start_places(scheme: Scheme, width: float, height: float) -> dict[str, tuple[float, ...]]:
    """The initial places of the landmarks on an image of this size, in pixels."""
    return in_pixels({each.name: each.mean for each in scheme.landmarks}, width, height)


def check_places(scheme: Scheme, places: Places, width: float, height: float) -> None:
    """Raises UserError for landmarks that are missing, unknown, outside the image or without a radius."""
    if set(places) != set(scheme.names):
        missing = sorted(set(scheme.names) - set(places)) or sorted(set(places) - set(scheme.names))
        raise UserError(
            f"the landmarks are {', '.join(sorted(places)) or 'none'}, but the scheme {scheme.name!r} has "
            f"{', '.join(scheme.names)}; check {missing[0]!r}"
        )
    for landmark in scheme.landmarks:
        place, wanted = places[landmark.name], len(landmark.mean)
        if len(place) != wanted or not all(math.isfinite(each) for each in place):
            kind = "x, y, radius" if wanted == 3 else "x, y"
            raise UserError(f"the landmark {landmark.name!r} is {list(place)}; it must be {kind} in pixels")
        if not (0 <= place[0] <= width and 0 <= place[1] <= height):
            raise UserError(
                f"the landmark {landmark.name!r} at {list(place[:2])} is outside the image of {width} x {height} px"
            )
        if wanted == 3 and not 0 < place[2] <= max(width, height):
            raise UserError(
                f"the landmark {landmark.name!r} has radius {place[2]}; it must be above 0 and fit the image"
            )
