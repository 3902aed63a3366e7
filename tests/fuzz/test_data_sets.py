"""CIFAR batches, tables beside images, images, and parquet."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st
from PIL import Image

from synthaug import cifar_pickle
from synthaug.errors import UserError
from synthaug.images import decode
from synthaug.importers import detect, load_importer
from synthaug.importers.cifar import CifarImporter
from synthaug.importers.folder import FolderImporter
from synthaug.importers.parquet import ParquetImporter
from tests.fuzz.harness import fuzz
from tests.fuzz.inputs import JSON, SCALARS, changed_bytes, changed_json


def png() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(out, "PNG")
    return out.getvalue()


def pickled(content: dict[str, object]) -> bytes:
    out = io.BytesIO()
    cifar_pickle.dump(content, out)
    return out.getvalue()


BATCH = pickled({"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1], "filenames": ["a", "b"]})
META = pickled({"label_names": ["cat", "dog"]})
RECORDS = bytes([0, *[1] * 3072, 1, *[2] * 3072])


def read_all(importer: object, source: Path) -> None:
    """Everything an import asks of an importer, in that order."""
    assert isinstance(importer, CifarImporter | FolderImporter | ParquetImporter)
    if importer.accepts(source):
        importer.count(source)
        importer.class_names(source)
        for item in importer.items(source):
            assert item.rejected or len(item.data)
            item.path.encode()


def test_python_batches(tmp_path: Path) -> None:
    def python_batches(batch: bytes, meta: bytes) -> None:
        (tmp_path / "data_batch_1").write_bytes(batch)
        (tmp_path / "batches.meta").write_bytes(meta)
        read_all(CifarImporter(), tmp_path)

    fuzz(
        python_batches,
        batch=changed_bytes(BATCH, 200) | st.binary(),
        meta=changed_bytes(META) | st.just(META),
    )


def test_binary_batches(tmp_path: Path) -> None:
    def binary_batches(batch: bytes, names: bytes) -> None:
        (tmp_path / "data_batch_1.bin").write_bytes(batch)
        (tmp_path / "batches.meta.txt").write_bytes(names)
        read_all(CifarImporter(), tmp_path)

    fuzz(
        binary_batches,
        batch=changed_bytes(RECORDS) | st.just(RECORDS),
        names=changed_bytes(b"cat\ndog\n") | st.binary(),
    )


def test_archives(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (("c/data_batch_1", BATCH), ("c/batches.meta", META)):
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))

    def archive_of_batches(data: bytes) -> None:
        (tmp_path / "x.tar").write_bytes(data)
        read_all(CifarImporter(), tmp_path / "x.tar")

    fuzz(archive_of_batches, data=changed_bytes(out.getvalue(), 1100))


CELLS = (
    st.sampled_from(["a.png", "cat/a.png", "cat", "", '"', ",", "\n", "\r", "\0", "é", "x" * 200_000])
    | st.text()
)
CSV = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=5).map(
    lambda rows: "\n".join(["file_name,label,text", *rows]).encode("utf-8", "surrogatepass")
)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "cat").mkdir()
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "cat" / "a.png").write_bytes(png())
    return tmp_path


def test_metadata_csv(pictures: Path) -> None:
    def metadata_csv(table: bytes) -> None:
        (pictures / "metadata.csv").write_bytes(table)
        read_all(FolderImporter(), pictures)

    fuzz(metadata_csv, table=CSV | st.binary() | CSV.flatmap(changed_bytes))


def test_metadata_jsonl(pictures: Path) -> None:
    def metadata_jsonl(table: str) -> None:
        (pictures / "metadata.jsonl").write_text(table, encoding="utf-8", errors="surrogatepass")
        read_all(FolderImporter(), pictures)

    row = {"file_name": "a.png", "label": "cat", "text": "a cat"}
    fuzz(metadata_jsonl, table=st.lists(changed_json(lambda: row), max_size=3).map("\n".join) | st.text())


SIMPLE = "int64 uint64 int8 string large_string binary float32 bool_ date64 null"
TYPES = st.sampled_from(
    [
        *(getattr(pa, name)() for name in SIMPLE.split()),
        pa.timestamp("ns"),
        pa.timestamp("s", "UTC"),
        pa.duration("us"),
        pa.decimal128(30, 2),
        pa.list_(pa.string()),
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        pa.struct([("bytes", pa.string())]),
        pa.dictionary(pa.int8(), pa.string()),
        pa.map_(pa.string(), pa.int8()),
    ]
)
COLUMNS = st.sampled_from(["image", "img", "label", "fine_label", "text", "caption", "class", "other"])
VALUES = SCALARS | st.binary(max_size=9) | st.just(png()) | st.just({"bytes": png(), "path": "a"})


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Tables with columns of any type under the names that mean something, and any metadata."""
    columns = {"image": pa.array([png()] * 2)} if draw(st.booleans()) else {}
    for name in draw(st.lists(COLUMNS, max_size=4, unique=True)):
        kind = draw(TYPES)
        try:
            columns[name] = pa.array(draw(st.lists(VALUES, min_size=2, max_size=2)), kind)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            columns[name] = pa.nulls(2, kind)
    metadata = draw(st.none() | JSON.map(lambda value: json.dumps(value).encode()) | FEATURES.map(str.encode))
    return pa.table(columns).replace_schema_metadata(metadata and {"huggingface": metadata})


FEATURES = changed_json(
    lambda: {
        "info": {
            "features": {
                "image": {"_type": "Image"},
                "label": {"_type": "ClassLabel", "names": ["cat", "dog"]},
            }
        }
    }
)


def test_parquet_of_any_type(tmp_path: Path) -> None:
    def parquet_of_any_type(table: pa.Table) -> None:
        try:
            pq.write_table(table, tmp_path / "train.parquet")
        except pa.ArrowException:
            return
        read_all(ParquetImporter(), tmp_path)

    fuzz(parquet_of_any_type, table=tables())


def test_damaged_parquet(tmp_path: Path) -> None:
    table = pa.table({"image": [png()] * 3, "label": [0, 1, 1], "text": ["a", "b", "c"]})
    pq.write_table(table, tmp_path / "train.parquet")
    whole = (tmp_path / "train.parquet").read_bytes()

    def damaged_parquet(data: bytes) -> None:
        (tmp_path / "train.parquet").write_bytes(data)
        read_all(ParquetImporter(), tmp_path)

    fuzz(damaged_parquet, data=changed_bytes(whole))


def image(data: bytes) -> None:
    pixels = decode(data)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3


def test_images() -> None:
    fuzz(image, data=changed_bytes(png()) | st.binary())


def test_sources_by_name() -> None:
    def source_by_name(name: str, form: str) -> None:
        if "\0" in name:
            return  # no argument of a command holds one
        try:
            importer = load_importer(form or detect(Path(name)))
            importer.class_names(Path(name))
        except OSError as error:  # what the command line explains
            raise UserError(str(error.strerror)) from error

    forms = st.sampled_from(["", "cifar10", "parquet", "folder"]) | st.text(max_size=5)
    fuzz(source_by_name, name=st.text(min_size=1).map(lambda name: "nowhere-" + name), form=forms)
