from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from synthaug.errors import UserError
from synthaug.generators.compositing.colour import from_lab, harmonise, to_lab
from synthaug.generators.compositing.masks import bounding_box, described, ellipse, subject_mask, tidy
from synthaug.generators.compositing.mixtures import minimum_cut
from synthaug.importers.digits import digits_arrays


def scene(side: int, box: tuple[float, float, float, float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A red ellipse on noisy grass, and where it is."""
    rng = np.random.default_rng(seed)
    shape = Image.new("L", (side, side))
    ImageDraw.Draw(shape).ellipse([side * each for each in box], fill=255)
    truth = np.asarray(shape) > 0
    pixels = np.where(truth[..., None], [190, 50, 40], [60, 130, 50]) + rng.normal(0, 12, (side, side, 3))
    return pixels.clip(0, 255).astype(np.uint8), truth


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("side", [32, 64, 150])
@pytest.mark.parametrize("box", [(0.3, 0.3, 0.7, 0.7), (0.1, 0.4, 0.5, 0.8), (0.3, 0.5, 0.8, 1.1)], ids=str)
def test_a_shape_is_cut_out_of_noise(side: int, box: tuple[float, float, float, float]) -> None:
    pixels, truth = scene(side, box)
    mask = subject_mask(pixels)
    assert (mask.shape, mask.dtype) == (truth.shape, bool)
    assert overlap(mask, truth) > 0.9


def test_digits_are_cut_out_and_their_loops_stay_open() -> None:
    images, labels, _ = digits_arrays()
    overlaps = [overlap(subject_mask(image), image[..., 0] > 100) for image in images[:40]]
    assert np.median(overlaps) > 0.7
    zeros = images[labels == 0][:10]
    assert np.median([subject_mask(zero)[14:18, 14:18].mean() for zero in zeros]) < 0.5


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (7, 40), (200, 90)])
def test_a_uniform_picture_has_no_subject(size: tuple[int, int]) -> None:
    assert not subject_mask(np.full((*size, 3), 120, np.uint8)).any()


@pytest.mark.parametrize("size", [(32, 32), (2, 3), (300, 20)])
def test_pure_noise_gives_a_mask_all_the_same(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    mask = subject_mask(pixels)
    assert mask.shape == size
    assert np.array_equal(mask, subject_mask(pixels))


def test_small_pieces_and_small_holes_go_and_large_ones_stay() -> None:
    mask = np.zeros((40, 40), bool)
    mask[5:30, 5:30] = True
    mask[8:10, 8:10] = False  # 4 of 1600 pixels
    mask[15:25, 15:25] = False  # 100
    mask[35, 35] = True
    wanted = mask.copy()
    wanted[8:10, 8:10] = True
    wanted[35, 35] = False
    assert np.array_equal(tidy(mask), wanted)


def test_the_cut_is_the_cheapest_of_all_labellings() -> None:
    rng = np.random.default_rng(0)
    background, subject = rng.uniform(0, 2, (2, 3, 3))
    colours = rng.normal(size=(3, 3, 3)) * 10
    pairs = [
        (a, b)
        for a in product(range(3), repeat=2)
        for b in product(range(3), repeat=2)
        if a < b and max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1
    ]
    changes = {pair: float(((colours[pair[0]] - colours[pair[1]]) ** 2).sum()) for pair in pairs}
    usual = np.mean(list(changes.values()))

    def cost(mask: np.ndarray) -> float:
        apart = sum(
            0.7 * np.exp(-changes[a, b] / (2 * usual)) / np.hypot(a[0] - b[0], a[1] - b[1])
            for a, b in pairs
            if mask[a] != mask[b]
        )
        return float(np.where(mask, subject, background).sum() + apart)

    cheapest = min(cost(np.array(bits).reshape(3, 3)) for bits in product([False, True], repeat=9))
    assert cost(minimum_cut(background, subject, colours, 0.7)) == pytest.approx(cheapest, abs=0.02)


def test_lab_of_the_primaries_is_known_and_comes_back() -> None:
    """The values for sRGB under D65 at brucelindbloom.com."""
    primaries = np.array([[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]], np.uint8)
    known = [
        [100, 0, 0],
        [53.2408, 80.0925, 67.2032],
        [87.7347, -86.1827, 83.1793],
        [32.2970, 79.1875, -107.8602],
        [0, 0, 0],
    ]
    np.testing.assert_allclose(to_lab(primaries), known, atol=0.02)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    np.testing.assert_array_equal(from_lab(to_lab(pixels)), pixels)


def test_harmonising_moves_colours_toward_the_background_and_no_further_than_allowed() -> None:
    rng = np.random.default_rng(0)
    subject, background = (rng.integers(low, low + 60, (16, 16, 3), np.uint8) for low in (150, 20))
    alpha = np.ones((16, 16))
    before = to_lab(subject).mean((0, 1))
    toward = to_lab(background).mean((0, 1)) - before
    for strength, limit in [(0.1, 100.0), (0.5, 8.0)]:
        moved = to_lab(harmonise(subject, alpha, background, strength, limit)).mean((0, 1)) - before
        wanted = toward * min(strength, limit / np.linalg.norm(toward))
        np.testing.assert_allclose(moved, wanted, atol=1)
    assert np.array_equal(harmonise(subject, alpha, background, 0, 10), subject)


def test_a_mask_is_described_so_that_it_can_be_made_again() -> None:
    mask = scene(20, (0.2, 0.3, 0.9, 0.8))[1]
    for each in (mask, ~mask, ellipse(9, 5)):
        found = described(each)
        values = np.arange(len(found["runs"])) % 2 == 1
        again = np.repeat(values, found["runs"]).reshape(found["size"]).T
        assert np.array_equal(again, each)
        left, top, right, bottom = found["box"]
        assert each[top:bottom, left:right].sum() == each.sum()
        assert bounding_box(each) == (left, top, right, bottom)
        assert found["area"] == pytest.approx(each.mean())


@pytest.fixture(scope="module")
def segmenter_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SegFormer of random weights whose classifier sees nothing but a bias: always "cat"."""
    import torch
    from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

    torch.manual_seed(0)
    config = SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 8, 8],
        num_attention_heads=[1, 1, 1, 1],
        decoder_hidden_size=8,
        num_labels=3,
        id2label={0: "grass", 1: "cat", 2: "sky"},
        label2id={"grass": 0, "cat": 1, "sky": 2},
    )
    model = SegformerForSemanticSegmentation(config).eval()
    folder = tmp_path_factory.mktemp("models") / "segformer"
    with torch.no_grad():
        model.decode_head.classifier.weight.zero_()
        model.decode_head.classifier.bias.copy_(torch.tensor([0.0, 5.0, 0.0]))
    model.save_pretrained(folder)
    SegformerImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def test_a_segmentation_model_tells_the_subject_by_its_label(segmenter_folder: Path) -> None:
    from synthaug.generators.compositing.segmentation import SubjectSegmenter

    pixels = scene(48, (0.3, 0.3, 0.7, 0.7))[0]
    assert SubjectSegmenter(segmenter_folder, labels=["cat"], device="cpu").mask(pixels).all()
    assert not SubjectSegmenter(segmenter_folder, labels=["sky"], device="cpu").mask(pixels).any()
    # Without labels, what fills the border as much as the picture is no subject.
    assert not SubjectSegmenter(segmenter_folder, device="cpu").mask(pixels).any()
    with pytest.raises(UserError, match="has no label dog; its labels are cat, grass, sky"):
        SubjectSegmenter(segmenter_folder, labels=["dog"], device="cpu")


def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path, segmenter_folder: Path) -> None:
    from synthaug.generators.compositing.segmentation import SubjectSegmenter

    with pytest.raises(UserError, match=r"no config\.json"):
        SubjectSegmenter(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="pickled weights are not read"):
        SubjectSegmenter(tmp_path)
    whole = (segmenter_folder / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="could not be loaded"):
        SubjectSegmenter(tmp_path)
