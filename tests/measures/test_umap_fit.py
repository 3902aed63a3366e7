"""UMAP as a fit that is kept: umap-learn's own transform is the oracle for rows that come later.

All tests of UMAP are in this file, because a process that uses it first compiles it for more than a minute.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from synthaug.errors import Cancelled
from synthaug.measures.umap_fit import EPOCHS, UmapFit, fit_umap, umap

pytestmark = pytest.mark.slow

DIGITS, LABELS = load_digits(return_X_y=True)
OLD, NEW = slice(0, 500), slice(500, 800)
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def fitted() -> UmapFit:
    return fit_umap(DIGITS[OLD], seed=0)


@pytest.mark.long
def test_umap_learn_places_the_same_rows_at_the_same_coordinates() -> None:
    """Both start from umap-learn's fit. Rows whose distances differ in the last bit drift a little in its descent."""
    from umap import UMAP

    data = DIGITS.astype(np.float32)
    theirs = UMAP(n_epochs=EPOCHS, random_state=0, transform_seed=0, n_jobs=1).fit(data[OLD])
    nothing = np.zeros((0, data.shape[1]))
    ours = UmapFit(np.zeros(data.shape[1]), nothing, data[OLD], theirs.embedding_, seed=0)
    apart = np.abs(ours.transform(data[NEW]) - theirs.transform(data[NEW])).max(1)
    assert np.mean(apart == 0) > 0.5
    assert apart.max() < np.ptp(theirs.embedding_, axis=0).max() / 10


def test_new_rows_land_among_the_old_ones_of_their_class(fitted: UmapFit) -> None:
    placed = fitted.transform(DIGITS[NEW])
    assert placed.dtype == np.float32
    assert KNeighborsClassifier(5).fit(fitted.embedding, LABELS[OLD]).score(placed, LABELS[NEW]) > 0.8
    assert np.array_equal(placed, fitted.transform(DIGITS[NEW]))


def test_a_fitted_row_is_placed_where_it_lies(fitted: UmapFit) -> None:
    again = fitted.transform(DIGITS[OLD])
    spread = np.ptp(fitted.embedding, axis=0).max()
    assert np.median(np.abs(again - fitted.embedding).max(1)) < spread / 20


def test_wide_features_are_reduced_as_they_were_for_the_fit() -> None:
    rng = np.random.default_rng(0)
    wide = np.eye(80)[np.arange(200) % 4] * 9 + rng.normal(size=(200, 80))
    fit = fit_umap(wide[:150], seed=0)
    assert fit.points.shape == (150, 50)
    assert (
        KNeighborsClassifier(3)
        .fit(fit.embedding, np.arange(150) % 4)
        .score(fit.transform(wide[150:]), np.arange(150, 200) % 4)
        == 1
    )


def test_no_rows_other_widths_and_flat_fits(fitted: UmapFit) -> None:
    assert fitted.transform(np.zeros((0, 64))).shape == (0, 2)
    with pytest.raises(ValueError, match=r"must be \(M, 64\), not \(3, 63\)"):
        fitted.transform(np.zeros((3, 63)))
    flat = fit_umap(np.ones((30, 4)), seed=0)
    assert flat.flat
    with pytest.raises(ValueError, match="without a neighbour graph"):
        flat.transform(np.ones((1, 4)))


def test_progress_counts_rows_then_epochs(fitted: UmapFit, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[int, int, str]] = []
    fit = fit_umap(DIGITS[OLD], 0, lambda *each: seen.append(each))
    assert np.array_equal(fit.embedding, fitted.embedding)  # watching changes nothing
    assert seen[0] == (500, 500, "rows with their neighbours found")
    assert seen[-1] == (EPOCHS, EPOCHS, "epochs")
    placing: list[tuple[int, int, str]] = []
    fit.transform(DIGITS[NEW], lambda *each: placing.append(each))
    assert placing[-1] == (EPOCHS // 3, EPOCHS // 3, "epochs")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("unit", ["rows", "epochs"])
def test_an_exception_of_the_progress_ends_the_fit(unit: str) -> None:
    def stop(done: int, total: int, note: str) -> None:
        if unit in note:
            raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        fit_umap(DIGITS[OLD], 0, stop)


@pytest.mark.long
def test_umap_repeats_under_a_seed_and_keeps_the_classes_apart() -> None:
    features, labels = DIGITS[:400], LABELS[:400]
    first, again = umap(features, seed=1), umap(features, seed=1)
    assert np.array_equal(first, again)
    assert first.shape == (400, 2)
    assert first.dtype == np.float32
    assert not np.array_equal(first, umap(features, seed=2))
    assert KNeighborsClassifier(5).fit(first[::2], labels[::2]).score(first[1::2], labels[1::2]) > 0.9


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 10, 16, 17])
def test_umap_of_few_rows(count: int) -> None:
    coordinates = umap(RNG.normal(size=(count, 60)), seed=0)
    assert coordinates.shape == (count, 2)
    assert np.isfinite(coordinates).all()


def test_umap_of_equal_and_nearly_equal_rows() -> None:
    assert not umap(np.ones((30, 4)), seed=0).any()
    repeated = np.repeat(RNG.normal(size=(2, 4)), 30, axis=0)
    assert np.isfinite(umap(repeated, seed=0)).all()


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        umap(np.full((9, 2), np.nan), seed=0)
