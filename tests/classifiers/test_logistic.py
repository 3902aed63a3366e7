"""Logistic regression on features: what it knows of its own doubt, against cases whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from synthaug.classifiers.linear import fit_head, head_probabilities
from synthaug.classifiers.logistic import Rows, Scale, distinct, fit_logistic, judge
from synthaug.classifiers.networks import Network
from synthaug.classifiers.recipes import RECIPES, Recipe
from synthaug.errors import UserError

LINEAR = RECIPES["linear"]
NAMES = ("a", "b", "c")


def body(size: int, classes: int) -> Network:
    """A network whose body is not asked."""
    import torch

    return Network(torch.nn.Identity(), size, classes)


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (N, 4), classes drawn from the probabilities (N, 3) that are the truth."""
    rng = np.random.default_rng(seed)
    features = rng.normal(5, 3, (count, 4))
    weight = np.array([[1.0, 0.0, 0.3, 0.0], [-0.5, 0.5, 0.0, 0.0], [0.0, -0.5, 0.0, 0.0]])
    truth = softmax(features @ weight.T - (features @ weight.T).mean(0), axis=1)
    return features, np.array([rng.choice(3, p=each) for each in truth]), truth


def fitted(
    features: np.ndarray, labels: np.ndarray, recipe: Recipe = LINEAR, **options: object
) -> np.ndarray:
    """Probabilities of the training features by a head fitted to them."""
    head = fit_head(
        features, labels, recipe, 0, class_names=NAMES, network=body(features.shape[1], 3), **options
    )
    return head_probabilities(head, features)


def test_probabilities_are_those_that_the_classes_were_drawn_from() -> None:
    features, labels, truth = drawn(3000)
    assert np.abs(fitted(features, labels) - truth).mean() < 0.03


def test_noise_is_not_believed() -> None:
    rng = np.random.default_rng(1)
    said = fitted(rng.normal(size=(60, 200)), rng.integers(0, 3, 60))
    assert said.max() < 0.7  # unregularised, 200 features tell 60 images apart with certainty


def test_a_class_without_images_is_never_named() -> None:
    features, labels, _ = drawn(300)
    said = fitted(features[labels < 2], labels[labels < 2])
    assert said[:, 2].max() < 1e-6
    np.testing.assert_allclose(said.sum(1), 1, rtol=1e-5)


def test_copies_count_as_weight_and_do_not_judge_themselves() -> None:
    features, labels, _ = drawn(50)
    many = np.repeat(np.arange(50), 20)
    real = np.ones(1000, np.bool_)
    rows = distinct(features[many], labels[many], np.ones(1000), real)
    assert len(rows.labels) == 50
    assert rows.weight.tolist() == [20.0] * 50
    noise = np.random.default_rng(2).integers(0, 3, 50)
    copied = distinct(features[many], noise[many], np.ones(1000), real)
    assert judge(copied, 3, seed=0).accuracy < 0.6


def test_synthetic_images_do_not_choose_the_regularisation() -> None:
    """The labels of the real images are noise; those of the synthetic ones are plain to see and would like none."""
    rng = np.random.default_rng(3)
    noise, plain = rng.integers(0, 2, 100), rng.integers(0, 2, 400)
    features = np.concatenate([rng.normal(size=(100, 30)), rng.normal(size=(400, 30))])
    features[100:, 0] += 9 * (2 * plain - 1)
    labels, real = np.concatenate([noise, plain]), np.arange(500) < 100
    mixed = judge(Rows(features, labels, np.ones(500), real), 2, seed=0)
    flattered = judge(Rows(features, labels, np.ones(500), np.ones(500, np.bool_)), 2, seed=0)
    assert mixed.accuracy < 0.65
    assert flattered.accuracy > 0.8
    assert mixed.temperature > 2 * flattered.temperature
    alone = judge(Rows(features, labels, np.ones(500), np.zeros(500, np.bool_)), 2, seed=0)
    assert alone == flattered


def test_undone_standardisation_says_the_same() -> None:
    features, labels, _ = drawn(200)
    scale = Scale.of(features)
    head = fit_logistic(Rows(scale.apply(features), labels, np.ones(200), np.ones(200, np.bool_)), 3, 0.1)
    np.testing.assert_allclose(
        scale.undo(head).logits(features), head.logits(scale.apply(features)), atol=1e-8
    )


def test_class_weights_and_adjusted_logits_favour_the_rare_class() -> None:
    features, labels, _ = drawn(600)
    kept = (labels != 2) | (np.cumsum(labels == 2) <= 8)
    features, labels = features[kept], labels[kept]
    from dataclasses import replace

    named = {
        loss: int((fitted(features, labels, replace(LINEAR, loss=loss)).argmax(1) == 2).sum())
        for loss in ("plain", "class-weighted", "logit-adjusted")
    }
    assert named["class-weighted"] > named["plain"] + 20
    assert named["logit-adjusted"] > named["plain"] + 20


def test_seeds_differ_only_where_the_recipe_resamples() -> None:
    from dataclasses import replace

    features, labels, _ = drawn(200)

    def said(recipe: Recipe, seed: int) -> np.ndarray:
        network = body(4, 3)
        return fit_head(features, labels, recipe, seed, class_names=NAMES, network=network).network.head.bias

    again = replace(LINEAR, resample=True)
    assert not np.allclose(said(again, 1).detach(), said(again, 2).detach(), atol=1e-3)


def test_one_image_a_class_is_learnt_and_reported_without_a_held_out_figure() -> None:
    reports: list[dict[str, float]] = []
    features, labels = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])
    head = fit_head(
        features, labels, LINEAR, 0, class_names=NAMES, network=body(2, 3), progress=reports.append
    )
    assert head.training["held_out_accuracy"] is None
    assert head_probabilities(head, features).argmax(1).tolist() == [0, 1]
    expected = -np.log(head_probabilities(head, features)[[0, 1], [0, 1]]).mean()
    assert reports[0]["loss"] == pytest.approx(expected, rel=1e-4)


def test_images_of_a_single_class_are_refused() -> None:
    with pytest.raises(UserError, match="all images have the class 'b'"):
        fitted(np.zeros((4, 2)), np.ones(4, np.int64))


def test_a_head_refuses_a_selection_of_epochs() -> None:
    from dataclasses import replace

    with pytest.raises(UserError, match="only one epoch"):
        replace(LINEAR, selection="validation")
