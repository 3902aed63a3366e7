"""Training at real size: pretrained network, size by the images, films at their full depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

import synthaug
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.maps import feature_maps
from synthaug.errors import UserError
from synthaug.grayscale import as_picture
from synthaug.records import Display, GrayImage, Window
from synthaug.stages.compare import compare
from synthaug.stages.importing import import_images
from synthaug.stages.pixels import load_levels, load_pixels
from synthaug.stages.predict import predict, predicted_by
from synthaug.stages.quick_model import quick_model
from synthaug.stages.run_cache import recipe_key
from synthaug.stages.score import score
from synthaug.stages.train import describe_images, resolve_recipe, train
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, models
from synthaug.workspace import Workspace

pytestmark = pytest.mark.slow
SIDE = 200


def pieces(name: str, count: int, seed: int) -> list[np.ndarray]:
    """Squares of a photograph that comes with scikit-learn."""
    rng, whole = np.random.default_rng(seed), load_sample_image(f"{name}.jpg")
    return [
        whole[top : top + SIDE, left : left + SIDE]
        for top, left in zip(
            rng.integers(0, 427 - SIDE, count), rng.integers(0, 640 - SIDE, count), strict=True
        )
    ]


@pytest.fixture
def photographs(tmp_path: Path) -> Workspace:
    """Two classes, 6 training images each and 4 test images each, 200 px a side."""
    workspace = Workspace.create(tmp_path / "work", ("china", "flower"))
    for split, count, seed in (("train", 6, 0), ("test", 4, 1)):
        for name in workspace.classes:
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for i, piece in enumerate(pieces(name, count, seed)):
                Image.fromarray(piece).save(folder / f"{i}.png")
        import_images(workspace, tmp_path / split, "folder", split=split)
    make_view(workspace, "all", ViewSpec())
    return workspace


def test_the_images_decide_recipe_and_size(photographs: Workspace, digits: Workspace) -> None:
    found = resolve_recipe(photographs, None)
    assert (found.name, found.image_size) == ("pretrained", 224)
    assert resolve_recipe(photographs, "small-cnn").image_size == SIDE  # never 32
    assert resolve_recipe(photographs, "pretrained", image_size=320).image_size == 320
    assert resolve_recipe(digits, None).image_size == 16
    assert resolve_recipe(digits, "small-cnn").image_size == 32
    assert resolve_recipe(digits, "linear").image_size == 96  # stored at 32
    with pytest.raises(UserError, match=r"8 \.\. 1024"):
        resolve_recipe(photographs, None, image_size=4)
    with pytest.raises(UserError, match="no number of epochs"):
        resolve_recipe(photographs, "linear", epochs=3)


def test_a_head_in_seconds_is_trained_predicts_scores_and_loads(photographs: Workspace) -> None:
    model = train(photographs, "all", "linear")
    assert model.metrics["accuracy"] == 1.0  # two photographs; a coin gives 0.5
    assert describe_images(model.metrics) == "224 px a side, 8 bits a pixel"
    assert predict(photographs).predicted == 20
    ids, probs, features = predicted_by(photographs, model)
    assert features.shape == (20, 1280)
    loaded = FittedClassifier.load(photographs.root / model.file)
    assert loaded.revision == model.revision
    assert (photographs.root / model.file).stat().st_size < 100_000  # the body is not stored again
    hashes = [each.sha256 for each in catalog.images_by_id(photographs.db, ids)]
    anew = loaded.predict(load_levels(photographs, hashes, 224))[0]
    np.testing.assert_allclose(anew, probs, atol=0.01)  # the store keeps features in half precision
    assert score(photographs).scored == 20
    assert feature_maps(loaded, load_pixels(photographs, hashes[:1], 224)).shape == (1, 1280, 7, 7)


def test_fine_tuning_goes_on_from_the_head_and_loads_again(photographs: Workspace) -> None:
    model = train(photographs, "all", "pretrained", epochs=1)
    assert (model.metrics["accuracy"], model.metrics["image_size"]) == (1.0, 224)
    loaded = FittedClassifier.load(photographs.root / model.file)
    assert loaded.revision == model.revision
    assert predict(photographs).predicted == 20
    first = FittedClassifier.load(photographs.root / train(photographs, "all", "linear").file)
    assert (
        loaded.training["start"] == first.revision or loaded.training["start"]
    )  # it began with a fitted head
    weights = (each.network.state_dict()["body.0.weight"].numpy() for each in (loaded, first))
    assert not np.array_equal(*weights)


def test_each_seed_of_a_compared_head_weighs_the_images_anew(photographs: Workspace) -> None:
    make_view(photographs, "few", ViewSpec(base="all", keep={"china": 2}))
    found = compare(photographs, "few", "all", 3, "linear")
    assert "draws new weights of the training images" in found.verdict_text
    assert not found.equal_steps


def test_a_first_model_needs_neither_view_nor_test_images(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "work", ("china", "flower"))
    with pytest.raises(UserError, match="no training image is labeled"):
        quick_model(workspace)
    for name in workspace.classes:
        folder = tmp_path / "train" / name
        folder.mkdir(parents=True)
        for i, piece in enumerate(pieces(name, 5, 0)):
            Image.fromarray(piece).resize((64, 64)).save(folder / f"{i}.png")
    import_images(workspace, tmp_path / "train", "folder", split="train")
    model = quick_model(workspace)
    assert (model.name, model.metrics["held_out"]) == ("linear-1", True)
    assert model.metrics["accuracy"] >= 0.9
    again = synthaug.Session(workspace).first_model()
    assert (again.model, again.test_images, again.per_class) == (
        "linear-2",
        0,
        {"china": None, "flower": None},
    )
    assert predict(workspace).model == "linear-2"
    assert models.newest(workspace.db).name == "linear-2"


def test_films_are_read_at_their_full_depth(workspace: Workspace) -> None:
    """A ramp of 1,000 values within a window of 4,000: 64 gray levels of a picture, 1,000 of the film."""
    values = np.tile(np.arange(1000, 2000, dtype=np.uint16), (1000, 1))
    film = GrayImage(values, 12, Display((Window(2000, 4000, "LINEAR_EXACT"),)))
    address = workspace.images.put(film, {})
    shown = load_levels(workspace, [address], 1000)
    assert shown.dtype == np.uint16
    assert len(np.unique(shown)) == 1000
    assert len(np.unique(as_picture(film))) == 64
    np.testing.assert_allclose(shown[0, 0, :, 0] / 65535, np.arange(1000, 2000) / 4000, atol=1e-5)


def test_a_picture_beside_a_film_keeps_its_look(workspace: Workspace) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    film = GrayImage(np.full((8, 8), 1500, np.uint16), 12, Display((Window(2000, 4000, "LINEAR_EXACT"),)))
    addresses = [workspace.images.put(each, {}) for each in (colours, film, colours + 1)]
    found = load_levels(workspace, addresses, 8)
    np.testing.assert_array_equal(found[0] / 65535, colours / 255)
    np.testing.assert_array_equal(found[2] // 257, colours + 1)


def test_keys_of_earlier_runs_stand(digits: Workspace) -> None:
    """The digest of release 0.2: a longer list of recipe fields must not orphan trained runs."""
    assert recipe_key(resolve_recipe(digits, "digits")) == KEY_OF_0_2


KEY_OF_0_2 = "digits/12/149024da"
