from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from synthaug.measures import neighbors
from synthaug.measures.neighbors import near_duplicates, nearest_neighbors

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(300, 16)).astype(np.float32)


@pytest.fixture(params=[2**23, 2**11], ids=["one block", "many blocks"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "_BLOCK_ENTRIES", request.param)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("k", [1, 7, 299])
def test_scikit_learn_finds_the_same_without_self(k: int) -> None:
    distances, indices = nearest_neighbors(POINTS, k)
    theirs, rows = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(POINTS).kneighbors()
    np.testing.assert_allclose(distances, theirs, rtol=1e-4)
    assert np.array_equal(indices[:, :9], rows[:, :9])  # far away, distances are equal but for rounding


@pytest.mark.usefixtures("_blocks")
def test_scikit_learn_finds_the_same_in_a_reference() -> None:
    queries = RNG.normal(size=(40, 16)).astype(np.float32)
    distances, indices = nearest_neighbors(queries, 5, POINTS)
    theirs, rows = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(POINTS).kneighbors(queries)
    np.testing.assert_allclose(distances, theirs, rtol=1e-4)
    assert np.array_equal(indices, rows)


def test_far_from_the_origin_nothing_cancels() -> None:
    far = POINTS.astype(np.float64) + 1e4
    assert np.array_equal(nearest_neighbors(far, 3)[1], nearest_neighbors(POINTS, 3)[1])


def test_equal_rows_are_neighbours_at_distance_zero_and_self_is_not() -> None:
    points = np.array([[0.0, 0], [0, 0], [3, 4], [0, 0]])
    distances, indices = nearest_neighbors(points, 2)
    assert indices.tolist() == [[1, 3], [0, 3], [0, 1], [0, 1]]
    assert distances.tolist() == [[0, 0], [0, 0], [5, 5], [0, 0]]


@pytest.mark.usefixtures("_blocks")
def test_duplicates_point_to_the_first_within_reach() -> None:
    points = POINTS.copy()
    points[150] = points[20]
    points[299] = points[150] + np.float32(1e-3)
    expected = np.full(300, -1)
    expected[[150, 299]] = 20
    assert np.array_equal(near_duplicates(points, 0.01), expected)
    expected[299] = -1
    assert np.array_equal(near_duplicates(points, 0.0), expected)


@pytest.mark.usefixtures("_blocks")
def test_duplicates_are_those_of_all_pairwise_distances() -> None:
    gaps = np.linalg.norm(POINTS[:, None] - POINTS[None], axis=2)
    threshold = np.quantile(gaps, 0.01)
    earlier = [np.flatnonzero(gaps[i, :i] <= threshold) for i in range(300)]
    expected = [rows[0] if len(rows) else -1 for rows in earlier]
    assert near_duplicates(POINTS, threshold).tolist() == expected


@pytest.mark.usefixtures("_blocks")
def test_duplicates_are_told_apart_where_single_precision_cannot() -> None:
    points = POINTS + np.where(np.arange(300) % 2, 1e5, -1e5)[:, None]  # two groups far from their mean
    points[201] = points[99] + 1e-4
    points[203] = points[99] + 1e-2
    expected = np.full(300, -1)
    expected[201] = 99
    assert np.array_equal(near_duplicates(points, 1e-3), expected)


def test_an_empty_array_has_no_duplicates() -> None:
    assert near_duplicates(np.empty((0, 4)), 1.0).shape == (0,)


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.\.299.* not 300"):
        nearest_neighbors(POINTS, 300)
    with pytest.raises(ValueError, match=r"\(300, 16\) and \(2, 3\)"):
        nearest_neighbors(POINTS, 1, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="finite"):
        near_duplicates(np.array([[np.nan], [1.0]]), 1.0)
