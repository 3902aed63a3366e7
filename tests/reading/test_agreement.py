"""Agreement of readers from the label log: whose answers count as readings, and the figures by pair and class."""

from __future__ import annotations

import json
import math

import pytest
from click.testing import CliRunner

from synthaug.cli import cli, reading  # noqa: F401 - it registers its commands
from synthaug.measures.reader_agreement import cohen_kappa
from synthaug.reading.agreement import agreement_of_readers
from synthaug.workspace import Workspace
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
    assert set(found.classes) == {"1", "2", "reject"}
    assert found.kappa.value is None  # nothing was read by exactly two


def test_the_command_says_what_to_do_and_prints_json(workspace: Workspace) -> None:
    where = ["-w", str(workspace.root)]
    assert "synthaug reading --second-share" in CliRunner().invoke(cli, ["agreement", *where]).output
    read_twice(workspace)
    shown = CliRunner().invoke(cli, ["agreement", *where]).output
    assert "ann and ben: 89 of 100 the same, Cohen's kappa 0.68 (95% interval 0.50 to 0.85)" in shown
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
