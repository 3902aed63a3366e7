"""Imports into a workspace: what goes in, what is refused and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from synthaug.errors import ImportFailed, NothingImported, WorkspaceError
from synthaug.stages.export import export
from synthaug.stages.importing import import_images
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, labels
from synthaug.workspace import Workspace


def picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_the_digits_arrive_with_their_split_and_labels(digits: Workspace) -> None:
    assert len(catalog.find_images(digits.db, split="train")) == 1297
    assert len(catalog.find_images(digits.db, split="test")) == 500
    assert len(labels.labeled_images(digits.db, split="train", origin="real")) == 1297


def test_importing_again_adds_nothing(digits: Workspace) -> None:
    result = import_images(digits, "digits", "digits")
    assert (result.added, result.duplicates, result.rejected) == (0, 1797, ())


def test_bad_files_are_named_and_good_ones_go_in(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "src/3/good.png", 1)
    (tmp_path / "src/3/empty.png").write_bytes(b"")
    (tmp_path / "src/3/text.jpg").write_text("not an image")
    picture(tmp_path / "src/platypus/x.png", 2)
    result = import_images(workspace, tmp_path / "src", "folder")
    assert result.added == 1
    reasons = {Path(path).name: reason for path, reason in result.rejected}
    assert set(reasons) == {"empty.png", "text.jpg", "x.png"}
    assert "no class called 'platypus'" in reasons["x.png"]


def test_the_same_pixels_in_both_splits_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "a/3/x.png", 1)
    import_images(workspace, tmp_path / "a", "folder", split="train")
    with pytest.raises(NothingImported, match="which is in the train split"):
        import_images(workspace, tmp_path / "a", "folder", split="test")
    assert not catalog.find_images(workspace.db, split="test")


def test_the_same_pixels_under_two_classes_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "src/3/x.png", 1)
    picture(tmp_path / "src/8/x.png", 1)
    result = import_images(workspace, tmp_path / "src", "folder")
    assert result.added == 1
    assert "which is labeled '3'" in result.rejected[0][1]


def test_a_source_that_is_not_there(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="does not exist"):
        import_images(workspace, tmp_path / "nothing")


def test_class_names_of_every_kind_are_safe(tmp_path: Path) -> None:
    names = ["it's", 'a "cat"', "<script>alert(1)</script>", "🐈", "a/b", "..", "; DROP TABLE classes"]
    workspace = Workspace.create(tmp_path / "w", names)
    assert workspace.classes == tuple(names)
    assert Workspace.open(tmp_path / "w").classes == tuple(names)


def test_a_read_only_place_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((WorkspaceError, OSError), match="file"):
        Workspace.create(tmp_path / "file" / "w", ["a"])


def test_labels_of_images_that_are_there_already_are_recorded(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "work", ("cat", "dog"))
    for name in ("plain", "sorted/dog"):
        (tmp_path / name).mkdir(parents=True)
        Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / name / "a.png")
    import_images(workspace, tmp_path / "plain", "folder")
    result = import_images(workspace, tmp_path / "sorted", "folder")
    assert (result.added, result.duplicates) == (0, 1)
    (image,) = catalog.find_images(workspace.db)
    assert labels.current(workspace.db, [image.id])[image.id].class_index == 1
    import_images(workspace, tmp_path / "sorted", "folder")
    assert len(labels.history(workspace.db, image.id)) == 1


def numbered(folder: Path, numbers: list[int | None]) -> Path:
    """A parquet file with whole numbers for labels and no names for them."""
    folder.mkdir()
    images = [picture(folder.with_suffix(".png"), seed).read_bytes() for seed in range(len(numbers))]
    path = folder / "train.parquet"
    pq.write_table(pa.table({"image": images, "label": pa.array(numbers, pa.int64())}), path)
    return path


def counted_as(workspace: Workspace) -> list[int | None]:
    """The class of every image, oldest first."""
    ids = [image.id for image in catalog.find_images(workspace.db)]
    current = labels.current(workspace.db, ids)
    return [current[each].class_index if each in current else None for each in ids]


def test_class_numbers_without_names_are_the_classes_in_order(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", ["cat", "dog", "owl"])
    result = import_images(workspace, numbered(tmp_path / "src", [2, 0, None, 1, -1, 3]), "parquet")
    assert counted_as(workspace) == [2, 0, None, 1, None]
    assert [reason for _, reason in result.rejected] == [
        "there is no class number called '3'; available: '0 .. 2'"
    ]
    assert result.notes == (
        "the source numbers its classes without naming them; the order of the workspace was used: "
        "0 = cat, 1 = dog, 2 = owl",
    )


def test_class_numbers_are_names_where_the_classes_are_called_so(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", ["9", "8", "1"])
    result = import_images(workspace, numbered(tmp_path / "src", [8, 1, 0]), "parquet")
    assert (counted_as(workspace), result.notes) == ([1, 2], ())
    assert "no class called '0'" in result.rejected[0][1]


@pytest.mark.parametrize("file_format", ["folder", "parquet"])
def test_captions_survive_an_export(file_format: str, tmp_path: Path) -> None:
    source = tmp_path / "src"
    picture(source / "cat" / "a.png", 1)
    picture(source / "cat" / "b.png", 2)
    (source / "metadata.csv").write_text('file_name,text\ncat/a.png,"a ""small"" cat, asleep"\n')
    first = Workspace.create(tmp_path / "w", ["cat"])
    import_images(first, source)
    make_view(first, "all", ViewSpec())
    export(first, tmp_path / "out", file_format, "all")
    again = Workspace.create(tmp_path / "w2", ["cat"])
    import_images(again, tmp_path / "out", file_format)
    ids = [image.id for image in catalog.find_images(again.db)]
    assert list(catalog.captions(again.db, ids).values()) == ['a "small" cat, asleep']


def test_a_name_too_long_for_the_file_system(workspace: Workspace) -> None:
    with pytest.raises(ImportFailed, match="cannot be read: File name too long"):
        import_images(workspace, "x" * 5000)
