from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import UserError
from synthaug.generator_training.config import Augment, Schedule, TrainingConfig
from synthaug.generator_training.fitting import Backward
from synthaug.generator_training.networks import Architecture
from synthaug.generator_training.text_to_image import ignore_progress, train
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.progress import StepProgress
from synthaug.records import GenerationRequest, Pixels

COLORS = np.random.default_rng(0).integers(0, 256, (32, 1, 1, 3), dtype=np.uint8)
IMAGES = np.tile(COLORS, (1, 16, 16, 1))
CONFIG = TrainingConfig(
    architecture=Architecture(
        image_size=16,
        vae_channels=(8, 8),
        unet_channels=(16, 32),
        attention_heads=8,
        norm_groups=8,
        text_width=16,
        text_layers=1,
        text_heads=2,
        max_tokens=12,
    ),
    vae_steps=3,
    steps=4,
    batch_size=4,
    tokenizer_captions=50,
    checkpoint_minutes=0,
)


class Killed(Exception):
    """Stands for the end of the process."""


def caption(pixels: Pixels, index: int, rng: np.random.Generator) -> str:
    return f"a {'bright' if pixels.mean() > 127 else 'dark'} image number {index % 10}"


def mirror(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def run(
    folder: Path,
    progress: StepProgress = ignore_progress,
    config: TrainingConfig = CONFIG,
    augment: Augment | None = None,
) -> Path:
    train(
        IMAGES,
        caption,
        config,
        folder / "model",
        folder / "checkpoints",
        progress=progress,
        augment=augment,
        card=ModelCard(name="noise", num_inference_steps=2),
    )
    return folder / "model"


def weights(model: Path) -> dict[str, bytes]:
    found = {each.parent.name: each.read_bytes() for each in model.rglob("*.safetensors")}
    assert found.keys() == {"vae", "unet", "text_encoder"}
    return found


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("uninterrupted"))


@pytest.mark.parametrize(("phase", "step"), [("vae", 2), ("vae", 3), ("diffusion", 1), ("diffusion", 3)])
def test_a_killed_training_goes_on_to_the_same_weights(
    uninterrupted: Path, tmp_path: Path, phase: str, step: int
) -> None:
    def kill(at_phase: str, done: int, total: int, loss: float) -> None:
        if (at_phase, done) == (phase, step):
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path, kill)
    seen: list[tuple[str, int]] = []
    model = run(tmp_path, lambda at_phase, done, total, loss: seen.append((at_phase, done)))
    assert (phase, step) not in seen
    assert weights(model) == weights(uninterrupted)


def test_shards_and_augmentation_resume_to_the_same_weights_too(tmp_path: Path) -> None:
    config = replace(CONFIG, shards=2, cooldown_steps=2)
    whole = run(tmp_path / "whole", config=config, augment=mirror)

    def kill(phase: str, done: int, total: int, loss: float) -> None:
        if (phase, done) == ("diffusion", 2):
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "killed", kill, config, mirror)
    assert weights(run(tmp_path / "killed", config=config, augment=mirror)) == weights(whole)


def test_shards_leave_the_gradient_of_their_mean() -> None:
    import torch

    layer = torch.nn.Linear(3, 2)
    batches = torch.randn(2, 5, 3)

    def loss_at(step: int, shard: int) -> torch.Tensor:
        return layer(batches[shard]).square().mean()

    with Backward(layer, shards=2) as backward:
        loss = backward(loss_at, 0)
    whole = layer(batches.flatten(0, 1)).square().mean()
    gradients = torch.autograd.grad(whole, list(layer.parameters()))
    assert loss == pytest.approx(float(whole.detach()))
    for parameter, gradient in zip(layer.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    rates = [Schedule(10, 0.5, warmup_steps=2, cooldown_steps=4).learning_rate(step) for step in range(10)]
    assert rates == [0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.375, 0.25, 0.125]


def test_unequal_shards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a batch of 4 cannot be split into 3 equal shards"):
        run(tmp_path, config=replace(CONFIG, shards=3))


def test_more_steps_continue_where_fewer_ended(uninterrupted: Path, tmp_path: Path) -> None:
    run(tmp_path, config=replace(CONFIG, steps=2))
    assert weights(run(tmp_path)) == weights(uninterrupted)


def test_another_seed_gives_other_weights(uninterrupted: Path, tmp_path: Path) -> None:
    other = weights(run(tmp_path, config=replace(CONFIG, seed=1)))
    assert all(other[part] != same for part, same in weights(uninterrupted).items())


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(UserError, match="other data or settings"):
        run(tmp_path, config=replace(CONFIG, seed=CONFIG.seed + 1))
    with pytest.raises(UserError, match="beyond the requested 1 steps"):
        run(tmp_path, config=replace(CONFIG, steps=1))


def test_the_loss_falls_on_the_data(tmp_path: Path) -> None:
    losses: list[float] = []
    config = replace(CONFIG, vae_steps=60, steps=1, warmup_steps=5, checkpoint_minutes=60)
    run(tmp_path, lambda phase, done, total, loss: losses.append(loss), config)
    assert np.mean(losses[50:60]) < 0.9 * np.mean(losses[:10])


def test_the_folder_is_a_generator_and_a_stock_pipeline(uninterrupted: Path) -> None:
    import torch
    from diffusers import StableDiffusionPipeline

    image = load_generator(uninterrupted, device="cpu").generate([GenerationRequest("a dark image", 0)])[0]
    assert image.pixels.shape == (16, 16, 3)
    stock = StableDiffusionPipeline.from_pretrained(uninterrupted)
    stock.set_progress_bar_config(disable=True)
    drawn = stock(
        "a dark image", num_inference_steps=2, generator=torch.manual_seed(0), output_type="np"
    ).images
    assert np.array_equal(np.rint(drawn[0] * 255).astype(np.uint8), image.pixels)


@pytest.mark.parametrize("images", [IMAGES[:0], IMAGES[:, :8], IMAGES.astype(np.float32), IMAGES[0]])
def test_images_of_the_wrong_kind_are_refused(images: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="training images must be"):
        train(images, caption, CONFIG, tmp_path, tmp_path)
