"""Parquet as Hugging Face writes it, and as it should not be."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synthaug.errors import ImportFailed
from synthaug.images import decode
from synthaug.importers import detect
from synthaug.importers.parquet import ParquetImporter

CIFAR10 = Path(__file__).parents[2] / ".." / "shared" / "data" / "cifar10"


def png(value: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (value, 0, 0)).save(out, "PNG")
    return out.getvalue()


def by_datasets(path: Path, labels: list[int]) -> Path:
    """A file written by the ``datasets`` library itself."""
    from datasets import ClassLabel, Dataset, Features, Image, Value

    features = Features({"img": Image(), "label": ClassLabel(names=["cat", "猫"]), "text": Value("string")})
    rows = [{"bytes": png(index), "path": f"{index}.png"} for index in range(len(labels))]
    captions = [f"caption {index}" for index in range(len(labels))]
    columns = {"img": rows, "label": labels, "text": captions}
    path.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_dict(columns, features=features).to_parquet(str(path))
    return path


def test_files_written_by_datasets_are_read(tmp_path: Path) -> None:
    by_datasets(tmp_path / "data/train-00000-of-00002.parquet", [0, 1])
    by_datasets(tmp_path / "data/train-00001-of-00002.parquet", [1])
    by_datasets(tmp_path / "data/test-00000-of-00001.parquet", [-1])
    importer = ParquetImporter()
    assert detect(tmp_path) == "parquet"
    assert importer.class_names(tmp_path) == ["cat", "猫"]
    assert importer.count(tmp_path) == 4
    found = list(importer.items(tmp_path))
    assert [(item.class_name, item.split) for item in found] == [
        (None, "test"),
        ("cat", "train"),
        ("猫", "train"),
        ("猫", "train"),
    ]
    assert found[2].path == "data/train-00000-of-00002.parquet#1"
    assert found[2].caption == "caption 1"
    assert found[2].metadata == {"path": "1.png"}
    assert decode(found[2].data)[0, 0].tolist() == [1, 0, 0]


def test_one_file(tmp_path: Path) -> None:
    path = by_datasets(tmp_path / "pets.parquet", [0, 1])
    assert detect(path) == "parquet"
    assert [(item.path, item.split) for item in ParquetImporter().items(path)] == [
        ("pets.parquet#0", None),
        ("pets.parquet#1", None),
    ]


def test_many_row_groups_come_in_order(tmp_path: Path) -> None:
    images = [{"bytes": png(index % 256), "path": None} for index in range(700)]
    table = pa.table({"image": images, "label": [str(index) for index in range(700)]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=90)
    found = list(ParquetImporter().items(tmp_path))
    assert [item.class_name for item in found] == [str(index) for index in range(700)]
    assert found[513].data == png(1)


def test_rows_without_an_image_or_with_a_wrong_label_are_rejected_one_by_one(tmp_path: Path) -> None:
    path = by_datasets(tmp_path / "x.parquet", [0, 1, 0, 1])
    schema = pq.read_schema(path)
    images = [
        {"bytes": png(0), "path": None},
        None,
        {"bytes": None, "path": "/etc/passwd"},
        {"bytes": png(1)},
    ]
    rows = [{"img": image, "label": label} for image, label in zip(images, [0, 1, 0, 7], strict=True)]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    found = list(ParquetImporter().items(path))
    assert [item.rejected for item in found] == [
        "",
        "the row contains no image bytes",
        "the row contains no image bytes, only the path '/etc/passwd'",
        "label 7 is not one of the 2 classes",
    ]
    assert [bool(item.data) for item in found] == [True, False, False, False]


def test_plain_files_of_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [png(3)], "label": [5]}), tmp_path / "test.parquet")
    [item] = ParquetImporter().items(tmp_path)
    assert (item.class_name, item.class_index, item.split, item.rejected) == (None, 5, "test", "")
    assert ParquetImporter().class_names(tmp_path) is None


def test_tables_without_images_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    with pytest.raises(ImportFailed, match=r"no image column .* its columns are \['a'\]"):
        list(ParquetImporter().items(tmp_path))
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ImportFailed, match="not a readable parquet file"):
        list(ParquetImporter().items(tmp_path))
    with pytest.raises(ImportFailed, match=r"no \.parquet file"):
        list(ParquetImporter().items(tmp_path / "missing.parquet"))


def test_a_damaged_file_says_how_far_it_was_read(tmp_path: Path) -> None:
    path = by_datasets(tmp_path / "x.parquet", [0, 1] * 50)
    data = bytearray(path.read_bytes())
    data[4:200] = bytes(196)
    path.write_bytes(data)
    with pytest.raises(ImportFailed, match=r"x\.parquet"):
        list(ParquetImporter().items(path))


def test_a_column_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"image": [png(0)], "zqzq": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"zqzq", b"\x80qzq"))
    with pytest.raises(ImportFailed, match="not a readable parquet file"):
        ParquetImporter().count(path)


@pytest.mark.external
@pytest.mark.skipif(not CIFAR10.is_dir(), reason="../shared/data/cifar10 is not here")
def test_the_real_cifar10() -> None:
    importer = ParquetImporter()
    assert importer.count(CIFAR10) == 60_000
    names = importer.class_names(CIFAR10)
    assert names is not None
    assert (len(names), names[3]) == (10, "cat")
    items = importer.items(CIFAR10)
    first = [next(items) for _ in range(300)]
    assert {item.split for item in first} == {"test"}
    assert all(item.metadata["path"].startswith(f"{item.class_name}/") for item in first)
    assert np.stack([decode(item.data) for item in first]).shape == (300, 32, 32, 3)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("text", pa.array([["a", "b"]]), "caption column 'text' of the type list<.*it must contain text"),
        ("text", pa.array([3]), "caption column 'text' of the type int64"),
        ("text", pa.array([b"x"]), "caption column 'text' of the type binary"),
        ("label", pa.array([2**62], pa.timestamp("ns")), "label column 'label' of the type timestamp"),
        (
            "label",
            pa.array([0.5]),
            "label column 'label' of the type double; it must contain whole numbers or text",
        ),
        ("label", pa.array([{"a": 1}]), "label column 'label' of the type struct"),
    ],
)
def test_a_column_of_another_type_is_named(
    column: str, values: pa.Array, message: str, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"image": [png(3)], column: values}), tmp_path / "x.parquet")
    for use in (
        lambda: list(ParquetImporter().items(tmp_path)),
        lambda: ParquetImporter().class_names(tmp_path),
    ):
        with pytest.raises(ImportFailed, match=message):
            use()


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        (b"[", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[]", "should be an object"),
        (b'{"info": 3}', "info: "),
        (b'{"info": {"features": 3}}', "features"),
        (b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}', "the names of 'label'"),
        (b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": [1]}}}}', "the names of 'label'"),
        (b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}', "the names of 'label'"),
    ],
)
def test_broken_feature_metadata_is_named(recorded: bytes, message: str, tmp_path: Path) -> None:
    table = pa.table({"image": [png(3)], "label": [0]}).replace_schema_metadata({"huggingface": recorded})
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(ImportFailed, match=rf"the Hugging Face metadata of .*{message}"):
        list(ParquetImporter().items(tmp_path))


def test_features_that_say_nothing_are_passed_over(tmp_path: Path) -> None:
    for number, recorded in enumerate([b"{}", b'{"info": {}}', b'{"info": {"features": null}}']):
        table = pa.table({"image": [png(3)], "label": ["cat"]}).replace_schema_metadata(
            {"huggingface": recorded}
        )
        pq.write_table(table, tmp_path / f"{number}.parquet")
    assert [item.class_name for item in ParquetImporter().items(tmp_path)] == ["cat"] * 3
