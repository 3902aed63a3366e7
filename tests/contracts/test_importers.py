"""What every importer promises, whichever its format."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synthaug.errors import ImageRejected, ImportFailed, UnknownName
from synthaug.images import decode
from synthaug.importers import ALIASES, IMPORTERS, detect, load_importer
from synthaug.records import ImportItem, Pixels

COUNT = 6


def pixels(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def png(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels(seed)).save(out, "PNG")
    return out.getvalue()


def folder(root: Path) -> Path:
    for seed in range(COUNT):
        path = root / ("train" if seed else "test") / "ab"[seed % 2] / f"{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(seed))
    return root


def parquet(root: Path) -> Path:
    rows = [{"bytes": png(seed), "path": f"{seed}.png"} for seed in range(COUNT)]
    root.mkdir()
    pq.write_table(pa.table({"image": rows, "label": ["a", "b"] * (COUNT // 2)}), root / "train.parquet")
    return root


def cifar(root: Path) -> Path:
    root.mkdir()
    rows = np.stack([pixels(seed).transpose(2, 0, 1).ravel() for seed in range(COUNT)])
    batch = {b"data": rows, b"labels": [seed % 2 for seed in range(COUNT)]}
    (root / "data_batch_1").write_bytes(pickle.dumps(batch, protocol=2))
    (root / "batches.meta").write_bytes(pickle.dumps({b"label_names": [b"a", b"b"]}, protocol=2))
    return root


def image(root: Path) -> Path:
    root.mkdir()
    (root / "one.png").write_bytes(png(0))
    return root / "one.png"


SOURCES: dict[str, Callable[[Path], Path]] = {
    "digits": lambda root: Path("digits"),
    "hip-phantom": lambda root: Path("hip-phantom"),
    "folder": folder,
    "image": image,
    "parquet": parquet,
    "cifar": cifar,
}
FILES = ("folder", "parquet", "cifar")  # the others come with a package

every_importer = pytest.mark.parametrize("name", IMPORTERS)
every_file_importer = pytest.mark.parametrize("name", FILES)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sources")
    return {name: make(root / name) for name, make in SOURCES.items()}


def read(name: str, source: Path) -> list[ImportItem]:
    return list(load_importer(name).items(source))


def content(item: ImportItem) -> Pixels:
    return decode(item.data) if isinstance(item.data, bytes) else item.data


def test_every_importer_has_a_source_here() -> None:
    assert set(SOURCES) == set(IMPORTERS)
    assert set(ALIASES.values()) <= set(IMPORTERS)


@every_importer
def test_an_importer_is_found_by_its_name(name: str) -> None:
    importer = load_importer(name)
    assert importer.name == name
    assert importer.description


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UnknownName, match="folder"):
        load_importer("tiff-stack")


@every_importer
def test_an_importer_accepts_its_own_source_and_no_other(name: str, sources: dict[str, Path]) -> None:
    assert detect(sources[name]) == name
    importer = load_importer(name)
    others = [sources[other] for other in IMPORTERS if other != name and other != "folder"]
    if name != "folder":  # which takes any folder that has images
        assert not any(importer.accepts(other) for other in others)


@every_importer
def test_accepts_does_not_raise_for_missing_or_foreign_sources(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no image")
    (tmp_path / "bytes").write_bytes(bytes(range(256)))
    importer = load_importer(name)
    for source in ("missing", "text.txt", "bytes", "a\nb"):
        assert importer.accepts(tmp_path / source) is False
    assert importer.accepts(tmp_path / "empty") is (name == "folder")  # which says that it found no images


@every_importer
def test_the_order_is_fixed_and_the_count_is_true(name: str, sources: dict[str, Path]) -> None:
    first, second = read(name, sources[name]), read(name, sources[name])
    assert [(each.path, each.class_name, each.split) for each in first] == [
        (each.path, each.class_name, each.split) for each in second
    ]
    assert all(np.array_equal(content(a), content(b)) for a, b in zip(first[:COUNT], second, strict=False))
    assert load_importer(name).count(sources[name]) in (None, len(first))
    assert len({each.path for each in first}) == len(first)


@every_importer
def test_items_come_before_the_whole_source_is_read(name: str, sources: dict[str, Path]) -> None:
    items = iter(load_importer(name).items(sources[name]))
    assert content(next(items)).dtype == np.uint8


@every_importer
def test_classes_are_named_once_and_items_use_these_names(name: str, sources: dict[str, Path]) -> None:
    names = load_importer(name).class_names(sources[name])
    used = {each.class_name for each in read(name, sources[name])} - {None}
    if names is not None:
        assert len(set(names)) == len(names)
        assert used <= set(names)
    for each in read(name, sources[name]):
        assert each.split in (None, "train", "test")


@every_importer
def test_an_importer_can_read_only_some_images(name: str, sources: dict[str, Path]) -> None:
    importer, everything = load_importer(name), read(name, sources[name])
    chosen = everything[-1]
    for only in ((), (chosen.path,)):
        found = list(importer.items(sources[name], only=only))
        assert [(each.path, each.class_name, each.split) for each in found] == [
            (each.path, each.class_name, each.split) for each in everything
        ]
    assert np.array_equal(content(found[-1]), content(chosen))


@every_file_importer
def test_images_that_are_not_requested_are_not_read(name: str, tmp_path: Path) -> None:
    source = SOURCES[name](tmp_path / "source")
    found = list(load_importer(name).items(source, only=()))
    assert len(found) == COUNT
    assert all(not each.rejected for each in found)
    if name != "cifar":  # whose images are read with their labels
        assert all(each.data == b"" for each in found)


@every_file_importer
def test_every_pixel_arrives(name: str, sources: dict[str, Path]) -> None:
    found = {content(each).tobytes(): each.class_name for each in read(name, sources[name])}
    assert found == {pixels(seed).tobytes(): "ab"[seed % 2] for seed in range(COUNT)}


@every_file_importer
def test_a_source_that_cannot_be_read_raises_import_failed(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed):
        read(name, tmp_path / "missing")


def cut(name: str, source: Path) -> None:
    """Damage the second entry of a source."""
    if name == "folder":
        damaged = sorted(source.rglob("*.png"))[1]
        damaged.write_bytes(damaged.read_bytes()[:50])
    else:
        table = pq.read_table(source / "train.parquet").to_pylist()
        table[1]["image"]["bytes"] = table[1]["image"]["bytes"][:50]
        pq.write_table(pa.Table.from_pylist(table), source / "train.parquet")


def readable(item: ImportItem) -> bool:
    """Whether an entry can be used; an importer may leave it to the decoder to say no."""
    try:
        return not item.rejected and content(item).shape == (32, 32, 3)
    except ImageRejected:
        return False


@pytest.mark.parametrize("name", ["folder", "parquet"])
def test_one_bad_entry_does_not_affect_the_others(name: str, tmp_path: Path) -> None:
    source = SOURCES[name](tmp_path / "source")
    cut(name, source)
    found = read(name, source)
    assert len(found) == COUNT
    assert sum(readable(each) for each in found) == COUNT - 1
