"""Every kind of damage is found, and said in one line; a sound workspace has none."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.networks import build
from synthaug.classifiers.recipes import find_recipe
from synthaug.generators.folders import find_model
from synthaug.stages.generator_names import FINETUNED as FOLDER
from synthaug.stages.importing import import_images
from synthaug.stages.verify import verify
from synthaug.store import jobs, models
from synthaug.workspace import Workspace
from tests.files import cut, flip_a_byte


def make_sound(folder: Path) -> Path:
    """A workspace of 20 labeled images with a classifier, and a generator that a job is said to have made."""
    rng = np.random.default_rng(0)
    for i, pixels in enumerate(rng.integers(0, 256, (20, 8, 8, 3), np.uint8)):
        path = folder / "source" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    workspace = Workspace.create(folder / "work", ["a", "b"])
    import_images(workspace, folder / "source", "folder")
    add_classifier(workspace)
    add_generator(workspace)
    workspace.db.close()
    return folder / "work"


def add_classifier(workspace: Workspace) -> None:
    recipe = find_recipe("digits")
    classifier = FittedClassifier(build(recipe.network, 2), recipe, "ab", [0.5] * 3, [0.5] * 3)
    classifier.save(workspace.root / "models" / "m.safetensors")
    models.add(
        workspace.db,
        name="m",
        recipe=recipe.name,
        revision=classifier.revision,
        seed=0,
        view_id=None,
        file="models/m.safetensors",
        metrics={},
        environment={},
    )


def add_generator(workspace: Workspace) -> None:
    path = workspace.root / FOLDER / "g"
    shutil.copytree(str(resources.files("synthaug_assets") / "models" / "digits"), path)
    job = jobs.submit(workspace.db, "finetune", {"name": "g"}, 1)
    result = {"model": "g", "path": str(path), "revision": find_model(path).revision}
    jobs.finish(workspace.db, job, "done", result=result)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    """A sound workspace of one's own."""
    return Path(shutil.copytree(sound, tmp_path / "work"))


def problems(root: Path) -> tuple[str, ...]:
    return verify(Workspace.open(root)).problems


def first_image(root: Path) -> Path:
    return min((root / "images").rglob("*.png"))


def sql(root: Path, *statements: str) -> None:
    with closing(sqlite3.connect(root / "synthaug.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def other_pixels(root: Path) -> None:
    Image.new("RGB", (8, 8)).save(first_image(root))


def empty_database(root: Path) -> None:
    """Another workspace's database, without any image, beside more images than one stopped import leaves."""
    (root / "synthaug.db").unlink()
    for i in range(501):
        path = root / "images" / "aa" / f"{i:064x}.png"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    other = Workspace.create(root / "other", ["a", "b"])
    other.db.close()
    (root / "other" / "synthaug.db").replace(root / "synthaug.db")


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "an image is missing": (lambda root: first_image(root).unlink(), "is missing"),
    "an image is empty": (lambda root: cut(first_image(root), 0), "cannot be read"),
    "an image is cut": (lambda root: cut(first_image(root), -9), "cannot be read"),
    "an image is another": (other_pixels, "has different pixels"),
    "an image has another size": (
        lambda root: sql(root, "UPDATE images SET width = 9 WHERE id = 3"),
        "instead of 9 x 8",
    ),
    "a table is gone": (
        lambda root: sql(root, "DROP TABLE scores"),
        "the table 'scores' is missing",
    ),
    "the images' table is gone": (
        lambda root: sql(root, "PRAGMA foreign_keys = off", "DROP TABLE images"),
        "the table 'images' is missing",
    ),
    "a trigger is gone": (
        lambda root: sql(root, "DROP TRIGGER labels_are_never_deleted"),
        "the trigger 'labels_are_never_deleted' is missing",
    ),
    "a kept count is wrong": (
        lambda root: sql(root, "UPDATE image_counts SET labeled = labeled + 1"),
        "image_counts: real is not",
    ),
    "a label was deleted": (
        lambda root: sql(root, "DROP TRIGGER labels_are_never_deleted", "DELETE FROM labels WHERE id = 7"),
        "entries 7 to 7 are missing",
    ),
    "a job is no JSON": (
        lambda root: sql(root, "UPDATE jobs SET params = '{'"),
        "params is not a JSON object",
    ),
    "a job is JSON but no object": (
        lambda root: sql(root, "UPDATE jobs SET result = '3'"),
        "result is not a JSON",
    ),
    "a classifier is missing": (
        lambda root: (root / "models/m.safetensors").unlink(),
        "m.safetensors is missing",
    ),
    "a classifier is cut": (
        lambda root: cut(root / "models/m.safetensors", -100),
        "m.safetensors cannot be read",
    ),
    "a classifier is changed": (
        lambda root: flip_a_byte(root / "models/m.safetensors"),
        "does not have the recorded weights",
    ),
    "a generator is missing": (lambda root: shutil.rmtree(root / FOLDER / "g"), "finetuned/g is missing"),
    "a generator lacks a part": (
        lambda root: next((root / FOLDER / "g" / "vae").glob("*.safetensors")).unlink(),
        "has changed since job 1 trained it",
    ),
    "a generator is cut": (
        lambda root: cut(next((root / FOLDER / "g" / "unet").glob("*.safetensors")), -100),
        "damaged or incomplete",
    ),
    "a generator is changed": (
        lambda root: flip_a_byte(next((root / FOLDER / "g" / "unet").glob("*.safetensors"))),
        "has changed since job 1 trained it",
    ),
    "the database knows no image": (empty_database, "images, but the database has none"),
}


def test_a_sound_workspace_has_no_problem(sound: Path) -> None:
    assert problems(sound) == ()


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_named(root: Path, name: str) -> None:
    damage, said = DAMAGE[name]
    damage(root)
    found = [line for line in problems(root) if said in line]
    assert len(found) == 1
    assert "\n" not in found[0]


def test_a_feature_file_that_is_cut_is_named(root: Path) -> None:
    sql(
        root,
        "INSERT INTO feature_sets VALUES (1, 'e', 'abc', 4, 'then')",
        "INSERT INTO feature_rows VALUES (1, 1, 0), (1, 2, 1)",
    )
    (root / "features").mkdir()
    (root / "features" / "abc.f16").write_bytes(bytes(16))
    assert problems(root) == ()
    cut(root / "features" / "abc.f16", -1)
    assert problems(root) == (
        "features/abc.f16 is missing or truncated; recompute it with: synthaug score --recompute",
    )
