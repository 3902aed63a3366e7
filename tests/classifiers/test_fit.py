from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from synthaug.classifiers.fit import fit
from synthaug.classifiers.networks import build
from synthaug.classifiers.optimisation import make_optimizer
from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import Cancelled, UserError
from synthaug.importers.digits import digits_arrays

pytestmark = pytest.mark.slow

DIGITS = RECIPES["digits"]
BRIEF = replace(DIGITS, epochs=2)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return digits_arrays()


@pytest.fixture(scope="module")
def few(digits: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    images, labels, is_test = digits
    return images[~is_test][:200], labels[~is_test][:200]


def test_learns_the_digits(digits: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    images, labels, is_test = digits
    classifier = fit(images[~is_test], labels[~is_test], 10, replace(DIGITS, epochs=6), seed=0)
    predicted = classifier.probabilities(images[is_test]).argmax(1)
    assert np.mean(predicted == labels[is_test]) >= 0.95


@pytest.mark.parametrize("recipe", [BRIEF, replace(BRIEF, dropout=0.5, flip=True, optimizer="sgd", lr=0.1)])
def test_a_seed_fixes_every_bit(few: tuple[np.ndarray, np.ndarray], recipe: Any) -> None:
    runs = []
    for global_seed, seed in ((1, 7), (2, 7), (2, 8)):
        torch.manual_seed(global_seed)
        runs.append(fit(*few, 10, recipe, seed, device="cpu"))
    first, second, other = (run.network.state_dict() for run in runs)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert runs[0].revision == runs[1].revision != runs[2].revision
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_progress_after_each_epoch(few: tuple[np.ndarray, np.ndarray]) -> None:
    reports: list[dict[str, Any]] = []
    fit(*few, 10, replace(DIGITS, epochs=4), 0, progress=reports.append)
    assert [(r["epoch"], r["epochs"]) for r in reports] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert reports[-1]["loss"] < reports[0]["loss"]
    assert reports[0]["train_accuracy"] < reports[-1]["train_accuracy"] <= 1
    assert all(r["images_per_second"] > 0 for r in reports)


def test_cancel_stops_within_the_epoch(few: tuple[np.ndarray, np.ndarray]) -> None:
    reports: list[dict[str, Any]] = []
    with pytest.raises(Cancelled, match="epoch 2 of 2"):
        fit(*few, 10, BRIEF, 0, progress=reports.append, should_cancel=lambda: len(reports) == 1)


def test_weights_of_zero_hide_images(few: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = few
    seven = (labels == 7).astype(np.float64)
    classifier = fit(images, labels, 10, replace(DIGITS, epochs=3), 0, weights=np.where(seven, 1.0, 0.0))
    assert (classifier.probabilities(images).argmax(1) == 7).all()


def test_equal_weights_are_no_weights(few: tuple[np.ndarray, np.ndarray]) -> None:
    plain = fit(*few, 10, BRIEF, 0)
    assert fit(*few, 10, BRIEF, 0, weights=np.full(200, 4.0)).revision == plain.revision


def test_other_sizes_are_resized(few: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = few
    classifier = fit(images, labels, 10, replace(BRIEF, image_size=32), 0)
    enlarged = images.repeat(2, 1).repeat(2, 2)  # halving it again, antialiased, blurs a little
    probs = classifier.probabilities(enlarged)
    assert np.mean(probs.argmax(1) == classifier.probabilities(images).argmax(1)) > 0.9


def test_divergence_names_the_recipe_and_the_rate(few: tuple[np.ndarray, np.ndarray]) -> None:
    wild = replace(BRIEF, optimizer="sgd", lr=1e30, schedule="none", warmup_epochs=0)
    with pytest.raises(UserError, match=r"diverged.*'digits'.*1e\+30.*lower learning rate"):
        fit(*few, 10, wild, 0)


def test_data_that_teaches_nothing_is_refused(few: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = few
    with pytest.raises(UserError, match="no images to train on"):
        fit(images[:0], labels[:0], 10, BRIEF, 0)
    with pytest.raises(UserError, match="all images have the class 'eight'"):
        fit(images, np.zeros_like(labels), 2, BRIEF, 0, class_names=("eight", "nine"))
    with pytest.raises(UserError, match=r"labels must lie in 0 .. 4, not in 0 .. 9"):
        fit(images, labels, 5, BRIEF, 0)
    with pytest.raises(UserError, match="200 images need labels"):
        fit(images, labels[:-1], 10, BRIEF, 0)
    with pytest.raises(UserError, match="10 classes need 10 names, not 2"):
        fit(images, labels, 10, BRIEF, 0, class_names=("a", "b"))
    with pytest.raises(UserError, match="weights"):
        fit(images, labels, 10, BRIEF, 0, weights=np.full(200, np.nan))


def test_two_images_are_enough_to_run() -> None:
    images = np.stack([np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)])
    classifier = fit(images, np.array([0, 1]), 2, BRIEF, 0)
    assert np.isfinite(classifier.probabilities(images)).all()


FAST = replace(RECIPES["cifar10-fast"], epochs=4, warmup_epochs=1, batch_size=50, flip=False)


@pytest.mark.long
def test_the_fast_recipe_learns_with_its_average_and_its_whitening(
    digits: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    images, labels, is_test = digits
    classifier = fit(
        images[~is_test], labels[~is_test], 10, replace(FAST, flip_average=False), 0, device="cpu"
    )
    predicted = classifier.probabilities(images[is_test]).argmax(1)
    assert np.mean(predicted == labels[is_test]) >= 0.9
    assert classifier.recipe.ema_decay == 0.99
    whitening = classifier.network.body[0].weight
    assert not whitening.requires_grad
    assert torch.equal(whitening[:12], -whitening[12:])


def test_shifts_have_their_own_learning_rate_and_an_equal_decay() -> None:
    network = build("airbench", 10)
    weights, shifts = make_optimizer(network, FAST).param_groups
    assert (weights["peak_lr"], shifts["peak_lr"]) == (0.75, 48.0)
    assert weights["lr"] * weights["weight_decay"] == pytest.approx(shifts["lr"] * shifts["weight_decay"])
    assert len(shifts["params"]) == 6
    trained = {id(each) for each in network.parameters() if each.requires_grad}
    assert {id(each) for group in (weights, shifts) for each in group["params"]} == trained


def test_a_head_fitted_to_real_images_sits_on_the_body_of_all(few: tuple[np.ndarray, np.ndarray]) -> None:
    from sklearn.linear_model import LogisticRegression

    images, labels = few
    synthetic = np.arange(200) % 2 == 0
    mixed = fit(images, labels, 10, BRIEF, 0)
    refitted = fit(images, labels, 10, replace(BRIEF, synthetic="body"), 0, synthetic=synthetic)
    body = refitted.network.state_dict()
    for name, tensor in mixed.network.state_dict().items():
        assert torch.equal(tensor, body[name]) != name.startswith("head.")

    features = refitted.features(images)
    real = features[~synthetic]
    scaled = (real - real.mean(0)) / np.sqrt(real.var(0) + 0.01 * real.var(0).mean())
    balanced = LogisticRegression(
        C=refitted.training["inverse_penalty"], class_weight="balanced", max_iter=1000
    )
    expected = balanced.fit(scaled, labels[~synthetic]).predict(scaled)
    assert np.mean(expected == refitted.probabilities(images[~synthetic]).argmax(1)) > 0.97


@pytest.mark.parametrize(("epochs", "last"), [(8, 2), (2, 1)])
def test_the_last_epochs_see_real_images_only(
    few: tuple[np.ndarray, np.ndarray], epochs: int, last: int
) -> None:
    images, labels = few
    synthetic = np.arange(200) % 2 == 0
    reports: list[dict[str, Any]] = []
    recipe = replace(DIGITS, epochs=epochs, warmup_epochs=0.5, synthetic="first")
    weights = synthetic.astype(np.float64)  # real images weigh nothing, so that their loss is 0
    fit(images, labels, 10, recipe, 0, weights=weights, synthetic=synthetic, progress=reports.append)
    losses = [each["loss"] for each in reports]
    assert all(loss > 0 for loss in losses[:-last])
    assert losses[-last:] == [0] * last


def test_without_synthetic_images_there_is_nothing_to_see_first(few: tuple[np.ndarray, np.ndarray]) -> None:
    plain = fit(*few, 10, BRIEF, 0)
    assert fit(*few, 10, replace(BRIEF, synthetic="first"), 0).revision == plain.revision


@pytest.mark.parametrize("use", ["first", "body"])
def test_other_uses_of_synthetic_images_need_real_ones(few: tuple[np.ndarray, np.ndarray], use: Any) -> None:
    with pytest.raises(UserError, match=f"the use '{use}' of synthetic images needs real ones"):
        fit(*few, 10, replace(BRIEF, synthetic=use), 0, synthetic=np.ones(200, np.bool_))
