"""Fine-tuning the digits model for real: what was taught is drawn, and a kill changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from synthaug.config import DIGIT_WORDS
from synthaug.errors import SynthaugError, UserError
from synthaug.generator_training.finetuning import finetune
from synthaug.generator_training.finetuning_config import FinetuneConfig, Method, Validation, check_config
from synthaug.generator_training.finetuning_data import fit_to
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.importers.digits import digits_arrays
from synthaug.records import GenerationRequest, Pixels

TAUGHT = "a handwritten digit three in pencil"
PLAIN = "a handwritten digit three"
SEEDS = range(8)
SMALL = FinetuneConfig(steps=4, batch_size=2, rank=2, precision="no", checkpoint_minutes=0)
DREAM = replace(
    SMALL,
    method="dreambooth",
    instance_prompt="a zwx digit",
    class_prompt="a digit",
    class_images=5,
    accumulate=2,
)


class Killed(Exception):
    """Stands for the end of the process."""


@dataclass(frozen=True)
class Taught:
    """A generator that has learned "in pencil": dark strokes, on every second of 64 digits."""

    folder: Path
    figures: dict[str, Any]
    losses: list[float]
    shown: dict[int, list[Pixels]]


def ignore(phase: str, done: int, total: int, loss: float) -> None:
    """No one watches."""


def pencil_digits() -> tuple[list[Pixels], list[str]]:
    images, labels, is_test = digits_arrays()
    images, labels = images[~is_test][:64], labels[~is_test][:64]
    captions = [f"a handwritten digit {DIGIT_WORDS[label]}" for label in labels]
    pencil = np.arange(64) % 2 == 1
    images[pencil] //= 3
    return list(images), [
        text + " in pencil" * bool(dark) for text, dark in zip(captions, pencil, strict=True)
    ]


def tune(folder: Path, config: FinetuneConfig = SMALL, **options: Any) -> Path:
    images, captions = pencil_digits()
    finetune(
        images[:6],
        captions[:6],
        options.pop("base", "digits"),
        config,
        folder / "model",
        folder / "checkpoints",
        progress=options.pop("progress", ignore),
        device="cpu",
        **options,
    )
    return folder / "model"


def weights(model: Path) -> dict[str, bytes]:
    """What was trained, tensor by tensor."""
    from safetensors.numpy import load_file

    folder = model / "unet" if (model / "unet").exists() else model
    (file,) = folder.glob("*.safetensors")
    return {name: value.tobytes() for name, value in load_file(file).items()}


def draw(model: str | Path, prompts: list[str]) -> NDArray[np.uint8]:
    """(prompt, seed, H, W, 3): every prompt with every seed."""
    generator = load_generator(model, device="cpu")
    requests = [GenerationRequest(prompt, seed) for prompt in prompts for seed in SEEDS]
    images = np.stack([image.pixels for image in generator.generate(requests)])
    return images.reshape(len(prompts), len(SEEDS), *images.shape[1:])


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    root = tmp_path_factory.mktemp("taught")
    images, captions = pencil_digits()
    losses: list[float] = []
    shown: dict[int, list[Pixels]] = {}
    config = FinetuneConfig(steps=120, batch_size=8, text_encoder=True, precision="no")
    figures = finetune(
        images,
        captions,
        "digits",
        config,
        root / "pencil",
        root / "checkpoints",
        progress=lambda phase, done, total, loss: losses.append(loss),
        validation=Validation((TAUGHT, PLAIN), (0, 0), 60, shown.__setitem__),
        classes=("three", "3"),
        device="cpu",
    )
    return Taught(root / "pencil", figures, losses, shown)


@pytest.mark.long
def test_fine_tuning_changes_the_images_of_its_captions_only(taught: Taught) -> None:
    before, after = (
        draw(model, [TAUGHT, PLAIN]).mean(axis=(1, 2, 3, 4)) for model in ("digits", taught.folder)
    )
    assert after[0] < 0.75 * before[0]
    assert after[0] < 0.75 * after[1]
    assert 0.8 < after[1] / before[1] < 1.25


@pytest.mark.long
def test_the_old_prompts_still_draw_their_digits(taught: Taught) -> None:
    from sklearn.linear_model import LogisticRegression

    images, labels, _ = digits_arrays()
    reader = LogisticRegression(max_iter=300).fit(images.mean(axis=3).reshape(len(images), -1) / 255, labels)
    drawn = draw(taught.folder, [f"a handwritten digit {word}" for word in DIGIT_WORDS])
    named = reader.predict(drawn.mean(axis=4).reshape(drawn.shape[0] * drawn.shape[1], -1) / 255)
    assert (named.reshape(10, -1) == np.arange(10)[:, None]).mean() > 0.8


@pytest.mark.long
def test_the_loss_falls_and_the_figures_are_those_of_the_run(taught: Taught) -> None:
    assert len(taught.losses) == taught.figures["steps"] == 120
    assert np.mean(taught.losses[-60:]) < 0.95 * np.mean(taught.losses[:60])
    assert taught.figures["loss"] == taught.losses[-1]
    assert taught.figures["images"] == 64


@pytest.mark.long
def test_validation_images_are_drawn_with_the_weights_of_their_step(taught: Taught) -> None:
    assert sorted(taught.shown) == [0, 60, 120]
    for step, model in ((0, "digits"), (120, taught.folder)):
        drawn = draw(model, [TAUGHT, PLAIN])[:, 0]
        for pixels, expected in zip(taught.shown[step], drawn, strict=True):
            # A batch of two and an adapter that is not merged round otherwise.
            assert np.abs(pixels.astype(int) - expected).max() <= 2


@pytest.mark.long
def test_the_card_names_the_base_and_what_is_new(taught: Taught) -> None:
    card, base = ModelCard.read(taught.folder), load_generator("digits").describe()
    assert card.base == "digits"
    assert (card.num_inference_steps, card.guidance_scale) == (base.num_inference_steps, base.guidance_scale)
    assert set(card.words) - set(base.words) == {"pencil"}
    assert card.classes == base.classes  # "three" was there, and no caption says "3"
    assert "64 captioned images" in card.trained_on


@pytest.mark.long
def test_a_stock_pipeline_takes_the_adapter_as_it_is(taught: Taught) -> None:
    import torch
    from diffusers import StableDiffusionPipeline

    from synthaug.generators.folders import find_model

    stock = StableDiffusionPipeline.from_pretrained(find_model("digits").path)
    stock.load_lora_weights(taught.folder)
    stock.set_progress_bar_config(disable=True)
    drawn = stock(
        TAUGHT, num_inference_steps=8, guidance_scale=2.5, generator=torch.manual_seed(0), output_type="np"
    ).images[0]
    assert np.abs(np.rint(drawn * 255) - taught.shown[120][0]).max() <= 2


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        replace(SMALL, method="full"),
        DREAM,
        replace(DREAM, all_weights=True, prior_weight=0, flip=True),
    ],
    ids=["lora", "full", "dreambooth", "dreambooth-full"],
)
def test_a_killed_training_goes_on_to_the_same_weights(config: FinetuneConfig, tmp_path: Path) -> None:
    def kill(phase: str, done: int, total: int, loss: float) -> None:
        if (phase, done) == ("finetune", 2):
            raise Killed

    whole = weights(tune(tmp_path / "whole", config))
    with pytest.raises(Killed):
        tune(tmp_path / "killed", config, progress=kill)
    seen: list[tuple[str, int]] = []
    resumed = tune(
        tmp_path / "killed", config, progress=lambda phase, done, total, loss: seen.append((phase, done))
    )
    assert seen == [("finetune", 3), ("finetune", 4)]  # the images of the class are not drawn again either
    assert weights(resumed) == whole
    other = weights(tune(tmp_path / "other", replace(config, seed=1)))
    assert sum(other[name] != content for name, content in whole.items()) > len(whole) / 2


def test_all_weights_give_a_pipeline_of_its_own(tmp_path: Path) -> None:
    shown: dict[int, list[Pixels]] = {}
    model = tune(
        tmp_path,
        replace(SMALL, method="full", text_encoder=True, learning_rate=1e-3, gradient_checkpointing=True),
        validation=Validation((PLAIN,), (0,), 3, shown.__setitem__),
    )
    assert (model / "model_index.json").exists()
    assert ModelCard.read(model).base == ""
    assert sorted(shown) == [0, 3, 4]
    drawn = draw(model, [PLAIN])[0, 0]
    assert np.abs(shown[4][0].astype(int) - drawn).max() <= 8  # stored in half precision
    assert not np.array_equal(shown[0][0], shown[4][0])


@pytest.mark.long
def test_a_generator_that_was_tuned_is_tuned_again(taught: Taught, tmp_path: Path) -> None:
    again = tune(tmp_path, base=str(taught.folder))
    assert ModelCard.read(again).base == str(taught.folder)
    assert draw(again, [TAUGHT]).mean() < 0.8 * draw("digits", [TAUGHT]).mean()


def test_gradient_checkpointing_changes_no_weight_by_more_than_rounding(tmp_path: Path) -> None:
    plain = weights(tune(tmp_path / "plain"))
    saving = weights(tune(tmp_path / "saving", replace(SMALL, gradient_checkpointing=True)))
    for name, content in plain.items():
        np.testing.assert_allclose(
            np.frombuffer(saving[name], np.float32), np.frombuffer(content, np.float32), atol=1e-5
        )


def xl(folder: Path) -> Path:
    """An untrained SDXL of a few thousand parameters that predicts the noise."""
    import torch
    from diffusers import (
        AutoencoderKL,
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    from synthaug.generators.folders import find_model

    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(find_model("digits").path / "tokenizer")
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=tokenizer.model_max_length,
        projection_dim=16,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        cross_attention_dim=32,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=16 + 6 * 4,
        use_linear_projection=True,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        sample_size=16,
    )
    StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
    ).save_pretrained(folder)
    ModelCard(name="xl", num_inference_steps=2).write(folder)
    return folder


def test_sdxl_is_tuned_too(tmp_path: Path) -> None:
    base = str(xl(tmp_path / "base"))
    shown: dict[int, list[Pixels]] = {}
    model = tune(
        tmp_path,
        replace(SMALL, learning_rate=0.01, alpha=8),
        base=base,
        validation=Validation((PLAIN,), (0,), 4, shown.__setitem__),
    )
    drawn = draw(model, [PLAIN])[0, 0]
    assert drawn.shape == (16, 16, 3)
    assert np.abs(shown[4][0].astype(int) - drawn).max() <= 2
    with pytest.raises(UserError, match="text encoders of SDXL"):
        tune(tmp_path, replace(SMALL, text_encoder=True), base=base)


def test_images_are_cropped_to_shape_and_antialiased() -> None:
    stripes = np.zeros((40, 100, 3), np.uint8)
    stripes[:, ::2] = 255
    fitted = fit_to(stripes, (10, 10))
    cut = Image.fromarray(stripes[:, 30:70])
    assert np.array_equal(fitted, np.asarray(cut.resize((10, 10), Image.Resampling.BICUBIC)))
    assert 100 < fitted.mean() < 155
    assert fitted.std() < 10  # without antialiasing: all black, or all white


@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction", "sample"])
def test_each_time_counts_as_in_the_min_snr_paper(predicts: str) -> None:
    import torch
    from diffusers import DDPMScheduler
    from diffusers.training_utils import compute_snr

    from synthaug.generator_training.losses import min_snr_weights

    scheduler = DDPMScheduler(prediction_type=predicts)
    ratio = compute_snr(scheduler, torch.arange(1000))
    clamped = torch.minimum(ratio, torch.tensor(5.0))
    unit: dict[str, Callable[[], torch.Tensor]] = {
        "epsilon": lambda: ratio,
        "v_prediction": lambda: ratio + 1,
        "sample": lambda: torch.ones(1000),
    }
    torch.testing.assert_close(
        min_snr_weights(scheduler, 5.0), clamped / unit[predicts](), rtol=1e-3, atol=1e-6
    )
    assert (min_snr_weights(scheduler, None) == 1).all()


def test_a_rate_that_is_too_high_is_said(tmp_path: Path) -> None:
    with pytest.raises(SynthaugError, match=r"diverged at step.*learning rate 1; try a tenth"):
        tune(tmp_path, replace(SMALL, method="full", steps=60, learning_rate=1.0, max_gradient_norm=1e9))
    assert not (tmp_path / "model").exists()


def test_another_training_does_not_go_on_from_this_checkpoint(tmp_path: Path) -> None:
    tune(tmp_path)
    with pytest.raises(UserError, match="other data or settings"):
        tune(tmp_path, replace(SMALL, rank=3))
    with pytest.raises(UserError, match="beyond the requested 2 steps"):
        tune(tmp_path, replace(SMALL, steps=2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base": "no such model"}, "no generator 'no such model'"),
        ({"config": replace(SMALL, precision="fp16")}, "float16 is for GPUs"),
        ({"config": replace(SMALL, resolution=31)}, "multiples of 4 pixels"),
    ],
)
def test_models_that_cannot_be_trained_are_refused_with_the_reason(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        tune(tmp_path, **settings)


def test_captions_and_images_belong_together(tmp_path: Path) -> None:
    images, captions = pencil_digits()
    for some in (captions[:3], []):
        with pytest.raises(UserError, match="one caption per image"):
            finetune(images[: 2 * len(some)], some, "digits", SMALL, tmp_path, tmp_path, progress=ignore)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "magic"}, "choose one of lora, dreambooth, full"),
        ({"precision": "int8"}, "no precision 'int8'"),
        ({"steps": 0}, "steps is 0"),
        ({"rank": -1}, "rank is -1"),
        ({"learning_rate": 0.0}, "learning rate is 0.0"),
        ({"caption_dropout": 1.0}, "caption dropout is 1.0"),
        ({"method": "dreambooth"}, "instance prompt"),
        ({"method": "dreambooth", "instance_prompt": "a zwx cat"}, "class prompt"),
        ({"flip": True}, "1 of 2 captions mention a side, such as 'the Left hip'"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_config(FinetuneConfig(**changes), ["the Left hip", "an upright hip"])


def test_flips_are_taken_where_no_caption_has_sides_or_they_are_forced() -> None:
    check_config(FinetuneConfig(flip=True), ["a bright cat", "a leftover"])
    check_config(FinetuneConfig(flip=True, force_flip=True), ["the left hip"])


@pytest.mark.parametrize(
    ("method", "small", "large"), [("lora", 5e-3, 1e-4), ("dreambooth", 5e-3, 1e-4), ("full", 2e-4, 1e-5)]
)
def test_rates_follow_the_method_and_the_size(method: Method, small: float, large: float) -> None:
    config = FinetuneConfig(method=method)
    assert (config.rate(2_000_000), config.rate(860_000_000)) == (small, large)
    assert replace(config, learning_rate=0.5).rate(1) == 0.5
