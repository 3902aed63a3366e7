"""Classical augmentation: torchvision's own distortions, drawn from the published ranges by seed."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from synthaug.errors import UserError
from synthaug.generators import load_generator
from synthaug.generators.augmentation import distort, draw_parameters
from synthaug.records import GenerationRequest

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
STILL = {
    "brightness": 1.0,
    "hue": 0.0,
    "hue_first": False,
    "perspective": [[0, 0], [31, 0], [31, 23], [0, 23]],
    "rotation": 0.0,
    "solarize": False,
}
MOVED = [[3, 2], [29, 0], [30, 21], [0, 23]]


def drawn(count: int, width: int = 32, height: int = 24) -> list[dict[str, Any]]:
    return [draw_parameters(Random(seed), width, height) for seed in range(count)]


def test_parameters_are_what_the_paper_says() -> None:
    found = drawn(2000)
    brightness, hue, rotation = (
        np.array([each[key] for each in found]) for key in ("brightness", "hue", "rotation")
    )
    for values, low, high in ((brightness, 0.5, 1.5), (hue, -0.3, 0.3), (rotation, 0.0, 180.0)):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        # Uniform: the mean lies within four standard errors, (high - low) / sqrt(12 n).
        assert abs(values.mean() - (low + high) / 2) < 4 * (high - low) / np.sqrt(12 * 2000)
    for key in ("solarize", "hue_first"):
        assert abs(np.mean([each[key] for each in found]) - 0.5) < 4 * 0.5 / np.sqrt(2000)


def test_corners_move_inward_as_torchvisions_do() -> None:
    import torch
    from torchvision.transforms import RandomPerspective

    torch.manual_seed(0)
    theirs = [RandomPerspective.get_params(32, 24, 0.2)[1] for _ in range(2000)]
    ours = [each["perspective"] for each in drawn(2000)]
    for corner in range(4):
        for axis in range(2):
            assert {each[corner][axis] for each in ours} == {each[corner][axis] for each in theirs}


@pytest.mark.parametrize(
    ("changed", "transform"),
    [
        ({}, lambda t, F: t),
        ({"brightness": 1.4}, lambda t, F: F.adjust_brightness(t, 1.4)),
        ({"hue": -0.2}, lambda t, F: F.adjust_hue(t, -0.2)),
        ({"rotation": 130.0}, lambda t, F: F.rotate(t, 130.0)),
        ({"solarize": True}, lambda t, F: F.solarize(t, 0.75)),
        (
            {"perspective": MOVED},
            lambda t, F: F.perspective(t, STILL["perspective"], MOVED, fill=[0.0] * 3),
        ),
        (
            {"brightness": 1.5, "hue": 0.3, "hue_first": True, "rotation": 90.0, "solarize": True},
            lambda t, F: F.solarize(F.rotate(F.adjust_brightness(F.adjust_hue(t, 0.3), 1.5), 90.0), 0.75),
        ),
    ],
    ids=lambda each: "-".join(each) or "nothing" if isinstance(each, dict) else "",
)
def test_the_recorded_parameters_reproduce_torchvisions_result(
    changed: dict[str, Any], transform: Any
) -> None:
    """Against the first, separately written functional module of torchvision."""
    import torch
    from torchvision.transforms import functional

    tensor = torch.from_numpy(IMAGE).permute(2, 0, 1).float() / 255
    expected = (transform(tensor, functional) * 255).permute(1, 2, 0).numpy()
    made = distort(IMAGE, STILL | changed)
    assert made.shape == IMAGE.shape
    assert np.abs(made - expected).max() <= 0.5 + 1e-3  # half a level: rounding


def test_solarize_inverts_what_is_bright_and_nothing_else() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (2, 1, 3))
    corners = [[0, 0], [255, 0], [255, 1], [0, 1]]
    row = distort(ramp, STILL | {"solarize": True, "perspective": corners})[0, :, 0]
    assert row[:192].tolist() == list(range(192))  # 191 / 255 < 0.75 <= 192 / 255
    assert row[192:].tolist() == [255 - level for level in range(192, 256)]


def test_the_image_keeps_its_size_and_the_parameters_are_kept() -> None:
    generator = load_generator("augmentation")
    requests = [GenerationRequest("a note", seed, image=IMAGE) for seed in range(4)]
    images = generator.generate(requests)
    for seed, image in enumerate(images):
        assert image.pixels.shape == IMAGE.shape
        assert image.details == draw_parameters(Random(seed), 32, 24)
        assert np.array_equal(image.pixels, distort(IMAGE, image.details))
        assert image.cut == ""
    other = generator.generate([GenerationRequest("another note", 0, image=IMAGE)])[0]
    assert np.array_equal(other.pixels, images[0].pixels)


def test_augmentation_has_a_card_and_a_revision_without_a_model() -> None:
    generator = load_generator("augmentation", output_size=(8, 8))
    assert generator.describe().family == "augmentation"
    assert len(generator.revision) == 64
    assert generator.image_size == (8, 8)
    assert load_generator("augmentation").revision == generator.revision


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (GenerationRequest("", 0), "needs an image to start from"),
        (GenerationRequest("", 0, image=IMAGE, strength=0.5), "takes no strength"),
        (GenerationRequest("", 0, guidance_scale=2.0, image=IMAGE), "no guidance"),
    ],
)
def test_options_that_do_not_apply_are_refused(request_: GenerationRequest, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_generator("augmentation").generate([request_])


@pytest.mark.parametrize("options", [{"num_inference_steps": 5}, {"guidance_scale": 2.0}, {"compile": True}])
def test_settings_of_other_generators_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="augmentation"):
        load_generator("augmentation", **options)
