"""What every generator promises, for those that read a class or nothing: DDPMs, a DiT, the DCGAN, augmentation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthaug.errors import Cancelled, UserError
from synthaug.generator_training.ddpm import DDPMConfig, train_ddpm
from synthaug.generator_training.gan import GANConfig, train_gan
from synthaug.generators import load_generator
from synthaug.generators.base import Generator
from synthaug.generators.folders import AUGMENTATION
from synthaug.records import GenerationRequest

pytestmark = pytest.mark.slow

CLASSES = ("cat", "fire truck", "truck")
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
LABELS = np.arange(6) % 3
STEPS = 3


def save_ddpm(folder: Path) -> None:
    train_ddpm(IMAGES, LABELS, CLASSES, DDPMConfig(size="tiny", steps=1, batch_size=2), folder, folder / "ck")


def save_unconditional(folder: Path) -> None:
    train_ddpm(IMAGES, None, (), DDPMConfig(size="tiny", steps=1, batch_size=2), folder, folder / "ck")


def save_foreign(folder: Path) -> None:
    """As google/ddpm-cifar10-32 is: no card of ours, ancestral sampling, no classes."""
    import torch
    from diffusers import DDPMPipeline, DDPMScheduler

    from synthaug.generator_training.ddpm import make_unet

    torch.manual_seed(0)
    DDPMPipeline(make_unet(16, "tiny", None), DDPMScheduler()).save_pretrained(folder)


def save_dit(folder: Path) -> None:
    """As facebook/DiT-XL-2-256 is: latents, ImageNet's way of naming classes, a learned variance."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel

    torch.manual_seed(0)
    names = {0: "tabby, tabby cat", 1: "fire engine, fire truck", 2: "tow truck, tow car, wrecker"}
    DiTPipeline(
        transformer=DiTTransformer2DModel(
            num_attention_heads=2,
            attention_head_dim=8,
            in_channels=4,
            out_channels=8,
            num_layers=1,
            sample_size=8,
            num_embeds_ada_norm=3,
            norm_num_groups=4,
        ),
        vae=AutoencoderKL(block_out_channels=(8, 8), norm_num_groups=4, **vae_blocks(2)),
        scheduler=DDIMScheduler(),
    ).save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"id2label": names}))


def vae_blocks(levels: int) -> dict[str, Any]:
    return {
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
    }


def save_gan(folder: Path) -> None:
    train_gan(IMAGES, CLASSES[:1], GANConfig(width=4, epochs=40, batch_size=3), folder, folder / "ck")


BUILDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "ddpm": (save_ddpm, "a photo of a Cat"),
    "unconditional": (save_unconditional, "anything at all"),
    "foreign": (save_foreign, ""),
    "dit": (save_dit, "a fire engine"),
    "gan": (save_gan, "a cat"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("models")
    for name, (build, _) in BUILDERS.items():
        build(root / name)
    return {**{name: str(root / name) for name in BUILDERS}, AUGMENTATION: AUGMENTATION}


@pytest.fixture(scope="module", params=[*BUILDERS, AUGMENTATION])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def generator(kind: str, folders: dict[str, str]) -> Generator:
    return load(folders[kind])


def load(folder: str, **options: Any) -> Generator:
    if folder == AUGMENTATION:  # it has no size of its own
        options = {"output_size": IMAGES.shape[2:0:-1], **options}
    elif "gan" not in Path(folder).name:
        options = {"num_inference_steps": STEPS, **options}
    return load_generator(folder, device="cpu", **options)


@pytest.fixture(scope="module")
def asked(kind: str) -> list[GenerationRequest]:
    if kind == AUGMENTATION:
        return [GenerationRequest("", 2**62 + i, image=IMAGES[i % 6]) for i in range(19)]
    return [GenerationRequest(BUILDERS[kind][1], 2**62 + i) for i in range(19)]


@pytest.fixture(scope="module")
def images(generator: Generator, asked: list[GenerationRequest]) -> list[np.ndarray]:
    return [each.pixels for each in generator.generate(asked)]


def test_images_have_the_promised_shape_and_differ(generator: Generator, images: list[np.ndarray]) -> None:
    width, height = generator.image_size
    assert {(each.shape, each.dtype) for each in images} == {((height, width, 3), np.dtype(np.uint8))}
    assert len({each.tobytes() for each in images}) == len(images)


@pytest.mark.parametrize("chosen", [[0], [18], [4, 0, 9], list(range(19))[::-1]], ids=str)
def test_an_image_does_not_depend_on_its_company(
    generator: Generator, asked: list[GenerationRequest], images: list[np.ndarray], chosen: list[int]
) -> None:
    for index, image in zip(chosen, generator.generate([asked[i] for i in chosen]), strict=True):
        assert np.array_equal(image.pixels, images[index])


def test_loaded_anew_it_draws_the_same(
    kind: str, folders: dict[str, str], asked: list[GenerationRequest], images: list[np.ndarray]
) -> None:
    again = load(folders[kind], batch_size=2)
    assert np.array_equal(again.generate(asked[:1])[0].pixels, images[0])


def test_cancels_before_the_next_step(generator: Generator, asked: list[GenerationRequest]) -> None:
    asks = 0

    def should_cancel() -> bool:
        nonlocal asks
        asks += 1
        return asks > 1

    with pytest.raises(Cancelled):
        generator.generate(asked * 4, should_cancel)  # more than any batch: a GAN's only step is a batch
    assert asks == 2


def test_an_empty_list_of_requests_gives_no_images(generator: Generator) -> None:
    assert generator.generate([]) == []


def test_a_smaller_size_keeps_what_was_drawn_for_review(
    kind: str, folders: dict[str, str], asked: list[GenerationRequest]
) -> None:
    image = load(folders[kind], output_size=(8, 8)).generate(asked[:1])[0]
    assert image.pixels.shape == (8, 8, 3)
    assert image.review is not None
    assert abs(float(image.pixels.mean()) - float(image.review.mean())) < 4


@pytest.mark.parametrize("prompt", ["a zebra", "a cat and a fire truck", ""])
def test_an_unclear_class_is_refused_with_what_is_understood(folders: dict[str, str], prompt: str) -> None:
    with pytest.raises(UserError, match="it understands cat, fire truck, truck"):
        load(folders["ddpm"]).generate([GenerationRequest(prompt, 0)])


def test_the_class_and_the_guidance_matter(folders: dict[str, str]) -> None:
    generator = load(folders["ddpm"])
    cat = GenerationRequest("a cat", 7)
    fire = replace(cat, prompt="a fire truck at dusk")
    drawn = generator.generate(
        [cat, fire, replace(cat, guidance_scale=1.0), replace(cat, guidance_scale=6.0)]
    )
    assert len({each.pixels.tobytes() for each in drawn}) == 4
    alone = generator.generate([replace(cat, guidance_scale=1.0)])[0]
    assert np.array_equal(alone.pixels, drawn[2].pixels)
    assert drawn[3].details == {"guidance_scale": 6.0}


def test_the_part_of_a_prompt_that_is_not_read_is_reported(folders: dict[str, str]) -> None:
    (image,) = load(folders["unconditional"]).generate([GenerationRequest("a cat", 0)])
    assert image.cut == "a cat"
    with pytest.raises(UserError, match="it has no guidance"):
        load(folders["unconditional"], guidance_scale=2.0)
    with pytest.raises(UserError, match="no steps, no guidance"):
        load_generator(folders["gan"], num_inference_steps=5)


def test_a_coarse_class_draws_its_fine_ones_by_seed(folders: dict[str, str]) -> None:
    drawn = load(folders["dit"]).generate([GenerationRequest("a truck", seed) for seed in range(12)])
    assert {each.details["class"] for each in drawn} == {"fire engine", "tow truck"}


def test_a_ddim_step_by_step_is_what_diffusers_pipeline_draws(folders: dict[str, str]) -> None:
    import torch
    from diffusers import DDIMPipeline

    stock = DDIMPipeline.from_pretrained(folders["unconditional"])
    stock.set_progress_bar_config(disable=True)
    drawn = stock(
        generator=torch.Generator().manual_seed(3), num_inference_steps=STEPS, eta=0.0, output_type="np"
    ).images[0]
    (ours,) = load(folders["unconditional"]).generate([GenerationRequest("", 3)])
    assert np.abs(np.rint(drawn * 255) - ours.pixels).max() <= 1


def test_a_card_that_names_too_few_classes_is_refused(folders: dict[str, str], tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(folders["ddpm"], copy)
    card = json.loads((copy / "synthaug.json").read_text())
    (copy / "synthaug.json").write_text(json.dumps(card | {"classes": ["cat"]}))
    with pytest.raises(UserError, match="4 class embeddings"):
        load(str(copy))
