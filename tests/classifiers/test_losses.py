"""What is minimised, against scikit-learn, torch and a hand-computed case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight

from synthaug.classifiers.fit import fit
from synthaug.classifiers.losses import Classification
from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UnknownName, UserError
from synthaug.importers.digits import digits_arrays

pytestmark = pytest.mark.slow

RECIPE = replace(RECIPES["digits"], label_smoothing=0.1)
LABELS = torch.tensor([0, 0, 0, 0, 0, 1, 1, 2])
LOGITS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
ROWS = torch.arange(8)


def objective(loss: str) -> Classification:
    return Classification(LABELS, torch.ones(8), 3, replace(RECIPE, loss=loss))


def test_plain_is_torchs_cross_entropy() -> None:
    expected = F.cross_entropy(LOGITS, LABELS, label_smoothing=0.1)
    torch.testing.assert_close(objective("plain").loss(LOGITS, ROWS), expected)


def test_class_weights_are_scikit_learns() -> None:
    weights = torch.tensor(compute_class_weight("balanced", classes=np.arange(3), y=LABELS.numpy()))
    each = F.cross_entropy(LOGITS, LABELS, reduction="none", label_smoothing=0.1)
    expected = (each * weights[LABELS]).mean()
    torch.testing.assert_close(objective("class-weighted").loss(LOGITS, ROWS), expected.float())


def test_logit_adjustment_adds_the_log_prior_in_the_loss_alone() -> None:
    prior = torch.tensor([5 / 8, 2 / 8, 1 / 8])
    # Smoothing gives a tenth to the classes as they are frequent.
    smoothed = 0.9 * F.one_hot(LABELS, 3) + 0.1 * prior
    expected = F.cross_entropy(LOGITS + prior.log(), smoothed)
    adjusted = objective("logit-adjusted")
    torch.testing.assert_close(adjusted.loss(LOGITS, ROWS), expected)
    torch.testing.assert_close(adjusted.scores(LOGITS, LABELS), (LOGITS.argmax(1) == LABELS).float())


def test_a_class_without_images_leaves_the_loss_finite() -> None:
    labels = torch.zeros(4, dtype=torch.long)
    for loss in ("class-weighted", "logit-adjusted"):
        target = Classification(labels, torch.ones(4), 3, replace(RECIPE, loss=loss))
        assert torch.isfinite(target.loss(LOGITS[:4], torch.arange(4)))


@pytest.mark.parametrize("loss", ["class-weighted", "logit-adjusted"])
def test_the_remedies_bring_back_a_rare_class(loss: str) -> None:
    images, labels, is_test = digits_arrays()
    kept = np.flatnonzero(~is_test)
    eights = kept[labels[kept] == 8]
    kept = np.setdiff1d(kept, eights[4:])
    recalls = []
    for chosen in ("plain", loss):
        recipe = replace(RECIPES["digits"], epochs=6, loss=chosen)
        predicted = fit(images[kept], labels[kept], 10, recipe, 0).probabilities(images[is_test]).argmax(1)
        recalls.append(float((predicted == 8)[labels[is_test] == 8].mean()))
    assert recalls[1] > recalls[0]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownName, match="focal"):
        replace(RECIPE, loss="focal")
    with pytest.raises(UserError, match="patience"):
        replace(RECIPE, patience=3)
