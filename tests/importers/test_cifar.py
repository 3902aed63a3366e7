"""CIFAR batches as published, as hostile as they come, and in an archive."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthaug import cifar_pickle
from synthaug.errors import ImportFailed
from synthaug.importers import detect
from synthaug.importers.cifar import CifarImporter
from synthaug.records import ImportItem

CLASSES = ["airplane", "automobile", "bird"]


def images(count: int = 6) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def planes(pixels: np.ndarray) -> np.ndarray:
    return pixels.transpose(0, 3, 1, 2).reshape(len(pixels), 3072)


def python2_array(rows: np.ndarray) -> bytes:
    """The opcodes of numpy under Python 2's cPickle, protocol 2, memo included, as in the published files."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85q\x07U\x01bq\x08\x87q\x09Rq\x0a("
        b"K\x01K"
        + bytes([len(rows)])
        + b"M\x00\x0c\x86q\x0bcnumpy\ndtype\nq\x0cU\x02u1q\x0dK\x00K\x01\x87q\x0eRq\x0f("
        b"K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x10b\x89T"
        + struct.pack("<i", rows.size)
        + rows.tobytes()
        + b"q\x11tq\x12b"
    )


def python2_batch(pixels: np.ndarray, labels: list[int], key: bytes = b"labels") -> bytes:
    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    names = b"".join(text(b"img_%d.png" % index) for index in range(len(labels)))
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    return (
        b"\x80\x02}q\x01("
        + text(b"batch_label") + text(b"training batch 1 of 5")
        + text(key) + b"](" + numbers + b"e"
        + text(b"data") + python2_array(planes(pixels))
        + text(b"filenames") + b"](" + names + b"e"
        + b"u."
    )  # fmt: skip


def python2_names(key: str, names: list[str]) -> bytes:
    listed = b"".join(b"U" + bytes([len(name)]) + name.encode() for name in names)
    return b"\x80\x02}(U" + bytes([len(key)]) + key.encode() + b"](" + listed + b"eu."


def cifar10(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data_batch_1").write_bytes(python2_batch(images()[:4], [0, 1, 2, 0]))
    (folder / "test_batch").write_bytes(python2_batch(images()[4:], [2, 1]))
    (folder / "batches.meta").write_bytes(python2_names("label_names", CLASSES))
    return folder


def check(found: list[ImportItem]) -> None:
    assert np.array_equal(np.stack([each.data for each in found]), images())
    assert [each.class_name for each in found] == [CLASSES[index] for index in (0, 1, 2, 0, 2, 1)]
    assert [each.split for each in found] == ["train"] * 4 + ["test"] * 2


def test_the_test_batches_are_what_python_reads() -> None:
    batch = pickle.loads(python2_batch(images(), [0] * 6), encoding="bytes")
    assert np.array_equal(batch[b"data"], planes(images()))


def test_published_python_batches(tmp_path: Path) -> None:
    source = cifar10(tmp_path)
    assert detect(source) == "cifar"
    assert CifarImporter().class_names(source) == CLASSES
    found = list(CifarImporter().items(source))
    check(found)
    assert found[4].path == "test_batch/img_0.png"


def test_the_folder_that_the_archive_unpacks_to(tmp_path: Path) -> None:
    cifar10(tmp_path / "cifar-10-batches-py")
    assert detect(tmp_path) == "cifar"
    check(list(CifarImporter().items(tmp_path)))


def test_the_archive_itself(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(cifar10(tmp_path / "cifar-10-batches-py"), "cifar-10-batches-py")
    assert detect(archive) == "cifar"
    check(list(CifarImporter().items(archive)))
    assert CifarImporter().count(archive) is None


def test_a_damaged_archive_says_so(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(cifar10(tmp_path / "cifar-10-batches-py"), "cifar-10-batches-py")
    whole = archive.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:9000] + bytes(200) + whole[9200:], whole[:20]):
        archive.write_bytes(damaged)
        with pytest.raises(ImportFailed):
            list(CifarImporter().items(archive))


def test_folders_called_like_batches_are_not_batches(tmp_path: Path) -> None:
    for name in ("train", "test", "meta"):
        (tmp_path / name).mkdir()
    assert not CifarImporter().accepts(tmp_path)


def test_an_archive_is_never_extracted(tmp_path: Path) -> None:
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(cifar10(tmp_path / "a" / "cifar-10-batches-py"), "cifar-10-batches-py")
        evil = tarfile.TarInfo("../../escaped")
        evil.size = 4
        tar.addfile(evil, io.BytesIO(b"evil"))
    before = sorted(tmp_path.rglob("*"))
    check(list(CifarImporter().items(archive)))
    assert sorted(tmp_path.rglob("*")) == before


def test_binary_batches(tmp_path: Path) -> None:
    for name, pixels, labels in (
        ("data_batch_1", images()[:4], [0, 1, 2, 0]),
        ("test_batch", images()[4:], [2, 1]),
    ):
        records = np.concatenate([np.array(labels, np.uint8)[:, None], planes(pixels)], axis=1)
        (tmp_path / f"{name}.bin").write_bytes(records.tobytes())
    (tmp_path / "batches.meta.txt").write_text("airplane\nautomobile\r\nbird\n\n")
    assert detect(tmp_path) == "cifar"
    assert CifarImporter().class_names(tmp_path) == CLASSES
    assert CifarImporter().count(tmp_path) == 6
    check(list(CifarImporter().items(tmp_path)))
    (tmp_path / "test_batch.bin").write_bytes(records.tobytes()[:-1])
    with pytest.raises(ImportFailed, match="truncated"):
        list(CifarImporter().items(tmp_path))


def test_cifar100_python(tmp_path: Path) -> None:
    (tmp_path / "train").write_bytes(python2_batch(images()[:4], [0, 1, 2, 0], b"fine_labels"))
    (tmp_path / "test").write_bytes(python2_batch(images()[4:], [2, 1], b"fine_labels"))
    (tmp_path / "meta").write_bytes(python2_names("fine_label_names", CLASSES))
    assert detect(tmp_path) == "cifar"
    check(list(CifarImporter().items(tmp_path)))


def test_cifar100_binary(tmp_path: Path) -> None:
    for name, pixels, labels in (("train", images()[:4], [0, 1, 2, 0]), ("test", images()[4:], [2, 1])):
        coarse = np.full((len(labels), 1), 19, np.uint8)
        records = np.concatenate([coarse, np.array(labels, np.uint8)[:, None], planes(pixels)], axis=1)
        (tmp_path / f"{name}.bin").write_bytes(records.tobytes())
    (tmp_path / "fine_label_names.txt").write_text("\n".join(CLASSES))
    assert CifarImporter().count(tmp_path) == 6
    check(list(CifarImporter().items(tmp_path)))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_pickled_by_any_python_three(protocol: int, order: str, tmp_path: Path) -> None:
    source = cifar10(tmp_path)
    data = np.array(planes(images()[:4]), order=order)
    batch = {b"labels": [0, 1, 2, 0], "data": data, "filenames": [b"a", "b", "c", "d"]}
    (source / "data_batch_1").write_bytes(pickle.dumps(batch, protocol))
    check(list(CifarImporter().items(source)))


class Touch:
    """What a malicious pickle does: run anything, here create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        import os

        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("protocol", range(6))
def test_a_malicious_pickle_is_refused_without_being_executed(protocol: int, tmp_path: Path) -> None:
    source, created = cifar10(tmp_path / "cifar"), tmp_path / "created"
    batch = {b"labels": [0], b"data": Touch(created)}
    (source / "data_batch_1").write_bytes(pickle.dumps(batch, protocol))
    with pytest.raises(ImportFailed, match=r"data_batch_1 is not a CIFAR batch and was not executed.*system"):
        list(CifarImporter().items(source))
    assert not created.exists()
    pickle.loads(pickle.dumps(Touch(created), protocol))  # the same pickle does act when it is executed
    assert created.exists()


def test_a_malicious_batches_meta_is_refused_too(tmp_path: Path) -> None:
    source, created = cifar10(tmp_path / "cifar"), tmp_path / "created"
    (source / "batches.meta").write_bytes(pickle.dumps({"label_names": [Touch(created)]}))
    with pytest.raises(ImportFailed, match=r"batches\.meta"):
        CifarImporter().class_names(source)
    assert not created.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cbuiltins\neval\n(S'1+1'\ntR.",
        b"c__builtin__\neval\n(S'1+1'\ntR.",
        b"cnumpy\nload\n(S'/etc/passwd'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n.",
        b"c_codecs\ndecode\n(S'x'\nS'zip'\ntR.",
        b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.",
        b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.",
        b"cnumpy\ndtype\n}S'name'\nS'x'\nsb.",
        b"(Ios\nsystem\n.",
        b"cos\nsystem\n.",
        b"\x82\x01.",
        b"Pid\n.",
        b"",
        b".",
        b"\x80\x02}",
        b"]\x94.",
        b"cnumpy\ndtype\n(S'O'\ntR.",
    ],
)
def test_other_names_and_broken_pickles_are_refused(code: bytes) -> None:
    with pytest.raises(cifar_pickle.UnsafePickleError):
        cifar_pickle.load(code)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 800), st.integers(0, 255))
def test_a_changed_byte_gives_a_batch_or_a_refusal(at: int, value: int) -> None:
    data = bytearray(python2_batch(images(1), [1]))
    data[at % 300 if at < 700 else -(at - 699)] = value
    try:
        assert isinstance(cifar_pickle.load(bytes(data)), dict)
    except cifar_pickle.UnsafePickleError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"labels": [0]}, "'data' is not N x 3072"),
        ({"labels": [0], "data": np.zeros((1, 3071), np.uint8)}, "'data' is not N x 3072"),
        ({"labels": [0], "data": np.zeros((1, 3072), np.float32)}, "not uint8"),
        ({"labels": ["cat"], "data": np.zeros((1, 3072), np.uint8)}, "whole numbers"),
        (
            {"labels": [3], "data": np.zeros((1, 3072), np.uint8)},
            "labels from 3 to 3, but batches.meta names 3",
        ),
        ({"labels": [-1], "data": np.zeros((1, 3072), np.uint8)}, "labels from -1"),
        ({"labels": [10**30], "data": np.zeros((1, 3072), np.uint8)}, "not a CIFAR batch"),
        ({"labels": [0, 1], "data": np.zeros((1, 3072), np.uint8)}, "1 images, 2 labels"),
        ([1, 2], "a list, not a dict"),
    ],
)
def test_a_pickle_that_is_not_a_batch_is_refused_with_the_reason(
    batch: object, message: str, tmp_path: Path
) -> None:
    source = cifar10(tmp_path)
    (source / "data_batch_1").write_bytes(pickle.dumps(batch))
    with pytest.raises(ImportFailed, match=message):
        list(CifarImporter().items(source))


def test_a_folder_without_batches_lists_the_expected_files(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=r"contains no CIFAR batches; .*data_batch_1"):
        list(CifarImporter().items(tmp_path))
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ImportFailed, match=r"cannot read .* as CIFAR batches"):
        list(CifarImporter().items(tmp_path / "text"))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), max_size=5),
    st.lists(st.integers(0, 2**31 - 1), max_size=5),
    st.integers(0, 3),
)
def test_dumped_batches_are_read_by_synthaug_and_by_python(
    names: list[str], numbers: list[int], rows: int
) -> None:
    data = np.arange(rows * 3072, dtype=np.uint64).astype(np.uint8).reshape(rows, 3072)
    file = io.BytesIO()
    cifar_pickle.dump({"names": names, "numbers": numbers, "data": data}, file)
    ours = cifar_pickle.load(file.getvalue())
    theirs = pickle.loads(file.getvalue(), encoding="latin1")
    assert [cifar_pickle.as_text(name) for name in ours["names"]] == theirs["names"] == names
    assert ours["numbers"] == theirs["numbers"] == numbers
    assert np.array_equal(ours["data"], data)
    assert np.array_equal(theirs["data"], data)
