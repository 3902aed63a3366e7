"""ImageFolder exports, read by torchvision and Hugging Face."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from synthaug.errors import ExportFailed
from synthaug.exporters import load_exporter
from synthaug.exporters.folder import folder_names
from synthaug.images import pixel_hash
from synthaug.importers.folder import FolderImporter
from synthaug.records import ExportItem

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
awkward = st.sampled_from(
    ["", ".", "..", "CON", "con", "nul.txt", "a/b", "a\\b", "%41", "A", "a ", "é", "É", "猫"]
)


def item(seed: int, class_index: int, split: str = "train") -> ExportItem:
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    provenance = {"prompt": 'a "quoted", prompt', "annotators": ["ann"]}
    return ExportItem(pixel_hash(pixels), pixels, class_index, split, "synthetic", provenance)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(names, awkward), unique=True, max_size=12))
@example(["Con", "con", "CON", "cOn"])
@example(["..", ".", "", "%", "%%", "%25"])
def test_folder_names_are_safe_distinct_and_reversible(classes: list[str]) -> None:
    folders = folder_names(classes)
    assert len({folder.casefold() for folder in folders}) == len(classes)
    for folder, name in zip(folders, classes, strict=True):
        assert Path(folder).name == folder != ".."
        assert folder.isascii()
        assert not set(folder) & set('<>:"/\\|?*\x00')
        assert folder.upper().split(".")[0] not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
        assert folder[0] not in ". "
        assert folder[-1] not in ". "
        from synthaug.importers.folder import _class_name

        assert _class_name(folder) == name


def test_ordinary_names_stay_readable() -> None:
    assert folder_names(["Maine coon", "AC/DC", "hip (left)"]) == ["Maine coon", "AC%2FDC", "hip (left)"]


def test_a_name_too_long_for_a_folder_is_refused() -> None:
    with pytest.raises(ExportFailed, match="at most 240"):
        folder_names(["猫" * 50])


@settings(max_examples=20, deadline=None)
@given(classes=st.lists(st.one_of(names, awkward), unique=True, min_size=1, max_size=4))
def test_any_class_names_survive_the_round_trip(
    classes: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("export") / "out"
    items = [item(index, index) for index in range(len(classes))]
    load_exporter("folder").write(out, items, classes)
    found = {each.class_name for each in FolderImporter().items(out)}
    assert found == set(classes) == set(FolderImporter().class_names(out) or [])


def test_torchvisions_image_folder_reads_each_split(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    items = [item(seed, seed % 2, "test" if seed > 5 else "train") for seed in range(9)]
    load_exporter("folder").write(tmp_path, items, ["cat", "clock"])
    for split in ("train", "test"):
        found = ImageFolder(tmp_path / split)
        assert found.classes == ["cat", "clock"]
        expected = {(each.sha256, each.class_index) for each in items if each.split == split}
        assert {(pixel_hash(np.asarray(image)), label) for image, label in found} == expected


def test_a_class_without_images_keeps_its_folder_in_every_split(tmp_path: Path) -> None:
    load_exporter("folder").write(tmp_path, [item(0, 2), item(1, 0, "test")], ["a", "b", "c"])
    assert [path.name for path in sorted((tmp_path / "train").iterdir())] == ["a", "b", "c"]
    assert [path.name for path in sorted((tmp_path / "test").iterdir())] == ["a", "b", "c"]
    assert FolderImporter().class_names(tmp_path) == ["a", "b", "c"]


def test_metadata_has_the_true_name_and_the_provenance(tmp_path: Path) -> None:
    made = item(4, 0, "test")
    load_exporter("folder").write(tmp_path, [made], ['a "b", c/d'])
    with (tmp_path / "metadata.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["label"] == 'a "b", c/d'
    assert (row["split"], row["origin"], row["sha256"]) == ("test", "synthetic", made.sha256)
    assert row["text"] == 'a "quoted", prompt'
    assert json.loads(row["provenance"]) == dict(made.provenance)
    with Image.open(tmp_path / row["file_name"]) as image:
        assert np.array_equal(np.asarray(image), made.pixels)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''-"])
def test_a_spreadsheet_runs_no_class_name(tmp_path: Path, name: str) -> None:
    load_exporter("folder").write(tmp_path, [item(0, 0)], [name])
    with (tmp_path / "metadata.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["label"] == f"'{name}"
    assert [each.class_name for each in FolderImporter().items(tmp_path)] == [name]


def test_an_image_that_a_set_holds_twice_is_written_twice(tmp_path: Path) -> None:
    load_exporter("folder").write(tmp_path, [item(0, 0), item(0, 0)], ["cat"])
    assert len(list((tmp_path / "train" / "cat").iterdir())) == 2
