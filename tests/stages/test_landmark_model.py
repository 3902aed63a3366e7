"""From placed landmarks to proposals that the Label page shows, on phantoms with a known truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import synthaug
from synthaug.cli import cli, landmark_models  # noqa: F401 - registers the commands
from synthaug.errors import UserError
from synthaug.importers.hip.phantom import hip_phantom
from synthaug.landmarks.geometry import check_places
from synthaug.reading.landmarks import proposals
from synthaug.records import Display, GrayImage, LabelEntry, Landmarks, Window
from synthaug.stages import label
from synthaug.stages.landmark_model import load_placed, predict_landmarks, train_landmarks, variants_of_each
from synthaug.stages.landmark_scheme import required_scheme
from synthaug.stages.predict import predict
from synthaug.stages.squares import Square, load_squares
from synthaug.stages.verify import verify
from synthaug.store import catalog, models
from synthaug.workspace import Workspace
from tests.landmarks.made import hip_workspace

SIZE, WIDTH = 48, 64
QUICK: dict[str, int] = {"epochs": 1, "image_size": 32}


@pytest.fixture
def hips(tmp_path: Path) -> Workspace:
    """20 training and 8 test phantoms with landmarks, 2 without, 48 px high in films 64 px wide."""
    workspace = hip_workspace(tmp_path / "work")
    for i in range(30):
        add_phantom(workspace, i, "train" if i < 20 else "test", placed=i < 28)
    return workspace


def add_phantom(workspace: Workspace, number: int, split: str, placed: bool) -> None:
    scheme = required_scheme(workspace)
    drawn = hip_phantom((3, 0, number), SIZE)
    pixels = np.zeros((SIZE, WIDTH, 3), np.uint8)
    pixels[:, 8 : 8 + SIZE] = drawn.pixels
    image_id, _ = catalog.add_image(
        workspace.db,
        sha256=workspace.images.put(pixels, {}),
        size=(WIDTH, SIZE),
        split=split,  # type: ignore[arg-type]
        origin="real",
        source=f"phantom/{number}",
    )
    if not placed:
        return
    points = {name: (x + 8, *others) for name, (x, *others) in drawn.landmarks.items()}
    big = min(drawn.left_angle, drawn.right_angle) >= 105
    landmarks = Landmarks(scheme.name, scheme.revision, points)
    entry = LabelEntry(
        image_id, "class", "vet", "human", f"op-{number}", 0 if big else 1, landmarks=landmarks
    )
    label.record(workspace, [entry])


def test_few_images_are_trained_on_in_many_variants() -> None:
    images = (2, 8, 40, 52, 438, 640)
    assert [variants_of_each(each) for each in images] == [31, 31, 15, 12, 1, 0]


@pytest.mark.long
def test_a_landmark_model_is_trained_measured_used_and_verified(hips: Workspace) -> None:
    model = train_landmarks(hips, **QUICK)
    figures = model.metrics
    assert (model.name, figures["kind"], figures["measured_on"], figures["images"]) == (
        "landmarks-1",
        "landmarks",
        "test",
        8,
    )
    assert figures["train_images"] == 17  # of 20, three are held out
    assert set(figures["angles"]) == {"left", "right", "all"}
    assert figures["angles"]["all"]["images"] == 16
    errors = [each["error"] for each in figures["failures"]]
    assert errors == sorted(errors, reverse=True)
    worst = figures["failures"][0]
    assert worst["error"] == pytest.approx(
        max(abs(worst["true"][side] - worst["read"][side]) for side in ("left", "right")), abs=0.02
    )
    assert "spread of 9 readings, scaled to the error on 3 held-out" in figures["doubt"]
    assert predict_landmarks(hips) == ("landmarks-1", 30)
    scheme = required_scheme(hips)
    unplaced = [each for each in catalog.find_images(hips.db) if each.source in ("phantom/28", "phantom/29")]
    for image in unplaced:
        proposal = proposals(hips, scheme, unplaced)[image.id]
        assert (proposal.origin, proposal.by) == ("model", "landmarks-1")
        assert proposal.doubt is not None
        assert 0.1 < proposal.doubt < WIDTH
        check_places(scheme, proposal.points, image.width, image.height)
    assert verify(hips).problems == ()


@pytest.mark.long
def test_a_model_of_landmarks_is_no_classifier(hips: Workspace) -> None:
    train_landmarks(hips, **QUICK)
    assert models.classifiers(hips.db) == []
    with pytest.raises(UserError, match="there is no classifier"):
        predict(hips)


@pytest.mark.long
def test_without_test_images_a_model_is_measured_on_held_out_images(tmp_path: Path, hips: Workspace) -> None:
    other = hip_workspace(tmp_path / "other")
    with pytest.raises(UserError, match="0 training images have landmarks"):
        train_landmarks(other)
    for i in range(10):
        add_phantom(other, i, "train", placed=True)
    figures = train_landmarks(other, name="mine", **QUICK).metrics
    assert (figures["measured_on"], figures["images"]) == ("held out", 2)
    with pytest.raises(UserError, match="'mine' already exists"):
        train_landmarks(other, name="mine", **QUICK)


def test_a_square_keeps_shape_and_the_way_back(hips: Workspace) -> None:
    scheme = required_scheme(hips)
    square = Square(64, 48)
    points = {
        "left_head": (8.0, 0.0, 6.0),
        "right_head": (64.0, 48.0, 3.0),
        "left_rim": (0, 0),
        "right_rim": (1, 2),
    }
    shares = square.shares(scheme, points)
    assert shares[:3] == [8 / 64, 8 / 64, 6 / 64]  # eight rows of black above
    for name, place in square.places(scheme, shares).items():
        assert place == pytest.approx(points[name])
    found = load_placed(hips, scheme, "test", 64)
    assert found.pixels.shape == (8, 64, 64, 3)
    assert (found.pixels[:, :8] == 0).all()
    assert (found.pixels[:, 56:] == 0).all()
    image = found.images[0]
    np.testing.assert_array_equal(found.pixels[0, 8:56], hips.images.read(image.sha256))


def test_films_are_squares_at_their_full_depth(hips: Workspace) -> None:
    values = np.tile(np.arange(2000, dtype=np.uint16), (4, 1))
    film = GrayImage(values, 12, Display((Window(1000, 2000, "LINEAR_EXACT"),)))
    image_id, _ = catalog.add_image(
        hips.db, sha256=hips.images.put(film, {}), size=(2000, 4), split="train", origin="real", source="film"
    )
    pixels, _ = load_squares(hips, catalog.images_by_id(hips.db, [image_id]), 2000)
    assert pixels.dtype == np.uint16
    assert len(np.unique(pixels[0, 998])) == 2000


@pytest.mark.long
def test_python_trains_and_proposes(hips: Workspace) -> None:
    work = synthaug.Session(hips)
    trained = work.train_landmarks(**QUICK)
    assert trained.images == 8
    assert trained.errors["all"] == pytest.approx((trained.errors["left"] + trained.errors["right"]) / 2)
    assert work.propose_landmarks().images == 30


@pytest.mark.long
def test_the_shell_says_what_python_says(hips: Workspace) -> None:
    result = CliRunner().invoke(
        cli,
        [
            "landmarks",
            "train",
            "--epochs",
            "1",
            "--image-size",
            "32",
            "--json",
            "--workspace",
            str(hips.root),
        ],
    )
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout.splitlines()[-1])
    assert said["angles"]["all"] == models.newest_landmark_model(hips.db).metrics["angles"]["all"]
    shown = CliRunner().invoke(cli, ["landmarks", "predict", "--workspace", str(hips.root)])
    assert "landmarks-1 predicted landmarks on 30 images" in shown.stdout
