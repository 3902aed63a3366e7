"""A model trained further: what stays, what is aligned, what a killed training loses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.maps import feature_maps
from synthaug.classifiers.pixels import standardise, to_tensor
from synthaug.errors import UserError
from synthaug.generator_training.alignment import misalignment, predict
from synthaug.generator_training.checkpoints import steps_done
from synthaug.generator_training.networks import Architecture, make_unet
from synthaug.generator_training.text_to_image import ignore_progress, train
from synthaug.progress import StepProgress
from synthaug.stages.labeler import shipped_file
from tests.generator_training.test_text_to_image import CONFIG, IMAGES, Killed, caption, run, weights

FURTHER = replace(CONFIG, steps=3, alignment=0.5)


def corners(images: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Feature maps (N, 3, 2, 2): the colours of the corners."""
    return (images[:, ::15, ::15].transpose(0, 3, 1, 2) / 255).astype(np.float16)


def further(base: Path, folder: Path, progress: StepProgress = ignore_progress, steps: int = 3) -> Path:
    train(
        *(IMAGES, caption, replace(FURTHER, steps=steps), folder / "model", folder / "checkpoints"),
        progress=progress,
        base=base,
        maps_of=corners,
    )
    return folder / "model"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return further(base, tmp_path_factory.mktemp("further"))


def test_only_the_unet_and_the_text_encoder_are_trained_further(base: Path, trained: Path) -> None:
    before, after = weights(base), weights(trained)
    assert before["vae"] == after["vae"]
    assert before["unet"] != after["unet"]
    assert before["text_encoder"] != after["text_encoder"]
    words = "tokenizer/tokenizer.json"
    assert (base / words).read_bytes() == (trained / words).read_bytes()


def test_killed_and_begun_again_it_ends_with_the_same_weights(
    base: Path, trained: Path, tmp_path: Path
) -> None:
    def kill(phase: str, done: int, total: int, loss: float) -> None:
        raise Killed

    with pytest.raises(Killed):
        further(base, tmp_path, kill)
    assert steps_done(tmp_path / "checkpoints" / "diffusion.safetensors") == 1
    assert weights(further(base, tmp_path)) == weights(trained)


def test_a_checkpoint_is_written_as_it_is(base: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    further(base, tmp_path, steps=2)
    first = weights(tmp_path / "model")
    further(base, tmp_path, lambda phase, done, total, loss: seen.append(done), steps=2)
    assert weights(tmp_path / "model") == first
    assert not seen


def test_another_base_is_another_training(base: Path, trained: Path, tmp_path: Path) -> None:
    further(base, tmp_path)
    with pytest.raises(UserError, match="other data or settings"):
        further(trained, tmp_path)


def test_a_folder_without_parts_is_no_base(tmp_path: Path, base: Path) -> None:
    lacking = tmp_path / "lacking"
    lacking.mkdir()
    (lacking / "model_index.json").write_text("{}")
    (lacking / "some.safetensors").write_bytes(
        (base / "vae/diffusion_pytorch_model.safetensors").read_bytes()
    )
    with pytest.raises(UserError, match="missing: tokenizer, vae, text_encoder, unet"):
        further(lacking, tmp_path)


@pytest.mark.parametrize("pooled", [True, False])
def test_the_written_out_forward_is_the_networks_own(pooled: bool) -> None:
    torch.manual_seed(0)
    unet = make_unet(
        Architecture(
            unet_channels=(16, 32, 32), unet_attention=(False, False, True), text_in_every_block=pooled
        )
    ).eval()
    noisy, times, text = torch.randn(2, 4, 8, 8), torch.tensor([3, 900]), torch.randn(2, 24, 64)
    with torch.no_grad():
        predicted, middle = predict(unet, noisy, times, text)
        assert torch.equal(predicted, unet(noisy, times, text).sample)
    assert middle.shape == (2, 32, 2, 2)


def test_misalignment_is_one_minus_the_cosine() -> None:
    features = torch.randn(2, 5, 4, 4)
    same = torch.nn.Identity()
    assert misalignment(same, features, features).item() == pytest.approx(0, abs=1e-6)
    assert misalignment(same, features, -3 * features).item() == pytest.approx(2, abs=1e-6)


def test_pooled_feature_maps_are_the_classifiers_features() -> None:
    classifier = FittedClassifier.load(shipped_file("cifar10-labeler"), "cpu")
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    maps = feature_maps(classifier, images).astype(np.float32)
    pixels = standardise(to_tensor(images, 32), torch.tensor(classifier.mean), torch.tensor(classifier.std))
    with torch.no_grad():
        expected = classifier.network.features(pixels).numpy()
    np.testing.assert_allclose(maps.max(axis=(2, 3)) / 9, expected, rtol=0.05, atol=0.01)
