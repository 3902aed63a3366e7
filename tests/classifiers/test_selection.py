"""Which epoch is kept, warm starts, and the number of updates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from synthaug.classifiers.fit import fit
from synthaug.classifiers.recipes import RECIPES
from synthaug.classifiers.selection import hold_out
from synthaug.errors import UserError
from synthaug.importers.digits import digits_arrays

DIGITS = RECIPES["digits"]


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    images, labels, is_test = digits_arrays()
    return images[~is_test][:300], labels[~is_test][:300], images[is_test][:150], labels[is_test][:150]


def test_selection_test_keeps_the_best_epoch(data: tuple[np.ndarray, ...]) -> None:
    images, labels, test_images, test_labels = data
    reports: list[dict[str, Any]] = []
    # A learning rate high enough to make the accuracy jump up and down.
    recipe = replace(DIGITS, epochs=6, lr=0.08, schedule="none", selection="test")
    fitted = fit(
        images, labels, 10, recipe, 3, selection_set=(test_images, test_labels), progress=reports.append
    )
    scores = [report["selection_accuracy"] for report in reports]
    best = int(np.argmax(scores))
    assert fitted.training["selected_epoch"] == best + 1
    accuracy = float((fitted.probabilities(test_images).argmax(1) == test_labels).mean())
    assert accuracy == pytest.approx(max(scores))
    assert len(set(scores)) > 1


def test_patience_stops_early(data: tuple[np.ndarray, ...]) -> None:
    images, labels, test_images, test_labels = data
    recipe = replace(DIGITS, epochs=40, lr=0.08, schedule="none", selection="test", patience=2)
    trained = fit(images, labels, 10, recipe, 3, selection_set=(test_images, test_labels)).training
    assert trained["epochs"] == trained["selected_epoch"] + 2 < 40


def test_validation_holds_a_share_of_every_class_out(data: tuple[np.ndarray, ...]) -> None:
    images, labels, *_ = data
    held = hold_out(images, labels, 0.1, seed=0)
    for digit in range(10):
        count = int((labels == digit).sum())
        assert abs(int(held[labels == digit].sum()) - 0.1 * count) <= 1
    assert np.array_equal(held, hold_out(images, labels, 0.1, seed=0))
    assert not np.array_equal(held, hold_out(images, labels, 0.1, seed=1))


def test_copies_of_an_image_are_held_out_together_and_one_always_stays(data: tuple[np.ndarray, ...]) -> None:
    images, labels, *_ = data
    twice = np.concatenate([images[:40], images[:40]])
    held = hold_out(twice, np.tile(labels[:40], 2), 0.3, seed=0)
    assert np.array_equal(held[:40], held[40:])
    single = np.concatenate([images[:30][labels[:30] != 8], images[labels == 8][:1]])
    classes = np.array([0] * (len(single) - 1) + [8])
    assert not hold_out(single, classes, 0.5, seed=0)[-1]


def test_selection_test_without_a_set_is_refused(data: tuple[np.ndarray, ...]) -> None:
    images, labels, *_ = data
    with pytest.raises(UserError, match="selection"):
        fit(images, labels, 10, replace(DIGITS, epochs=1, selection="test"), 0)


def test_a_warm_start_goes_on_from_the_weights_and_leaves_them(data: tuple[np.ndarray, ...]) -> None:
    images, labels, test_images, _ = data
    first = fit(images, labels, 10, replace(DIGITS, epochs=2), 0)
    before = first.probabilities(test_images)
    still = replace(DIGITS, epochs=1, lr=0.0, weight_decay=0.0)
    second = fit(images[:100], labels[:100], 10, still, 1, start=first)
    # Without a learning rate only the running statistics of the normalisation move.
    weights = dict(first.network.named_parameters())
    assert all(torch.equal(each, weights[name]) for name, each in second.network.named_parameters())
    assert (second.mean, second.std) == (first.mean, first.std)
    np.testing.assert_array_equal(first.probabilities(test_images), before)
    assert second.training["start"] == first.revision


def test_a_warm_start_of_another_network_or_other_classes_is_refused(data: tuple[np.ndarray, ...]) -> None:
    images, labels, *_ = data
    first = fit(images, labels, 10, replace(DIGITS, epochs=1), 0)
    with pytest.raises(UserError, match="network"):
        fit(images, labels, 10, replace(RECIPES["resnet18-30"], epochs=1), 0, start=first)
    with pytest.raises(UserError, match="training cannot continue"):
        fit(images, labels, 10, replace(DIGITS, epochs=1), 0, start=first, class_names=list("abcdefghij"))


@pytest.mark.parametrize("count", [100, 300])
def test_steps_are_the_same_for_sets_of_any_size(data: tuple[np.ndarray, ...], count: int) -> None:
    images, labels, *_ = data
    reports: list[dict[str, Any]] = []
    recipe = replace(DIGITS, steps=7, batch_size=50)
    trained = fit(images[:count], labels[:count], 10, recipe, 0, progress=reports.append).training
    assert trained["steps"] == 7
    assert len(reports) == -(-7 // (count // 50))
