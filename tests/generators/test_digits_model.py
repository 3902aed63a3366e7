"""The shipped digits model: drawn digits are the digits asked for, and stock diffusers reads the folder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synthaug.generator_training.digit_captions import DIGIT_WORDS, slant, stroke_width
from synthaug.generators import load_generator
from synthaug.generators.base import Generator
from synthaug.generators.folders import find_model
from synthaug.importers.digits import digits_arrays
from synthaug.records import GenerationRequest, Pixels


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load_generator("digits", device="cpu")


def draw(generator: Generator, prompts: list[str]) -> np.ndarray:
    requests = [GenerationRequest(prompt, seed) for seed, prompt in enumerate(prompts)]
    return np.stack([each.pixels for each in generator.generate(requests)])


def small(images: np.ndarray) -> np.ndarray:
    """The digits' own form: 8x8 means, (N, 64)."""
    return images[..., 0].reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(-1, 64) * 16 / 255


def test_a_classifier_of_real_digits_agrees_with_the_prompts(generator: Generator) -> None:
    from sklearn.svm import SVC

    images, labels, is_test = digits_arrays()
    judge = SVC(gamma=0.001, C=10).fit(small(images[~is_test]), labels[~is_test])
    asked = np.tile(np.arange(10), 8)
    prompts = [
        f"a handwritten digit {DIGIT_WORDS[digit]}" if i < 40 else f"a photo of the digit {digit}"
        for i, digit in enumerate(asked)
    ]
    assert (judge.predict(small(draw(generator, prompts))) == asked).mean() >= 0.95


def mean_measure(generator: Generator, words: str, measure: Callable[[Pixels], float]) -> float:
    images = draw(generator, [f"a handwritten digit {word}, {words}" for word in DIGIT_WORDS])
    return float(np.mean([measure(image) for image in images]))


def test_the_words_for_slant_lean_the_strokes(generator: Generator) -> None:
    left, right = (mean_measure(generator, f"slanted {side}", slant) for side in ("left", "right"))
    assert left + 5 < right


def test_the_words_for_weight_change_the_stroke_width(generator: Generator) -> None:
    thin, bold = (mean_measure(generator, weight, stroke_width) for weight in ("thin", "bold"))
    assert thin + 0.5 < bold


def test_the_card_says_what_it_understands(generator: Generator) -> None:
    card = generator.describe()
    assert card.classes == DIGIT_WORDS
    assert {"bold", "thin"} <= set(card.words)
    assert generator.settings.num_inference_steps == card.num_inference_steps
    assert generator.image_size == (32, 32)


def test_stock_diffusers_draws_the_same_from_the_folder(generator: Generator) -> None:
    import torch
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(find_model("digits").path)
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(
        "a handwritten digit eight",
        generator=torch.Generator().manual_seed(0),
        num_inference_steps=generator.settings.num_inference_steps,
        guidance_scale=generator.settings.guidance_scale,
        output_type="np",
    ).images[0]
    ours = draw(generator, ["a handwritten digit eight"])[0]
    # Single precision on another batch shape: at most a rounding apart.
    assert np.abs(np.rint(drawn * 255) - ours).max() <= 1
