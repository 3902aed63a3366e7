"""Training a landmark model on the landmarks that people placed, measuring its angles, and predicting landmarks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.landmarks import (
    READINGS,
    FittedLandmarks,
    find_landmark_recipe,
    fit_landmarks,
    mirrored_shares,
    output_names,
)
from synthaug.classifiers.recipes import Recipe
from synthaug.classifiers.similarity import with_variants
from synthaug.errors import UserError
from synthaug.landmarks.geometry import class_by_angles, measure
from synthaug.landmarks.scheme import Scheme
from synthaug.measures.agreement import AngleAgreement, agreement, worst_first
from synthaug.progress import EpochProgress, EpochReport, Progress
from synthaug.records import ImageRecord, Json, Split
from synthaug.running.jobs import JobContext
from synthaug.stages.job_records import TrainAndPredictResult
from synthaug.stages.landmark_metrics import LandmarkFailure, LandmarkMetrics
from synthaug.stages.landmark_request import FEWEST, too_few
from synthaug.stages.landmark_scheme import required_scheme
from synthaug.stages.new_model import keep, new_name, numbered_name
from synthaug.stages.pixels import in_batches
from synthaug.stages.seeds import check_seed
from synthaug.stages.squares import Square, load_squares
from synthaug.stages.train import check_image_size
from synthaug.store import catalog, landmarks, models
from synthaug.workspace import Workspace

RECIPE = "landmarks"
HELD_OUT = (
    0.15  # of the training images: they scale the uncertainty, and are measured on where there is no test set
)
LEAST_IMAGES, MOST_VARIANTS = 640, 31
"""Random variants are added to fewer images (mirror images counted), but not more of each than this."""
BATCH = 64


@dataclass(frozen=True, slots=True)
class Placed:
    """N images with landmarks: as squares (N, S, S, 3), and their landmarks as shares (N, M) of the squares."""

    images: Sequence[ImageRecord]
    pixels: NDArray[np.unsignedinteger[Any]]
    squares: Sequence[Square]
    shares: NDArray[np.float64]
    places: Sequence[Mapping[str, tuple[float, ...]]]  # in pixels of the images

    def take(self, chosen: NDArray[np.bool_]) -> Placed:
        """The images in a mask (N,)."""
        rows = np.flatnonzero(chosen).tolist()
        return Placed(
            [self.images[i] for i in rows],
            self.pixels[rows],
            [self.squares[i] for i in rows],
            self.shares[rows],
            [self.places[i] for i in rows],
        )


def train_landmarks(
    workspace: Workspace,
    recipe: str | None = None,
    seed: int = 0,
    name: str | None = None,
    *,
    epochs: int | None = None,
    image_size: int | None = None,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> models.Model:
    """Train on the training images with landmarks and on their mirror images; measure and store the model.

    It is measured on the real test images with landmarks, or else on held-out training images. Raises UserError for too
    few images, a missing scheme, or a taken name.
    """
    check_seed(seed)
    scheme = required_scheme(workspace)
    chosen = _recipe(recipe, epochs, image_size)
    name = new_name(workspace, name or numbered_name(workspace, RECIPE))
    found = load_placed(workspace, scheme, "train", chosen.image_size)
    if len(found.images) < FEWEST:
        raise too_few(len(found.images), scheme.name)
    held = _held_out(len(found.images), seed)
    model = _fitted(found.take(~held), scheme, chosen, seed, progress, should_cancel)
    shown = found.take(held)
    model.training["doubt_scale"] = _doubt_scale(model, shown)
    model.training["doubt"] = (
        f"spread of {READINGS + 1} readings, scaled to the error on {len(shown.images)} held-out training images"
    )
    test = load_placed(workspace, scheme, "test", chosen.image_size)
    errors = measured(model, scheme, test if test.images else shown)
    metrics = LandmarkMetrics(
        images=errors.images,
        point_error=errors.point_error,
        accuracy=errors.accuracy,
        measured_on="test" if test.images else "held out",
        train_images=len(found.images) - len(shown.images),
        scheme=scheme.name,
        doubt=model.training["doubt"],
        image_size=chosen.image_size,
        depth=8 * found.pixels.itemsize,
        epochs=chosen.epochs,
        angles=errors.angles,
        failures=errors.failures,
    )
    return keep(workspace, name, model, seed=seed, metrics=metrics.to_json())


def predict_landmarks(
    workspace: Workspace, model: str | None = None, progress: Progress | None = None
) -> tuple[str, int]:
    """Predict and store the landmarks of all images; returns the name of the model, and the number of images.

    ``model`` is by default the newest landmark model. Raises UserError if there is none, or if it was trained for
    another scheme.
    """
    chosen = (
        models.newest_landmark_model(workspace.db) if model is None else models.by_name(workspace.db, model)
    )
    fitted = FittedLandmarks.load(workspace.root / chosen.file)
    scheme = required_scheme(workspace)
    if fitted.scheme.names != scheme.names:
        raise UserError(
            f"{chosen.name} predicts landmarks of the scheme {fitted.scheme.name!r}, not of {scheme.name!r}; "
            "train a model for it: synthaug landmarks train"
        )
    images = catalog.find_images(workspace.db)
    for part in in_batches(len(images), BATCH):
        if progress is not None:
            progress(part.start, len(images), f"landmarks by {chosen.name}")
        batch = images[part]
        pixels, squares = load_squares(workspace, batch, fitted.recipe.image_size)
        shares, doubts = fitted.predict_with_doubt(pixels)
        rows = zip(batch, squares, shares, doubts, strict=True)
        predicted = {
            image.id: (_inside(square.places(scheme, row), image), round(square.pixels(_rms(doubt)), 2))
            for image, square, row, doubt in rows
        }
        landmarks.add_predictions(workspace.db, chosen.id, predicted)
    return chosen.name, len(images)


@dataclass(frozen=True, slots=True)
class LandmarkErrors:
    """The errors of a model on some images; the fields are those of LandmarkMetrics."""

    images: int
    point_error: float
    accuracy: float | None
    angles: Mapping[str, AngleAgreement]
    failures: tuple[LandmarkFailure, ...]


def measured(model: FittedLandmarks, scheme: Scheme, found: Placed) -> LandmarkErrors:
    """Compare the points, angles and classes of a model with those that people placed."""
    read = [
        square.places(scheme, row)
        for square, row in zip(found.squares, model.predict(found.pixels), strict=True)
    ]
    names = [angle.name for angle in scheme.angles]
    true_angles, read_angles = (
        [measure(scheme, places) for places in several] for several in (found.places, read)
    )
    true, seen = (
        np.array([[each[name] for name in names] for each in rows]) for rows in (true_angles, read_angles)
    )
    distances = [
        float(np.hypot(a[name][0] - b[name][0], a[name][1] - b[name][1]))
        for a, b in zip(found.places, read, strict=True)
        for name in scheme.names
    ]
    angles = {name: agreement(true[:, i], seen[:, i]) for i, name in enumerate(names)}
    if names:
        angles["all"] = agreement(true.ravel(), seen.ravel())
    failures = [
        LandmarkFailure(
            found.images[i].sha256,
            float(np.abs(seen[i] - true[i]).max()),
            {name: round(each, 2) for name, each in true_angles[i].items()},
            {name: round(each, 2) for name, each in read_angles[i].items()},
        )
        for i in (worst_first(true, seen).tolist() if names else ())
    ]
    return LandmarkErrors(
        len(found.images),
        float(np.mean(distances)),
        _accuracy(scheme, true_angles, read_angles),
        angles,
        tuple(failures),
    )


def load_placed(workspace: Workspace, scheme: Scheme, split: Split, size: int) -> Placed:
    """The images of a split with landmarks of the scheme, as squares with a side of ``size`` pixels."""
    answers = landmarks.current(workspace.db, landmarks.placed_images(workspace.db))
    fitting = {i: each for i, each in answers.items() if set(each.landmarks.points) == set(scheme.names)}
    images = [each for each in catalog.images_by_id(workspace.db, list(fitting)) if each.split == split]
    pixels, squares = load_squares(workspace, images, size)
    places = [fitting[image.id].landmarks.points for image in images]
    rows = [square.shares(scheme, each) for square, each in zip(squares, places, strict=True)]
    shares = np.array(rows, np.float64).reshape(len(images), len(output_names(scheme)))
    return Placed(images, pixels, squares, shares, places)


def run(context: JobContext) -> Json:
    """Run a job: train a model, then predict the landmarks of all images."""

    def progress(epoch: EpochReport) -> None:
        note = f"epoch {epoch['epoch']}: {epoch['train_error']:.2f} degrees mean error"
        context.progress(epoch["epoch"], epoch["epochs"], note)

    model = train_landmarks(context.workspace, progress=progress, should_cancel=context.should_cancel)
    context.keep(model=model.name)
    _, count = predict_landmarks(context.workspace, model.name, context.progress)
    return TrainAndPredictResult(model.name, model.metrics["accuracy"], count).to_json()


def _recipe(name: str | None, epochs: int | None, image_size: int | None) -> Recipe:
    chosen = find_landmark_recipe(name or RECIPE)
    if image_size is not None:
        check_image_size(image_size)
        chosen = replace(chosen, image_size=image_size)
    return chosen if epochs is None else chosen.for_epochs(epochs)


def _fitted(
    found: Placed,
    scheme: Scheme,
    recipe: Recipe,
    seed: int,
    progress: EpochProgress | None,
    should_cancel: Callable[[], bool] | None,
) -> FittedLandmarks:
    """Train on the images and their mirror images, so that both sides are learned equally well, and on variants."""
    pixels = np.concatenate([found.pixels, found.pixels[:, :, ::-1]])
    shares = np.concatenate([found.shares, mirrored_shares(scheme, found.shares)])
    pixels, shares = with_variants(pixels, shares, output_names(scheme), variants_of_each(len(pixels)), seed)
    return fit_landmarks(pixels, shares, scheme, recipe, seed, progress=progress, should_cancel=should_cancel)


def variants_of_each(images: int) -> int:
    """How many random variants of each of so many images, mirror images included, are trained on."""
    return min(math.ceil(LEAST_IMAGES / images) - 1, MOST_VARIANTS)


def _held_out(count: int, seed: int) -> NDArray[np.bool_]:
    """A mask (N,) of the share HELD_OUT of the images, but at least 2."""
    held = np.zeros(count, bool)
    held[np.random.default_rng(seed).permutation(count)[: max(2, round(HELD_OUT * count))]] = True
    return held


def _doubt_scale(model: FittedLandmarks, held: Placed) -> float:
    """The factor by which the spread of the readings is multiplied to match the error on held-out images."""
    shares, doubts = model.predict_with_doubt(held.pixels)
    return _rms(shares - held.shares) / max(_rms(doubts), 1e-9)


def _rms(values: NDArray[np.floating[Any]]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _inside(places: Mapping[str, tuple[float, ...]], image: ImageRecord) -> dict[str, tuple[float, ...]]:
    """Landmarks moved into the image and with a radius of at least 1 pixel, so that a person can drag them."""
    size = (image.width, image.height)
    return {
        name: (
            *(round(float(np.clip(each, 0, side)), 2) for each, side in zip(place, size, strict=False)),
            *(round(float(np.clip(each, 1, max(size))), 2) for each in place[2:]),
        )
        for name, place in places.items()
    }


def _accuracy(
    scheme: Scheme, true: Sequence[Mapping[str, float]], read: Sequence[Mapping[str, float]]
) -> float | None:
    """The share of images with the right class by the thresholds of the scheme; None if it has no classes."""
    if scheme.classes is None:
        return None
    right = [
        class_by_angles(scheme, a) == class_by_angles(scheme, b) for a, b in zip(true, read, strict=True)
    ]
    return float(np.mean(right))
