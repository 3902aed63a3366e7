"""Every exporter on real CR films: what holds 16 bits keeps them, what does not says so."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import data_store
import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
from PIL import Image

from synthaug.errors import UserError
from synthaug.stages.export import ExportResult, export, rebuild
from synthaug.stages.importing import import_images
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog
from synthaug.workspace import Workspace

DATA = Path(data_store.__file__).parent / "data"
FILMS = {"thorax": "RG1_UNCR.dcm", "tibia": "RG3_UNCR.dcm"}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A real thorax and a real tibia, one training image each."""
    root = tmp_path_factory.mktemp("films")
    for name, file in FILMS.items():
        (root / "source" / name).mkdir(parents=True)
        shutil.copy(DATA / file, root / "source" / name / "film.dcm")
    workspace = Workspace.create(root / "work", tuple(FILMS))
    import_images(workspace, root / "source", "folder", split="train")
    make_view(workspace, "films", ViewSpec())
    return workspace


def stored_values(name: str) -> np.ndarray:
    """What the DICOM file holds, by pydicom alone."""
    dataset = pydicom.dcmread(DATA / FILMS[name])
    return dataset.pixel_array & (2**dataset.BitsStored - 1)


def check(png: bytes, name: str) -> None:
    """The PNG is gray of 16 bits and holds the film's values."""
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode.startswith("I")
        np.testing.assert_array_equal(np.asarray(image), stored_values(name))


def test_a_folder_of_films_comes_back_as_the_same_images(films: Workspace, tmp_path: Path) -> None:
    result = export(films, tmp_path / "out", "folder", "films")
    assert result.films == 2
    for name in FILMS:
        (path,) = (tmp_path / "out" / "train" / name).glob("*.png")
        check(path.read_bytes(), name)
    again = Workspace.create(tmp_path / "again", tuple(FILMS))
    import_images(again, tmp_path / "out", "folder")
    for workspace in (films, again):
        assert catalog.usual_side(workspace.db) > 1000
    wanted, found = (
        {each.sha256 for each in catalog.find_images(workspace.db)} for workspace in (films, again)
    )
    assert found == wanted


def test_parquet_and_tar_hold_the_films(films: Workspace, tmp_path: Path) -> None:
    export(films, tmp_path / "parquet", "parquet", "films")
    rows = pq.read_table(tmp_path / "parquet" / "train-00000-of-00001.parquet").to_pylist()
    for row in rows:
        check(row["image"]["bytes"], list(FILMS)[row["label"]])
    export(films, tmp_path / "tar", "webdataset", "films")
    with tarfile.open(tmp_path / "tar" / "train-000000.tar") as shard:
        for key in ("00000000", "00000001"):
            said = json.load(shard.extractfile(f"{key}.json"))  # type: ignore[arg-type]
            check(shard.extractfile(f"{key}.png").read(), said["class_name"])  # type: ignore[union-attr]


def test_eight_bits_are_written_where_asked_and_rebuilt_alike(films: Workspace, tmp_path: Path) -> None:
    shown = export(films, tmp_path / "shown", "folder", "films", depth=8)
    assert shown.films == 0
    for path in (tmp_path / "shown").glob("train/*/*.png"):
        assert Image.open(path).mode == "RGB"
    deep = export(films, tmp_path / "deep", "folder", "films")
    for result in (shown, deep):
        assert isinstance(rebuild(films, result.manifest, tmp_path / f"{result.films}-again"), ExportResult)


@pytest.mark.parametrize("name", ["cifar10", "cifar10-binary"])
def test_cifar_says_what_it_lost(films: Workspace, tmp_path: Path, name: str) -> None:
    result = export(films, tmp_path / "out", name, "films")
    sizes = {each.shape[::-1] for each in map(stored_values, FILMS)}
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    assert (
        f"2 of 2 images were resized to 32 x 32 (the largest from {width} x {height}) at 8 bits"
        in result.note
    )
    with pytest.raises(UserError, match="use folder, parquet or webdataset"):
        export(films, tmp_path / "deep", name, "films", depth=16)


def test_another_depth_is_refused(films: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="8 or 16"):
        export(films, tmp_path / "out", "folder", "films", depth=12)


def test_films_are_fitted_at_224_px_and_sixteen_bits(films: Workspace) -> None:
    from synthaug.stages.quick_model import quick_model
    from synthaug.stages.train import load_dataset, resolve_recipe
    from synthaug.store import views

    view = views.by_name(films.db, "films")
    recipe = resolve_recipe(films, None)
    data = load_dataset(films, view, recipe)
    assert (recipe.name, data.inputs.shape, data.depth) == ("pretrained", (2, 224, 224, 3), 16)
    assert len(np.unique(data.inputs)) > 5000  # an 8-bit picture has 256 at most
    assert load_dataset(films, view, resolve_recipe(films, "linear")).depth == 16
    assert quick_model(films).metrics["image_size"] == 224
