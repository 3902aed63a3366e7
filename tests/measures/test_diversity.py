from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_distances, cosine_similarity

from synthaug.errors import UserError
from synthaug.measures.diversity import (
    MEASURES,
    curve,
    mean_cosine,
    neighbor_quantiles,
    vendi_score,
)

FEATURES = np.random.default_rng(0).normal(size=(120, 7)) + 0.5


@pytest.mark.parametrize("rows", [120, 5])
def test_vendi_through_the_kernel_of_all_pairs(rows: int) -> None:
    x = FEATURES[:rows]
    shares = np.linalg.eigvalsh(cosine_similarity(x) / rows).clip(1e-300)
    assert vendi_score(x) == pytest.approx(math.exp(-sum(s * math.log(s) for s in shares)))


@pytest.mark.parametrize("copies", [1, 30])
def test_orthogonal_images_count_each_and_copies_count_once(copies: int) -> None:
    assert vendi_score(np.repeat(np.eye(6) * 3, copies, axis=0)) == pytest.approx(6)
    assert vendi_score(np.repeat(FEATURES[:1], 1 + copies, axis=0)) == pytest.approx(1)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_order_and_length_of_rows_change_nothing(seed: int, scale: float) -> None:
    other = np.random.default_rng(seed).permutation(FEATURES) * scale
    for measure in MEASURES.values():
        assert measure(other) == pytest.approx(measure(FEATURES), rel=1e-4)


def test_mean_cosine_pair_by_pair() -> None:
    pairs = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in combinations(FEATURES, 2)]
    assert mean_cosine(FEATURES) == pytest.approx(np.mean(pairs))


def test_neighbor_quantiles_from_scikit_learn() -> None:
    distances = cosine_distances(FEATURES)
    np.fill_diagonal(distances, np.inf)
    theirs = np.quantile(distances.min(1), [0.1, 0.5, 0.9])
    np.testing.assert_allclose(neighbor_quantiles(FEATURES, [0.1, 0.5, 0.9]), theirs, rtol=1e-4)


def test_a_curve_of_few_directions_flattens_and_one_of_many_climbs() -> None:
    rng = np.random.default_rng(1)
    few, many = rng.normal(size=(200, 3)), rng.normal(size=(200, 100))
    flat, climbing = (curve(x, [10, 50, 200], seed=0) for x in (few, many))
    assert [point.size for point in flat] == [10, 50, 200]
    assert flat[2].mean < 1.1 * flat[1].mean
    assert climbing[2].mean > 1.5 * climbing[1].mean
    assert all(point.low <= point.mean <= point.high for point in flat + climbing)


def test_a_curve_ends_at_the_measure_of_all_and_follows_its_seed() -> None:
    points = curve(FEATURES, [20, 120], seed=3, repeats=4, measure=mean_cosine)
    assert points[1].mean == pytest.approx(mean_cosine(FEATURES))
    assert [point.repeats for point in points] == [4, 1]
    assert points == curve(FEATURES, [20, 120], seed=3, repeats=4, measure=mean_cosine)
    assert points[0] != curve(FEATURES, [20, 120], seed=4, repeats=4, measure=mean_cosine)[0]


@pytest.mark.parametrize(("sizes", "repeats"), [([1], 5), ([121], 5), ([20], 0)])
def test_impossible_curves_are_refused(sizes: list[int], repeats: int) -> None:
    with pytest.raises(UserError, match=r"sizes in 2\.\.120"):
        curve(FEATURES, sizes, seed=0, repeats=repeats)


def test_one_image_and_rows_without_direction_are_refused() -> None:
    with pytest.raises(UserError, match="at least 2 images, not 1"):
        vendi_score(FEATURES[:1])
    with pytest.raises(ValueError, match="1 feature rows are all zeros"):
        mean_cosine(np.array([[1.0, 0], [0, 0]]))
