from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from synthaug.classifiers.fit import fit
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UserError
from synthaug.weights import read_tensors

NAMES = ("cat", 'a "quoted" <b>', "猫")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def classifier(images: np.ndarray) -> FittedClassifier:
    return fit(images, np.arange(30) % 3, 3, replace(RECIPES["digits"], epochs=1), 3, class_names=NAMES)


def test_file_holds_everything(classifier: FittedClassifier, images: np.ndarray, tmp_path: Path) -> None:
    classifier.save(tmp_path / "model.safetensors")
    loaded = FittedClassifier.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.probabilities(images), classifier.probabilities(images))
    assert loaded.revision == classifier.revision
    assert loaded.class_names == NAMES
    assert loaded.recipe == classifier.recipe
    assert loaded.training == classifier.training
    assert loaded.training["seed"] == 3
    assert [each.name for each in tmp_path.iterdir()] == ["model.safetensors"]


def test_equal_classifiers_make_equal_files(classifier: FittedClassifier, tmp_path: Path) -> None:
    classifier.save(tmp_path / "a")
    FittedClassifier.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_probabilities_are_softmax_of_the_head_on_the_features(
    classifier: FittedClassifier, images: np.ndarray
) -> None:
    probs, features = classifier.predict(images)
    head = classifier.network.head
    logits = features @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(probs, expected, rtol=1e-4)


def test_missing_foreign_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no classifier at .*absent"):
        FittedClassifier.load(tmp_path / "absent")
    (tmp_path / "text").write_text("not tensors")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        FittedClassifier.load(tmp_path / "text")
    save_file({"x": np.zeros(3)}, tmp_path / "foreign")
    with pytest.raises(UserError, match="is not a classifier that synthaug saved"):
        FittedClassifier.load(tmp_path / "foreign")


def with_training(path: Path, training: dict[str, object]) -> Path:
    """Rewrite the file of a classifier with another record of its training."""
    metadata, tensors = read_tensors(path)
    header = json.loads(metadata["synthaug.classifier"]) | {"training": training}
    save_file(
        {name: each.numpy() for name, each in tensors.items()},
        path,
        metadata={"synthaug.classifier": json.dumps(header)},
    )
    return path


def test_fields_of_another_release_in_the_training_record_are_kept(
    classifier: FittedClassifier, tmp_path: Path
) -> None:
    classifier.save(tmp_path / "model")
    written = {
        "seed": 3,
        "test_images": 10_000,
        "per_class": [0.5, 0.25],
    }  # without the other fields, as in 0.1
    assert FittedClassifier.load(with_training(tmp_path / "model", written)).training == written


def test_a_training_record_of_the_wrong_type_is_refused(classifier: FittedClassifier, tmp_path: Path) -> None:
    classifier.save(tmp_path / "model")
    with pytest.raises(UserError, match=r"the training in .*model cannot be used: seed: .* \(it is '3'\)"):
        FittedClassifier.load(with_training(tmp_path / "model", {"seed": "3"}))


def test_temperature_and_mirror_image_change_probabilities_as_they_say(
    classifier: FittedClassifier, images: np.ndarray
) -> None:
    plain, mirrored = classifier.features(images), classifier.features(images[:, :, ::-1])
    recipe = replace(classifier.recipe, temperature=0.5, flip_average=True)
    other = FittedClassifier(classifier.network, recipe, NAMES, classifier.mean, classifier.std)
    probs, features = other.predict(images)
    np.testing.assert_allclose(features, (plain + mirrored) / 2, rtol=1e-4, atol=1e-5)
    head = classifier.network.head
    logits = features @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    sharpened = np.exp(2 * (logits - logits.max(1, keepdims=True)))
    np.testing.assert_allclose(probs, sharpened / sharpened.sum(1, keepdims=True), rtol=1e-4, atol=1e-6)
    assert other.revision != classifier.revision


def test_half_the_bytes_keep_the_predictions(
    classifier: FittedClassifier, images: np.ndarray, tmp_path: Path
) -> None:
    classifier.save(tmp_path / "whole.safetensors")
    classifier.save(tmp_path / "half.safetensors", half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]
    half = FittedClassifier.load(tmp_path / "half.safetensors")
    np.testing.assert_allclose(half.probabilities(images), classifier.probabilities(images), atol=0.01)
