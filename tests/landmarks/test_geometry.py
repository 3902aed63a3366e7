"""Angles and classes against cases computed by hand, which the browser's twin is held to as well; and mirrors."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synthaug.errors import UserError
from synthaug.landmarks.geometry import (
    angle_at,
    check_places,
    class_by_angles,
    measure,
    mirrored,
    sides_look_swapped,
    start_places,
)
from synthaug.landmarks.scheme import load_scheme, scheme_from_json

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
HIP = load_scheme("hip")
SIDE = 1000.0

coordinate = st.floats(1, SIDE - 1)
place = st.tuples(coordinate, coordinate)


@st.composite
def hips(draw: st.DrawFn) -> dict[str, tuple[float, ...]]:
    """Places of the hip scheme, none of which lies on another."""
    found: dict[str, tuple[float, ...]] = {name: draw(place) for name in HIP.names}
    corners = list(found.values())
    assume(all(math.dist(a, b) > 1 for i, a in enumerate(corners) for b in corners[:i]))
    return {name: (*xy, 30.0) if name.endswith("head") else xy for name, xy in found.items()}


def moved(places: dict[str, tuple[float, ...]], degrees: float, scale: float) -> dict[str, tuple[float, ...]]:
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return {name: (cos * x - sin * y, sin * x + cos * y) for name, (x, y, *_) in places.items()}


@pytest.mark.parametrize("case", CASES["angles"], ids=lambda case: case["why"])
def test_an_angle_by_hand(case: dict[str, Any]) -> None:
    assert angle_at(case["vertex"], case["first"], case["second"]) == pytest.approx(case["degrees"])


@pytest.mark.parametrize("case", CASES["schemes"], ids=lambda case: case["why"])
def test_a_scheme_by_hand(case: dict[str, Any]) -> None:
    scheme = load_scheme(case["scheme"])
    angles = measure(scheme, case["places"])
    assert angles == pytest.approx(case["angles"])
    assert class_by_angles(scheme, angles) == case["class"]


@pytest.mark.parametrize("name", CASES["definitions"])
def test_the_browser_is_tested_with_the_schemes_that_are_shipped(name: str) -> None:
    assert CASES["definitions"][name] == json.loads(json.dumps(asdict(load_scheme(name))))
    assert scheme_from_json(load_scheme(name).to_json()) == load_scheme(name)


@given(hips())
def test_a_mirror_swaps_left_and_right_and_changes_no_class(places: dict[str, tuple[float, ...]]) -> None:
    angles = measure(HIP, places)
    flipped = mirrored(places, SIDE)
    other = measure(HIP, flipped)
    assert (other["left"], other["right"]) == pytest.approx((angles["right"], angles["left"]), abs=1e-6)
    assert mirrored(flipped, SIDE).keys() == places.keys()
    for name, place in mirrored(flipped, SIDE).items():
        assert place == pytest.approx(places[name])
    assert sides_look_swapped(HIP, flipped) == sides_look_swapped(HIP, places)


@given(hips(), st.floats(-180, 180), st.floats(0.01, 100))
def test_turning_and_scaling_change_no_angle(
    places: dict[str, tuple[float, ...]], degrees: float, scale: float
) -> None:
    assert measure(HIP, moved(places, degrees, scale)) == pytest.approx(measure(HIP, places), abs=1e-5)


def test_a_flip_without_new_names_looks_swapped() -> None:
    places = start_places(HIP, 200, 100)
    flipped = {name: (200 - place[0], *place[1:]) for name, place in places.items()}
    assert not sides_look_swapped(HIP, places)
    assert sides_look_swapped(HIP, flipped)


@pytest.mark.parametrize(("least", "name"), [(104.99, "Small"), (105.0, "Big"), (180.0, "Big")])
def test_a_class_begins_at_its_threshold(least: float, name: str) -> None:
    assert class_by_angles(HIP, {"left": least, "right": 180.0}) == name
    assert class_by_angles(HIP, {"left": least}) is None


def test_landmarks_on_one_another_make_no_angle() -> None:
    with pytest.raises(UserError, match="in the same place"):
        angle_at((1, 1), (1, 1), (2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left_head": (10.0, 10.0)}, "must be x, y, radius"),
        ({"left_rim": (math.nan, 10.0)}, "must be x, y in pixels"),
        ({"left_rim": (201.0, 10.0)}, "outside the image of 200 x 100"),
        ({"left_head": (10.0, 10.0, 0.0)}, "must be above 0"),
        ({"tail": (1.0, 1.0)}, "check 'tail'"),
    ],
)
def test_places_that_cannot_be_are_refused(change: dict[str, tuple[float, ...]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_places(HIP, start_places(HIP, 200, 100) | change, 200, 100)
