"""What every exporter promises, whichever its format."""

from __future__ import annotations

import errno
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthaug.errors import ExportFailed, UnknownName, WorkspaceError
from synthaug.exporters import EXPORTERS, load_exporter
from synthaug.exporters.manifest import (
    Manifest,
    ManifestImage,
    atomic_directory,
    build_manifest,
    changed_files,
    file_hashes,
    read_manifest,
    recording,
    write_manifest,
)
from synthaug.images import pixel_hash
from synthaug.importers import load_importer
from synthaug.records import ExportItem, ImportItem

CLASSES = ["cat", "clock"]
MANIFEST_TEXT = """{
 "class_names": [
  "ä"
 ],
 "files": {
  "a": "1",
  "b": "2"
 },
 "format": "folder",
 "images": [
  {
   "label": 0,
   "origin": "synthetic",
   "provenance": {
    "prompt": "ü",
    "seed": 1
   },
   "sha256": "%s",
   "split": "train"
  }
 ],
 "manifest_version": 1,
 "synthaug_version": "0.3.0",
 "view": "v"
}
""" % ("0" * 64)
READ_BY = {"cifar10": "cifar", "cifar10-binary": "cifar", "folder": "folder", "parquet": "parquet"}

one_line = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=12
)
"""Class names that every format holds; only binary batches need them to be one line."""

every_format = pytest.mark.parametrize("name", EXPORTERS)
every_readable_format = pytest.mark.parametrize("name", READ_BY)


def item(seed: int, class_index: int = 0, split: str = "train", size: int = 32) -> ExportItem:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    provenance = {"prompt": f"a cat, no. {seed}", "seed": seed}
    return ExportItem(pixel_hash(pixels), pixels, class_index, split, "synthetic", provenance)


def some_items() -> list[ExportItem]:
    return [item(seed, seed % 2, "test" if seed % 3 == 0 else "train") for seed in range(13)]


def exported(directory: Path, name: str, items: list[ExportItem], classes: list[str]) -> Path:
    load_exporter(name).write(directory, iter(items), classes)
    return directory


def read_back(directory: Path, name: str) -> list[ImportItem]:
    return list(load_importer(READ_BY[name]).items(directory))


def content(found: list[ImportItem]) -> list[tuple[str, str | None, str | None]]:
    from synthaug.images import decode

    hashes = [pixel_hash(decode(each.data) if isinstance(each.data, bytes) else each.data) for each in found]
    return sorted(
        zip(hashes, [each.class_name for each in found], [each.split for each in found], strict=True)
    )


@every_format
def test_every_exporter_has_a_name_and_a_description(name: str) -> None:
    exporter = load_exporter(name)
    assert exporter.name == name
    assert exporter.description


@every_format
def test_the_same_items_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    first = exported(tmp_path / "a", name, some_items(), CLASSES)
    second = exported(tmp_path / "deeper" / "b", name, some_items(), CLASSES)
    assert file_hashes(first) == file_hashes(second) != {}


@every_format
def test_another_process_with_another_hash_seed_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from test_exporters import *\n"
        "exported(Path(sys.argv[2]), sys.argv[3], some_items(), CLASSES)"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path / "b"), name]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    assert file_hashes(exported(tmp_path / "a", name, some_items(), CLASSES)) == file_hashes(tmp_path / "b")


@every_readable_format
def test_an_export_can_be_imported_again(name: str, tmp_path: Path) -> None:
    items = some_items()
    found = read_back(exported(tmp_path / "out", name, items, CLASSES), name)
    assert content(found) == sorted((each.sha256, CLASSES[each.class_index], each.split) for each in items)
    assert load_importer(READ_BY[name]).class_names(tmp_path / "out") == CLASSES


@every_readable_format
def test_one_image(name: str, tmp_path: Path) -> None:
    only = item(5, 1, "test")
    found = read_back(exported(tmp_path / "out", name, [only], CLASSES), name)
    assert content(found) == [(only.sha256, "clock", "test")]


@every_format
def test_an_empty_set(name: str, tmp_path: Path) -> None:
    exported(tmp_path / "out", name, [], CLASSES)
    assert (tmp_path / "out").is_dir()


@every_readable_format
def test_class_names_of_every_kind(name: str, tmp_path: Path) -> None:
    classes = [
        "猫 🐈",
        "<b>bold</b>",
        "AC/DC",
        "..",
        'say "hi", twice',
        "it's",
        "C:\\con",
        "100%",
        "naïve",
        "Cat",
        "cat",
    ]
    items = [item(index, index) for index in range(len(classes))]
    found = read_back(exported(tmp_path / "out", name, items, classes), name)
    assert content(found) == sorted((each.sha256, classes[each.class_index], "train") for each in items)


@every_readable_format
@settings(max_examples=25, deadline=None)
@given(classes=st.lists(one_line, unique=True, min_size=1, max_size=4))
def test_any_class_name_survives(
    name: str, classes: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("export") / "out"
    items = [item(index, index) for index in range(len(classes))]
    found = read_back(exported(out, name, items, classes), name)
    assert content(found) == sorted((each.sha256, classes[each.class_index], "train") for each in items)


@every_format
def test_a_folder_that_holds_something_is_refused_and_left_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match=r"not empty .*thesis\.txt"):
        exported(tmp_path, name, some_items(), CLASSES)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@every_format
def test_a_class_that_does_not_exist_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="has the class index 2; there are 2 classes"):
        exported(tmp_path / "out", name, [item(0, 2)], CLASSES)


@every_format
def test_class_names_that_cannot_be_told_apart_or_written_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="must be different"):
        exported(tmp_path / "out", name, [], ["cat", "cat"])
    with pytest.raises(ExportFailed, match="not valid Unicode"):
        exported(tmp_path / "out", name, [], ["cat", "\ud800"])


@every_format
def test_items_are_taken_one_by_one(name: str, tmp_path: Path) -> None:
    def failing() -> Iterator[ExportItem]:
        yield item(0)
        raise KeyError("the store lost an image")

    with pytest.raises(KeyError, match="lost"):
        load_exporter(name).write(tmp_path / "out", failing(), CLASSES)


@pytest.mark.parametrize("name", ["cifar10", "cifar10-binary", "folder", "webdataset"])
def test_a_full_disk_says_so_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    """``/dev/full`` refuses every byte as a full disk does; a later file of the export leads there."""
    items = [item(0), item(1), item(2, split="test")]
    files = {
        "cifar10": "test_batch",
        "cifar10-binary": "test_batch.bin",
        "folder": f"train/cat/{items[1].sha256}.png",
        "webdataset": "test-000000.tar",
    }

    def filling_up(directory: Path) -> Iterator[ExportItem]:
        yield items[0]
        (directory / files[name]).symlink_to("/dev/full")
        yield from items[1:]

    with pytest.raises(WorkspaceError, match="the disk is full"):  # noqa: SIM117
        with atomic_directory(tmp_path / "out") as partial:
            load_exporter(name).write(partial, filling_up(partial), CLASSES)
    assert list(tmp_path.iterdir()) == []


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"no export format called 'tfrecord'.*'cifar10'.*'parquet'"):
        load_exporter("tfrecord")


def test_the_manifest_lists_every_image_and_every_file(tmp_path: Path) -> None:
    items, entries = some_items(), []
    load_exporter("folder").write(tmp_path / "out", recording(items, entries), CLASSES)
    manifest = build_manifest(
        tmp_path / "out", format_name="folder", view="balanced", class_names=CLASSES, images=entries
    )
    write_manifest(tmp_path / "out", manifest)
    read = read_manifest(tmp_path / "out" / "manifest.json")
    assert [image.sha256 for image in read.images] == [each.sha256 for each in items]
    assert read.images[3] == ManifestImage(
        items[3].sha256, 1, "test", "synthetic", {"prompt": "a cat, no. 3", "seed": 3}
    )
    paths = {path.relative_to(tmp_path / "out").as_posix(): path for path in _files(tmp_path / "out")}
    assert paths.pop("manifest.json")
    assert read.files == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
    assert changed_files(tmp_path / "out", read.files) == []


def test_the_manifest_notices_what_changed(tmp_path: Path) -> None:
    exported(tmp_path, "cifar10", some_items(), CLASSES)
    manifest = build_manifest(tmp_path, format_name="cifar10", view="v", class_names=CLASSES, images=[])
    (tmp_path / "data_batch_2").write_bytes(b"other")
    (tmp_path / "test_batch").unlink()
    (tmp_path / "notes.txt").write_text("not ours")
    assert changed_files(tmp_path, manifest.files) == ["data_batch_2", "test_batch"]


def test_a_manifest_is_one_stable_text(tmp_path: Path) -> None:
    image = ManifestImage("0" * 64, 0, "train", "synthetic", {"seed": 1, "prompt": "ü"})
    write_manifest(tmp_path, Manifest("0.3.0", "folder", "v", ("ä",), (image,), {"b": "2", "a": "1"}))
    assert (tmp_path / "manifest.json").read_text() == MANIFEST_TEXT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no manifest.json"),
        ("{", "not valid JSON"),
        ("[]", "should be an object"),
        (json.dumps({"manifest_version": 99}), "manifest_version 99"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ExportFailed, match=message):
        read_manifest(tmp_path / "manifest.json")


def test_an_export_appears_whole(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "out") as partial:
        (partial / "file").write_text("whole")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "file").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_may_be_the_destination(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with atomic_directory(tmp_path / "out") as partial:
        (partial / "file").write_text("whole")
    assert (tmp_path / "out" / "file").exists()


def test_an_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_directory(tmp_path / "out") as partial:  # noqa: PT012
        (partial / "file").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_destination_in_use_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WorkspaceError, match="not empty"), atomic_directory(tmp_path):
        pytest.fail("the block must not run")
    with pytest.raises(WorkspaceError, match="not a folder"), atomic_directory(tmp_path / "file"):
        pytest.fail("the block must not run")


def test_an_error_that_is_not_the_destinations_keeps_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="lost") as caught, atomic_directory(tmp_path / "out"):
        (tmp_path / "lost").read_bytes()
    assert caught.value.errno == errno.ENOENT
    assert list(tmp_path.iterdir()) == []
