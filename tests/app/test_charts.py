"""Charts: what they draw is where the numbers say, and text stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthaug_app.components.charts import (
    ClassPair,
    _ticks,
    class_bars,
    confusion,
    interval,
    learning_curve,
    runs_strip,
    view_counts,
)

HOSTILE = "<img src=x onerror=alert(1)> ${alert(2)} {{value}} {0} \"'"


def places(html: str, css_class: str) -> list[float]:
    """The ``left`` of every element of a class, in percent."""
    return [float(each) for each in re.findall(rf'class="{css_class}" style="left:([\d.-]+)%', html)]


def test_interval_places_everything_on_one_scale() -> None:
    html = str(interval(0.02, (-0.01, 0.05), [0.0, 0.02, 0.04], 0.95))
    (zero,), (mean,) = places(html, "sa-interval-zero"), places(html, "sa-interval-mean")
    (start,) = places(html, "sa-interval-range")
    width = float(re.findall(r"width:([\d.]+)%", html)[0])
    seeds = places(html, "sa-interval-seed")
    point = (mean - zero) / 2  # percent of the width for one point of accuracy
    assert start == pytest.approx(zero - point, abs=0.02)
    assert start + width == pytest.approx(zero + 5 * point, abs=0.02)
    assert seeds == pytest.approx([zero, zero + 2 * point, zero + 4 * point], abs=0.02)


def test_interval_holds_zero_even_far_from_it() -> None:
    html = str(interval(0.3, (0.29, 0.31), [0.3, 0.3], 0.95))
    assert 0 <= places(html, "sa-interval-zero")[0] < places(html, "sa-interval-range")[0] <= 100


def test_class_bars_show_direction_significance_and_missing_classes() -> None:
    html = str(
        class_bars(
            [
                ClassPair("up", 0.5, 0.75, True),
                ClassPair("down", 0.9, 0.8, False),
                ClassPair("none", None, None, False),
            ]
        )
    )
    assert re.findall(r'class="sa-pair (\w+)"', html) == ["up", "down"]
    assert "+25.0" in html
    assert "-10.0" in html
    assert html.count("<sup") == 1
    assert "no test images" in html


def test_confusion_shares_are_of_the_true_class() -> None:
    html = str(confusion([[3, 1], [0, 0]], ["cat", "dog"], "t"))
    assert "cat, predicted cat: 3 of 4 (75.0%)" in html
    assert "cat, predicted dog: 1 of 4 (25.0%)" in html
    assert "dog, predicted dog: 0 of 0 (0.0%)" in html
    assert re.findall(r"--share:(\d+)%", html) == [
        "75",
        "50",
        "0",
        "0",
    ]  # misses by the root, so that few show


def test_counts_stack_what_was_added() -> None:
    html = str(view_counts(["a", "b", "c"], {"a": 50, "b": 5}, {"a": 50, "b": 105, "c": 10}))
    widths = re.findall(r'class="(?:base|more)" style="width:([\d.]+)%', html)
    assert [float(width) for width in widths] == pytest.approx([47.62, 0, 4.76, 95.24, 0, 9.52], abs=0.01)


def test_curve_and_strip_follow_the_history() -> None:
    history = [
        {"run": "baseline/0", "epoch": 1, "epochs": 2, "loss": 1.0, "train_accuracy": 0.5},
        {"run": "baseline/0", "epoch": 2, "epochs": 2, "loss": 0.5, "train_accuracy": 1.0},
        {"run": "augmented/0", "epoch": 1, "epochs": 2, "loss": 0.5, "train_accuracy": 0.75},
    ]
    stopped = {"run": "baseline/0", "epoch": 1, "epochs": 2, "loss": 2.0, "train_accuracy": 0.1}
    curve = str(learning_curve([stopped, *history]))
    first = re.findall(r'points="([^"]+)"', curve)
    assert [len(line.split()) for line in first] == [2, 1]
    (_, low), (_, high) = (map(float, point.split(",")) for point in first[0].split())
    (_, middle) = map(float, first[1].split(","))
    assert middle == pytest.approx((low + high) / 2, abs=0.1)
    states = re.findall(
        r'<i class="(\w+)" style="--share:(\d+)%', str(runs_strip(history, 2, ("baseline", "augmented")))
    )
    assert states == [("finished", "100"), ("waiting", "0"), ("running", "50"), ("waiting", "0")]


def test_empty_charts_stand() -> None:
    assert "<svg" in str(learning_curve([]))
    assert "sa-counts" in str(view_counts([], {}, {}))
    assert "sa-pairs" in str(class_bars([]))


def test_hostile_names_stay_text() -> None:
    drawn = [
        class_bars([ClassPair(HOSTILE, 0.1, 0.2, False), ClassPair(HOSTILE, None, None, False)]),
        confusion([[1]], [HOSTILE], HOSTILE),
        view_counts([HOSTILE], {HOSTILE: 1}, {HOSTILE: 2}),
        learning_curve([{"run": HOSTILE, "epoch": 1, "epochs": 1, "train_accuracy": 1.0}]),
    ]
    for html in map(str, drawn):
        assert "<img" not in html
        assert "&lt;img src=x onerror=alert(1)&gt; ${alert(2)} {{value}} {0}" in html


@given(st.floats(-1, 1), st.floats(1e-4, 2), st.integers(2, 10))
def test_ticks_cover_the_range_in_round_steps(low: float, span: float, wanted: int) -> None:
    ticks = _ticks(low, low + span, wanted)
    assert ticks == sorted(set(ticks))
    assert ticks[0] <= low + 1e-6
    assert ticks[-1] >= low + span - 1e-6
    assert len(ticks) <= wanted + 3
