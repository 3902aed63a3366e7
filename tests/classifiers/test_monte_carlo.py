from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from synthaug.classifiers.fit import fit
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.monte_carlo import head_passes, network_passes, rank_agreement
from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UserError
from synthaug.importers.digits import digits_arrays

RATE, PASSES, SEED = 0.3, 6, 4


@pytest.fixture(scope="module")
def pool() -> np.ndarray:
    return digits_arrays()[0][:60]


@pytest.fixture(scope="module", params=[1.0, 0.5])
def classifier(pool: np.ndarray, request: pytest.FixtureRequest) -> FittedClassifier:
    recipe = replace(RECIPES["digits"], epochs=2, temperature=request.param, flip_average=request.param < 1)
    images, labels, _ = digits_arrays()
    return fit(images[:200], labels[:200], 10, recipe, 0)


def test_the_head_alone_gives_the_scores_of_the_whole_network(
    classifier: FittedClassifier, pool: np.ndarray
) -> None:
    quick = head_passes(classifier, classifier.features(pool), RATE, PASSES, SEED)
    whole = network_passes(classifier, pool, RATE, PASSES, SEED)
    assert quick.shape == (PASSES, len(pool), 10)
    assert quick.dtype == np.float32
    np.testing.assert_allclose(quick, whole, atol=1e-5)


def test_a_pass_is_the_head_without_some_features(classifier: FittedClassifier, pool: np.ndarray) -> None:
    """Each pass is torch's own dropout of the features, with one mask for all images."""
    features = classifier.features(pool)
    generator = torch.Generator().manual_seed(SEED)
    kept = torch.empty(PASSES, features.shape[1]).bernoulli_(1 - RATE, generator=generator)
    assert 0.5 < kept.mean() < 0.9
    head = classifier.network.head
    expected = []
    for mask in kept:
        logits = head(torch.from_numpy(features) * mask / (1 - RATE)) / classifier.recipe.temperature
        expected.append(logits.softmax(1).detach().numpy())
    quick = head_passes(classifier, features, RATE, PASSES, SEED)
    np.testing.assert_allclose(quick, np.stack(expected), atol=1e-5)


def test_blocks_of_the_pool_share_the_masks(
    classifier: FittedClassifier, pool: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = classifier.features(pool)
    whole = head_passes(classifier, features, RATE, PASSES, SEED)
    monkeypatch.setattr("synthaug.classifiers.monte_carlo._ROWS", 7)
    np.testing.assert_allclose(head_passes(classifier, features, RATE, PASSES, SEED), whole, atol=1e-6)
    monkeypatch.setattr("synthaug.classifiers.monte_carlo._IMAGES", 7)
    np.testing.assert_allclose(network_passes(classifier, pool, RATE, PASSES, SEED), whole, atol=1e-5)


def test_passes_scatter_around_the_prediction_without_dropout(
    classifier: FittedClassifier, pool: np.ndarray
) -> None:
    features = classifier.features(pool)
    head = classifier.network.head
    logits = torch.log(torch.from_numpy(head_passes(classifier, features, RATE, 2000, SEED)))
    difference = (logits[..., :1] - logits[..., 1:2])[..., 0].mean(0) * classifier.recipe.temperature
    expected = (torch.from_numpy(features) @ (head.weight[0] - head.weight[1])) + head.bias[0] - head.bias[1]
    np.testing.assert_allclose(difference.numpy(), expected.detach().numpy(), atol=0.5)


def test_equal_seeds_give_equal_passes_and_others_do_not(
    classifier: FittedClassifier, pool: np.ndarray
) -> None:
    features = classifier.features(pool)
    first = head_passes(classifier, features, RATE, PASSES, SEED)
    assert np.array_equal(first, head_passes(classifier, features, RATE, PASSES, SEED))
    assert not np.array_equal(first, head_passes(classifier, features, RATE, PASSES, SEED + 1))
    assert not np.array_equal(first[0], first[1])


def test_dropout_in_the_body_changes_the_features_and_is_off_afterwards(
    classifier: FittedClassifier, pool: np.ndarray
) -> None:
    before = classifier.probabilities(pool)
    head = network_passes(classifier, pool, RATE, PASSES, SEED)
    both = network_passes(classifier, pool, RATE, PASSES, SEED, body_rate=0.2)
    assert np.abs(both - head).max() > 0.05
    assert np.array_equal(both, network_passes(classifier, pool, RATE, PASSES, SEED, body_rate=0.2))
    assert np.array_equal(classifier.probabilities(pool), before)


@pytest.mark.parametrize(("rate", "passes"), [(0.0, 5), (1.0, 5), (0.2, 1)])
def test_invalid_rates_and_numbers_of_passes_are_refused(
    classifier: FittedClassifier, pool: np.ndarray, rate: float, passes: int
) -> None:
    with pytest.raises(UserError, match=r"dropout rate is|number of Monte Carlo passes is 1"):
        head_passes(classifier, classifier.features(pool), rate, passes, SEED)
    with pytest.raises(UserError, match=r"dropout rate is|number of Monte Carlo passes is 1"):
        network_passes(classifier, pool, rate, passes, SEED)


def test_rank_agreement_is_spearmans() -> None:
    first, second = np.array([0.1, 0.5, 0.2, 0.9]), np.array([1.0, 3.0, 2.0, 9.0])
    assert rank_agreement(first, second) == 1
    assert rank_agreement(first, -second) == -1
    mixed = second[[0, 2, 1, 3]]
    assert (
        rank_agreement(first, mixed) == pytest.approx(spearmanr(first, mixed).statistic) == pytest.approx(0.8)
    )
    assert np.isnan(rank_agreement(np.zeros(4), second))
