"""Models, their predictions, and the scores computed from these."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UnknownName, UserError
from synthaug.records import Environment, Json
from synthaug.store.catalog import get_setting, set_setting
from synthaug.store.database import Database, now
from synthaug.store.generations import PROMPTED_CLASS

Floats = NDArray[np.float32]
BATCH = 4096  # predictions that are read at a time
SAID = "coalesce(predictions.cross_fitted, predictions.probs)"
"""What is shown of a prediction: where the model was trained on the image, the word of models fitted without it."""
PREDICTION = f"image_id, {SAID} AS probs, cross_fitted IS NOT NULL AS cross_fitted"
COLUMNS = "id, name, recipe, revision, seed, view_id, file, metrics, environment, created_at"
OOD_METHOD = "ood_method"
UMAP_PLACED = "umap_placed"
LANDMARKS = "landmarks"
"""``metrics["kind"]`` of a landmark model; a classifier has none."""
SCORE_COLUMNS = (
    "pca_x, pca_y, umap_x, umap_y, entropy, margin, ood_real, ood_synthetic, duplicate_of, model_id,"
    " features, scored_at"
)


@dataclass(frozen=True, slots=True)
class Model:
    """A trained classifier or landmark model; ``file`` is relative to the workspace."""

    id: int
    name: str
    recipe: str
    revision: str
    seed: int
    view_id: int | None
    file: str
    metrics: Json
    environment: Environment
    created_at: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction of a classifier for an image: class probabilities (K,) float32, which sum to 1.

    ``cross_fitted``: the classifier was trained on the image; this is the prediction of models trained without it.
    """

    image_id: int
    probs: Floats
    cross_fitted: bool = False

    @property
    def class_index(self) -> int:
        """The most probable class."""
        return int(self.probs.argmax())

    @property
    def confidence(self) -> float:
        """The probability of the most probable class, 0..1."""
        return float(self.probs.max())


@dataclass(frozen=True, slots=True)
class Score:
    """The map coordinates and scores of an image; see :func:`synthaug.stages.score.score`."""

    image_id: int
    pca: tuple[float, float]
    umap: tuple[float, float]
    entropy: float | None  # None: without a classifier
    margin: float | None
    ood_real: float | None
    ood_synthetic: float | None
    duplicate_of: int | None


def add(
    db: Database,
    *,
    name: str,
    recipe: str,
    revision: str,
    seed: int,
    view_id: int | None,
    file: str,
    metrics: Json,
    environment: Environment,
) -> Model:
    """Record a trained model under a new name."""
    with db.transaction() as connection:
        connection.execute(
            "INSERT INTO models (name, recipe, revision, seed, view_id, file, metrics, environment, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                name,
                recipe,
                revision,
                seed,
                view_id,
                file,
                json.dumps(metrics),
                json.dumps(environment),
                now(),
            ],
        )
        return by_name(db, name)


def names(db: Database) -> list[str]:
    """Names of all models, oldest first."""
    return [row["name"] for row in db.query("SELECT name FROM models ORDER BY id")]


def by_name(db: Database, name: str) -> Model:
    """The model with this name. Raises UnknownName."""
    row = db.one(f"SELECT {COLUMNS} FROM models WHERE name = ?", [name])
    if row is None:
        raise UnknownName("model", name, names(db))
    return _model(row)


def by_id(db: Database, model_id: int) -> Model:
    """The model with this id. Raises UnknownName."""
    row = db.one(f"SELECT {COLUMNS} FROM models WHERE id = ?", [model_id])
    if row is None:
        raise UnknownName("model", str(model_id), names(db))
    return _model(row)


def newest(db: Database) -> Model:
    """The newest classifier. Raises UserError if there is none."""
    found = classifiers(db)
    if not found:
        raise UserError("there is no classifier; train one first: synthaug train")
    return found[0]


def newest_landmark_model(db: Database) -> Model:
    """The newest landmark model. Raises UserError if there is none."""
    for model in all_models(db):
        if model.metrics.get("kind") == LANDMARKS:
            return model
    raise UserError("there is no landmark model; train one first: synthaug landmarks train")


def classifiers(db: Database) -> list[Model]:
    """All classifiers, newest first."""
    return [each for each in all_models(db) if each.metrics.get("kind") != LANDMARKS]


def has_classifier(db: Database) -> bool:
    """Whether there is any classifier; without reading their figures."""
    found = db.one("SELECT 1 FROM models WHERE json_extract(metrics, '$.kind') IS NOT ? LIMIT 1", [LANDMARKS])
    return found is not None


def all_models(db: Database) -> list[Model]:
    """All models, newest first: classifiers and landmark models."""
    return [_model(row) for row in db.query(f"SELECT {COLUMNS} FROM models ORDER BY id DESC")]


def predicting(db: Database) -> Model | None:
    """The classifier that predicted last, whose predictions are shown; None before any prediction."""
    row = db.one("SELECT model_id FROM predictions ORDER BY rowid DESC LIMIT 1")
    return None if row is None else by_id(db, row["model_id"])


def add_predictions(
    db: Database, model_id: int, image_ids: Sequence[int], probs: Floats, features: Floats
) -> None:
    """Store class probabilities (N, K) and penultimate features (N, D) of images; existing predictions are kept."""
    time = now()
    rows = [
        {
            "model_id": model_id,
            "image_id": int(image_id),
            "probs": np.asarray(p, np.float32).tobytes(),
            "features": np.asarray(f, np.float32).tobytes(),
            "created_at": time,
        }
        for image_id, p, f in zip(image_ids, probs, features, strict=True)
    ]
    db.insert("predictions", rows, ignore=True)


def predictions_of(db: Database, model_id: int, image_ids: Sequence[int]) -> dict[int, Prediction]:
    """The predictions of a model for the images among ``image_ids`` that have one, by id."""
    rows = db.query_among(
        f"SELECT {PREDICTION} FROM predictions WHERE model_id = ? AND image_id IN (:ids)",
        image_ids,
        [model_id],
    )
    return {row["image_id"]: _prediction(row) for row in rows}


def learned_from(db: Database, model: Model, image_ids: Sequence[int]) -> set[int]:
    """The images among ``image_ids`` that a model was trained on: its view, or else all that were labeled by then."""
    if model.view_id is None:
        sql, key = (
            (
                "SELECT image_id FROM current_labels JOIN images ON images.id = image_id"
                " WHERE value = 'class' AND split = 'train' AND created_at <= ?"
            ),
            model.created_at,
        )
    else:
        sql, key = "SELECT image_id FROM view_images WHERE view_id = ?", str(model.view_id)
    return {row["image_id"] for row in db.query_among(f"{sql} AND image_id IN (:ids)", image_ids, [key])}


def predictions_of_image(db: Database, image_id: int) -> list[tuple[Model, Prediction]]:
    """The predictions of all models for an image, newest model first."""
    rows = db.query(
        f"SELECT model_id, {PREDICTION} FROM predictions WHERE image_id = ? ORDER BY model_id DESC",
        [image_id],
    )
    return [(by_id(db, row["model_id"]), _prediction(row)) for row in rows]


def all_probabilities(db: Database, model_id: int) -> tuple[list[int], Floats]:
    """Ids (N) and probabilities (N, K) of all predictions of a model, ordered by id."""
    sql = f"SELECT image_id, {SAID} FROM predictions WHERE model_id = ? ORDER BY image_id"
    ids, (probs,) = _columns(db, sql, model_id, 1)
    return ids, probs


def all_predictions(db: Database, model_id: int) -> tuple[list[int], Floats, Floats]:
    """Ids (N), probabilities (N, K) and features (N, D) of all predictions of a model, ordered by id."""
    sql = f"SELECT image_id, {SAID}, features FROM predictions WHERE model_id = ? ORDER BY image_id"
    ids, (probs, features) = _columns(db, sql, model_id, 2)
    return ids, probs, features


def _columns(db: Database, sql: str, model_id: int, width: int) -> tuple[list[int], list[Floats]]:
    """Ids, and ``width`` arrays of the BLOBs beside them; few rows at a time are held as Python objects."""
    ids: list[int] = []
    parts: list[list[Floats]] = [[] for _ in range(width)]
    for rows in db.batches(sql, [model_id], BATCH):
        number, *blobs = zip(*rows, strict=True)
        ids += number
        for column, found in zip(parts, blobs, strict=True):
            column.append(_matrix(found))
    return ids, [np.concatenate(column) if column else _matrix([]) for column in parts]


def scores_version(db: Database) -> str:
    """A text that changes whenever the results of :func:`scored_images` or :func:`scored_probabilities` change."""
    row = db.one(
        "SELECT (SELECT max(id) FROM labels), (SELECT max(rowid) FROM predictions),"
        " (SELECT scored_at FROM scores LIMIT 1), (SELECT count(*) FROM scores),"
        " (SELECT count(*) FROM generations), (SELECT max(created_at) FROM cross_fits)"
    )
    return "" if row is None else "/".join(str(each) for each in row)


def scored_probabilities(db: Database) -> Floats:
    """Probabilities (N, K) of all scored images by the model of their scores, by id; NaN without a prediction."""
    rows = db.query(
        f"SELECT {SAID} FROM scores LEFT JOIN predictions USING (image_id, model_id) ORDER BY image_id"
    )
    width = max((len(row[0]) for row in rows if row[0] is not None), default=4)
    unknown = np.full(width // 4, np.nan, np.float32).tobytes()
    return _matrix([unknown if row[0] is None else row[0] for row in rows])


def replace_scores(
    db: Database,
    model_id: int | None,
    scores: Sequence[Score],
    features: str | None = None,
    ood_method: str = "knn",
    *,
    placed: int = 0,
) -> None:
    """Replace the scores of all images.

    ``model_id`` is the classifier whose probabilities are shown, if any. ``features`` is the name of the extractor from
    whose features the coordinates are computed (default: the classifier). ``ood_method`` is one of
    measures.ood.METHODS. ``placed`` is the number of images that were placed in a UMAP that was fitted without them.
    """
    if features is None:
        if model_id is None:
            raise ValueError("scores need the features of an extractor or of a classifier; neither was given")
        features = by_id(db, model_id).name
    time = now()
    with db.transaction() as connection:
        connection.execute("DELETE FROM scores")
        connection.executemany(
            f"INSERT INTO scores (image_id, {SCORE_COLUMNS}) VALUES ({', '.join('?' * 13)})",
            (
                (
                    score.image_id,
                    *score.pca,
                    *score.umap,
                    score.entropy,
                    score.margin,
                    score.ood_real,
                    score.ood_synthetic,
                    score.duplicate_of,
                    model_id,
                    features,
                    time,
                )
                for score in scores
            ),
        )
        set_setting(db, OOD_METHOD, ood_method)
        set_setting(db, UMAP_PLACED, str(placed))


def scored_images(db: Database) -> list[sqlite3.Row]:
    """A row for each scored image: coordinates, scores, origin, current label, and the class it was generated for."""
    return db.query(
        f"""
        SELECT images.id, images.split, images.origin, {SCORE_COLUMNS},
            current_labels.value, current_labels.class_position,
            {PROMPTED_CLASS} AS prompted
        FROM scores JOIN images ON images.id = scores.image_id
        LEFT JOIN current_labels ON current_labels.image_id = images.id
        ORDER BY images.id
        """
    )


def scored_with(db: Database) -> tuple[str, int | None, str] | None:
    """(features, model id, time) of the scores; None if there are no scores."""
    row = db.one("SELECT features, model_id, scored_at FROM scores LIMIT 1")
    return None if row is None else (row[0], row[1], row[2])


def scored_count(db: Database) -> int:
    """The number of scored images."""
    return int(db.query("SELECT count(*) FROM scores")[0][0])


def predicted_count(db: Database, model_id: int) -> int:
    """The number of images that a model has predicted."""
    return int(db.query("SELECT count(*) FROM predictions WHERE model_id = ?", [model_id])[0][0])


def scored_features(db: Database) -> str | None:
    """The name of the model or extractor whose features the scores are based on; None if there are no scores."""
    row = db.one("SELECT features FROM scores LIMIT 1")
    return None if row is None else str(row[0])


def ood_method(db: Database) -> str:
    """The method by which the distances were measured; scores of release 0.1 used nearest neighbours."""
    return get_setting(db, OOD_METHOD) or "knn"


def umap_placed(db: Database) -> int:
    """How many of the scored images were placed in a UMAP that was fitted without them."""
    return int(get_setting(db, UMAP_PLACED) or 0)


def scored_at(db: Database) -> str:
    """The time at which the scores were computed; "" if there are no scores."""
    row = db.one("SELECT scored_at FROM scores LIMIT 1")
    return "" if row is None else str(row[0])


def duplicates(db: Database) -> dict[int, int]:
    """Near-duplicates: image id -> id of the earlier image that it resembles."""
    rows = db.query(
        "SELECT image_id, duplicate_of FROM scores WHERE duplicate_of IS NOT NULL ORDER BY image_id"
    )
    return {row[0]: row[1] for row in rows}


def _matrix(blobs: Sequence[bytes]) -> Floats:
    """Rows of equal length as one float32 array."""
    return np.frombuffer(b"".join(blobs), np.float32).reshape(len(blobs), len(blobs[0]) // 4 if blobs else 0)


def _prediction(row: sqlite3.Row) -> Prediction:
    return Prediction(row["image_id"], np.frombuffer(row["probs"], np.float32), bool(row["cross_fitted"]))


def _model(row: sqlite3.Row) -> Model:
    values = dict(row)
    values["metrics"] = json.loads(values["metrics"])
    values["environment"] = json.loads(values["environment"])
    return Model(**values)
