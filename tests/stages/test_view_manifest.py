"""A view travels as a file: the same images, classes and order where the images are; else a clear refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synthaug.errors import UnknownName, UserError
from synthaug.stages.importing import import_images
from synthaug.stages.view import ViewSpec, make_view
from synthaug.stages.view_manifest import fingerprint, read_view, write_view
from synthaug.store import views
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic

SPEC = ViewSpec(keep={"8": 5}, fraction=0.1, add_synthetic={"8": 3}, oversample_classes=("8",), seed=4)


def listed(workspace: Workspace, name: str) -> list[tuple[str, int]]:
    members = views.members(workspace.db, views.by_name(workspace.db, name).id)
    return [(member.sha256, member.class_index) for member in members]


@pytest.fixture
def manifest(digits: Workspace, tmp_path: Path) -> Path:
    add_synthetic(digits, 3, 8)
    make_view(digits, "mine", SPEC)
    return write_view(digits, "mine", tmp_path / "mine.json")


def test_a_manifest_makes_the_same_view_elsewhere(digits: Workspace, manifest: Path, tmp_path: Path) -> None:
    other = Workspace.create(tmp_path / "other", (), "digits")
    add_synthetic(other, 3, 8)  # before the digits, so that every image has another id
    import_images(other, "digits", "digits")
    made = read_view(other, "theirs", manifest)
    assert listed(other, "theirs") == listed(digits, "mine")
    assert ViewSpec.from_json(made.spec) == SPEC
    assert made.spec["manifest"] == json.loads(manifest.read_text())["fingerprint"]
    again = write_view(other, "theirs", tmp_path / "again.json")
    assert json.loads(again.read_text())["images"] == json.loads(manifest.read_text())["images"]


def test_the_fingerprint_tells_training_sets_apart() -> None:
    images = [("a" * 64, "cat"), ("b" * 64, "dog")]
    same = fingerprint(("cat", "dog"), images)
    assert fingerprint(["cat", "dog"], list(images)) == same
    others = {
        fingerprint(("dog", "cat"), images),
        fingerprint(("cat", "dog"), images[::-1]),
        fingerprint(("cat", "dog"), [("a" * 64, "dog"), images[1]]),
        fingerprint(("cat", "dog"), images[:1]),
    }
    assert len(others | {same}) == 5


def test_missing_images_and_other_classes_are_refused(manifest: Path, tmp_path: Path) -> None:
    empty = Workspace.create(tmp_path / "empty", (), "digits")
    with pytest.raises(UserError, match=r"(\d+) of the \1 images of .* import the same data"):
        read_view(empty, "x", manifest)
    cats = Workspace.create(tmp_path / "cats", ("cat", "dog"))
    with pytest.raises(UserError, match="this workspace has cat, dog"):
        read_view(cats, "x", manifest)
    for workspace in (empty, cats):
        with pytest.raises(UnknownName):
            views.by_name(workspace.db, "x")


def changed(**values: Any) -> Any:
    return lambda text: json.dumps({**json.loads(text), **values})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-20], "not valid JSON"),
        (lambda text: "[]", "should be an object"),
        (changed(format="something"), "is not the manifest of a view"),
        (changed(format_version=99), "format_version 99; this release reads version 1"),
        (changed(images=[{"class": "8"}]), r"images\.0\.sha256: Field required"),
        (changed(images=3), "images: Input should be"),
        (changed(classes=[1, 2]), r"classes\.0: .* string"),
        (changed(spec=None), "spec: Input should be"),
        (lambda text: "[" * 100_000, "not valid JSON"),
        (lambda text: text.replace('"mine"', '"\\ud800"'), "not valid JSON"),
        (changed(images=[]), "was changed after it was written"),
        (changed(fingerprint="0"), "was changed after it was written"),
    ],
)
def test_an_unsound_manifest_is_refused(digits: Workspace, manifest: Path, change: Any, message: str) -> None:
    manifest.write_text(change(manifest.read_text()))
    with pytest.raises(UserError, match=message):
        read_view(digits, "x", manifest)


def test_a_manifest_with_a_test_image_is_refused(digits: Workspace, manifest: Path) -> None:
    held = json.loads(manifest.read_text())
    (tested,) = digits.db.query("SELECT sha256 FROM images WHERE split = 'test' LIMIT 1")
    images = [{"sha256": tested["sha256"], "class": "3"}]
    mark = fingerprint(held["classes"], [(tested["sha256"], "3")])
    manifest.write_text(json.dumps({**held, "images": images, "fingerprint": mark}))
    with pytest.raises(UserError, match="belong to the test split"):
        read_view(digits, "x", manifest)


def test_existing_files_and_views_are_not_overwritten(
    digits: Workspace, manifest: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="exists; choose another name"):
        write_view(digits, "mine", manifest)
    with pytest.raises(UserError, match="cannot be read"):
        read_view(digits, "x", tmp_path / "nowhere.json")
    with pytest.raises(UserError, match="views are frozen"):
        read_view(digits, "mine", manifest)
