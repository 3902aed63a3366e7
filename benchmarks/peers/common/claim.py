"""What a claim is: the same work done by us, by peers and by a floor, and the figures that are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Figures = Mapping[str, float]
Action = Callable[[], Figures | None]
"""One round. What it returns is recorded; "seconds" (wall clock) is added unless the round timed itself."""
Role = Literal["ours", "peer", "floor"]


def nothing(_: Path) -> None:
    """For claims that need no files."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way to do the work. ``setup`` gets the folder of the shared data and is not timed."""

    name: str
    setup: Callable[[Path], Action]
    packages: tuple[str, ...] = ()
    """Pinned packages of an environment of its own; none: this environment."""
    role: Role = "peer"
    shown: str = ""
    """The package whose version is reported; the first of ``packages`` by default."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a figure of every side. ``why`` is said where the goal is missed."""

    figure: str
    title: str
    unit: str = "s"
    higher_is_better: bool = False
    why: str = ""
    least: float = 0.0
    """A peer counts only if its figure "recall" is at least this."""
    optional: bool = False
    """Whether the row is left out where our side did not measure its figure, because the machine cannot."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Sides that do the same work, in rounds in which they take turns."""

    name: str
    title: str
    sides: tuple[Side, ...]
    rows: tuple[Row, ...] = (Row("seconds", ""),)
    floor: str = ""
    """How the floor was found."""
    notes: str = ""
    """What differs between the sides beyond speed."""
    same: tuple[str, ...] = ()
    """Figures that must be equal on all sides, as a proof that they did the same work."""
    prepare: Callable[[Path], None] = nothing
    """Writes the shared data, in our environment."""
    rounds: int = 5

    def side(self, name: str) -> Side:
        """The side called ``name``."""
        return next(side for side in self.sides if side.name == name)
