from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from sklearn.decomposition import PCA

from synthaug.experiments.base import Row
from synthaug.experiments.figures import (
    confusion,
    curves,
    luminance_histogram,
    pca_panel,
    pca_scatter,
    per_class_bars,
    seeds_dots,
)

BASELINE = Row(
    arm="few",
    title="Few <b>cats</b>",
    view="few",
    recipe="plain",
    images=100,
    counts={"cat": 10, "dog": 90},
    generator_data="none",
    runs=(1, 2),
    accuracies=(0.5, 0.7),
    accuracy=0.6,
    interval=(0.5, 0.7),
    per_class={"cat": 0.25, "dog": None},
    confusion=((1, 3), (0, 0)),
    measures={},
    published={},
    difference=None,
    difference_interval=None,
    difference_bootstrap=None,
    verdict=None,
    seeds_needed=None,
    class_changes={},
)
MORE = replace(BASELINE, arm="more", title="More", difference=0.1, per_class={"cat": 0.5, "dog": 1.0})
ROWS = (BASELINE, MORE, replace(MORE, arm="one", accuracies=(0.6,), interval=None, runs=(5,)), MORE)
RNG = np.random.default_rng(0)


class Pixels:
    """A classifier whose features are the pixels of the first row."""

    def features(self, images: np.ndarray) -> np.ndarray:
        return images[:, 0].reshape(len(images), -1).astype(np.float32)


@pytest.mark.parametrize(
    "figure",
    [
        per_class_bars(ROWS),
        seeds_dots(ROWS),
        confusion(ROWS),
        curves(
            [1, 2, 3],
            {"a": ([1, None, 2], [0, None, 1], [2, None, 3]), "b": ([3, 2, 1], None, None)},
            "x",
            "y",
        ),
        luminance_histogram({"real": RNG.random(50), "none": np.zeros(0)}),
        pca_scatter({"real": RNG.normal(size=(20, 2)), "chosen": np.zeros((1, 2))}, "Two groups"),
    ],
)
def test_plotly_takes_every_figure_and_it_is_plain_json(figure: dict) -> None:
    go.Figure(figure)
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure


def test_names_are_shown_and_not_read_as_markup() -> None:
    assert per_class_bars(ROWS)["data"][0]["name"] == "Few &lt;b&gt;cats&lt;/b&gt;"
    assert confusion(ROWS)["layout"]["annotations"][0]["text"] == "Few &lt;b&gt;cats&lt;/b&gt;"


def test_bars_are_percentages_and_a_class_without_test_images_has_none() -> None:
    assert [bar["y"] for bar in per_class_bars(ROWS[:2])["data"]] == [[25.0, None], [50.0, 100.0]]


def test_dots_are_the_seeds_and_diamonds_their_means() -> None:
    dots, means = seeds_dots(ROWS[:3])["data"]
    assert dots["x"] == [50.0, 70.0, 50.0, 70.0, 60.0]
    assert means["x"] == [60.0, 60.0, 60.0]
    assert means["error_x"]["array"] == pytest.approx([10.0, 10.0, 0.0])


def test_confusion_rows_are_shares_of_the_true_class() -> None:
    right, wrong = confusion(ROWS[:1])["data"]
    assert right["z"] == [[25.0, None], [None, 0.0]]
    assert wrong["z"] == [[None, 75.0], [0.0, None]]
    assert wrong["customdata"][0][1] == ["cat", "dog", 3]


def test_a_curve_has_the_band_of_its_interval() -> None:
    band, line = curves([1, 2, 3], {"a": ([5, None, 6], [4, None, 5], [6, None, 7])}, "x", "y")["data"]
    assert (band["x"], band["y"]) == ([1, 3, 3, 1], [4, 5, 7, 6])
    assert line["y"] == [5, None, 6]


def test_a_histogram_is_in_percent_of_the_group() -> None:
    figure = luminance_histogram({"dark": np.array([0.0, 0.1, 0.2, 1.0])}, bins=4)
    assert figure["data"][0]["x"] == [0, 0.25, 0.5, 0.75, 1]
    assert figure["data"][0]["y"] == [75, 0, 0, 25, 25]


def test_many_points_are_thinned_the_same_way_each_time() -> None:
    points = RNG.normal(size=(5000, 2))
    figure = pca_scatter({"real": points, "all": points + 1, "chosen": points[:7]})
    assert [len(cloud["x"]) for cloud in figure["data"]] == [3000, 3000, 3000, 3000, 7]
    assert figure == pca_scatter({"real": points, "all": points + 1, "chosen": points[:7]})
    assert [title["text"] for title in figure["layout"]["annotations"]] == [
        "real",
        "real +<br>all",
        "real +<br>chosen",
    ]
    ranges = [figure["layout"][f"xaxis{suffix}"]["range"] for suffix in ("", "2", "3")]
    assert ranges[0] == ranges[1] == ranges[2]
    assert ranges[0][0] < min(figure["data"][0]["x"])


def test_the_components_are_those_of_the_real_images() -> None:
    real = RNG.integers(0, 256, (60, 2, 2, 3), dtype=np.uint8)
    synthetic = RNG.integers(0, 100, (30, 2, 2, 3), dtype=np.uint8)
    panel = pca_panel(Pixels(), {"real": real, "synthetic": synthetic}, sentence="Pixels.")  # type: ignore[arg-type]
    expected = PCA(2).fit(real[:, 0].reshape(60, -1).astype(float))
    assert panel.figure is not None
    cloud = panel.figure["data"][-1]
    found = np.column_stack([cloud["x"], cloud["y"]])
    projected = expected.transform(synthetic[:, 0].reshape(30, -1).astype(float))
    np.testing.assert_allclose(np.abs(found), np.abs(projected), atol=1e-2)
    assert f"{100 * expected.explained_variance_ratio_[0]:.1f}%" in panel.text
    assert [row[:2] for row in panel.rows] == [("real", 60), ("synthetic", 30)]
