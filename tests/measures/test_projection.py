from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from synthaug.measures.projection import fit_pca, pca

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(200, 10), (12, 40), (20_000, 6)])
def test_scikit_learn_finds_the_same_up_to_sign(shape: tuple[int, int]) -> None:
    features = RNG.normal(size=shape) * np.linspace(1, 4, shape[1]) + 7
    theirs = PCA(3, svd_solver="full").fit(features)
    fitted = fit_pca(features, 3)
    np.testing.assert_allclose(np.abs(fitted.components), np.abs(theirs.components_), atol=1e-6)
    np.testing.assert_allclose(fitted.explained_variance_ratio, theirs.explained_variance_ratio_, atol=1e-9)
    ours = pca(features, 3)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs.transform(features)), atol=1e-4)


def test_largest_entry_of_each_direction_is_positive() -> None:
    components = fit_pca(RNG.normal(size=(50, 8)), 4).components
    assert (components[np.arange(4), np.abs(components).argmax(1)] > 0).all()


@settings(deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 12), size=st.integers(1, 12))
def test_any_small_shape_works_and_the_order_of_rows_does_not_matter(
    seed: int, count: int, size: int
) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, size))
    order = rng.permutation(count)
    coordinates = pca(features)
    assert coordinates.shape == (count, 2)
    assert np.isfinite(coordinates).all()
    np.testing.assert_allclose(np.abs(pca(features[order])), np.abs(coordinates[order]), atol=1e-4)


def test_columns_beyond_the_rank_are_zero() -> None:
    line = np.outer(np.arange(6.0), [1, 2, 2])
    coordinates = pca(line)
    np.testing.assert_allclose(coordinates[:, 0], 3 * (np.arange(6) - 2.5), rtol=1e-6)
    assert not coordinates[:, 1].any()
    assert not pca(np.full((4, 3), 5.0)).any()


def test_others_are_placed_in_the_fitted_plane() -> None:
    real = RNG.normal(size=(100, 5))
    fitted = fit_pca(real)
    assert np.array_equal(fitted.transform(real), pca(real))
    np.testing.assert_allclose(fitted.transform(real.mean(0)[None]), 0, atol=1e-6)


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not \(0, 4\)"):
        pca(np.empty((0, 4)))
