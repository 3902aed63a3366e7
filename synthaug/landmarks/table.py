"""Landmarks as CSV: one row per image, with points in pixels of the full-size image and angles in degrees.

``image`` is the SHA-256 of the pixels; files that are read may have an id instead. A landmark ``a`` has the columns
``a_x`` and ``a_y`` and, if it is a circle, ``a_radius``; an angle ``b`` has ``b_degrees``. The angles of a row that is
read are measured from its points; they are taken from the file only if it has no points.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from typing import IO

from synthaug.errors import UserError
from synthaug.landmarks.rows import LandmarkRow
from synthaug.landmarks.scheme import Circle, Point, Scheme
from synthaug.spreadsheet import plain_cell, safe_cell

AXES = ("x", "y", "radius")


def place_columns(landmark: Point | Circle) -> list[str]:
    """The columns of one landmark."""
    return [f"{landmark.name}_{axis}" for axis in AXES[: len(landmark.mean)]]


def columns(scheme: Scheme) -> list[str]:
    """The columns of the table, in order."""
    places = [column for landmark in scheme.landmarks for column in place_columns(landmark)]
    degrees = [f"{angle.name}_degrees" for angle in scheme.angles]
    return ["image", "file_name", "width", "height", "class", *places, *degrees, "annotator", "placed_at"]


def write_table(file: IO[str], scheme: Scheme, rows: Iterable[LandmarkRow]) -> None:
    """Write the rows in the given order."""
    table = csv.DictWriter(file, columns(scheme), lineterminator="\n")
    table.writeheader()
    table.writerows(_cells(scheme, row) for row in rows)


def _cells(scheme: Scheme, row: LandmarkRow) -> dict[str, str | float]:
    cells: dict[str, str | float] = {
        "image": row.key,
        "file_name": safe_cell(row.file_name),
        "width": row.width,
        "height": row.height,
        "class": safe_cell(row.class_name),
        "annotator": safe_cell(row.annotator),
        "placed_at": row.placed_at,
    }
    for landmark in scheme.landmarks:
        cells |= zip(place_columns(landmark), row.points.get(landmark.name, ()), strict=False)
    return cells | {f"{name}_degrees": degrees for name, degrees in row.angles.items()}


def read_table(file: IO[str], scheme: Scheme, what: str) -> list[LandmarkRow]:
    """The rows of a table; columns that do not belong to the scheme are ignored. Raises UserError."""
    try:
        reader = csv.DictReader(file)
        heading = set(reader.fieldnames or ())
        places = {column for landmark in scheme.landmarks for column in place_columns(landmark)}
        degrees = {f"{angle.name}_degrees" for angle in scheme.angles}
        if "image" not in heading or not (places <= heading or degrees <= heading):
            missing = sorted({"image", *places} - heading)
            raise UserError(
                f"{what} has no column {missing[0]!r}; it needs the columns image and {', '.join(sorted(places))}"
            )
        return [_row(scheme, cells, f"{what} line {reader.line_num}") for cells in reader]
    except csv.Error as error:
        raise UserError(f"{what} is not a CSV file: {error}") from error


def _row(scheme: Scheme, cells: Mapping[str, str | None], where: str) -> LandmarkRow:
    points = {}
    for landmark in scheme.landmarks:
        wanted = place_columns(landmark)
        if any((cells.get(column) or "").strip() for column in wanted):
            points[landmark.name] = tuple(
                _number(cells.get(column), f"{where}: {column}") for column in wanted
            )
    written = {angle.name: cells.get(f"{angle.name}_degrees") for angle in scheme.angles}
    angles = {
        name: _number(cell, f"{where}: {name}_degrees")
        for name, cell in written.items()
        if (cell or "").strip()
    }
    return LandmarkRow(
        (cells["image"] or "").strip(), points, angles, plain_cell(cells.get("file_name") or "")
    )


def _number(cell: str | None, where: str) -> float:
    try:
        number = float(cell or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{where} is {cell!r}; it must be a number")
    return number
