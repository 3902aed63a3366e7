"""What every generator promises: the embedded model, a Stable Diffusion and a Stable Diffusion XL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthaug.errors import Cancelled, UserError
from synthaug.generators import load_generator
from synthaug.generators.base import Generator, ModelCard
from synthaug.generators.networks import (
    Architecture,
    make_text_encoder,
    make_tokenizer,
    make_unet,
    make_vae,
)
from synthaug.records import GenerationRequest

STEPS = 3
SMALL = Architecture(
    image_size=16,
    vae_channels=(8, 8, 8),
    unet_channels=(16, 32),
    head_size=8,
    norm_groups=8,
    text_width=32,
    text_layers=1,
    text_heads=2,
    max_tokens=12,
)
PROMPTS = ("a handwritten digit eight", "bold nine slanted left", "")
REQUESTS = [GenerationRequest(PROMPTS[i % 3], 2**62 + i) for i in range(17)]


def save_stable_diffusion(folder: Path) -> None:
    """A freshly initialised Stable Diffusion 1 with its usual scheduler."""
    import torch
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    torch.manual_seed(0)
    tokenizer = make_tokenizer(PROMPTS, SMALL)
    StableDiffusionPipeline(
        vae=make_vae(SMALL),
        text_encoder=make_text_encoder(tokenizer, SMALL),
        tokenizer=tokenizer,
        unet=make_unet(SMALL),
        scheduler=PNDMScheduler(skip_prk_steps=True, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    ModelCard(batch_size=4).write(folder)


def save_stable_diffusion_xl(folder: Path) -> None:
    """A freshly initialised SDXL: two text encoders, pooled and size conditioning, an ancestral scheduler."""
    import torch
    from diffusers import EulerAncestralDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    torch.manual_seed(0)
    tokenizer = make_tokenizer(PROMPTS, SMALL)
    text_encoder = make_text_encoder(tokenizer, SMALL)
    unet_config: dict[str, Any] = {
        **{key: value for key, value in make_unet(SMALL).config.items() if not key.startswith("_")},
        "cross_attention_dim": 2 * SMALL.text_width,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": SMALL.text_width + 6 * 8,
    }
    StableDiffusionXLPipeline(
        vae=make_vae(SMALL),
        text_encoder=text_encoder,
        text_encoder_2=CLIPTextModelWithProjection(CLIPTextConfig(**text_encoder.config.to_dict())),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=UNet2DConditionModel.from_config(unet_config),
        scheduler=EulerAncestralDiscreteScheduler(),
        add_watermarker=False,
    ).save_pretrained(folder)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "stable-diffusion": save_stable_diffusion,
    "stable-diffusion-xl": save_stable_diffusion_xl,
}


@pytest.fixture(scope="module", params=["embedded", *BUILDERS])
def name(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param not in BUILDERS:
        return str(request.param)
    folder = tmp_path_factory.mktemp("models") / request.param
    BUILDERS[request.param](folder)
    return str(folder)


@pytest.fixture(scope="module")
def generator(name: str) -> Generator:
    return load_generator(name, num_inference_steps=STEPS, guidance_scale=2.0, device="cpu")


@pytest.fixture(scope="module")
def images(generator: Generator) -> list[np.ndarray]:
    return [each.pixels for each in generator.generate(REQUESTS)]


def test_images_have_the_promised_shape_and_type(generator: Generator, images: list[np.ndarray]) -> None:
    width, height = generator.image_size
    assert len(images) == len(REQUESTS)
    assert {(each.shape, each.dtype) for each in images} == {((height, width, 3), np.dtype(np.uint8))}


@pytest.mark.parametrize("chosen", [[0], [16], [4, 0, 9], list(range(17))[::-1]], ids=str)
def test_an_image_does_not_depend_on_its_company(
    generator: Generator, images: list[np.ndarray], chosen: list[int]
) -> None:
    again = generator.generate([REQUESTS[i] for i in chosen])
    for index, image in zip(chosen, again, strict=True):
        assert np.array_equal(image.pixels, images[index])


def test_a_generator_loaded_anew_draws_the_same(
    name: str, generator: Generator, images: list[np.ndarray]
) -> None:
    other = load_generator(name, num_inference_steps=STEPS, guidance_scale=2.0, batch_size=2, device="cpu")
    assert other.settings == generator.settings
    assert other.revision == generator.revision
    assert np.array_equal(other.generate(REQUESTS[:1])[0].pixels, images[0])


def test_seed_and_prompt_both_matter(generator: Generator, images: list[np.ndarray]) -> None:
    same_prompt, same_seed = replace(REQUESTS[0], seed=5), replace(REQUESTS[0], prompt=PROMPTS[1])
    for image in generator.generate([same_prompt, same_seed]):
        assert not np.array_equal(image.pixels, images[0])


def test_no_requests_give_no_images(generator: Generator) -> None:
    assert generator.generate([]) == []


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_stops_at_the_first_step_after_the_wish(generator: Generator, patience: int) -> None:
    asked = 0

    def should_cancel() -> bool:
        nonlocal asked
        asked += 1
        return asked > patience

    with pytest.raises(Cancelled):
        generator.generate(REQUESTS, should_cancel)
    assert asked == patience + 1


def test_asks_between_all_steps(generator: Generator) -> None:
    asked = 0

    def should_cancel() -> bool:
        nonlocal asked
        asked += 1
        return False

    generator.generate(REQUESTS[:1], should_cancel)
    assert asked > STEPS


def test_what_the_text_encoder_cannot_read_is_reported(generator: Generator) -> None:
    end = "Seven Upright " * 12
    short, long = generator.generate(
        [GenerationRequest("digit nine", 1), GenerationRequest(f"digit nine {end}", 1)]
    )
    assert short.cut == ""
    assert long.cut
    assert end.endswith(long.cut)


def test_smaller_output_keeps_the_drawing_for_review(
    name: str, generator: Generator, images: list[np.ndarray]
) -> None:
    side = generator.image_size[0] // 2
    small = load_generator(
        name, num_inference_steps=STEPS, guidance_scale=2.0, output_size=(side, side), device="cpu"
    )
    image = small.generate(REQUESTS[:1])[0]
    assert image.pixels.shape == (side, side, 3)
    assert image.review is not None
    assert np.array_equal(image.review, images[0])
    # Antialiased: the mean of the picture survives.
    assert abs(float(image.pixels.mean()) - float(images[0].mean())) < 3


@pytest.mark.parametrize(
    ("asked", "delivered"), [((4096, 4096), None), ((8, 4), (4, 4)), ((4, 4096), (4, 4))]
)
def test_the_output_is_brought_within_the_size_and_keeps_its_shape(
    name: str, generator: Generator, asked: tuple[int, int], delivered: tuple[int, int] | None
) -> None:
    loaded = load_generator(name, output_size=asked, device="cpu")
    assert loaded.image_size == (delivered or generator.image_size)


def test_a_size_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="0x0"):
        load_generator(name, output_size=(0, 0), device="cpu")


@pytest.mark.parametrize("wrong", [{"num_inference_steps": 0}, {"batch_size": -1}])
def test_impossible_settings_are_refused(name: str, wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match="must be at least 1"):
        load_generator(name, device="cpu", **wrong)  # type: ignore[arg-type]
