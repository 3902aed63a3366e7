"""Parquet and WebDataset exports, read by Hugging Face's ``datasets``, offline."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from synthaug.exporters import load_exporter
from synthaug.images import decode, pixel_hash
from synthaug.records import ExportItem

CLASSES = ["cat", 'cl"o"ck <b>', "猫"]


def items() -> list[ExportItem]:
    made = []
    for seed in range(8):
        pixels = np.random.default_rng(seed).integers(0, 256, (12, 10, 3), dtype=np.uint8)
        split = "test" if seed > 4 else "train"
        made.append(
            ExportItem(pixel_hash(pixels), pixels, seed % 3, split, "synthetic", {"prompt": f"prompt {seed}"})
        )
    return made


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


def load(directory: Path, kind: str, cache: Path) -> object:
    from datasets import load_dataset

    return load_dataset(kind, data_dir=str(directory), cache_dir=str(cache))


def test_load_dataset_sees_images_and_class_names(tmp_path: Path) -> None:
    load_exporter("parquet").write(tmp_path / "out", items(), CLASSES)
    found = load(tmp_path / "out", "parquet", tmp_path / "cache")
    assert found["train"].features["label"].names == CLASSES
    assert type(found["train"].features["image"]).__name__ == "Image"
    for split in ("train", "test"):
        expected = [each for each in items() if each.split == split]
        assert [pixel_hash(np.asarray(row["image"])) for row in found[split]] == [e.sha256 for e in expected]
        assert found[split]["label"][:] == [each.class_index for each in expected]
        assert found[split]["text"][:] == [each.provenance["prompt"] for each in expected]
        assert [json.loads(text) for text in found[split]["provenance"]] == [
            dict(e.provenance) for e in expected
        ]


def test_dataset_from_parquet(tmp_path: Path) -> None:
    from datasets import Dataset

    load_exporter("parquet").write(tmp_path / "out", items(), CLASSES)
    path = str(tmp_path / "out" / "test-00000-of-00001.parquet")
    found = Dataset.from_parquet(path, cache_dir=str(tmp_path / "cache"))
    assert found.features["label"].int2str(2) == "猫"
    assert np.array_equal(np.asarray(found[0]["image"]), items()[5].pixels)


def test_a_split_without_images_still_names_its_classes(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    load_exporter("parquet").write(tmp_path, [], CLASSES)
    file = pq.ParquetFile(tmp_path / "test-00000-of-00001.parquet")
    assert file.metadata.num_rows == 0
    recorded = json.loads(file.schema_arrow.metadata[b"huggingface"])
    assert recorded["info"]["features"]["label"] == {"names": CLASSES, "_type": "ClassLabel"}


def test_webdataset_is_read_by_datasets(tmp_path: Path) -> None:
    load_exporter("webdataset").write(tmp_path / "out", items(), CLASSES)
    found = load(tmp_path / "out", "webdataset", tmp_path / "cache")
    expected = [each for each in items() if each.split == "train"]
    assert [pixel_hash(np.asarray(row["png"])) for row in found["train"]] == [e.sha256 for e in expected]
    assert [row["cls"] for row in found["train"]] == [each.class_index for each in expected]
    assert [row["json"]["class_name"] for row in found["train"]] == [CLASSES[e.class_index] for e in expected]


def test_webdataset_keeps_a_sample_together(tmp_path: Path) -> None:
    load_exporter("webdataset").write(tmp_path, items(), CLASSES)
    with tarfile.open(tmp_path / "train-000000.tar") as shard:
        assert shard.getnames()[:4] == ["00000000.png", "00000000.cls", "00000000.json", "00000001.png"]
        assert {member.mtime for member in shard} == {0}
        first = shard.extractfile("00000000.png")
        assert first is not None
        assert np.array_equal(decode(first.read()), items()[0].pixels)
