"""Exports of a workspace, read back by an independent reader; rebuilt byte for byte."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import UserError, WorkspaceError
from synthaug.records import LabelEntry
from synthaug.stages.export import export, rebuild
from synthaug.stages.label import record
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, views
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic


@pytest.fixture
def augmented(digits: Workspace) -> Workspace:
    made = add_synthetic(digits, 10, 8)
    record(digits, [LabelEntry(each, "class", "ann", "human", f"op-{each}", 8) for each in made])
    make_view(digits, "augmented", ViewSpec(keep={"8": 5}, add_synthetic={"8": 10}, curated=True))
    return digits


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_an_independent_cifar_reader_finds_every_image_and_label(
    augmented: Workspace, tmp_path: Path
) -> None:
    result = export(augmented, tmp_path / "out", "cifar10", "augmented")
    data, targets = [], []
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        with (tmp_path / "out").rglob(name).__next__().open("rb") as file:
            batch = pickle.load(file, encoding="bytes")
        data.append(batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        targets += batch[b"labels"]
    images = np.concatenate(data)
    members = views.members(augmented.db, views.by_name(augmented.db, "augmented").id)
    assert result.images == len(images) == len(members) + 500
    for i in (0, 700, len(members) - 1):
        assert np.array_equal(images[i], augmented.images.read(members[i].sha256))
        assert targets[i] == members[i].class_index


@pytest.mark.parametrize("file_format", ["cifar10", "cifar10-binary", "folder"])
def test_a_manifest_rebuilds_the_same_bytes(augmented: Workspace, tmp_path: Path, file_format: str) -> None:
    first = export(augmented, tmp_path / "one", file_format, "augmented")
    rebuild(augmented, first.manifest, tmp_path / "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_the_manifest_tells_where_every_image_came_from(augmented: Workspace, tmp_path: Path) -> None:
    manifest = json.loads(export(augmented, tmp_path / "out", "cifar10", "augmented").manifest.read_text())
    synthetic = [entry for entry in manifest["images"] if entry["origin"] == "synthetic"]
    assert len(synthetic) == 10
    prompts = [entry["provenance"]["prompt"] for entry in synthetic]
    assert sorted(prompts) == ["a bold digit"] * 5 + ["a thin digit"] * 5
    assert synthetic[0]["provenance"]["annotator"] == "ann"
    real_test = [entry for entry in manifest["images"] if entry["split"] == "test"]
    assert len(real_test) == 500
    assert {entry["origin"] for entry in real_test} == {"real"}


def test_the_export_is_remembered(augmented: Workspace, tmp_path: Path) -> None:
    export(augmented, tmp_path / "out", "cifar10", "augmented")
    (row,) = views.all_exports(augmented.db)
    assert (row.view, row.format, row.images) == ("augmented", "cifar10", 1686)


def test_a_filled_folder_is_refused_and_left_alone(augmented: Workspace, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(WorkspaceError, match="not empty"):
        export(augmented, tmp_path, "cifar10", "augmented")
    assert (tmp_path / "thesis.txt").read_text() == "precious"
    assert not views.all_exports(augmented.db)


def test_a_missing_image_is_named(augmented: Workspace, tmp_path: Path) -> None:
    first = export(augmented, tmp_path / "one", "cifar10", "augmented")
    image = catalog.find_images(augmented.db, split="test")[0]
    augmented.images.path(image.sha256).unlink()
    with pytest.raises(UserError, match=image.sha256):
        rebuild(augmented, first.manifest, tmp_path / "two")
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("split", "../../evil"), ("origin", "elsewhere"), ("sha256", "../x"), ("label", "8"), ("label", -1)],
)
def test_a_manifest_that_was_tampered_with_is_refused(
    augmented: Workspace, tmp_path: Path, field: str, value: object
) -> None:
    first = export(augmented, tmp_path / "one", "folder", "augmented")
    manifest = json.loads(first.manifest.read_text())
    manifest["images"][3][field] = value
    first.manifest.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=rf"images\.3\.{field}"):
        rebuild(augmented, first.manifest, tmp_path / "two")
    assert not (tmp_path / "two").exists()


def test_everything_is_on_the_disk_before_the_export_has_its_name(
    digits: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, synced = os.fsync, []

    def noting(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        really(handle)

    monkeypatch.setattr(os, "fsync", noting)
    make_view(digits, "few", ViewSpec(keep=dict.fromkeys(digits.classes, 1)))
    synced.clear()
    target = tmp_path / "out"
    export(digits, target, "folder", "few")
    partial = next(each for each in synced if each.name.startswith(".out.partial-"))
    before = {each.relative_to(partial) for each in synced if each.is_relative_to(partial)}
    assert before == {Path()} | {each.relative_to(target) for each in target.rglob("*")}
    assert synced.index(tmp_path) > synced.index(partial)
