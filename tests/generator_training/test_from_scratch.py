"""DDPM and DCGAN trained for real, small: what was shown is drawn, and a killed training goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import UserError
from synthaug.generator_training.ddpm import DDPMConfig, train_ddpm
from synthaug.generator_training.gan import GANConfig, train_gan
from synthaug.generator_training.text_to_image import ignore_progress
from synthaug.generators import load_generator
from synthaug.progress import StepProgress
from synthaug.records import GenerationRequest

CLASSES = ("ember", "ocean")
COLORS = np.array([[210, 60, 30], [20, 70, 190]])
LABELS = np.arange(40) % 2
NOISE = np.random.default_rng(0).normal(0, 12, (40, 1, 1, 3))
IMAGES = np.clip(np.tile(COLORS[LABELS][:, None, None] + NOISE, (1, 16, 16, 1)), 0, 255).astype(np.uint8)
DDPM = DDPMConfig(size="tiny", steps=220, batch_size=16, learning_rate=2e-3, warmup_steps=20, ema_decay=0.97)
GAN = GANConfig(width=8, epochs=80, batch_size=20, learning_rate=3e-3, sharpness=1)


class Killed(Exception):
    """Stands for the end of the process."""


def ddpm(
    folder: Path, config: DDPMConfig, progress: StepProgress = ignore_progress, classes: bool = True
) -> Path:
    labels = LABELS if classes else None
    train_ddpm(IMAGES, labels, CLASSES, config, folder / "model", folder / "ck", progress=progress)
    return folder / "model"


def gan(folder: Path, config: GANConfig, progress: StepProgress = ignore_progress) -> Path:
    images = IMAGES[LABELS == 1]
    train_gan(images, ("ocean",), config, folder / "model", folder / "ck", progress=progress)
    return folder / "model"


def mean_colors(model: Path, prompt: str, count: int = 16) -> np.ndarray:
    generator = load_generator(model, device="cpu")
    drawn = generator.generate([GenerationRequest(prompt, seed) for seed in range(count)])
    return np.stack([each.pixels for each in drawn]).mean((1, 2))


@pytest.mark.long
def test_a_ddpm_draws_the_class_it_is_asked_for(tmp_path: Path) -> None:
    model = ddpm(tmp_path, DDPM)
    for index, name in enumerate(CLASSES):
        colors = mean_colors(model, f"a photo of {name}")
        nearest = np.linalg.norm(colors[:, None] - COLORS, axis=2).argmin(1)
        assert np.mean(nearest == index) >= 0.9


def test_a_gan_draws_the_colour_it_was_shown(tmp_path: Path) -> None:
    shown = mean_colors(gan(tmp_path, GAN), "ocean").mean(0)
    assert np.linalg.norm(shown - COLORS[1]) < 50 < np.linalg.norm(shown - COLORS[0])


@pytest.mark.parametrize("classes", [True, False])
def test_a_killed_ddpm_goes_on_to_the_same_weights(tmp_path: Path, classes: bool) -> None:
    config = replace(DDPM, steps=4, checkpoint_minutes=0, flip=True)

    def kill(phase: str, done: int, total: int, loss: float) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        ddpm(tmp_path / "killed", config, kill, classes)
    seen: list[int] = []
    resumed = ddpm(tmp_path / "killed", config, lambda phase, done, total, loss: seen.append(done), classes)
    assert seen == [3, 4]
    assert weights(resumed) == weights(ddpm(tmp_path / "whole", config, classes=classes))


def test_a_killed_gan_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    config = replace(GAN, epochs=3, sharpness=2.0)

    def kill(phase: str, done: int, total: int, loss: float) -> None:
        if done == 2:  # after the epoch was kept
            raise Killed

    with pytest.raises(Killed):
        gan(tmp_path / "killed", config, kill)
    seen: list[int] = []
    resumed = gan(tmp_path / "killed", config, lambda phase, done, total, loss: seen.append(done))
    assert seen == [3]
    assert weights(resumed) == weights(gan(tmp_path / "whole", config))


def weights(model: Path) -> list[bytes]:
    found = [each.read_bytes() for each in sorted(model.rglob("*.safetensors"))]
    assert found
    return found


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    gan(tmp_path, replace(GAN, epochs=1))
    with pytest.raises(UserError, match="other data or settings"):
        gan(tmp_path, replace(GAN, epochs=1, width=4))
    with pytest.raises(UserError, match="beyond the requested 0"):
        gan(tmp_path, replace(GAN, epochs=0))


@pytest.mark.parametrize(
    "images", [IMAGES[:0], IMAGES[:, :9], IMAGES.astype(np.float32), IMAGES[:, :15, :15]]
)
def test_images_of_the_wrong_kind_are_refused(images: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="training images must be"):
        train_ddpm(images, None, (), DDPM, tmp_path, tmp_path)


def test_labels_beyond_the_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="integers from 0 to 1"):
        train_ddpm(IMAGES, LABELS + 1, CLASSES, DDPM, tmp_path, tmp_path)
