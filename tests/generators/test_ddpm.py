"""Class and unconditional diffusion models: foreign folders, sizes, guidance, and the schedule they learn by."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthaug.errors import SynthaugError, UnknownName, UserError
from synthaug.generator_training.ddpm import (
    DROPOUT,
    SCHEDULER,
    DDPMConfig,
    DDPMLoss,
    make_unet,
    preset,
    train_ddpm,
)
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.records import GenerationRequest

CLASSES = ("cat", "dog")
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 0, 1])
CONFIG = DDPMConfig(size="tiny", steps=1, batch_size=2)
STEPS = 3


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def conditional(root: Path) -> Path:
    train_ddpm(IMAGES, LABELS, CLASSES, CONFIG, root / "c", root / "c.ck")
    return root / "c"


@pytest.fixture(scope="module")
def unconditional(root: Path) -> Path:
    train_ddpm(IMAGES, None, (), CONFIG, root / "u", root / "u.ck")
    return root / "u"


@pytest.fixture(scope="module")
def dit(root: Path) -> Path:
    """Two classes, a learned variance, and a null class, as facebook/DiT-XL-2-256 has."""
    from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel

    torch.manual_seed(0)
    DiTPipeline(
        transformer=DiTTransformer2DModel(
            num_attention_heads=2,
            attention_head_dim=8,
            in_channels=4,
            out_channels=8,
            num_layers=1,
            sample_size=8,
            num_embeds_ada_norm=1000,
            norm_num_groups=4,
        ),
        vae=AutoencoderKL(block_out_channels=(8,), norm_num_groups=4),
        scheduler=DDIMScheduler(clip_sample=False),
    ).save_pretrained(root / "dit")
    index = root / "dit" / "model_index.json"
    names = {str(number): f"thing {number}" for number in range(1000)}
    index.write_text(json.dumps(json.loads(index.read_text()) | {"id2label": names}))
    return root / "dit"


def draw(folder: Path, *requests: GenerationRequest, **options: Any) -> list[np.ndarray]:
    generator = load_generator(folder, num_inference_steps=STEPS, device="cpu", **options)
    return [each.pixels for each in generator.generate(requests)]


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def test_the_noise_follows_the_cosine_schedule() -> None:
    from diffusers import DDIMScheduler

    def f(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    kept = DDIMScheduler(**SCHEDULER).alphas_cumprod.numpy()
    expected = [f((t + 1) / 1000) / f(0) for t in range(990)]  # beyond, beta is capped at 0.999
    np.testing.assert_allclose(kept[:990], expected, rtol=2e-3)
    assert kept[-1] < 1e-6


def test_the_loss_is_min_snr_weighted_velocity() -> None:
    """With a network that says 0, the loss is the mean of weight * velocity squared: about its variance, 1."""

    class Silent(torch.nn.Module):
        def forward(self, x: torch.Tensor, t: torch.Tensor, class_labels: torch.Tensor) -> Any:
            return type("Output", (), {"sample": torch.zeros_like(x)})

    noise = np.random.default_rng(0).normal(127.5, 127.5 / 3, (64, 16, 16, 3)).clip(0, 255).astype(np.uint8)
    config = replace(CONFIG, batch_size=512)
    loss = DDPMLoss(Silent(), noise, None, 0, config, torch.device("cpu"))
    snr = loss.noising.alphas_cumprod / (1 - loss.noising.alphas_cumprod)
    weights = torch.minimum(snr, torch.tensor(5.0)) / (snr + 1)
    torch.testing.assert_close(loss.weights, weights)
    # The velocity's variance is kept * 1 + (1 - kept) * that of the data (1/9 here), by its definition.
    kept = loss.noising.alphas_cumprod
    expected = float((weights * (kept + (1 - kept) / 9)).mean())
    assert float(np.mean([float(loss(step)) for step in range(8)])) == pytest.approx(expected, rel=0.05)


def test_dropped_labels_train_the_embedding_of_no_class() -> None:
    seen: list[torch.Tensor] = []

    class Listening(torch.nn.Module):
        def forward(self, x: torch.Tensor, t: torch.Tensor, class_labels: torch.Tensor) -> Any:
            seen.append(class_labels)
            return type("Output", (), {"sample": torch.zeros_like(x)})

    config = replace(CONFIG, batch_size=2000)
    DDPMLoss(Listening(), IMAGES, LABELS, len(CLASSES), config, torch.device("cpu"))(0)
    counts = torch.bincount(seen[0], minlength=3).tolist()
    assert counts[2] == pytest.approx(200, abs=60)
    assert sum(counts) == 2000


def test_mirroring_is_off_unless_asked_for() -> None:
    def batch(flip: bool) -> torch.Tensor:
        seen: list[torch.Tensor] = []
        half = np.zeros((1, 16, 16, 3), np.uint8)
        half[:, :, 8:] = 255
        loss = DDPMLoss(None, half, None, 0, replace(CONFIG, flip=flip, batch_size=64), torch.device("cpu"))

        class Noising:
            def add_noise(self, x: torch.Tensor, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
                seen.append(x)
                return x

            def get_velocity(self, x: torch.Tensor, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
                return x

        loss.noising = Noising()
        loss.unet = lambda x, t, class_labels: type("Output", (), {"sample": x})
        loss(0)
        return seen[0][:, 0, 0, 0]

    assert set(batch(flip=False).tolist()) == {-1.0}
    assert set(batch(flip=True).tolist()) == {-1.0, 1.0}


def test_the_paper_s_size_is_improved_ddpm_s() -> None:
    config = preset("paper")
    assert (config.batch_size, config.learning_rate, config.ema_decay, config.steps) == (
        128,
        1e-4,
        0.9999,
        500_000,
    )
    assert DROPOUT["paper"] == 0.3
    with torch.device("meta"):
        unet = make_unet(32, "paper", None)
    millions = sum(each.numel() for each in unet.parameters()) / 1e6
    assert 45 < millions < 60  # 52.5 in its table of models
    with pytest.raises(UnknownName, match=r"no size called 'huge'; available: 'paper', 'small', 'tiny'"):
        preset("huge")


def test_dropout_takes_one_shard(tmp_path: Path) -> None:
    config = replace(preset("paper"), shards=2)
    with pytest.raises(UserError, match="needs a single shard, not 2"):
        train_ddpm(np.tile(IMAGES, (1, 2, 2, 1)), None, (), config, tmp_path / "m", tmp_path / "ck")


def beside_the_index(folder: Path, to: Path) -> Path:
    """The same model as google/ddpm-cifar10-32 lays it out: no folders."""
    to.mkdir()
    for name in ("unet", "scheduler"):
        for each in (folder / name).iterdir():
            shutil.copy(each, to)
    return Path(shutil.copy(folder / "model_index.json", to)).parent


def half_only(folder: Path, to: Path) -> Path:
    """The same model with nothing but ``*.fp16.safetensors``, as many on the hub."""
    copied(folder, to)
    weights = to / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    return to


@pytest.mark.parametrize("lay_out", [beside_the_index, half_only])
def test_other_layouts_of_the_hub_draw_the_same(
    lay_out: Callable[[Path, Path], Path], unconditional: Path, tmp_path: Path
) -> None:
    other = lay_out(unconditional, tmp_path / "other")
    request = GenerationRequest("", 5)
    assert np.array_equal(draw(other, request)[0], draw(unconditional, request)[0])


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_a_dit_is_sampled_as_its_own_pipeline_does(dit: Path, guidance: float) -> None:
    from diffusers import DiTPipeline

    stock = DiTPipeline.from_pretrained(dit)
    stock.set_progress_bar_config(disable=True)
    drawn = stock(
        [7],
        guidance_scale=guidance,
        generator=torch.manual_seed(3),
        num_inference_steps=STEPS,
        output_type="np",
    ).images[0]
    (ours,) = draw(dit, GenerationRequest("a Thing 7", 3, guidance_scale=guidance))
    assert np.abs(np.rint(drawn * 255) - ours).max() <= 1


def test_a_dit_without_names_takes_those_of_its_card(dit: Path, tmp_path: Path) -> None:
    folder = copied(dit, tmp_path / "m")
    index = json.loads((folder / "model_index.json").read_text())
    del index["id2label"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=r"has 1000 classes, but 0 of them are named; .*id2label"):
        draw(folder, GenerationRequest("x", 0))
    named = tuple(f"kind {index}" for index in range(1000))
    ModelCard(family="ddpm", classes=named).write(folder)
    assert np.array_equal(
        draw(folder, GenerationRequest("kind 7", 3))[0], draw(dit, GenerationRequest("thing 7", 3))[0]
    )


def test_guidance_is_recorded_only_where_there_is_some(
    conditional: Path, unconditional: Path, tmp_path: Path
) -> None:
    assert load_generator(conditional, device="cpu").settings.guidance_scale == 1.5
    foreign = copied(unconditional, tmp_path / "foreign")
    (foreign / "synthaug.json").unlink()
    for folder in (unconditional, foreign):
        assert load_generator(folder, guidance_scale=1.0, device="cpu").settings.guidance_scale == 1.0
        with pytest.raises(UserError, match="it has no guidance"):
            draw(folder, GenerationRequest("", 0, guidance_scale=3.0))


def test_an_image_to_start_from_is_refused(conditional: Path) -> None:
    with pytest.raises(UserError, match="generates from noise only"):
        draw(conditional, GenerationRequest("a cat", 0, image=IMAGES[0]))


@pytest.mark.parametrize(
    ("asked", "delivered"), [((512, 512), (16, 16)), ((8, 4), (4, 4)), ((9, 300), (9, 9))]
)
def test_images_are_reduced_but_never_enlarged(
    unconditional: Path, asked: tuple[int, int], delivered: tuple[int, int]
) -> None:
    generator = load_generator(unconditional, num_inference_steps=1, output_size=asked, device="cpu")
    (image,) = generator.generate([GenerationRequest("", 0)])
    assert generator.image_size == image.pixels.shape[1::-1] == delivered
    assert (image.review is None) == (delivered == (16, 16))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_inference_steps": 0}, "steps is 0; it must lie in 1 .. 1000"),
        ({"num_inference_steps": 1001}, "steps is 1001"),
        ({"batch_size": 0}, "batch size is 0"),
        ({"output_size": (0, 8)}, "output size is 0x8"),
    ],
)
def test_impossible_settings_are_refused(unconditional: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_generator(unconditional, device="cpu", **options)


def test_damaged_weights_do_not_become_pictures(unconditional: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = copied(unconditional, tmp_path / "m")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    state = load_file(weights)
    state["conv_out.bias"] = torch.full_like(state["conv_out.bias"], math.nan)
    save_file(state, weights)
    with pytest.raises(SynthaugError, match="NaN or infinite"):
        draw(folder, GenerationRequest("", 0))
