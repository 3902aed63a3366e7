"""CIFAR exports, read by readers that are not ours."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from synthaug.errors import ExportFailed
from synthaug.exporters import load_exporter
from synthaug.exporters.manifest import build_manifest, recording, write_manifest
from synthaug.images import pixel_hash
from synthaug.records import ExportItem

CLASSES = ["cat", "猫 <b>", "clock"]


def items(train: int = 12, test: int = 3, size: int = 32) -> list[ExportItem]:
    rng = np.random.default_rng(3)
    found = []
    for index in range(train + test):
        pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
        split = "train" if index < train else "test"
        found.append(ExportItem(pixel_hash(pixels), pixels, index % 3, split, "real"))
    return found


def unpickle(path: Path, encoding: str = "bytes") -> dict:
    """The reader on https://www.cs.toronto.edu/~kriz/cifar.html, word for word."""
    with path.open("rb") as file:
        return pickle.load(file, encoding=encoding)


def test_the_published_reader_sees_the_published_layout(tmp_path: Path) -> None:
    made = items()
    load_exporter("cifar10").write(tmp_path, made, CLASSES)
    batches = [unpickle(tmp_path / f"data_batch_{number}") for number in range(1, 6)]
    assert [set(batch) for batch in batches] == [{b"batch_label", b"labels", b"data", b"filenames"}] * 5
    assert [batch[b"batch_label"] for batch in batches] == [
        b"training batch %d of 5" % n for n in range(1, 6)
    ]
    data = np.concatenate([batch[b"data"] for batch in batches])
    assert (data.shape, data.dtype) == ((12, 3072), np.uint8)
    for row, item in zip(data, made, strict=False):
        planes = [item.pixels[:, :, channel].ravel() for channel in range(3)]  # red, green, blue, row by row
        assert np.array_equal(row, np.concatenate(planes))
    assert [label for batch in batches for label in batch[b"labels"]] == [i.class_index for i in made[:12]]
    assert batches[0][b"filenames"][0] == f"{made[0].sha256}.png".encode()
    test = unpickle(tmp_path / "test_batch")
    assert test[b"batch_label"] == b"testing batch 1 of 1"
    assert test[b"data"].shape == (3, 3072)
    meta = unpickle(tmp_path / "batches.meta")
    assert meta == {b"num_cases_per_batch": 3, b"label_names": [b"cat", "猫 <b>", b"clock"], b"num_vis": 3072}


def test_torchvisions_own_class_reads_it_given_the_file_list(tmp_path: Path) -> None:
    from torchvision.datasets import CIFAR10

    class AnyCIFAR10(CIFAR10):
        base_folder = ""
        train_list = tuple((name, None) for name, _ in CIFAR10.train_list)
        test_list = tuple((name, None) for name, _ in CIFAR10.test_list)
        meta: ClassVar[dict] = {**CIFAR10.meta, "md5": None}

        def _check_integrity(self) -> bool:
            return True

    made = items()
    load_exporter("cifar10").write(tmp_path, made, CLASSES)
    train, test = AnyCIFAR10(tmp_path, train=True), AnyCIFAR10(tmp_path, train=False)
    assert train.classes == CLASSES
    assert np.array_equal(train.data, np.stack([item.pixels for item in made[:12]]))
    assert train.targets == [item.class_index for item in made[:12]]
    assert np.array_equal(np.asarray(test[1][0]), made[13].pixels)


def test_a_batch_has_the_opcodes_of_the_published_batches(tmp_path: Path) -> None:
    """Python 2 strings, so that both encodings work; protocol 2; nothing but numpy's array by name."""
    import pickletools

    load_exporter("cifar10").write(tmp_path, items(), CLASSES)
    opcodes = list(pickletools.genops((tmp_path / "data_batch_1").read_bytes()))
    assert opcodes[0][1] == 2
    names = {opcode.name for opcode, _, _ in opcodes}
    assert "SHORT_BINSTRING" in names
    assert not names & {"BINUNICODE", "BINBYTES", "SHORT_BINBYTES"}
    assert {argument for opcode, argument, _ in opcodes if opcode.name == "GLOBAL"} == {
        "numpy.core.multiarray _reconstruct",
        "numpy ndarray",
        "numpy dtype",
    }


def test_the_binary_layout(tmp_path: Path) -> None:
    made = items()
    load_exporter("cifar10-binary").write(tmp_path, made, CLASSES)
    data = b"".join((tmp_path / f"data_batch_{number}.bin").read_bytes() for number in range(1, 6))
    records = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3073)
    assert records[:, 0].tolist() == [item.class_index for item in made[:12]]
    assert np.array_equal(records[4, 1:1025].reshape(32, 32), made[4].pixels[:, :, 0])
    assert np.array_equal(records[4, 2049:].reshape(32, 32), made[4].pixels[:, :, 2])
    assert (tmp_path / "test_batch.bin").stat().st_size == 3 * 3073
    assert (tmp_path / "batches.meta.txt").read_text(encoding="utf-8") == "cat\n猫 <b>\nclock\n"


def test_a_train_split_is_spread_evenly_in_order(tmp_path: Path) -> None:
    load_exporter("cifar10").write(tmp_path, items(train=12), CLASSES)
    sizes = [len(unpickle(tmp_path / f"data_batch_{number}")[b"labels"]) for number in range(1, 6)]
    assert sum(sizes) == 12
    assert max(sizes) - min(sizes) <= 1


def test_other_sizes_are_reduced_with_antialiasing(tmp_path: Path) -> None:
    checkers = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)[:, :, None].repeat(3, axis=2)
    load_exporter("cifar10").write(tmp_path, [ExportItem("0" * 64, checkers, 0, "test", "real")], CLASSES)
    data = unpickle(tmp_path / "test_batch")[b"data"]
    assert data.shape == (1, 3072)
    assert np.abs(data.astype(int) - 127).max() <= 8


def test_more_classes_than_ten(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    item = ExportItem("0" * 64, pixels, 255, "train", "real")
    classes = [f"class {index}" for index in range(256)]
    for name in ("cifar10", "cifar10-binary"):
        load_exporter(name).write(tmp_path / name, [item], classes)
    labels = [
        label for n in range(1, 6) for label in unpickle(tmp_path / "cifar10" / f"data_batch_{n}")[b"labels"]
    ]
    assert labels == [255]
    records = b"".join(
        (tmp_path / "cifar10-binary" / f"data_batch_{n}.bin").read_bytes() for n in range(1, 6)
    )
    assert records[0] == 255
    last = ExportItem("0" * 64, pixels, 9_999, "test", "real")
    many = [f"class {index}" for index in range(10_000)]
    load_exporter("cifar10").write(tmp_path / "many", [last], many)
    assert unpickle(tmp_path / "many" / "test_batch")[b"labels"] == [9_999]
    with pytest.raises(ExportFailed, match=r"10000 classes; .* at most 256"):
        load_exporter("cifar10-binary").write(tmp_path / "refused", [last], many)


@pytest.mark.parametrize("name", ["", "two\nlines", "carriage\rreturn"])
def test_a_class_name_that_is_not_one_line_is_refused_in_binary(name: str, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="one name per line"):
        load_exporter("cifar10-binary").write(tmp_path, [], ["cat", name])


def exported(directory: Path, name: str = "cifar10") -> list[ExportItem]:
    made, entries = items(), []
    load_exporter(name).write(directory, recording(made, entries), CLASSES)
    manifest = build_manifest(directory, format_name=name, view="v", class_names=CLASSES, images=entries)
    write_manifest(directory, manifest)
    return made


def test_the_torchvision_reader(tmp_path: Path) -> None:
    from synthaug.exporters.torchvision_reader import SynthaugCIFAR10

    made = exported(tmp_path)
    train = SynthaugCIFAR10(tmp_path, train=True, target_transform=lambda target: target + 100)
    test = SynthaugCIFAR10(str(tmp_path), train=False, transform=np.asarray)
    assert (len(train), len(test)) == (12, 3)
    assert train.classes == CLASSES
    assert train.class_to_idx["clock"] == 2
    image, label = train[5]
    assert np.array_equal(np.asarray(image), made[5].pixels)
    assert label == made[5].class_index + 100
    assert np.array_equal(test[2][0], made[14].pixels)
    assert "Split: Train" in repr(train)


def test_the_torchvision_reader_refuses_altered_and_foreign_folders(tmp_path: Path) -> None:
    from synthaug.exporters.torchvision_reader import SynthaugCIFAR10

    exported(tmp_path / "binary", "cifar10-binary")
    with pytest.raises(ExportFailed, match="in the format 'cifar10-binary'"):
        SynthaugCIFAR10(tmp_path / "binary")
    with pytest.raises(ExportFailed, match=r"no manifest\.json"):
        SynthaugCIFAR10(tmp_path)
    exported(tmp_path / "python")
    (tmp_path / "python" / "data_batch_3").write_bytes(b"altered")
    with pytest.raises(ExportFailed, match="data_batch_3"):
        SynthaugCIFAR10(tmp_path / "python")
