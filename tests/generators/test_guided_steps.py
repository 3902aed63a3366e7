"""Guidance in some of the steps: against a sampling loop written out by hand, with the networks of diffusers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForImage2Image

from synthaug.errors import UserError
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.records import GenerationRequest, Pixels

from .stock import one_by_one, stock_pipeline

pytestmark = pytest.mark.slow

STEPS = 6
SCALE = 4.0
REQUEST = GenerationRequest("a bold handwritten digit eight", 2**40)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_by_one(tmp_path_factory.mktemp("models") / "digits", STEPS, SCALE)


@pytest.fixture(scope="module")
def stock(model: Path) -> Any:
    return stock_pipeline(model)


@torch.inference_mode()
def drawn_by_hand(pipeline: Any, guided: set[int]) -> Pixels:
    """The picture of REQUEST, (H, W, 3) uint8, with guidance in these steps only."""
    positive, negative = pipeline.encode_prompt(REQUEST.prompt, "cpu", 1, True)
    pipeline.scheduler.set_timesteps(STEPS)
    side = pipeline.unet.config.sample_size
    shape = (1, pipeline.unet.config.in_channels, side, side)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(REQUEST.seed))
    latents *= pipeline.scheduler.init_noise_sigma
    for step, time in enumerate(pipeline.scheduler.timesteps):
        seen = pipeline.scheduler.scale_model_input(latents, time)
        if step in guided:
            both = torch.cat([negative, positive])
            without, within = pipeline.unet(torch.cat([seen, seen]), time, both).sample.chunk(2)
            noise = without + SCALE * (within - without)
        else:
            noise = pipeline.unet(seen, time, positive).sample
        latents = pipeline.scheduler.step(noise, time, latents).prev_sample
    image = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample[0]
    return np.rint((image / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy() * 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("interval", "guided"),
    [
        ((0.0, 1.0), {0, 1, 2, 3, 4, 5}),
        ((0.0, 0.5), {0, 1, 2}),
        ((0.5, 1.0), {3, 4, 5}),
        ((0.2, 0.7), {2, 3, 4}),
        ((0.4, 0.45), set()),
    ],
)
def test_only_the_steps_of_the_interval_are_guided(
    model: Path, stock: Any, interval: tuple[float, float], guided: set[int]
) -> None:
    generator = load_generator(model, guidance_interval=interval, device="cpu")
    rows: list[int] = []
    watched = generator._loaded.pipeline.unet  # type: ignore[attr-defined]
    hook = watched.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    image = generator.generate([REQUEST])[0]
    hook.remove()
    assert np.array_equal(image.pixels, drawn_by_hand(stock, guided))
    assert rows == [2 if step in guided else 1 for step in range(STEPS)]


def test_each_image_has_its_guidance_in_these_steps(model: Path) -> None:
    generator = load_generator(model, guidance_interval=(0.5, 1.0), device="cpu")
    weak, strong, again = (
        generator.generate([replace(REQUEST, guidance_scale=scale)])[0].pixels for scale in (1.0, 9.0, 1.0)
    )
    unguided = load_generator(model, guidance_scale=1.0, device="cpu").generate([REQUEST])[0].pixels
    assert np.array_equal(weak, unguided)
    assert np.array_equal(weak, again)
    assert not np.array_equal(weak, strong)


def test_of_the_steps_from_an_image_the_interval_is_a_share_as_well(model: Path, stock: Any) -> None:
    start = load_generator(model, device="cpu").generate([REQUEST])[0].pixels
    generator = load_generator(model, guidance_interval=(0.9, 1.0), device="cpu")
    image = generator.generate([replace(REQUEST, seed=5, image=start, strength=0.5)])[0]
    other = AutoPipelineForImage2Image.from_pipe(stock)
    other.set_progress_bar_config(disable=True)
    expected = other(
        prompt=[REQUEST.prompt],
        image=start[None].astype(np.float32) / 255,
        strength=0.5,  # three steps, and the last one begins before nine tenths of them
        guidance_scale=1.0,
        num_inference_steps=STEPS,
        generator=[torch.Generator().manual_seed(5)],
        output_type="np",
    ).images[0]
    assert np.array_equal(image.pixels, np.rint(expected * 255).astype(np.uint8))


def test_the_card_says_which_steps_are_guided(model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    ModelCard(
        num_inference_steps=STEPS, guidance_scale=SCALE, batch_size=1, guidance_interval=(0.2, 0.8)
    ).write(folder)
    assert load_generator(folder, device="cpu").settings.guidance_interval == (0.2, 0.8)
    everywhere = load_generator(folder, guidance_interval=(0.0, 1.0), device="cpu")
    assert everywhere.settings.guidance_interval == (0.0, 1.0)


@pytest.mark.parametrize("interval", [(0.5, 0.5), (0.8, 0.2), (-0.1, 1.0), (0.0, 1.1), (float("nan"), 1.0)])
def test_shares_that_are_none_are_refused(model: Path, interval: tuple[float, float]) -> None:
    with pytest.raises(UserError, match=r"two shares of the steps in 0 \.\. 1"):
        load_generator(model, guidance_interval=interval, device="cpu")


def test_who_cannot_guide_in_part_says_so() -> None:
    with pytest.raises(UserError, match="take a guidance interval"):
        load_generator("augmentation", guidance_interval=(0.2, 0.8))
