"""Landmark schemes: the landmarks to place on an image, the angles between them, and the class that follows.

Schemes are TOML files; those that come with the package are in ``schemes/``. A workspace stores the one that it uses.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Literal

from synthaug.errors import UnknownName, UserError
from synthaug.parsing import parse_json, parse_record

Side = Literal["left", "right"]
Sides = Literal["picture", "subject"]
OTHER: dict[str, Side] = {"left": "right", "right": "left"}
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
LEAST, GREATEST = "least", "greatest"


@dataclass(frozen=True, slots=True)
class Point:
    """A point; ``mean`` is its initial place (x, y), as shares of the width and height of the image."""

    name: str
    title: str
    mean: tuple[float, float]
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle; the third number of ``mean`` is its initial radius, as a share of the width of the image."""

    name: str
    title: str
    mean: tuple[float, float, float]
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line to draw between two landmarks."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Angle:
    """An angle in degrees: ``at`` a landmark ``between`` two others, between two ``lines``, or a ``difference``.

    The first two kinds lie in 0 .. 180. A line has a direction, from its first landmark to its second. A difference is
    that of two earlier angles.
    """

    name: str
    title: str
    side: Side | None = None
    at: str | None = None
    between: tuple[str, str] | None = None
    lines: tuple[tuple[str, str], tuple[str, str]] | None = None
    difference: tuple[str, str] | None = None

    @property
    def landmarks(self) -> tuple[str, ...]:
        """The names of the landmarks that define the angle."""
        if self.at is not None and self.between is not None:
            return (self.at, *self.between)
        return () if self.lines is None else (*self.lines[0], *self.lines[1])


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes that follow from an angle: at each threshold the next class begins."""

    by: str  # the name of an angle, or "least" or "greatest" of all angles
    thresholds: tuple[float, ...]  # degrees, ascending
    names: tuple[str, ...]  # one more than thresholds, in ascending order of the angle


@dataclass(frozen=True, slots=True)
class Scheme:
    """A landmark scheme; ``sides`` says whether left is that of the picture or of a subject that faces the viewer."""

    name: str
    title: str
    sides: Sides = "picture"
    points: tuple[Point, ...] = ()
    circles: tuple[Circle, ...] = ()
    lines: tuple[Line, ...] = ()
    angles: tuple[Angle, ...] = ()
    classes: Classes | None = None
    caption: str | None = None  # a format: "left angle {left:.2f}"

    @property
    def landmarks(self) -> tuple[Point | Circle, ...]:
        """Circles, then points; this is their order in every file."""
        return (*self.circles, *self.points)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the landmarks, in the order of :attr:`landmarks`."""
        return tuple(each.name for each in self.landmarks)

    def to_json(self) -> str:
        """The scheme as JSON, which a workspace stores."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def revision(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the scheme."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


def partner(name: str) -> str:
    """The name on the other side: ``right_head`` for ``left_head``; a name without a side is returned unchanged."""
    first, separator, rest = name.partition("_")
    return OTHER[first] + separator + rest if first in OTHER else name


def shipped() -> tuple[str, ...]:
    """The names of the schemes that come with the package."""
    folder = files("synthaug.landmarks") / "schemes"
    return tuple(sorted(each.name.removesuffix(".toml") for each in folder.iterdir()))


def load_scheme(name: str | Path) -> Scheme:
    """A scheme by its name, if it comes with the package, or by the path of its TOML file. Raises UserError."""
    if str(name) in shipped():
        text = (files("synthaug.landmarks") / "schemes" / f"{name}.toml").read_text(encoding="utf-8")
        return parse_scheme(text, f"{name}.toml")
    path = Path(name)
    if path.suffix != ".toml":
        raise UnknownName("landmark scheme", str(name), [*shipped(), "FILE.toml"])
    try:
        return parse_scheme(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error


def parse_scheme(text: str, what: str) -> Scheme:
    """Parse a scheme in TOML; ``what`` names the text in error messages. Raises UserError."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{what} is not valid TOML: {error}") from error
    scheme = parse_record(Scheme, content, what, unknown="forbid")
    for problem in _problems(scheme):
        raise UserError(f"{what} cannot be used: {problem}")
    return scheme


def scheme_from_json(text: str) -> Scheme:
    """Parse the output of :meth:`Scheme.to_json`. Raises UserError."""
    return parse_json(Scheme, text, "the landmark scheme of the workspace", unknown="forbid")


def with_classes(scheme: Scheme, names: Sequence[str] | None, thresholds: Sequence[float] | None) -> Scheme:
    """The scheme with other class names, in ascending order of the angle, or other thresholds. Raises UserError."""
    if names is None and thresholds is None:
        return scheme
    if scheme.classes is None:
        raise UserError(f"the scheme {scheme.name!r} has no classes; add a table [classes] to its file")
    classes = Classes(
        scheme.classes.by,
        tuple(thresholds) if thresholds is not None else scheme.classes.thresholds,
        tuple(names) if names is not None else scheme.classes.names,
    )
    changed = replace(scheme, classes=classes)
    for problem in _class_problems(changed):
        raise UserError(f"the scheme {scheme.name!r} cannot be changed in this way: {problem}")
    return changed


def _problems(scheme: Scheme) -> Iterator[str]:
    yield from _name_problems([scheme.name], "scheme")
    yield from _name_problems(scheme.names, "landmark")
    yield from _name_problems([each.name for each in scheme.angles], "angle")
    if not scheme.landmarks:
        yield "it has no landmarks; add [[points]] or [[circles]]"
    for landmark in scheme.landmarks:
        if not all(0 <= share <= 1 for share in landmark.mean):
            yield f"the mean of {landmark.name!r} is {list(landmark.mean)}; shares must lie in 0 .. 1"
    for line in scheme.lines:
        yield from _unknown((line.start, line.end), scheme.names, "a line")
    yield from _side_problems(scheme)
    yield from _angle_problems(scheme)
    yield from _class_problems(scheme)
    yield from _caption_problems(scheme)


def _name_problems(names: Sequence[str], kind: str) -> Iterator[str]:
    for name in names:
        if not NAME.fullmatch(name):
            yield (
                f"the {kind} name {name!r} is invalid; use at most 40 of the characters a-z, 0-9 and _, beginning "
                "with a letter"
            )
        if list(names).count(name) > 1:
            yield f"two {kind}s are called {name!r}; names must be different"


def _unknown(used: Iterable[str], known: Sequence[str], where: str) -> Iterator[str]:
    for name in used:
        if name not in known:
            yield f"{where} refers to {name!r}, which does not exist; available: {', '.join(known)}"


def _angle_problems(scheme: Scheme) -> Iterator[str]:
    before: list[str] = []
    for angle in scheme.angles:
        ways = [angle.at is not None and angle.between is not None, angle.lines, angle.difference]
        if sum(map(bool, ways)) != 1 or (angle.at is None) != (angle.between is None):
            yield f"the angle {angle.name!r} needs either at and between, or lines, or difference"
        where = f"the angle {angle.name!r}"
        yield from _unknown(angle.landmarks, scheme.names, where)
        yield from _unknown(angle.difference or (), before, f"{where}, a difference of earlier angles,")
        arms = (angle.between,) if angle.lines is None else angle.lines
        if any(arm is not None and arm[0] == arm[1] for arm in arms) or angle.at in (angle.between or ()):
            yield f"{where} refers to a landmark twice"
        before.append(angle.name)


def _side_problems(scheme: Scheme) -> Iterator[str]:
    for each, others in [
        *((each, scheme.landmarks) for each in scheme.landmarks),
        *((each, scheme.angles) for each in scheme.angles),
    ]:
        found = next((other for other in others if other.name == partner(each.name)), None)
        named = each.name.partition("_")[0] if partner(each.name) != each.name else None
        if each.side != named:
            yield f"{each.name!r} has the side {each.side!r}, but its name implies {named!r} (left_... or right_...)"
        elif named and (found is None or type(found) is not type(each)):
            yield f"{each.name!r} has no counterpart {partner(each.name)!r} on the other side"


def _class_problems(scheme: Scheme) -> Iterator[str]:
    if (classes := scheme.classes) is None:
        return
    allowed = [LEAST, GREATEST, *(angle.name for angle in scheme.angles)]
    yield from _unknown([classes.by], allowed, "by in [classes]")
    if not scheme.angles:
        yield "classes need at least one angle"
    if len(classes.names) != len(classes.thresholds) + 1 or not classes.thresholds:
        yield (
            f"there are {len(classes.names)} class names and {len(classes.thresholds)} thresholds; there must be at "
            "least one threshold, and one more name than thresholds"
        )
    if list(classes.thresholds) != sorted(set(classes.thresholds)):
        yield f"the thresholds are {list(classes.thresholds)}; they must be in ascending order"
    if not all(-180 <= each <= 180 for each in classes.thresholds):
        yield f"the thresholds are {list(classes.thresholds)}; they must lie in -180 .. 180 degrees"
    if len(set(classes.names)) != len(classes.names):
        yield f"the class names are {list(classes.names)}; they must be different"


def _caption_problems(scheme: Scheme) -> Iterator[str]:
    if scheme.caption is None:
        return
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(scheme.caption) if field is not None]
        yield from _unknown(fields, [angle.name for angle in scheme.angles], "the caption")
        if set(fields) <= {angle.name for angle in scheme.angles}:
            scheme.caption.format(**dict.fromkeys(fields, 0.0))
    except (ValueError, KeyError, IndexError) as error:
        yield f"the caption {scheme.caption!r} is not a valid format: {error}"
