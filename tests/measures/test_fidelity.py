from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.image.fid import _compute_fid
from torchmetrics.image.kid import poly_mmd

from synthaug.errors import UserError
from synthaug.measures import fidelity
from synthaug.measures.fidelity import Neighborhoods, fid, frechet_distance, kid, neighborhoods, squared_mmd

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(400, 12)) @ RNG.normal(size=(12, 12))
GENERATED = REAL[RNG.integers(0, 400, 300)] * 0.8 + RNG.normal(size=(300, 12)) + 0.3


def test_torchmetrics_gives_the_same_fid() -> None:
    moments = [torch.from_numpy(each) for x in (GENERATED, REAL) for each in (x.mean(0), np.cov(x.T))]
    assert fid(GENERATED, REAL) == pytest.approx(float(_compute_fid(*moments)), rel=1e-9)


def test_fid_of_gaussians_along_the_axes_is_known() -> None:
    """|m1 - m2|^2 + sum (s1 - s2)^2."""
    mean, other = np.array([1.0, 2, 3]), np.array([1.0, 0, 2])
    spread, wider = np.array([1.0, 2, 0]), np.array([3.0, 2, 1])
    value = frechet_distance(mean, np.diag(spread**2), other, np.diag(wider**2))
    assert value == pytest.approx(5 + 4 + 0 + 1)


@pytest.mark.parametrize("rows", [400, 5])
def test_fid_of_a_set_with_itself_is_zero_even_where_the_covariance_is_singular(rows: int) -> None:
    assert fid(REAL[:rows], REAL[:rows]) == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_fid_does_not_depend_on_the_order_of_sets_or_axes_and_a_shift_adds_its_square(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 6)), rng.normal(size=(9, 6)) * 2
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    shift = rng.normal(size=6)
    assert fid(y, x) == pytest.approx(fid(x, y))
    assert fid(x @ turn, y @ turn) == pytest.approx(fid(x, y))
    assert fid(x, x + shift) == pytest.approx(shift @ shift, abs=1e-6)


def test_torchmetrics_gives_the_same_squared_mmd() -> None:
    x, y = GENERATED[:100], REAL[:100]
    theirs = poly_mmd(torch.from_numpy(y), torch.from_numpy(x))
    assert squared_mmd(x, y) == pytest.approx(float(theirs), rel=1e-9)


def test_the_squared_mmd_written_out() -> None:
    x, y = GENERATED[:4], REAL[:3]

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 12 + 1) ** 3)

    within = np.mean([kernel(x[i], x[j]) for i in range(4) for j in range(4) if i != j])
    within += np.mean([kernel(y[i], y[j]) for i in range(3) for j in range(3) if i != j])
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert squared_mmd(x, y) == pytest.approx(within - 2 * across)


def test_kid_is_unbiased_and_seeded() -> None:
    """Between sets of one source it is 0 but for chance, on either side; a biased estimate stays above."""
    rng = np.random.default_rng(0)
    sets = rng.normal(size=(20, 2, 60, 12))
    same = [kid(one, other, subsets=5, subset_size=40, seed=1)[0] for one, other in sets]
    assert min(same) < 0 < max(same)
    assert abs(np.mean(same)) < 3 * np.std(same) / 20**0.5
    far = kid(GENERATED, REAL, subsets=10, subset_size=100, seed=1)
    assert min(far) > 0
    assert kid(GENERATED, REAL, subsets=10, subset_size=100, seed=1) == far
    assert kid(GENERATED, REAL, subsets=10, subset_size=100, seed=2) != far


def test_kid_of_all_rows_is_the_squared_mmd() -> None:
    mean, spread = kid(GENERATED[:50], REAL[:50], subsets=3)
    assert mean == pytest.approx(squared_mmd(GENERATED[:50], REAL[:50]))
    assert spread == pytest.approx(0, abs=1e-9)


def by_loops(generated: np.ndarray, real: np.ndarray, k: int) -> Neighborhoods:
    """The definitions of both papers, pair by pair."""

    def radius(points: np.ndarray, i: int) -> float:
        return sorted(float(np.linalg.norm(points[i] - other)) for other in points)[k]

    real_radii = [radius(real, i) for i in range(len(real))]
    own_radii = [radius(generated, i) for i in range(len(generated))]
    gaps = [[float(np.linalg.norm(x - y)) for y in real] for x in generated]
    n, m = range(len(generated)), range(len(real))
    return Neighborhoods(
        precision=float(np.mean([any(gaps[i][j] < real_radii[j] for j in m) for i in n])),
        recall=float(np.mean([any(gaps[i][j] < own_radii[i] for i in n) for j in m])),
        density=float(np.mean([sum(gaps[i][j] < real_radii[j] for j in m) for i in n])) / k,
        coverage=float(np.mean([any(gaps[i][j] < real_radii[j] for i in n) for j in m])),
    )


@pytest.mark.parametrize("block", [2**23, 200])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_neighborhoods_by_the_definitions(k: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fidelity, "_BLOCK_ENTRIES", block)
    x, y = GENERATED[:60], REAL[:80]
    ours, loops = neighborhoods(x, y, k=k), by_loops(x, y, k)
    assert (ours.precision, ours.recall) == pytest.approx((loops.precision, loops.recall))
    assert (ours.density, ours.coverage) == pytest.approx((loops.density, loops.coverage))
    assert 0 < ours.coverage < 1
    assert 0 < ours.recall < 1


@pytest.mark.parametrize("scale", [1e-3, 1, 1e4])
def test_a_set_lies_wholly_in_its_own_neighborhoods(scale: float) -> None:
    found = neighborhoods(REAL * scale, REAL * scale, k=5)
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert found.density == pytest.approx(1)


def test_copies_of_one_real_image_are_precise_and_cover_little() -> None:
    found = neighborhoods(np.repeat(REAL[:1], 50, axis=0), REAL, k=3)
    assert found.precision == 1
    assert found.recall == pytest.approx(1 / 400)
    assert found.coverage < 0.05


def test_far_away_nothing_is_shared() -> None:
    assert neighborhoods(GENERATED + 1e3, REAL) == Neighborhoods(0, 0, 0, 0)


@pytest.mark.parametrize("k", [0, 300])
def test_impossible_k_is_refused(k: int) -> None:
    with pytest.raises(UserError, match=f"k is {k}; it must lie in 1..299"):
        neighborhoods(GENERATED, REAL, k=k)


def test_too_few_images_and_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(UserError, match="at least 2 generated images, not 1"):
        fid(GENERATED[:1], REAL)
    with pytest.raises(ValueError, match="real features must be finite"):
        kid(GENERATED, np.full((3, 12), np.nan))
