"""What every classifier promises to the stages, whatever its network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthaug.classifiers.base import Classifier
from synthaug.classifiers.fit import fit
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.networks import NETWORKS
from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UserError

pytestmark = pytest.mark.slow

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
LARGER = tuple(f"b{size}" for size in range(1, 8))
NAMES = ("airplane", "cat", "truck")


# The other EfficientNets differ from this one in width and depth alone, and are slow.
@pytest.fixture(scope="module", params=[each for each in NETWORKS if each[-2:] not in LARGER])
def classifier(request: pytest.FixtureRequest) -> Classifier:
    recipe = replace(RECIPES["digits"], network=request.param, epochs=1)
    return fit(IMAGES, np.arange(12) % 3, 3, recipe, seed=0, class_names=NAMES)


def test_names_and_number_of_classes(classifier: Classifier) -> None:
    assert classifier.class_names == NAMES
    assert classifier.num_classes == 3


def test_probabilities_are_distributions(classifier: Classifier) -> None:
    probs = classifier.probabilities(IMAGES)
    assert probs.shape == (12, 3)
    assert probs.dtype == np.float32
    assert (probs >= 0).all()
    np.testing.assert_allclose(probs.sum(1), 1, rtol=1e-5)


def test_features_are_one_finite_row_an_image(classifier: Classifier) -> None:
    features = classifier.features(IMAGES)
    assert features.ndim == 2
    assert len(features) == 12
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_predict_gives_probabilities_and_features(classifier: Classifier) -> None:
    probs, features = classifier.predict(IMAGES)
    assert np.array_equal(probs, classifier.probabilities(IMAGES))
    assert np.array_equal(features, classifier.features(IMAGES))


def test_an_images_prediction_does_not_depend_on_its_company(classifier: Classifier) -> None:
    alone = np.concatenate([classifier.probabilities(IMAGES[i : i + 1]) for i in range(12)])
    np.testing.assert_allclose(alone, classifier.probabilities(IMAGES), atol=1e-5)


def test_an_empty_batch_gives_no_rows(classifier: Classifier) -> None:
    probs, features = classifier.predict(IMAGES[:0])
    assert probs.shape == (0, 3)
    assert features.shape == (0, classifier.features(IMAGES[:1]).shape[1])


def test_any_size_is_taken_and_wrong_types_are_refused(classifier: Classifier) -> None:
    assert classifier.probabilities(np.zeros((2, 40, 24, 3), np.uint8)).shape == (2, 3)
    with pytest.raises(UserError, match="uint8"):
        classifier.probabilities(IMAGES.astype(np.float32))


def test_using_it_leaves_its_revision(classifier: Classifier, tmp_path: Path) -> None:
    before = classifier.revision
    classifier.predict(IMAGES)
    classifier.save(tmp_path / "model.safetensors")
    again = FittedClassifier.load(tmp_path / "model.safetensors")
    assert len(before) == 64
    assert before == again.revision == classifier.revision
    assert np.array_equal(again.probabilities(IMAGES), classifier.probabilities(IMAGES))
