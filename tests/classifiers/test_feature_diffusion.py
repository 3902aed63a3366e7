"""Features drawn for rare classes: as many as are missing, and distributed as the class is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthaug.classifiers import feature_diffusion
from synthaug.classifiers.feature_diffusion import fill_up
from synthaug.classifiers.linear import fit_head
from synthaug.classifiers.logistic import Rows
from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import UserError

SIZES = (500, 60, 0, 300)  # images of the classes; the third has none
DIMENSION = 12


def clouds(sizes: tuple[int, ...], seed: int) -> Rows:
    """One normal distribution a class, stretched along other axes in each."""
    rng = np.random.default_rng(seed)
    features, labels = [], []
    for label, count in enumerate(sizes):
        stretch = np.roll(np.linspace(0.3, 2, DIMENSION), 3 * label)
        centre = 4 * np.eye(DIMENSION)[label] + 100
        features.append(centre + rng.normal(size=(count, DIMENSION)) * stretch)
        labels += [label] * count
    weight = np.ones(len(labels))
    return Rows(np.concatenate(features), np.array(labels, np.int64), weight, weight > 0)


@pytest.fixture(scope="module")
def known() -> Rows:
    return clouds(SIZES, 0)


@pytest.fixture(scope="module")
def filled(known: Rows) -> Rows:
    return fill_up(known, len(SIZES), seed=1)


def test_every_class_that_has_images_becomes_as_large_as_the_largest(known: Rows, filled: Rows) -> None:
    assert np.bincount(filled.labels, filled.weight, len(SIZES)).tolist() == [500, 500, 0, 500]
    real = len(known.labels)
    assert (filled.features[:real] == known.features).all()
    assert (filled.labels[:real] == known.labels).all()


def test_drawn_features_are_distributed_as_their_class(known: Rows, filled: Rows) -> None:
    drawn = filled.take(np.arange(len(filled.labels)) >= len(known.labels))
    truth = clouds((3000, 3000, 0, 3000), 9)
    for label in (1, 3):
        mine, wanted = (each.features[each.labels == label] for each in (drawn, truth))
        spread = wanted.std(0)
        # 60 images have a standard error of 0.13 of their own
        assert (np.abs(mine.mean(0) - wanted.mean(0)) / spread).max() < 0.6
        ratio = mine.std(0) / spread
        assert ratio.min() > 0.6
        assert ratio.max() < 2


def test_drawn_features_repeat_no_real_one(known: Rows, filled: Rows) -> None:
    drawn = filled.features[len(known.labels) :]
    distances = np.linalg.norm(drawn[:, None] - known.features[None], axis=2).min(1)
    assert distances.min() > 1e-3


def test_a_seed_gives_the_same_features_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_diffusion, "FEWEST_STEPS", 20)
    rows = clouds((40, 20), 0)
    first, again, other = (fill_up(rows, 2, seed=seed).features for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_classes_of_equal_weight_are_left_alone() -> None:
    rows = clouds((40, 40), 0)
    assert fill_up(rows, 2, seed=0) is rows
    heavier = replace(clouds((40, 20), 0), weight=np.repeat([1.0, 2.0], [40, 20]))
    assert fill_up(heavier, 2, seed=0) is heavier


@pytest.mark.long
def test_a_head_finds_more_of_a_rare_class() -> None:
    def recall(drawn_features: bool) -> float:
        rows, truth = clouds((2000, 20), 0), clouds((500, 500), 1)
        recipe = replace(find_recipe("linear"), drawn_features=drawn_features)
        head = fit_head(
            rows.features, rows.labels, recipe, 0, class_names=("a", "b"), network=layer()
        ).network.head
        logits = truth.features @ head.weight.detach().numpy().T + head.bias.detach().numpy()
        return float((logits.argmax(1) == truth.labels)[truth.labels == 1].mean())

    before, after = recall(False), recall(True)
    assert after > before + 0.05


def layer() -> object:
    """Something with a head of the size of the features."""
    from torch import nn

    module = nn.Module()
    module.head = nn.Linear(DIMENSION, 2)
    return module


def test_only_heads_draw_features() -> None:
    with pytest.raises(
        UserError, match="drawn_features is for recipes that only fit a head, not for 'small-cnn'"
    ):
        replace(find_recipe("small-cnn"), drawn_features=True)
