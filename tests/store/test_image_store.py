"""Images on disk: addressed by their pixels, whole or absent, with provenance inside."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthaug.errors import ImageRejected
from synthaug.store.image_store import ImageStore, write_atomically


def random_pixels(seed: int, height: int = 5, width: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_an_image_comes_back_as_it_went_in(tmp_path: Path) -> None:
    store, pixels = ImageStore(tmp_path), random_pixels(0)
    assert np.array_equal(store.read(store.put(pixels, {})), pixels)


def test_other_programs_can_read_the_pixels_and_the_provenance(tmp_path: Path) -> None:
    store, pixels = ImageStore(tmp_path), random_pixels(1)
    sha256 = store.put(pixels, {"Description": "a cat—on the sofa", "Origin": "synthetic"})
    with Image.open(store.path(sha256)) as image:
        assert np.array_equal(np.asarray(image), pixels)
        assert image.text["Description"] == "a cat—on the sofa"


def test_the_address_depends_on_pixels_and_shape_only(tmp_path: Path) -> None:
    store, pixels = ImageStore(tmp_path), random_pixels(2)
    assert store.put(pixels, {"a": "1"}) == store.put(pixels, {"a": "2"})
    assert store.put(pixels.reshape(7, 5, 3), {}) != store.put(pixels, {})


def test_a_review_copy_is_kept_under_the_same_address(tmp_path: Path) -> None:
    store, large = ImageStore(tmp_path), random_pixels(3, 64, 64)
    sha256 = store.put(random_pixels(4), {}, review=large)
    with Image.open(store.review_path(sha256)) as image:
        assert np.array_equal(np.asarray(image), large)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    sha256 = store.put(random_pixels(5), {})
    assert store.is_intact(sha256)
    Image.fromarray(random_pixels(6)).save(store.path(sha256))
    assert not store.is_intact(sha256)


def test_a_write_that_fails_leaves_neither_half_a_file_nor_a_trace(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):  # noqa: PT011  (a folder stands where the file should go)
        write_atomically(tmp_path / "taken", b"data")
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_the_address_is_a_sha256(tmp_path: Path) -> None:
    sha256 = ImageStore(tmp_path).put(random_pixels(7), {})
    assert len(sha256) == len(hashlib.sha256().hexdigest())
    assert set(sha256) <= set("0123456789abcdef")


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9]], ids=["emptied", "cut short"])
def test_a_file_damaged_by_a_power_cut_is_written_again(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    store, pixels = ImageStore(tmp_path), random_pixels(5)
    path = store.path(store.put(pixels, {}))
    path.write_bytes(damage(path.read_bytes()))
    assert np.array_equal(store.read(store.put(pixels, {})), pixels)


def test_a_flush_syncs_every_file_and_folder_since_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noting(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", noting)
    store = ImageStore(tmp_path / "images")
    paths = [store.path(store.put(random_pixels(seed), {})) for seed in (6, 7)]
    store.flush()
    wanted = {tmp_path / "images", *paths, *(path.parent for path in paths)}
    assert {Path(each) for each in synced} == wanted
    store.flush()
    assert len(synced) == len(wanted)


def test_a_link_in_a_workspace_of_another_does_not_give_away_files_of_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    store = ImageStore(tmp_path / "images")
    address = "aa" + "0" * 62
    store.path(address).parent.mkdir(parents=True)
    store.path(address).symlink_to(secret)
    with pytest.raises(ImageRejected, match="a link that leads out of the images"):
        store.png(address)
    store.review_path(address).parent.mkdir(parents=True, exist_ok=True)
    store.review_path(address).symlink_to(secret)
    with pytest.raises(ImageRejected, match="a link that leads out"):
        store.review_png(address)
    moved = tmp_path / "moved"  # the folder as a whole may be elsewhere
    (tmp_path / "images").rename(moved)
    (tmp_path / "images").symlink_to(moved)
    here = ImageStore(tmp_path / "images")
    sha256 = here.put(np.zeros((2, 2, 3), np.uint8), {})
    assert here.png(sha256) == (moved / sha256[:2] / f"{sha256}.png").read_bytes()
