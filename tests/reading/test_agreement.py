"""Agreement of readers from the label log: whose answers count as readings, and the figures by pair and class."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from synthaug.cli import cli, reading  # noqa: F401 - it registers its commands
from synthaug.measures.reader_agreement import cohen_kappa, intraclass_correlation
from synthaug.reading.agreement import agreement_of_readers
from synthaug.stages.readers import Answer, Reader, answer
from synthaug.store import readings
from synthaug.workspace import Workspace
from tests.landmarks import made
from tests.landmarks.made import PLACES, add_film, hip_workspace
from tests.measures.test_reader_agreement import DIAGNOSES
from tests.stages.helpers import add_real
from tests.stages.test_readers import ANN, BEN, CY, REV, say


def read_twice(workspace: Workspace) -> list[int]:
    """The diagnoses of the textbook, a tenth as many, by ann and ben."""
    pairs = [(i, j) for i in range(3) for j in range(3) for _ in range(DIAGNOSES[i, j])]
    with workspace.db.transaction():
        ids = add_real(workspace, len(pairs))
        for image, (first, second) in zip(ids, pairs, strict=True):
            say(workspace, image, ANN, first)
            say(workspace, image, BEN, second)
    return ids


def test_two_readers_of_the_textbook_table(workspace: Workspace) -> None:
    ids = read_twice(workspace)
    found = agreement_of_readers(workspace)
    (pair,) = found.pairs
    expected = cohen_kappa(DIAGNOSES)
    assert (pair.first, pair.second, pair.images, pair.same) == ("ann", "ben", 100, 89)
    assert (pair.kappa.value, pair.kappa.low, pair.kappa.high) == (
        expected.value,
        expected.low,
        expected.high,
    )
    # by hand, "2" (organic) against the rest: 10 both, 5 only ben; agreed 0.95, by chance 0.1 * 0.15 + 0.9 * 0.85
    assert pair.classes["2"].value == pytest.approx((0.95 - 0.78) / (1 - 0.78))
    assert list(pair.classes) == ["0", "1", "2"]
    assert (found.images, found.differing, found.conflicts) == (100, 11, 11)
    assert found.alpha.value == pytest.approx(pair.kappa.value, abs=0.01)
    say(workspace, ids[0], REV, 7, seen=("class", 0))  # a correction is no reading
    differing = ids[75]
    say(workspace, differing, REV, 0, settles=True)  # nor is a settlement
    again = agreement_of_readers(workspace)
    assert (again.pairs, again.conflicts) == (found.pairs, 10)


def test_rejections_are_answers_and_three_readers_make_three_pairs(workspace: Workspace) -> None:
    for image in add_real(workspace, 6):
        for reader, index in ((ANN, 1), (BEN, None if image % 2 else 1), (CY, 1 if image % 3 else 2)):
            say(workspace, image, reader, index)
    found = agreement_of_readers(workspace)
    assert [(each.first, each.second) for each in found.pairs] == [
        ("ann", "ben"),
        ("ann", "cy"),
        ("ben", "cy"),
    ]
    assert set(found.classes) == set(found.class_kappas) == {"1", "2", "reject"}


def test_fleiss_kappa_of_three_readers_and_of_an_image_that_two_read(workspace: Workspace) -> None:
    *ids, once = add_real(workspace, 6)
    for reader, answers in ((ANN, (1, 1, 2, 2, 1)), (BEN, (1, 1, 2, 1, 2)), (CY, (1, 2, 2, 2, None))):
        for image, index in zip(ids, answers, strict=True):
            if index is not None:
                say(workspace, image, reader, index)
    say(workspace, once, ANN, 3)  # a single reading is not compared
    found = agreement_of_readers(workspace)
    # by hand: two readers of an image agree in 1, 1/3, 1, 1/3 and 0 of their pairs; the shares of "1" are 3/3, 2/3, 0,
    # 1/3 and 1/2, together 1/2 of the answers
    assert found.images == 5
    assert found.kappa.value == pytest.approx(((8 / 3) / 5 - 0.5) / (1 - 0.5))
    # with two answers, each against the other is the whole
    assert found.class_kappas == {"1": found.kappa, "2": found.kappa}


def test_the_command_says_what_to_do_and_prints_json(workspace: Workspace) -> None:
    where = ["-w", str(workspace.root)]
    assert "synthaug reading --second-share" in CliRunner().invoke(cli, ["agreement", *where]).output
    read_twice(workspace)
    shown = CliRunner().invoke(cli, ["agreement", *where]).output
    assert "Fleiss' kappa 0.68 (95% interval" in shown
    assert "ann and ben: 89 of 100 answers are equal, Cohen's kappa 0.68 (95% interval 0.50 to 0.85)" in shown
    said = json.loads(CliRunner().invoke(cli, ["agreement", "--json", *where]).output)
    assert math.isclose(said["pairs"][0]["kappa"]["value"], cohen_kappa(DIAGNOSES).value)


def test_the_settings_of_reading_are_kept(workspace: Workspace) -> None:
    where = ["-w", str(workspace.root), "--json"]
    guideline = workspace.root / "g.md"
    guideline.write_text("# Femoral head\n", encoding="utf-8")
    arguments = ["reading", "--blind", "--second-share", "0.2", "--guideline", str(guideline)]
    assert CliRunner().invoke(cli, [*arguments, *where]).exit_code == 0
    said = json.loads(CliRunner().invoke(cli, ["reading", *where]).output)
    expected = {"blind": True, "second_share": 0.2, "guideline": "# Femoral head\n", "refit_every": 0}
    assert said == expected


def place_all(workspace: Workspace, shifts: dict[Reader, float], number: int) -> None:
    """A film on which these readers place the left rim, each so far from the first; far off, they see another class."""
    film = add_film(workspace, 10 * number)
    for reader, shift in shifts.items():
        x, y = PLACES["left_rim"]
        places = PLACES | {"left_rim": (x + 3 * number + shift, y)}
        said = made.answer(
            workspace, film, f"{reader.name}-{number}-operation", places, (number + (shift > 2)) % 2
        )
        answer(workspace, [Answer(replace(said, annotator=reader.name))], reviewer=False)


def test_angles_of_two_readers_by_intraclass_correlation(tmp_path: Path) -> None:
    workspace = hip_workspace(tmp_path / "work")
    with workspace.db.transaction():
        for number in range(6):
            place_all(workspace, {ANN: 0.0, BEN: 2.0 + number % 2}, number)
    (pair,) = agreement_of_readers(workspace).pairs
    read = list(readings.of_everything(workspace.db).values())
    names = list(read[0].each[0].angles)
    moved = next(name for name in names if pair.angles[name].mean_absolute_difference > 0)
    angles = np.array([[each.angles[moved] for each in of.each] for of in read])
    expected, found = intraclass_correlation(angles), pair.angles[moved]
    assert (found.images, found.icc.value, found.icc.low) == (6, expected.value, expected.low)
    assert found.mean_absolute_difference == pytest.approx(np.abs(angles[:, 0] - angles[:, 1]).mean())
    assert 0 < expected.value < 1
    assert any(pair.angles[name].mean_absolute_difference == 0 for name in names)  # the other side


def test_angles_of_three_readers_on_the_films_that_all_measured(tmp_path: Path) -> None:
    workspace = hip_workspace(tmp_path / "work")
    with workspace.db.transaction():
        for number in range(5):
            place_all(workspace, {ANN: 0.0, BEN: 2.0 + number % 2, CY: -1.0}, number)
        place_all(workspace, {ANN: 0.0, BEN: 9.0}, 6)
    found = agreement_of_readers(workspace)
    read = [each for each in readings.of_everything(workspace.db).values() if len(each.each) == 3]
    left = np.array([[each.angles["left"] for each in of.each] for of in read])
    expected = intraclass_correlation(left)
    angle = found.angles["left"]
    assert (angle.readers, angle.images) == (3, 5)
    assert (angle.icc.value, angle.icc.low, angle.icc.high) == (expected.value, expected.low, expected.high)
    assert [pair.angles["left"].images for pair in found.pairs] == [6, 5, 5]
    shown = CliRunner().invoke(cli, ["agreement", "-w", str(workspace.root)]).output
    assert f"left: ICC(2,1) {expected.value:.2f}" in shown
    assert "on 5 images that all 3 readers measured" in shown
    assert "right: ICC(2,1) not defined (it needs two images with different angles)" in shown
