from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from synthaug.classifiers.pixels import augment, channel_statistics, check_images, standardise, to_tensor
from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UserError

PLAIN = replace(RECIPES["digits"], crop_padding=0, flip=False)


def some_images(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_same_size_only_moves_the_channels() -> None:
    images = some_images(3, 8, 8)
    assert np.array_equal(to_tensor(images, 8).permute(0, 2, 3, 1).numpy(), images)


def test_resizing_is_antialiased_as_pillow_does_it() -> None:
    images = some_images(2, 48, 64)
    resized = to_tensor(images, 16).permute(0, 2, 3, 1).numpy()
    for ours, image in zip(resized, images, strict=True):
        theirs = np.asarray(Image.fromarray(image).resize((16, 16), Image.Resampling.BILINEAR))
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_statistics_are_numpys_and_standardised_images_have_none() -> None:
    tensor = to_tensor(some_images(5, 6, 6), 6)
    mean, std = channel_statistics(tensor)
    pixels = tensor.numpy() / 255
    np.testing.assert_allclose(mean, pixels.mean((0, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(std, pixels.std((0, 2, 3)), atol=1e-6)
    standard = standardise(tensor, mean, std)
    torch.testing.assert_close(standard.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std((0, 2, 3), correction=0), torch.ones(3))


def test_flat_images_stay_finite() -> None:
    tensor = torch.full((2, 3, 4, 4), 255, dtype=torch.uint8)
    assert torch.isfinite(standardise(tensor, *channel_statistics(tensor))).all()


def test_every_crop_is_a_window_of_the_padded_image() -> None:
    images = to_tensor(some_images(64, 5, 5), 5)
    cropped = augment(images, replace(PLAIN, crop_padding=2), torch.Generator().manual_seed(0))
    shifts = set()
    for crop, image in zip(cropped, images, strict=True):
        padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
        windows = [
            (y, x) for y in range(5) for x in range(5) if torch.equal(padded[:, y : y + 5, x : x + 5], crop)
        ]
        assert windows
        shifts.update(windows)
    assert len(shifts) > 15  # of 25, over 64 draws


def test_about_half_are_mirrored_and_none_when_off() -> None:
    images = to_tensor(some_images(200, 4, 4), 4)
    flipped = augment(images, replace(PLAIN, flip=True), torch.Generator().manual_seed(0))
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(flipped, images, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(flipped, images, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 70 < sum(mirrored) < 130
    assert torch.equal(augment(images, PLAIN, torch.Generator()), images)


@pytest.mark.parametrize("shape", [(4, 8, 8), (2, 8, 8, 4), (2, 3, 8, 8)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"\(N, H, W, 3\)"):
        check_images(np.zeros(shape, np.uint8))


def test_floats_are_refused() -> None:
    with pytest.raises(UserError, match="float64"):
        check_images(np.zeros((1, 8, 8, 3)))


def test_a_mirrored_border_is_numpys_reflection() -> None:
    images = to_tensor(some_images(16, 6, 6), 6)
    recipe = replace(PLAIN, crop_padding=2, mirrored_border=True)
    cropped = augment(images, recipe, torch.Generator().manual_seed(0))
    for crop, image in zip(cropped, images, strict=True):
        padded = torch.from_numpy(np.pad(image.numpy(), ((0, 0), (2, 2), (2, 2)), mode="reflect"))
        assert any(torch.equal(padded[:, y : y + 6, x : x + 6], crop) for y in range(5) for x in range(5))


def test_cutout_grays_a_square_that_may_lie_partly_outside() -> None:
    images = torch.zeros(500, 3, 16, 16, dtype=torch.uint8)
    cut = augment(images, replace(PLAIN, cutout=4), torch.Generator().manual_seed(0))
    gray = cut == 128
    assert ((cut == 0) | gray).all()
    assert torch.equal(gray[:, 0], gray[:, 2])
    rows, columns = gray[:, 0].any(2).sum(1), gray[:, 0].any(1).sum(1)
    assert torch.equal(gray[:, 0].sum((1, 2)), rows * columns)
    assert rows.max() == columns.max() == 4
    assert rows.min() < 4
    assert gray[:, 0].any(0).all()  # everywhere, the corners too
