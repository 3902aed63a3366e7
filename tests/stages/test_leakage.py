"""Near-duplicates of test images in a view are found, whatever was done to them; other images are not."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy.stats import pearsonr

from synthaug.errors import ViewError
from synthaug.records import Pixels
from synthaug.stages.leakage import check_leakage, thumbnails
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, views
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic


def recompressed(pixels: Pixels) -> Pixels:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


def brightened(pixels: Pixels) -> Pixels:
    return (pixels * 0.6 + 60).round().astype(np.uint8)


def noisy(pixels: Pixels) -> Pixels:
    added = np.random.default_rng(0).normal(0, 15, pixels.shape)
    return (pixels + added).clip(0, 255).astype(np.uint8)


@pytest.fixture
def test_pixels(digits: Workspace) -> list[Pixels]:
    return [digits.images.read(image.sha256) for image in catalog.find_images(digits.db, split="test")[:3]]


def test_changed_copies_of_test_images_are_found_with_their_originals(
    digits: Workspace, test_pixels: list[Pixels]
) -> None:
    changed = [
        change(each) for change, each in zip((recompressed, brightened, noisy), test_pixels, strict=True)
    ]
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    copies = add_synthetic(digits, 4, 8, pixels=[*changed, noise])
    make_view(digits, "leaking", ViewSpec(keep=dict.fromkeys(digits.classes, 1), add_synthetic={"8": 4}))
    found = check_leakage(digits, "leaking")
    assert (found.exact, found.checked) == ([], 14)
    originals = [image.id for image in catalog.find_images(digits.db, split="test")[:3]]
    pairs = {near.image_id: near.test_image_id for near in found.near}
    assert pairs == dict(zip(copies[:3], originals, strict=True))
    distances = [near.distance for near in found.near]
    assert distances == sorted(distances)
    assert all(0 < distance <= 0.4 for distance in distances)


def test_real_digits_hardly_repeat_one_another(digits: Workspace) -> None:
    make_view(digits, "all", ViewSpec())
    found = check_leakage(digits, "all")
    assert found.checked == 1297
    assert len(found.near) < 10


def test_a_view_leaves_out_what_nearly_repeats_a_test_image(
    digits: Workspace, test_pixels: list[Pixels]
) -> None:
    copy, fine = add_synthetic(
        digits, 2, 8, pixels=[brightened(test_pixels[0]), 255 - test_pixels[1].transpose(1, 0, 2)]
    )
    make_view(digits, "plain", ViewSpec())
    near = {each.image_id for each in check_leakage(digits, "plain").near}
    view = make_view(digits, "clean", ViewSpec(exclude_test_duplicates=True, add_synthetic={"8": 1}))
    held = {each.image_id for each in views.members(digits.db, view.id)}
    before = {each.image_id for each in views.members(digits.db, views.by_name(digits.db, "plain").id)}
    assert near
    assert held == before - near | {fine}
    assert not check_leakage(digits, "clean").near
    with pytest.raises(ViewError, match="2 synthetic images of '8' are needed, but there are 1"):
        make_view(digits, "x", ViewSpec(exclude_test_duplicates=True, add_synthetic={"8": 2}))
    (record,) = catalog.images_by_id(digits.db, [copy])
    with pytest.raises(ViewError, match=f"nearly repeat test images, the first is {record.sha256}"):
        make_view(digits, "x", ViewSpec(exclude_test_duplicates=True, images=(record.sha256,)))


def test_the_same_pixels_cannot_be_trained_on_and_tested(
    digits: Workspace, test_pixels: list[Pixels]
) -> None:
    (again,) = add_synthetic(digits, 1, 8, pixels=test_pixels[:1])
    assert (
        again == catalog.find_images(digits.db, split="test")[0].id
    )  # stored once, and it stays a test image
    (record,) = catalog.images_by_id(digits.db, [again])
    with pytest.raises(ViewError, match="belong to the test split"):
        views.create(digits.db, "x", {}, [(again, 8)])
    with pytest.raises(ViewError, match="belongs to the test split"):
        make_view(digits, "x", ViewSpec(images=(record.sha256,)))
    assert not views.all_views(digits.db)


def test_distances_are_those_of_the_correlation() -> None:
    one, other = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    ours = thumbnails(np.stack([one, other, np.full_like(one, 7)]))
    centred = [each - each.mean((0, 1)) for each in (one, other)]
    r = pearsonr(centred[0].ravel(), centred[1].ravel()).statistic
    assert np.linalg.norm(ours[0] - ours[1]) == pytest.approx(np.sqrt(2 * (1 - r)), abs=1e-5)
    assert not ours[2].any()


def test_an_image_without_contrast_is_near_to_none(digits: Workspace) -> None:
    flat = np.full((32, 32, 3), 90, np.uint8)
    catalog.add_image(
        digits.db,
        sha256=digits.images.put(flat, {}),
        size=(32, 32),
        split="test",
        origin="real",
        source="flat",
    )
    add_synthetic(digits, 1, 8, pixels=[flat + 1])
    make_view(digits, "flat", ViewSpec(keep=dict.fromkeys(digits.classes, 0), add_synthetic={"8": 1}))
    found = check_leakage(digits, "flat")
    assert (found.checked, found.near) == (1, [])


def test_views_that_cannot_be_checked_are_refused_with_the_reason(
    digits: Workspace, workspace: Workspace
) -> None:
    make_view(digits, "one", ViewSpec(keep=dict.fromkeys(digits.classes, 1)))
    with pytest.raises(ViewError, match="at least 0 and below 1"):
        check_leakage(digits, "one", threshold=1.5)
    (image,) = add_synthetic(workspace, 1, 8)
    views.create(workspace.db, "untested", {}, [(image, 8)])
    with pytest.raises(ViewError, match="at least 2 real test images, not 0"):
        check_leakage(workspace, "untested")
