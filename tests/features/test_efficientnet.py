"""EfficientNet-Lite0 with ImageNet weights from the package registry: it knows photographs it never saw here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from synthaug.features import load_extractor
from synthaug.features.timm_model import TimmExtractor, efficientnet_lite0
from synthaug.images import resize

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def extractor() -> TimmExtractor:
    return efficientnet_lite0(448)


def photograph(name: str, size: int) -> np.ndarray:
    """A photograph that comes with scikit-learn, squeezed square: (S, S, 3)."""
    return resize(load_sample_image(name), (size, size))


@pytest.mark.parametrize(("name", "index"), [("china.jpg", 442), ("flower.jpg", 985)])  # bell cote, daisy
def test_the_weights_are_in_their_places(extractor: TimmExtractor, name: str, index: int) -> None:
    image = photograph(name, extractor.image_size)[None]
    with torch.inference_mode():
        logits = extractor._network.get_classifier()(torch.from_numpy(extractor.features(image)))
    assert int(logits.argmax()) == index


def test_features_do_not_depend_on_the_batch(extractor: TimmExtractor) -> None:
    both = np.stack([photograph(name, 224) for name in ("china.jpg", "flower.jpg")])
    alone = np.concatenate([extractor.features(both[:1]), extractor.features(both[1:])])
    assert extractor.features(both) == pytest.approx(alone, abs=1e-4)
    assert alone.shape == (2, extractor.dimension)


@pytest.mark.parametrize(("longest", "size"), [(32, 96), (64, 160), (512, 224)])
def test_small_images_are_not_blown_up_further_than_needed(longest: int, size: int) -> None:
    assert load_extractor("efficientnet-lite0", longest).image_size == size


def test_the_revision_tells_the_input_size(extractor: TimmExtractor) -> None:
    assert extractor.revision == efficientnet_lite0(448).revision
    assert extractor.revision != efficientnet_lite0(32).revision


def test_another_shape_is_refused(extractor: TimmExtractor) -> None:
    with pytest.raises(ValueError, match=r"\(N, 224, 224, 3\)"):
        extractor.features(np.zeros((1, 32, 32, 3), np.uint8))
