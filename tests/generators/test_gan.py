"""The DCGAN baseline: the paper's networks, their folder, and what a network of one pass takes and refuses."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from synthaug.errors import SynthaugError, UserError
from synthaug.generator_training.gan import GANConfig, train_gan
from synthaug.generators import load_generator
from synthaug.generators.dcgan import LATENT, Discriminator, Generator
from synthaug.records import GenerationRequest

pytestmark = pytest.mark.slow

COLOR = np.array([20, 70, 190])
IMAGES = (COLOR + np.random.default_rng(0).normal(0, 25, (20, 16, 16, 3))).clip(0, 255).astype(np.uint8)
CONFIG = GANConfig(width=4, epochs=1, batch_size=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gan")
    train_gan(IMAGES[:6], ("cat",), CONFIG, root / "m", root / "ck")
    return root / "m"


def test_the_networks_are_the_paper_s() -> None:
    with torch.device("meta"):
        generator, discriminator = Generator(), Discriminator()
        drawn = generator(torch.empty(2, LATENT, 1, 1))
        judged = discriminator(drawn)
    ups = [each for each in generator.modules() if isinstance(each, nn.ConvTranspose2d)]
    downs = [each for each in discriminator.modules() if isinstance(each, nn.Conv2d)]
    assert [each.out_channels for each in ups] == [1024, 512, 256, 128, 3]
    assert [each.out_channels for each in downs] == [128, 256, 512, 1024, 1]
    assert {each.kernel_size for each in (*ups, *downs)} == {(4, 4)}
    slopes = [each.negative_slope for each in discriminator.modules() if isinstance(each, nn.LeakyReLU)]
    assert slopes == [0.2] * 4
    assert drawn.shape == (2, 3, 64, 64)
    assert judged.shape == (2,)


def test_the_defaults_are_the_paper_s() -> None:
    config = GANConfig()
    assert (config.epochs, config.learning_rate, config.vertical_flip) == (300, 5e-5, True)


def test_a_gan_learns_the_colour_of_its_training_images(tmp_path: Path) -> None:
    def distance(epochs: int) -> float:
        config = GANConfig(width=8, epochs=epochs, batch_size=10, learning_rate=1e-3)
        train_gan(IMAGES, (), config, tmp_path / f"m{epochs}", tmp_path / "ck")
        generator = load_generator(tmp_path / f"m{epochs}", device="cpu")
        drawn = generator.generate([GenerationRequest("", seed) for seed in range(16)])
        return float(np.linalg.norm(np.stack([each.pixels for each in drawn]).mean((0, 1, 2)) - COLOR))

    first = distance(1)
    assert distance(60) < 0.4 * first  # the same training, gone on with


def test_a_training_that_was_done_before_has_no_losses_to_tell(tmp_path: Path) -> None:
    first = train_gan(IMAGES[:6], (), CONFIG, tmp_path / "a", tmp_path / "ck")
    again = train_gan(IMAGES[:6], (), CONFIG, tmp_path / "b", tmp_path / "ck")
    assert first["generator_loss"] > 0
    assert again["generator_loss"] is None
    assert json.loads(json.dumps(again, allow_nan=False)) == again
    assert (tmp_path / "a" / "generator.safetensors").read_bytes() == (
        tmp_path / "b" / "generator.safetensors"
    ).read_bytes()


def test_the_largest_seed_will_do(tmp_path: Path) -> None:
    config = replace(CONFIG, seed=2**63 - 1)
    assert train_gan(IMAGES[:6], (), config, tmp_path / "m", tmp_path / "ck")["images"] == 6


def test_sharpening_and_turning_are_drawn_for_each_image(tmp_path: Path) -> None:
    from synthaug.generator_training.gan import _Training

    half = np.zeros((1, 16, 16, 3), np.uint8)
    half[:, 8:] = 200
    training = _Training(half.repeat(64, 0), replace(CONFIG, sharpness=2.0), tmp_path)
    real = training._resized(torch.arange(64))
    made = training._augmented(real, torch.Generator().manual_seed(0))
    turned = made[:, 0, 0, 0] > made[:, 0, -1, 0]
    upright = torch.where(turned.view(-1, 1, 1, 1), made.flip(-2), made)
    changed = (upright - real).abs().amax((1, 2, 3)) > 1e-4
    # A fair coin for each: 32 of 64, four standard deviations of 4 either way.
    assert 16 < int(turned.sum()) < 48
    assert 16 < int(changed.sum()) < 48
    assert 0 < int((turned & changed).sum()) < 48


@pytest.mark.parametrize("asked", [(512, 512), (64, 300)])
def test_images_are_never_enlarged(folder: Path, asked: tuple[int, int]) -> None:
    generator = load_generator(folder, output_size=asked, device="cpu")
    (image,) = generator.generate([GenerationRequest("a cat", 0)])
    assert generator.image_size == image.pixels.shape[1::-1] == (64, 64)
    assert image.review is None


def test_the_default_size_is_that_of_the_training_images(folder: Path) -> None:
    (image,) = load_generator(folder, device="cpu").generate([GenerationRequest("a cat", 0)])
    assert image.pixels.shape == (16, 16, 3)
    assert image.review is not None
    assert image.review.shape == (64, 64, 3)


def test_an_image_is_the_network_s_for_the_noise_of_its_seed(folder: Path) -> None:
    from safetensors.torch import load_file

    network = Generator(4)
    network.load_state_dict(load_file(folder / "generator.safetensors"))
    network.eval()
    noise = torch.randn(1, LATENT, 1, 1, generator=torch.Generator().manual_seed(11))
    with torch.inference_mode():
        expected = ((network(noise)[0] + 1) * 127.5).permute(1, 2, 0).numpy()
    (image,) = load_generator(folder, output_size=(64, 64), device="cpu").generate(
        [GenerationRequest("Cat", 11)]
    )
    assert np.abs(image.pixels - expected).max() <= 0.51


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_inference_steps": 5}, "no steps, no guidance"),
        ({"guidance_scale": 2.0}, "no steps, no guidance"),
        ({"batch_size": 0}, "batch size is 0"),
        ({"output_size": (0, 8)}, "output size is 0x8"),
    ],
)
def test_settings_it_does_not_have_are_refused(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_generator(folder, device="cpu", **options)


def test_the_only_possible_settings_may_be_given(folder: Path) -> None:
    settings = load_generator(folder, device="cpu").settings
    again = load_generator(
        folder,
        num_inference_steps=settings.num_inference_steps,
        guidance_scale=settings.guidance_scale,
        device="cpu",
    )
    assert again.settings == settings


@pytest.mark.parametrize(
    "request_",
    [
        GenerationRequest("a cat", 0, guidance_scale=2.0),
        GenerationRequest("a cat", 0, image=IMAGES[0]),
        GenerationRequest("a dog", 0),
    ],
    ids=["guidance", "image", "class"],
)
def test_requests_it_cannot_meet_are_refused(folder: Path, request_: GenerationRequest) -> None:
    with pytest.raises(UserError, match=r"is a GAN|it understands cat"):
        load_generator(folder, device="cpu").generate([request_])


def test_other_weights_are_refused_and_damaged_ones_noticed(folder: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    state = load_file(copy / "generator.safetensors")
    last = [name for name in state if name.endswith("bias")][-1]
    save_file(state | {last: torch.full_like(state[last], math.nan)}, copy / "generator.safetensors")
    with pytest.raises(SynthaugError, match="NaN or infinite"):
        load_generator(copy, device="cpu").generate([GenerationRequest("cat", 0)])
    save_file({"other": torch.zeros(1)}, copy / "generator.safetensors")
    with pytest.raises(UserError, match="is not a DCGAN generator"):
        load_generator(copy, device="cpu")
