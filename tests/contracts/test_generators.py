"""What every generator promises, each family run for real and small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthaug.errors import Cancelled, UserError
from synthaug.generator_training.networks import (
    Architecture,
    make_text_encoder,
    make_tokenizer,
    make_unet,
    make_vae,
)
from synthaug.generators import load_generator
from synthaug.generators.base import Generator, ModelCard
from synthaug.records import GenerationRequest

pytestmark = pytest.mark.slow

STEPS = 3
SMALL = Architecture(
    image_size=16,
    vae_channels=(8, 8, 8),
    unet_channels=(16, 32),
    attention_heads=8,
    norm_groups=8,
    text_width=32,
    text_layers=1,
    text_heads=2,
    max_tokens=12,
)
PROMPTS = ("a handwritten digit eight", "bold nine slanted left", "")
PICTURE = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
MASK = np.arange(24) < 12 * np.ones((20, 1))
TEXT = [GenerationRequest(PROMPTS[i % 3], 2**62 + i) for i in range(17)]


def of_all_kinds(request: GenerationRequest, i: int) -> GenerationRequest:
    """Every second one from text, a quarter from a picture, a quarter inside a mask; guidance of two kinds."""
    guided = replace(request, guidance_scale=(None, 1.0, 4.0)[i % 3])
    return (
        guided,
        replace(guided, image=PICTURE, strength=0.7),
        replace(guided),
        replace(guided, image=PICTURE, mask=MASK),
    )[i % 4]


REQUESTS = {
    "text": TEXT,
    "mixed": [of_all_kinds(request, i) for i, request in enumerate(TEXT)],
    "context": [replace(request, image=PICTURE, mask=MASK) for request in TEXT],
}


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


CASES = [
    *((name, kind) for name in ("digits", *BUILDERS) for kind in ("text", "mixed")),
    ("context:digits", "context"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every model's name or, where it is made here, its folder."""
    root = tmp_path_factory.mktemp("models")
    for name, build in BUILDERS.items():
        build(root / name)
    return {name: str(root / name) if name in BUILDERS else name for name, _ in CASES}


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A model and the kind of requests it is given."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def name(case: tuple[str, str], models: dict[str, str]) -> str:
    return models[case[0]]


@pytest.fixture(scope="module")
def asked(case: tuple[str, str]) -> list[GenerationRequest]:
    return REQUESTS[case[1]]


@pytest.fixture(scope="module")
def generator(name: str) -> Generator:
    return load_generator(name, num_inference_steps=STEPS, guidance_scale=2.0, device="cpu")


@pytest.fixture(scope="module")
def images(generator: Generator, asked: list[GenerationRequest]) -> list[np.ndarray]:
    return [each.pixels for each in generator.generate(asked)]


def test_images_have_the_promised_shape_and_type(
    generator: Generator, asked: list[GenerationRequest], images: list[np.ndarray]
) -> None:
    width, height = generator.image_size
    assert len(images) == len(asked)
    assert {(each.shape, each.dtype) for each in images} == {((height, width, 3), np.dtype(np.uint8))}


@pytest.mark.parametrize("chosen", [[0], [16], [4, 0, 9], list(range(17))[::-1]], ids=str)
def test_an_image_does_not_depend_on_its_company(
    generator: Generator, asked: list[GenerationRequest], images: list[np.ndarray], chosen: list[int]
) -> None:
    again = generator.generate([asked[i] for i in chosen])
    for index, image in zip(chosen, again, strict=True):
        assert np.array_equal(image.pixels, images[index])


def test_a_generator_loaded_anew_draws_the_same(
    name: str, generator: Generator, asked: list[GenerationRequest], images: list[np.ndarray]
) -> None:
    other = load_generator(name, num_inference_steps=STEPS, guidance_scale=2.0, batch_size=2, device="cpu")
    assert other.settings == generator.settings
    assert other.revision == generator.revision
    assert np.array_equal(other.generate(asked[:1])[0].pixels, images[0])


def test_seed_and_prompt_both_matter(
    generator: Generator, asked: list[GenerationRequest], images: list[np.ndarray]
) -> None:
    same_prompt, same_seed = replace(asked[0], seed=5), replace(asked[0], prompt=PROMPTS[1])
    for image in generator.generate([same_prompt, same_seed]):
        assert not np.array_equal(image.pixels, images[0])


def test_an_empty_list_of_requests_gives_no_images(generator: Generator) -> None:
    assert generator.generate([]) == []


@pytest.mark.parametrize("patience", [0, 1, 2])
def test_stops_at_the_first_step_after_the_wish(
    generator: Generator, asked: list[GenerationRequest], patience: int
) -> None:
    times = 0

    def should_cancel() -> bool:
        nonlocal times
        times += 1
        return times > patience

    with pytest.raises(Cancelled):
        generator.generate(asked, should_cancel)
    assert times == patience + 1


def test_asks_between_all_steps(generator: Generator, asked: list[GenerationRequest]) -> None:
    times = 0

    def should_cancel() -> bool:
        nonlocal times
        times += 1
        return False

    generator.generate(asked[:1], should_cancel)
    assert times > STEPS


def test_what_the_text_encoder_cannot_read_is_reported(
    generator: Generator, asked: list[GenerationRequest]
) -> None:
    end = "Seven Upright " * 12
    prompts = ("digit nine", f"digit nine {end}")
    short, long = generator.generate([replace(asked[0], prompt=prompt) for prompt in prompts])
    assert short.cut == ""
    assert long.cut
    assert end.endswith(long.cut)


def test_smaller_output_keeps_the_drawing_for_review(
    name: str, generator: Generator, asked: list[GenerationRequest], images: list[np.ndarray]
) -> None:
    side = generator.image_size[0] // 2
    small = load_generator(
        name, num_inference_steps=STEPS, guidance_scale=2.0, output_size=(side, side), device="cpu"
    )
    image = small.generate(asked[:1])[0]
    assert image.pixels.shape == (side, side, 3)
    assert image.review is not None
    assert np.array_equal(image.review, images[0])
    # Antialiased: the mean of the picture survives.
    assert abs(float(image.pixels.mean()) - float(images[0].mean())) < 3


@pytest.mark.parametrize(
    ("largest", "delivered"), [((4096, 4096), None), ((8, 4), (4, 4)), ((4, 4096), (4, 4))]
)
def test_the_output_is_brought_within_the_size_and_keeps_its_shape(
    name: str, generator: Generator, largest: tuple[int, int], delivered: tuple[int, int] | None
) -> None:
    loaded = load_generator(name, output_size=largest, device="cpu")
    assert loaded.image_size == (delivered or generator.image_size)


def test_a_size_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="0x0"):
        load_generator(name, output_size=(0, 0), device="cpu")


@pytest.mark.parametrize("wrong", [{"num_inference_steps": 0}, {"batch_size": -1}])
def test_impossible_settings_are_refused(name: str, wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match="must be at least 1"):
        load_generator(name, device="cpu", **wrong)  # type: ignore[arg-type]
