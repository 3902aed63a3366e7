"""An image whose file is gone or damaged is named by every stage that reads it, with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from synthaug.errors import ImageLost, UnknownName
from synthaug.stages.export import export
from synthaug.stages.importing import import_images
from synthaug.stages.pixels import read_image
from synthaug.stages.train import train
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog
from synthaug.workspace import Workspace
from tests.files import cut

Damage = Callable[[Path], object]


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    cut(path, 0)


def truncate(path: Path) -> None:
    cut(path, -40)


DAMAGES = pytest.mark.parametrize("damage", [remove, empty, truncate])


@pytest.fixture
def lost(digits: Workspace) -> Callable[[Damage], str]:
    """Damages the first training image; what must be said of it."""
    make_view(digits, "all", ViewSpec())
    image = catalog.find_images(digits.db, split="train")[0]
    path = digits.images.path(image.sha256)

    def harm(damage: Damage) -> str:
        damage(path)
        return (
            rf"image {image.id}, {re.escape(str(path))}, is (missing|damaged .*); import {image.source} again"
        )

    return harm


@DAMAGES
def test_export_names_it(
    digits: Workspace, lost: Callable[[Damage], str], damage: Damage, tmp_path: Path
) -> None:
    with pytest.raises(ImageLost, match=lost(damage)):
        export(digits, tmp_path / "out", "folder", "all")
    assert not (tmp_path / "out").exists()


@DAMAGES
def test_train_names_it(digits: Workspace, lost: Callable[[Damage], str], damage: Damage) -> None:
    with pytest.raises(ImageLost, match=lost(damage)):
        train(digits, "all")


def test_importing_again_mends_it(digits: Workspace, lost: Callable[[Damage], str]) -> None:
    lost(truncate)
    import_images(digits, "digits")
    for image in catalog.find_images(digits.db):
        assert digits.images.is_intact(image.sha256)


def test_an_image_that_never_was_here(digits: Workspace) -> None:
    with pytest.raises(UnknownName, match=r"there is no image 'f{64}'"):
        read_image(digits, "f" * 64)
