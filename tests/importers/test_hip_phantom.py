"""Phantoms show the angles they were asked for, and captions say them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthaug.config import HIP
from synthaug.errors import ImportFailed, UserError
from synthaug.importers import detect, load_importer
from synthaug.importers.hip.angles import hip_caption, hip_class, parse_angles, wording
from synthaug.importers.hip.phantom import READER, TEST, TRAIN, Phantom, hip_phantom
from synthaug.landmarks.geometry import angle_at
from synthaug.stages.importing import import_images
from synthaug.store import catalog, labels
from synthaug.workspace import Workspace

PAPER = "an x-ray of a dog's hip joint with left angle 112.03 degrees and right angle 91.09 degrees"


def _measured(phantom: Phantom) -> tuple[float, float]:
    left = angle_at(phantom.left_head, phantom.right_head, phantom.left_rim)
    return left, angle_at(phantom.right_head, phantom.left_head, phantom.right_rim)


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from([32, 64]), st.floats(85, 120), st.floats(85, 120))
def test_landmarks_give_back_the_angles_asked_for(seed: int, size: int, left: float, right: float) -> None:
    phantom = hip_phantom(seed, size, left, right)
    assert _measured(phantom) == pytest.approx((left, right))
    assert (phantom.left_angle, phantom.right_angle) == (left, right)
    assert phantom.pixels.shape == (size, size, 3)
    for x, y in (phantom.left_head, phantom.right_head, phantom.left_rim, phantom.right_rim):
        assert 0 < x < size
        assert 0 < y < size
    assert phantom.left_head[0] + phantom.left_radius < phantom.right_head[0] - phantom.right_radius


@pytest.mark.parametrize("seed", range(5))
def test_the_acetabulum_is_drawn_up_to_its_rim(seed: int) -> None:
    low, high = (hip_phantom(seed, 128, angle, 100).pixels[:, :, 0].astype(float) for angle in (90, 115))
    wide = hip_phantom(seed, 128, 103, 100)  # half-way between both rims
    x, y = (round(each - 0.5) for each in wide.left_rim)
    patch = (slice(y - 1, y + 2), slice(x - 1, x + 2))
    assert high[patch].mean() > low[patch].mean() + 5
    # Nothing but the left joint and what hangs on it has changed.
    assert np.abs(high - low)[:, 70:].max() <= 1


def test_angles_that_are_not_asked_for_are_alike_on_both_sides_and_part_in_two_classes() -> None:
    drawn = np.array([_measured(hip_phantom((7, TRAIN, i), 16)) for i in range(300)])
    assert drawn.min() >= 84.99
    assert drawn.max() <= 120.01
    assert 0.6 < np.corrcoef(drawn.T)[0, 1] < 0.9
    big = np.mean([hip_class(left, right) == "Big" for left, right in drawn])
    assert 0.3 < big < 0.7


def test_a_seed_gives_the_same_phantom_and_streams_have_none_in_common() -> None:
    first, again = hip_phantom((0, TRAIN, 3)), hip_phantom((0, TRAIN, 3))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.pixels[:, :, 0], first.pixels[:, :, 2])  # gray
    for stream in (TEST, READER):
        assert not np.array_equal(first.pixels, hip_phantom((0, stream, 3)).pixels)


@pytest.mark.parametrize(("size", "left", "message"), [(8, None, "8"), (64, 130.0, "130")])
def test_sizes_and_angles_out_of_range_are_refused(size: int, left: float | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        hip_phantom(0, size, left)


def test_captions_say_the_angles_and_are_read_back() -> None:
    assert hip_caption(112.03, 91.09) == PAPER
    assert parse_angles(PAPER) == (112.03, 91.09)
    assert parse_angles("Right angle: 91, left angle = 112.5") == (112.5, 91)
    assert parse_angles("an x-ray with left angle 100 degrees") is None
    assert parse_angles("left angle 400 degrees and right angle 91 degrees") is None
    assert parse_angles("a photo of a cat") is None


@given(st.floats(1, 179), st.floats(1, 179))
def test_every_caption_is_read_back_to_two_decimals(left: float, right: float) -> None:
    assert parse_angles(hip_caption(left, right)) == (round(left, 2), round(right, 2))


def test_the_wording_of_a_caption_takes_other_angles() -> None:
    assert wording(PAPER).format(left="100.00", right="99.5") == hip_caption(100, 99.5).replace(
        "99.50", "99.5"
    )
    odd = "right angle 91 {dog}, left angle 112"
    assert wording(odd).format(left="1", right="2") == "right angle 2 {dog}, left angle 1"


def test_the_worse_side_decides_the_class() -> None:
    assert (hip_class(112, 106), hip_class(112, 91), hip_class(105, 105)) == ("Big", "Small", "Big")
    assert hip_class(101, 101, threshold=100) == "Big"


def test_phantoms_are_imported_with_captions_and_classes(tmp_path: Path) -> None:
    source = Path("hip-phantom:train=6,test=4,size=32")
    assert detect(source) == "hip-phantom"
    assert load_importer("hip-phantom").class_names(source) == list(HIP)
    workspace = Workspace.create(tmp_path / "w", (), "hip")
    assert import_images(workspace, source).added == 10
    for split, count, stream in (("train", 6, TRAIN), ("test", 4, TEST)):
        images = catalog.find_images(workspace.db, split=split, origin="real")
        assert len(images) == count
        captions = catalog.captions(workspace.db, [image.id for image in images])
        said = labels.current(workspace.db, list(captions))
        for index, image in enumerate(images):
            phantom = hip_phantom((0, stream, index), 32)
            assert np.array_equal(workspace.images.read(image.sha256), phantom.pixels)
            assert captions[image.id] == phantom.caption
            assert HIP[said[image.id].class_index or 0] == hip_class(phantom.left_angle, phantom.right_angle)


def test_short_captions_fit_the_embedded_generators_text_encoder() -> None:
    from transformers import AutoTokenizer

    from synthaug.generators.folders import find_model

    items = list(load_importer("hip-phantom").items(Path("hip-phantom:train=3,test=0,size=16,short=1")))
    tokenizer = AutoTokenizer.from_pretrained(find_model("embedded").path / "tokenizer")
    for index, item in enumerate(items):
        phantom = hip_phantom((0, TRAIN, index), 16)
        assert item.caption is not None
        assert parse_angles(item.caption) == (phantom.left_angle, phantom.right_angle)
        assert len(tokenizer(item.caption).input_ids) <= tokenizer.model_max_length


def test_the_default_number_of_images_is_that_of_the_document() -> None:
    assert load_importer("hip-phantom").count(Path("hip-phantom")) == 219 + 100


@pytest.mark.parametrize("setting", ["train=many", "images=3", "train"])
def test_a_setting_that_is_not_known_is_named(setting: str) -> None:
    with pytest.raises(ImportFailed, match=setting):
        list(load_importer("hip-phantom").items(Path(f"hip-phantom:{setting}")))
