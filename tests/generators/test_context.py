from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import Cancelled, UserError
from synthaug.generators import load_generator
from synthaug.generators.base import Generator, ModelCard
from synthaug.generators.compositing.composite import Ranges, bounding_box, fill, homography, place, warp
from synthaug.generators.compositing.context import ContextGenerator, ContextSettings
from synthaug.generators.compositing.masks import subject_mask
from synthaug.importers.digits import digits_arrays
from synthaug.records import GenerationRequest

pytestmark = pytest.mark.slow

DIGITS = digits_arrays()[0][:6]
TALL = np.pad(DIGITS[2], ((0, 20), (0, 0), (0, 0)))
REQUESTS = [
    GenerationRequest("a thin handwritten digit one", 2**60, image=DIGITS[0]),
    GenerationRequest("", 1, image=DIGITS[1]),
    GenerationRequest("a bold handwritten digit seven", 2, guidance_scale=2.0, image=TALL, strength=0.5),
    GenerationRequest("", 3, image=DIGITS[3], strength=0.0),
    GenerationRequest("", 4, image=DIGITS[4], mask=np.arange(32) >= 16 * np.ones((32, 1))),
    GenerationRequest("the number eight", 5, image=np.full((32, 32, 3), 90, np.uint8), strength=0.0),
    GenerationRequest("", 6, image=DIGITS[5]),
]


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load_generator("context:digits", num_inference_steps=4, device="cpu")


@pytest.fixture(scope="module")
def images(generator: Generator) -> list[np.ndarray]:
    return [each.pixels for each in generator.generate(REQUESTS)]


@pytest.mark.parametrize("chosen", [[0], [5], [6, 2, 1], list(range(7))[::-1]], ids=str)
def test_an_image_does_not_depend_on_its_company(
    generator: Generator, images: list[np.ndarray], chosen: list[int]
) -> None:
    again = generator.generate([REQUESTS[i] for i in chosen])
    for index, image in zip(chosen, again, strict=True):
        assert np.array_equal(image.pixels, images[index])


def test_size_settings_and_card_are_those_of_the_base(generator: Generator, images: list[np.ndarray]) -> None:
    base = load_generator("digits", num_inference_steps=4, device="cpu")
    assert {(each.shape, each.dtype) for each in images} == {((32, 32, 3), np.dtype(np.uint8))}
    assert (generator.settings, generator.revision, generator.image_size) == (
        base.settings,
        base.revision,
        (32, 32),
    )
    assert generator.describe() == replace(base.describe(), family="context", base="digits", figures={})
    assert generator.generate([]) == []


def test_seed_prompt_and_source_all_matter(generator: Generator, images: list[np.ndarray]) -> None:
    others = [
        replace(REQUESTS[0], seed=9),
        replace(REQUESTS[0], prompt="a bold handwritten digit eight"),
        replace(REQUESTS[0], image=DIGITS[4]),
    ]
    for image in generator.generate(others):
        assert not np.array_equal(image.pixels, images[0])


def test_the_details_say_how_each_image_came_about(generator: Generator) -> None:
    found = [json.loads(json.dumps(image.details)) for image in generator.generate(REQUESTS)]
    sources = [each["mask"]["mask_source"] for each in found]
    assert sources == ["border colours"] * 4 + ["request", "ellipse", "border colours"]
    assert [each["background"] for each in found] == ["drawn", "own", "drawn", "own", "own", "drawn", "own"]
    assert [each["background_prompt"] for each in found] == [each.prompt for each in REQUESTS]
    assert [each["strength"] for each in found] == [
        0.25,
        0.25,
        0.5,
        0,
        0.25,
        0,
        0.25,
    ]  # 4 steps: one at least
    for details, request in zip(found[:4], REQUESTS[:4], strict=True):
        assert request.image is not None
        left, top, right, bottom = bounding_box(subject_mask(request.image))
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]])
        x, y, w = np.array(details["warp"]).reshape(3, 3) @ corners.T
        centre = np.array([(x / w).mean(), (y / w).mean()]) / 32
        assert np.abs(centre - details["position"]).max() < 0.1  # corners move by up to 12% of the box
        assert (details["base"], details["base_revision"]) == ("digits", generator.revision)


def test_without_warp_and_final_pass_the_subject_stays_in_place() -> None:
    """Scale 1, no turn, the box as large as the canvas: the composite is the source, but for its edges."""
    still = ContextSettings(Ranges((1.0, 1.0), 1.0, 0.0, 0.0), colour_strength=0.0, strength=0.0)
    generator = ContextGenerator("context:digits", device="cpu", context=still)
    mask = np.zeros((32, 32), bool)
    mask[0], mask[:, 0] = True, True  # all else is the subject
    mask[31], mask[:, 31] = True, True
    pixels = np.repeat(np.add.outer(np.arange(32) * 5, np.arange(32) * 3)[..., None], 3, 2).astype(np.uint8)
    mask[0, 5] = mask[31, 5] = mask[5, 0] = mask[5, 31] = False  # so that its box is the picture
    image = generator.generate([GenerationRequest("", 1, image=pixels, mask=mask)])[0]
    assert np.abs(image.pixels[4:-4, 4:-4].astype(int) - pixels[4:-4, 4:-4]).max() <= 1


@pytest.mark.parametrize("patience", [0, 1, 5, 9, 14, 22])
def test_stops_at_the_first_step_after_the_wish(generator: Generator, patience: int) -> None:
    times = 0

    def should_cancel() -> bool:
        nonlocal times
        times += 1
        return times > patience

    with pytest.raises(Cancelled):
        generator.generate(REQUESTS, should_cancel)
    assert times == patience + 1


def test_smaller_output_keeps_the_drawing_for_review(images: list[np.ndarray]) -> None:
    small = load_generator("context:digits", num_inference_steps=4, output_size=(16, 99), device="cpu")
    image = small.generate(REQUESTS[:1])[0]
    assert small.image_size == small.settings.output_size == (16, 16)
    assert image.pixels.shape == (16, 16, 3)
    assert image.review is not None
    assert np.array_equal(image.review, images[0])


def test_requests_without_an_image_or_with_a_mask_of_another_size_are_refused(generator: Generator) -> None:
    with pytest.raises(UserError, match="real images"):
        generator.generate([REQUESTS[0], GenerationRequest("a digit", 1)])
    with pytest.raises(UserError, match="must be the same"):
        generator.generate([replace(REQUESTS[0], mask=np.ones((3, 4), bool))])


def test_bases_that_cannot_draw_backgrounds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "generator.safetensors").write_bytes((8).to_bytes(8, "little") + b"{}      ")
    ModelCard(family="gan").write(tmp_path)
    with pytest.raises(UserError, match="family 'gan'"):
        load_generator(f"context:{tmp_path}")
    with pytest.raises(UserError, match="context:NAME"):
        load_generator("context:")
    with pytest.raises(UserError, match=r"no config\.json"):
        load_generator(f"context:digits@{tmp_path}")


def test_a_homography_takes_its_four_points_where_they_belong() -> None:
    rng = np.random.default_rng(0)
    before = np.array([[0.0, 0], [10, 0], [10, 8], [0, 8]])
    after = before * 2 + rng.normal(size=(4, 2))
    x, y, w = homography(before, after) @ np.column_stack([before, np.ones(4)]).T
    np.testing.assert_allclose(np.column_stack([x / w, y / w]), after)


def test_a_warp_moves_pixels_as_its_matrix_says() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 10, 3), np.uint8)
    smooth = np.add.outer(np.arange(12) * 8, np.arange(10) * 8).astype(np.uint8)
    np.testing.assert_allclose(warp(smooth, np.eye(3), (10, 12))[1:-1, 1:-1], smooth[1:-1, 1:-1], atol=1)
    moved = warp(smooth, np.array([[1.0, 0, 3], [0, 1, 2], [0, 0, 1]]), (10, 12))
    np.testing.assert_allclose(moved[3:-1, 4:-1].astype(int), smooth[1:-3, 1:-4], atol=1)
    assert not moved[:2].any()
    reduced = warp(pixels, np.diag([0.1, 0.1, 1]), (1, 1))
    np.testing.assert_allclose(reduced[0, 0], pixels[:10].mean((0, 1)), atol=40)


def test_placements_keep_within_their_ranges() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:25, 20:50] = True
    rng, ranges = np.random.default_rng(0), Ranges()
    found = [place(mask, (64, 64), ranges, rng) for _ in range(300)]
    scales, turns = np.array([each.scale for each in found]), np.array([each.rotation for each in found])
    assert (scales.min() >= 0.7, scales.max() <= 1.1, np.abs(turns).max() <= 10) == (True, True, True)
    assert scales.std() > 0.1
    assert turns.std() > 5
    for each in found:
        half = np.array([30, 15]) * 64 / 60 * each.scale * ranges.inside / 2 / 64
        assert (np.array(each.position) >= half - 1e-9).all()
        assert (np.array(each.position) <= 1 - half + 1e-9).all()
        assert not each.flipped
        assert np.linalg.det(each.matrix) > 0
    mirrored = [place(mask, (64, 64), Ranges(flip=True), rng).flipped for _ in range(40)]
    assert {True, False} == set(mirrored)


def test_a_hole_is_filled_from_around_it() -> None:
    ramp = np.repeat(np.linspace(40, 200, 33).astype(np.uint8)[None, :, None], 33, 0).repeat(3, 2)
    hole = np.zeros((33, 33), bool)
    hole[10:20, 12:21] = True
    torn = np.where(hole[..., None], 255, ramp).astype(np.uint8)
    filled = fill(torn, hole)
    assert np.array_equal(filled[~hole], ramp[~hole])
    assert np.abs(filled[hole].astype(int) - ramp[hole]).max() < 40
    assert 40 <= filled[hole].min() <= filled[hole].max() <= 200
    assert np.array_equal(fill(torn, np.ones((33, 33), bool)), torn)
