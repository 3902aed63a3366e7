from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from synthaug.measures.acquisition import (
    ACQUISITIONS,
    bald,
    entropy,
    epig,
    least_confidence,
    margin,
    posterior_of,
    variation_ratio,
)

TWO_ROWS = np.array([[0.5, 0.25, 0.25], [0.7, 0.3, 0.0]])


def random_passes(seed: int, passes: int = 5, count: int = 6, classes: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), (passes, count))


def test_two_rows_by_hand() -> None:
    np.testing.assert_allclose(least_confidence(TWO_ROWS), [0.5, 0.3])
    np.testing.assert_allclose(margin(TWO_ROWS), [0.75, 0.6])
    expected = [1.5 * np.log(2), -0.7 * np.log(0.7) - 0.3 * np.log(0.3)]
    np.testing.assert_allclose(entropy(TWO_ROWS), expected)


def test_passes_by_hand() -> None:
    certain_but_split = [[1.0, 0.0], [0.0, 1.0]]
    always_unsure = [[0.5, 0.5], [0.5, 0.5]]
    passes = np.array([certain_but_split, always_unsure]).transpose(1, 0, 2)  # (T, N, K)
    np.testing.assert_allclose(entropy(passes), [np.log(2), np.log(2)])
    np.testing.assert_allclose(bald(passes), [np.log(2), 0], atol=1e-12)
    np.testing.assert_allclose(variation_ratio(passes), [0.5, 0])


def test_entropy_is_scipys() -> None:
    probs = random_passes(1)[0]
    np.testing.assert_allclose(entropy(probs), scipy_entropy(probs, axis=1))


def test_bald_is_the_mean_divergence_of_the_passes_from_their_mean() -> None:
    passes = random_passes(2)
    divergence = scipy_entropy(passes, np.broadcast_to(passes.mean(0), passes.shape), axis=2).mean(0)
    np.testing.assert_allclose(bald(passes), divergence)


@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(ACQUISITIONS)))
def test_every_function_ignores_the_order_of_classes(seed: int, name: str) -> None:
    passes = random_passes(seed)
    order = np.random.default_rng(seed).permutation(passes.shape[2])
    scores = ACQUISITIONS[name](passes)
    assert scores.shape == (passes.shape[1],)
    assert scores.dtype == np.float64
    assert (scores >= 0).all()
    np.testing.assert_allclose(ACQUISITIONS[name](passes[:, :, order]), scores, atol=1e-12)


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_unsure_comes_before_sure(name: str) -> None:
    rng = np.random.default_rng(0)
    unsure = rng.dirichlet(np.ones(3), (20, 1))
    sure = rng.dirichlet([1000, 1, 1], (20, 1))
    scores = ACQUISITIONS[name](np.concatenate([sure, unsure], axis=1))
    assert scores[1] > scores[0]


@pytest.mark.parametrize("name", ["bald", "variation_ratio"])
def test_disagreement_needs_passes(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} needs Monte Carlo passes .* not \(2, 3\)"):
        ACQUISITIONS[name](TWO_ROWS)


def test_probabilities_of_a_single_class_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not \(3, 1\)"):
        margin(np.ones((3, 1)))


def test_posterior_of_a_class_is_its_mean() -> None:
    passes = np.array([[[0.2, 0.8]], [[0.6, 0.4]]])
    np.testing.assert_allclose(posterior_of(passes, 0), [0.4])
    np.testing.assert_allclose(posterior_of(passes, 1), [0.6])


def test_epig_by_hand() -> None:
    """Two passes; an image they split on tells everything about a target they split on, and nothing of the other."""
    split, agreed = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]
    pool = np.array([split, agreed]).transpose(1, 0, 2)  # (T, N, K)
    np.testing.assert_allclose(epig(pool, np.array([split]).transpose(1, 0, 2)), [np.log(2), 0], atol=1e-12)
    both = np.array([split, agreed]).transpose(1, 0, 2)
    np.testing.assert_allclose(epig(pool, both), [np.log(2) / 2, 0], atol=1e-12)
    unsure = np.full((2, 1, 2), 0.5)
    np.testing.assert_allclose(epig(unsure, both), [0], atol=1e-12)


@given(seed=st.integers(0, 10_000), targets=st.integers(1, 4), classes=st.integers(2, 5))
def test_epig_is_the_mean_divergence_of_joint_from_product(seed: int, targets: int, classes: int) -> None:
    """KL(p(y, y*) || p(y) p(y*)), a pool image and a target at a time (Bickford Smith et al. 2023, eq. 9)."""
    pool, aims = random_passes(seed), random_passes(seed + 1, 5, targets, classes)
    expected = np.zeros(pool.shape[1])
    for n in range(pool.shape[1]):
        for m in range(targets):
            joint = np.mean([np.outer(pool[t, n], aims[t, m]) for t in range(len(pool))], axis=0)
            product = np.outer(pool[:, n].mean(0), aims[:, m].mean(0))
            expected[n] += scipy_entropy(joint.ravel(), product.ravel()) / targets
    np.testing.assert_allclose(epig(pool, aims), expected, atol=1e-12)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    passes, targets = random_passes(3, count=50), random_passes(4, count=7)
    whole = {"epig": epig(passes, targets)} | {name: score(passes) for name, score in ACQUISITIONS.items()}
    monkeypatch.setattr("synthaug.measures.acquisition._BLOCK_ENTRIES", 300)
    monkeypatch.setattr("synthaug.measures.acquisition._CACHED_ENTRIES", 300)
    np.testing.assert_allclose(epig(passes, targets), whole["epig"], atol=1e-12)
    for name, score in ACQUISITIONS.items():
        np.testing.assert_allclose(score(passes), whole[name], atol=1e-12)


def test_epig_needs_the_same_passes_for_pool_and_targets() -> None:
    with pytest.raises(ValueError, match="same passes, not 5 and 4"):
        epig(random_passes(0), random_passes(1, passes=4))
    with pytest.raises(ValueError, match="epig needs Monte Carlo passes"):
        epig(TWO_ROWS, random_passes(1))


def test_a_large_pool_needs_little_more_than_its_passes() -> None:
    passes = np.full((20, 100_000, 10), 0.1, np.float32)
    tracemalloc.start()
    for score in ACQUISITIONS.values():
        score(passes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6
