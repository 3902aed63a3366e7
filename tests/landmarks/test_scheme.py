"""Schemes are data: what can be said in TOML, and what is refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.landmarks.geometry import class_by_angles, measure, start_places
from synthaug.landmarks.scheme import load_scheme, parse_scheme, shipped, with_classes

SPINE = """
name = "spine"
title = "Cobb angle"
points = [
  { name = "upper_left", title = "Upper endplate, start", mean = [0.4, 0.2] },
  { name = "upper_right", title = "Upper endplate, end", mean = [0.6, 0.2] },
  { name = "lower_left", title = "Lower endplate, start", mean = [0.4, 0.8] },
  { name = "lower_right", title = "Lower endplate, end", mean = [0.6, 0.6] },
]
angles = [
  { name = "cobb", title = "Cobb", lines = [["upper_left", "upper_right"], ["lower_left", "lower_right"]] },
]
[classes]
by = "cobb"
thresholds = [10.0, 25.0]
names = ["none", "mild", "moderate"]
"""


def test_a_new_body_part_needs_no_code(tmp_path: Path) -> None:
    (tmp_path / "spine.toml").write_text(SPINE)
    scheme = load_scheme(tmp_path / "spine.toml")
    angles = measure(scheme, start_places(scheme, 100, 100))
    assert angles == pytest.approx({"cobb": 45.0})
    assert class_by_angles(scheme, angles) == "moderate"


def test_every_shipped_scheme_can_be_read() -> None:
    assert {"hip", "cephalometry"} <= set(shipped())
    for name in shipped():
        assert load_scheme(name).name == name


def test_any_change_is_another_revision() -> None:
    hip = load_scheme("hip")
    assert with_classes(hip, None, [104.0]).revision != hip.revision
    assert with_classes(hip, ["Small", "Big"], [105.0]).revision == hip.revision


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name = ", "name ", "is not valid TOML"),
        ("[0.4, 0.2]", "[0.4, 1.2]", r"mean of 'upper_left' is \[0.4, 1.2\]; shares must lie in 0 .. 1"),
        ("[0.4, 0.2]", "[0.4]", "points.0.mean"),
        ('"upper_right", title', '"upper_left", title', "two landmarks are called 'upper_left'"),
        (
            '["lower_left", ',
            '["tail", ',
            "angle 'cobb' refers to 'tail', which does not exist; available: upper_left",
        ),
        ('["lower_left", "lower_right"]', '["lower_left", "lower_left"]', "refers to a landmark twice"),
        ('title = "Cobb", lines', 'title = "Cobb", at = "upper_left", lines', "needs either at and between"),
        (
            'by = "cobb"',
            'by = "norberg"',
            "by in .classes. refers to 'norberg', which does not exist; available: least, greatest, cobb",
        ),
        ("[10.0, 25.0]", "[25.0, 10.0]", "must be in ascending order"),
        ("[10.0, 25.0]", "[10.0]", "3 class names and 1 thresholds"),
        ('name = "cobb"', 'name = "Cobb angle"', "angle name 'Cobb angle' is invalid"),
        ('"upper_left", title', '"left_upper", title', "its name implies 'left'"),
        (
            'title = "Cobb angle"',
            'title = "Cobb angle"\ncaption = "{tilt} degrees"',
            "the caption refers to 'tilt'",
        ),
        ('title = "Cobb angle"', 'title = "Cobb angle"\ncolour = "red"', "colour"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, message: str) -> None:
    assert old in SPINE
    with pytest.raises(UserError, match=f"^spine.toml .*{message}"):
        parse_scheme(SPINE.replace(old, new), "spine.toml")


def test_a_side_without_its_counterpart_is_refused() -> None:
    text = (
        'name = "x"\ntitle = "X"\npoints = [{ name = "left_a", title = "A", mean = [0, 0], side = "left" }]'
    )
    with pytest.raises(UserError, match="no counterpart 'right_a' on the other side"):
        parse_scheme(text, "x.toml")


def test_an_unknown_scheme_says_which_there_are() -> None:
    with pytest.raises(UserError, match=r"no landmark scheme called 'knee'; .*'cephalometry', 'hip'"):
        load_scheme("knee")


def test_classes_of_a_scheme_that_makes_none_are_refused() -> None:
    scheme = parse_scheme(SPINE.partition("[classes]")[0], "spine.toml")
    with pytest.raises(UserError, match="has no classes"):
        with_classes(scheme, ["a", "b"], None)


def test_the_scheme_in_the_tutorial_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tutorials" / "vet.md").read_text(encoding="utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    scheme = parse_scheme(text, "the tutorial")
    assert scheme.classes is not None
    assert measure(scheme, start_places(scheme, 100, 100)) == pytest.approx({"cobb": 0.0})
