"""Folders of images as people have them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from synthaug.errors import ImageRejected, ImportFailed
from synthaug.images import decode
from synthaug.importers import detect
from synthaug.importers.folder import FolderImporter
from synthaug.records import ImportItem


def put(path: Path, colour: tuple[int, int, int] = (1, 2, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), colour).save(path)
    return path


def read(source: Path) -> list[ImportItem]:
    found = list(FolderImporter().items(source))
    assert FolderImporter().count(source) == len(found)
    return found


def summary(source: Path) -> list[tuple[str, str | None, str | None]]:
    return [(item.path, item.class_name, item.split) for item in read(source)]


def test_class_folders(tmp_path: Path) -> None:
    for name in ("dog/b.png", "cat/2.jpg", "cat/10.PNG", "cat/deeper/3.bmp"):
        put(tmp_path / name)
    assert detect(tmp_path) == "folder"
    assert summary(tmp_path) == [
        ("cat/10.PNG", "cat", None),
        ("cat/2.jpg", "cat", None),
        ("cat/deeper/3.bmp", "cat", None),
        ("dog/b.png", "dog", None),
    ]
    assert FolderImporter().class_names(tmp_path) == ["cat", "dog"]
    assert decode(read(tmp_path)[3].data).shape == (4, 4, 3)


def test_a_split_level(tmp_path: Path) -> None:
    for name in ("train/cat/a.png", "train/dog/b.png", "Test/cat/c.png"):
        put(tmp_path / name)
    assert summary(tmp_path) == [
        ("Test/cat/c.png", "cat", "test"),
        ("train/cat/a.png", "cat", "train"),
        ("train/dog/b.png", "dog", "train"),
    ]
    assert FolderImporter().class_names(tmp_path) == ["cat", "dog"]


def test_validation_is_the_test_set_only_where_there_is_no_other(tmp_path: Path) -> None:
    put(tmp_path / "train/cat/a.png")
    put(tmp_path / "val/cat/b.png")
    assert [split for _, _, split in summary(tmp_path)] == ["train", "test"]
    put(tmp_path / "test/cat/c.png")
    assert [split for _, _, split in summary(tmp_path)] == ["test", "train", "train"]


def test_a_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    put(tmp_path / "train/a.png")
    put(tmp_path / "tram/a.png")
    assert summary(tmp_path) == [("train/a.png", "train", None), ("tram/a.png", "tram", None)]


def test_a_flat_folder_has_no_classes(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    assert summary(tmp_path) == [("a.png", None, None)]
    assert FolderImporter().class_names(tmp_path) is None


def test_hidden_and_other_files_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "cat/a.png")
    put(tmp_path / ".cache/cat/a.png")
    put(tmp_path / "cat/.a.png")
    (tmp_path / "cat/a.txt").write_text("a caption")
    assert [item.path for item in read(tmp_path)] == ["cat/a.png"]


def test_names_that_are_not_utf8_become_valid_text(tmp_path: Path) -> None:
    put(tmp_path / os.fsdecode(b"caf\xe9") / os.fsdecode(b"\xff.png"))
    [item] = read(tmp_path)
    assert (item.path, item.class_name) == ("caf\ufffd/\ufffd.png", "caf\ufffd")
    assert decode(item.data).shape == (4, 4, 3)


def test_unsupported_image_formats_are_named(tmp_path: Path) -> None:
    put(tmp_path / "cat/a.png")
    (tmp_path / "cat/b.HEIC").write_bytes(b"x")
    assert [item.rejected for item in read(tmp_path)] == [
        "",
        ".HEIC images cannot be read; convert it to PNG",
    ]


def test_a_bad_file_costs_only_itself(tmp_path: Path) -> None:
    put(tmp_path / "cat/a.png")
    (tmp_path / "cat/b.png").write_bytes(b"")
    (tmp_path / "cat/c.png").write_bytes((tmp_path / "cat/a.png").read_bytes()[:-20])
    good, *bad = read(tmp_path)
    assert decode(good.data).shape == (4, 4, 3)
    for item in bad:
        with pytest.raises(ImageRejected):
            decode(item.data)


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret.png")
    put(tmp_path / "outside/cat/x.png")
    source = tmp_path / "data"
    put(source / "cat/a.png")
    (source / "cat/b.png").symlink_to(secret)
    (source / "cat/c.png").symlink_to("a.png")
    (source / "cat/d.png").symlink_to("nowhere.png")
    (source / "dog").symlink_to(tmp_path / "outside/cat", target_is_directory=True)
    found = {item.path: item for item in read(source)}
    assert found["cat/a.png"].data == found["cat/c.png"].data != b""
    for path in ("cat/b.png", "dog"):
        assert "leads out of the folder" in found[path].rejected
        assert found[path].data == b""
    assert found["cat/d.png"].rejected
    assert "dog/x.png" not in found


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    put(tmp_path / "cat/a.png")
    (tmp_path / "cat/again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "cat/self.png").symlink_to("self.png")
    found = read(tmp_path)
    assert [item.path for item in found if not item.rejected] == ["cat/a.png"]
    assert len(found) == 3


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "cat/a.png")
    os.mkfifo(tmp_path / "cat/b.png")
    assert "not a regular file" in read(tmp_path)[1].rejected


def test_metadata_csv(tmp_path: Path) -> None:
    put(tmp_path / "images/a.png")
    put(tmp_path / "images/b.png")
    (tmp_path / "metadata.csv").write_text(
        '﻿file_name,label,text,age\nimages/a.png,"cat, ""big""","one,\ntwo lines",4\nimages/b.png,,,\n',
        encoding="utf-8",
    )
    first, second = read(tmp_path)
    assert (first.class_name, first.caption, first.metadata) == (
        'cat, "big"',
        "one,\ntwo lines",
        {"age": "4"},
    )
    assert (second.class_name, second.caption) == (None, None)
    assert FolderImporter().class_names(tmp_path) == ['cat, "big"']


def test_metadata_jsonl_in_a_split_folder(tmp_path: Path) -> None:
    put(tmp_path / "train/a.png")
    put(tmp_path / "test/a.png")
    line = json.dumps({"file_name": "a.png", "caption": "a cat", "class": 3})
    (tmp_path / "train/metadata.jsonl").write_text(line + "\n\n")
    test, train = read(tmp_path)
    assert (train.class_name, train.caption, train.split) == ("3", "a cat", "train")
    assert (test.class_name, test.caption, test.split) == (None, None, "test")


def test_captions_alone_leave_the_folders_class(tmp_path: Path) -> None:
    put(tmp_path / "cat/a.png")
    (tmp_path / "metadata.csv").write_text("file_name,text\ncat/a.png,a cat\n")
    assert [(item.class_name, item.caption) for item in read(tmp_path)] == [("cat", "a cat")]


@pytest.mark.parametrize("listed", ["missing.png", "../outside.png", "/etc/passwd"])
def test_a_row_without_an_image_in_the_folder_is_reported(listed: str, tmp_path: Path) -> None:
    put(tmp_path / "outside.png")
    put(tmp_path / "data/a.png")
    (tmp_path / "data/metadata.csv").write_text(f"file_name,label\na.png,cat\n{listed},dog\n")
    found = read(tmp_path / "data")
    assert [item.path for item in found if not item.rejected] == ["a.png"]
    assert [(item.path, item.data) for item in found if item.rejected] == [(listed, b"")]
    assert FolderImporter().class_names(tmp_path / "data") == ["cat"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "metadata.csv",
            "name,label\na.png,cat\n",
            r"line 2: there is no file_name; the columns are \['label', 'name'\]",
        ),
        ("metadata.csv", "file_name,label\na.png,cat,extra\n", "line 2: the row has more cells"),
        ("metadata.csv", b"file_name,label\na.png,caf\xe9\n", "cannot be read"),
        ("metadata.jsonl", '{"file_name": "a.png"\n', "line 1, is not valid JSON"),
        ("metadata.jsonl", '["a.png"]\n', "line 1, cannot be used: Input should be an object"),
        ("metadata.jsonl", '{"file_name": 3}\n', "line 1: there is no file_name"),
    ],
)
def test_a_broken_table_says_where(name: str, text: str | bytes, message: str, tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ImportFailed, match=message):
        read(tmp_path)


def test_a_folder_without_images_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=r"found no images in .*supported extensions are .*\.jpg"):
        read(tmp_path)
    with pytest.raises(ImportFailed, match="is not a folder"):
        list(FolderImporter().items(tmp_path / "missing"))
