"""The diffusion family against diffusers' own pipelines on the same weights: one image a batch, equal pixels."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    AutoPipelineForImage2Image,
    AutoPipelineForInpainting,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    LCMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import T5Config, T5EncoderModel

from synthaug.errors import UserError
from synthaug.generator_training.networks import (
    Architecture,
    make_text_encoder,
    make_tokenizer,
    make_unet,
    make_vae,
)
from synthaug.generators import load_generator
from synthaug.generators.base import Generator, ModelCard
from synthaug.generators.diffusion.loading import KEPT, load_pipeline, loading_dtype, weights_size
from synthaug.generators.folders import find_model
from synthaug.hardware import CPUFormat
from synthaug.records import GenerationRequest, Pixels

from .stock import DIGITS, one_by_one, stock_pipeline

pytestmark = pytest.mark.slow

STEPS = 6
REQUEST = GenerationRequest("a bold handwritten digit eight", 2**40)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_by_one(tmp_path_factory.mktemp("models") / "digits", STEPS, 2.0)


@pytest.fixture(scope="module")
def generator(model: Path) -> Generator:
    return load_generator(model, device="cpu")


@pytest.fixture(scope="module")
def stock(model: Path) -> Any:
    return stock_pipeline(model)


@pytest.fixture(scope="module")
def picture(generator: Generator) -> Pixels:
    return generator.generate([REQUEST])[0].pixels


def drawn(pipeline: Any, seed: int = REQUEST.seed, **arguments: Any) -> Pixels:
    """One image of a pipeline of diffusers, (H, W, 3) uint8."""
    image = pipeline(
        num_inference_steps=STEPS,
        generator=[torch.Generator().manual_seed(seed)],
        output_type="np",
        **{"prompt": [REQUEST.prompt], "guidance_scale": 2.0, **arguments},
    ).images[0]
    return np.rint(image * 255).astype(np.uint8)


def as_float(picture: Pixels) -> np.ndarray:
    return picture[None].astype(np.float32) / 255


@pytest.mark.parametrize("guidance", [None, 1.0, 4.0])
def test_text_to_image_is_what_diffusers_draws(
    generator: Generator, stock: Any, guidance: float | None
) -> None:
    image = generator.generate([replace(REQUEST, guidance_scale=guidance)])[0]
    assert np.array_equal(image.pixels, drawn(stock, guidance_scale=guidance or 2.0))
    assert image.details == ({} if guidance is None else {"guidance_scale": guidance})


@pytest.mark.parametrize("strength", [None, 0.3, 1.0])
def test_image_to_image_is_what_diffusers_draws(
    generator: Generator, stock: Any, picture: Pixels, strength: float | None
) -> None:
    image = generator.generate([replace(REQUEST, seed=5, image=picture, strength=strength)])[0]
    other = AutoPipelineForImage2Image.from_pipe(stock)
    other.set_progress_bar_config(disable=True)
    assert np.array_equal(image.pixels, drawn(other, 5, image=as_float(picture), strength=strength or 0.6))
    assert image.details == {"start": "image", "strength": strength or 0.6}


def test_inpainting_is_what_diffusers_draws_and_keeps_the_rest_exactly(
    generator: Generator, stock: Any, picture: Pixels
) -> None:
    mask = np.zeros(picture.shape[:2], bool)
    mask[:16, 4:] = True
    request = replace(REQUEST, prompt="a thin handwritten digit one", seed=5, image=picture, mask=mask)
    image = generator.generate([request])[0]
    other = AutoPipelineForInpainting.from_pipe(stock)
    other.set_progress_bar_config(disable=True)
    expected = drawn(
        other,
        5,
        prompt=[request.prompt],
        image=as_float(picture),
        mask_image=mask[None].astype(np.float32),
        strength=1.0,
    )
    assert np.array_equal(image.pixels[mask], expected[mask])
    assert np.array_equal(image.pixels[~mask], picture[~mask])
    assert not np.array_equal(expected[~mask], picture[~mask])  # the VAE alone would have altered it


def test_unmasked_pixels_of_a_small_image_keep_their_own_size(model: Path) -> None:
    small = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    mask = np.zeros((16, 16), bool)
    mask[4:12, 4:12] = True
    generator = load_generator(model, output_size=(16, 16), device="cpu")
    image = generator.generate([replace(REQUEST, image=small, mask=mask)])[0]
    assert image.pixels.shape == small.shape
    assert np.array_equal(image.pixels[~mask], small[~mask])
    assert not np.array_equal(image.pixels[mask], small[mask])


def test_a_lower_strength_stays_nearer_to_the_picture(generator: Generator, picture: Pixels) -> None:
    other = replace(REQUEST, prompt="a thin handwritten digit one", image=picture)
    images = generator.generate(
        [replace(other, seed=seed, strength=s) for s in (0.2, 1.0) for seed in range(4)]
    )
    away = [np.abs(each.pixels.astype(int) - picture).mean() for each in images]
    assert max(away[:4]) < min(away[4:])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"strength": 0.5}, "needs an image to start from"),
        ({"mask": np.ones((32, 32), bool)}, "needs an image to start from"),
        (
            {"image": np.zeros((32, 32, 3), np.uint8), "strength": 0.0},
            "the strength is 0; it must be above 0",
        ),
        (
            {"image": np.zeros((32, 32, 3), np.uint8), "strength": 1.5},
            "the strength is 1.5; it must be above 0",
        ),
        (
            {"image": np.zeros((32, 32, 3), np.uint8), "strength": 0.1},
            r"a strength of 0\.1 leaves none of the 6 steps; use a strength of at least 0\.17",
        ),
        (
            {"image": np.zeros((32, 32, 3), np.uint8), "mask": np.ones((8, 16), bool)},
            r"the mask has the size \(16, 8\) and its image \(32, 32\)",
        ),
    ],
)
def test_invalid_starting_images_are_refused(
    generator: Generator, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        generator.generate([replace(REQUEST, **changed)])


@pytest.mark.parametrize("steps", [1, 3, 49, 1000])
def test_the_strength_that_is_named_as_enough_is_enough(model: Path, steps: int) -> None:
    from synthaug.generators.diffusion.batches import group

    request = replace(REQUEST, image=np.zeros((32, 32, 3), np.uint8), strength=1e-6)
    with pytest.raises(UserError, match="at least") as refused:
        group([request], 1.0, steps)
    enough = float(str(refused.value).partition("at least ")[2].partition(",")[0])
    assert group([replace(request, strength=enough)], 1.0, steps)


def save_guidance_embedded(folder: Path) -> None:
    """The digits model with a U-Net that is told its guidance, as consistency distillation leaves it."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        DIGITS, safety_checker=None, requires_safety_checker=False
    )
    torch.manual_seed(0)
    config = {key: value for key, value in pipeline.unet.config.items() if not key.startswith("_")}
    unet = UNet2DConditionModel.from_config({**config, "time_cond_proj_dim": 16})
    unet.load_state_dict(pipeline.unet.state_dict(), strict=False)
    pipeline.unet = unet
    pipeline.scheduler = LCMScheduler.from_config(pipeline.scheduler.config)
    pipeline.save_pretrained(folder)
    ModelCard(num_inference_steps=2, guidance_scale=3.0, batch_size=1).write(folder)


def test_a_model_that_is_told_its_guidance_runs_once_a_step(tmp_path: Path) -> None:
    save_guidance_embedded(tmp_path / "model")
    generator = load_generator(tmp_path / "model", device="cpu")
    sizes = []
    pipeline = load_pipeline(find_model(tmp_path / "model"), "cpu").pipeline
    hook = pipeline.unet.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    low, high = generator.generate([replace(REQUEST, guidance_scale=g) for g in (2.0, 6.0)])
    hook.remove()
    assert sizes == [1, 1, 1, 1]
    assert not np.array_equal(low.pixels, high.pixels)


def test_half_precision_files_alone_are_enough(
    generator: Generator, picture: Pixels, stock: Any, tmp_path: Path
) -> None:
    stock.save_pretrained(tmp_path / "half", variant="fp16")
    shutil.copy(Path(generator.name) / "synthaug.json", tmp_path / "half")
    assert not list((tmp_path / "half" / "unet").glob("*model.safetensors"))
    half = load_generator(tmp_path / "half", device="cpu")
    assert np.array_equal(half.generate([REQUEST])[0].pixels, picture)


def test_the_last_two_pipelines_are_kept(tmp_path: Path) -> None:
    folders = [Path(shutil.copytree(DIGITS, tmp_path / str(number))) for number in range(KEPT + 1)]
    loaded = [load_pipeline(find_model(folder), "cpu") for folder in folders[:KEPT]]
    assert [load_pipeline(find_model(folder), "cpu") for folder in folders[:KEPT]] == loaded
    load_pipeline(find_model(folders[KEPT]), "cpu")
    assert load_pipeline(find_model(folders[1]), "cpu") is loaded[1]
    assert load_pipeline(find_model(folders[0]), "cpu") is not loaded[0]


def test_weights_are_float32_on_a_cpu_and_counted(stock: Any) -> None:
    assert loading_dtype(torch.device("cpu")) == torch.float32
    files = sum(each.stat().st_size for each in DIGITS.rglob("*.safetensors"))
    text_encoder = sum(each.stat().st_size for each in (DIGITS / "text_encoder").glob("*.safetensors"))
    assert weights_size(stock) == pytest.approx(2 * (files - text_encoder) + text_encoder, rel=0.02)


@pytest.mark.long
def test_bfloat16_draws_the_same_up_to_rounding_whatever_the_batch() -> None:
    words = ("one", "two", "six")
    requests = [GenerationRequest(f"a handwritten digit {word}", seed) for seed, word in enumerate(words)]
    exact, fast = (load_generator(DIGITS, device="cpu", cpu_format=each) for each in get_args(CPUFormat))
    assert (exact.settings.dtype, fast.settings.dtype) == ("float32", "bfloat16")
    drawn = [each.pixels.astype(int) for each in fast.generate(requests)]
    rounded = np.stack(drawn) - np.stack([each.pixels for each in exact.generate(requests)])
    assert 0 < np.abs(rounded).mean() < 1
    assert np.array_equal(fast.generate(requests[1:2])[0].pixels, drawn[1])


def save_tiny(folder: Path) -> Path:
    """A freshly initialised Stable Diffusion that compiles in seconds."""
    torch.manual_seed(0)
    architecture = Architecture(
        image_size=16,
        vae_channels=(8, 8),
        unet_channels=(8,),
        unet_attention=(True,),
        attention_heads=1,
        norm_groups=4,
        text_width=16,
        text_layers=1,
        text_heads=1,
        max_tokens=12,
    )
    tokenizer = make_tokenizer(["eight"], architecture)
    StableDiffusionPipeline(
        vae=make_vae(architecture),
        text_encoder=make_text_encoder(tokenizer, architecture),
        tokenizer=tokenizer,
        unet=make_unet(architecture),
        scheduler=LCMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    ModelCard(num_inference_steps=2, guidance_scale=1.0, batch_size=2).write(folder)
    return folder


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling for a CPU takes a C++ compiler")
def test_a_compiled_generator_draws_the_same_up_to_rounding(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tiny")
    plain, compiled = (
        load_generator(folder, device="cpu", compile=each).generate([REQUEST])[0].pixels
        for each in (False, True)
    )
    assert np.abs(compiled.astype(int) - plain).max() <= 2


def save_flux(folder: Path) -> None:
    """A freshly initialised FLUX: a transformer on 128 pixels, T5 beside CLIP, no batch for guidance."""
    torch.manual_seed(0)
    architecture = Architecture(text_width=32, text_layers=1, text_heads=2, max_tokens=12)
    tokenizer = make_tokenizer(["a handwritten digit eight"], architecture)
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        text_encoder=make_text_encoder(tokenizer, architecture),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
        ),
        tokenizer=tokenizer,
        tokenizer_2=make_tokenizer(["a handwritten digit eight"], replace(architecture, max_tokens=40)),
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=True,
        ),
        vae=AutoencoderKL(
            block_out_channels=(4,),
            latent_channels=1,
            norm_num_groups=1,
            use_quant_conv=False,
            use_post_quant_conv=False,
            shift_factor=0.1,
        ),
    ).save_pretrained(folder)


def test_a_pipeline_that_is_only_known_to_diffusers(tmp_path: Path) -> None:
    save_flux(tmp_path / "flux")
    generator = load_generator(tmp_path / "flux", num_inference_steps=2, output_size=(16, 16), device="cpu")
    assert generator.settings.guidance_scale == 3.5  # FLUX's own
    picture = np.full((16, 16, 3), 200, np.uint8)
    long = "digit " * 60
    requests = [
        GenerationRequest("eight", 1),
        GenerationRequest(long, 1, guidance_scale=1.0),
        GenerationRequest("eight", 1, image=picture),
        GenerationRequest("eight", 1, image=picture, mask=np.eye(16, dtype=bool)),
    ]
    images = generator.generate(requests)
    assert [each.review.shape for each in images if each.review is not None] == [(128, 128, 3)] * 4
    assert long.endswith(images[1].cut)
    assert 0 < len(images[1].cut) < len(long) * 2 / 3  # T5 reads three times as much as CLIP
    assert np.array_equal(images[3].pixels[~np.eye(16, dtype=bool)], picture[~np.eye(16, dtype=bool)])
    for image, again in zip(images, generator.generate(requests[::-1])[::-1], strict=True):
        assert np.array_equal(image.pixels, again.pixels)


TOO_LITTLE = """
import resource, sys
from synthaug.errors import UserError
from synthaug.generators import load_generator
from synthaug.records import GenerationRequest

_, folder, room = sys.argv
request = GenerationRequest("an eight", 1)
load_generator("digits", device="cpu", num_inference_steps=2).generate([request])  # all code is in memory now
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(room), used + int(room)))
try:
    load_generator(folder, device="cpu", num_inference_steps=2).generate([request])
except UserError as error:
    sys.exit(f"Error: {error}")
"""


def save_model_of_large_images(folder: Path) -> int:
    """It draws 16 images of 1024 pixels at once: many gigabytes."""
    shutil.copytree(DIGITS, folder)
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"sample_size": 512}))
    return 256 * 2**20


def save_model_of_large_weights(folder: Path) -> int:
    """Its U-Net takes 240 MB in float32, twice what its file has."""
    shutil.copytree(DIGITS, folder)
    config = UNet2DConditionModel.load_config(folder / "unet")
    UNet2DConditionModel.from_config({**config, "block_out_channels": [640, 640]}).half().save_pretrained(
        folder / "unet"
    )
    return int(1.2 * sum(each.stat().st_size for each in folder.rglob("*.safetensors")))


@pytest.mark.long
@pytest.mark.parametrize("save", [save_model_of_large_images, save_model_of_large_weights])
def test_too_little_memory_says_so(save: Callable[[Path], int], tmp_path: Path) -> None:
    room = save(tmp_path / "model")
    command = [sys.executable, "-c", TOO_LITTLE, str(tmp_path / "model"), str(room)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.search(r"^Error: .*needs more memory than (it|cpu) has", done.stderr, re.M), done.stderr
