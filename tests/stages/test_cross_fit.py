"""Cross-fitting: training images predicted by models that have not seen them; scikit-learn is the independent truth."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from synthaug.cli import cli, learning  # noqa: F401 - it registers its commands
from synthaug.errors import UserError
from synthaug.measures.linear_head import (
    NEARLY_CONSTANT,
    PENALTY,
    cross_fitted_probabilities,
    stratified_folds,
)
from synthaug.reading.inspection import inspect
from synthaug.reading.queue import items, ordered_ids
from synthaug.records import LabelEntry
from synthaug.running.jobs import run_to_end
from synthaug.stages.cross_fit import cross_fit
from synthaug.stages.handlers import HANDLERS, submit_predict
from synthaug.stages.label import record
from synthaug.stages.predict import predict
from synthaug.stages.quick_model import quick_model
from synthaug.stages.train import train
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, cross_fits, models, views
from synthaug.workspace import Workspace

WRONG = 3
"""Of the noise images of each class, how many have the label of the other."""


@pytest.fixture
def noise(workspace: Workspace) -> tuple[list[int], list[int]]:
    """Ids of 40 images, bright ones of class 1 and dark ones of class 0, and their labels, of which six are wrong."""
    rng = np.random.default_rng(5)
    ids, said = [], []
    for number in range(40):
        pixels = (rng.integers(0, 100, (32, 32, 3)) + 150 * (number % 2)).astype(np.uint8)
        ids.append(
            catalog.add_image(
                workspace.db,
                sha256=workspace.images.put(pixels, {}),
                size=(32, 32),
                split="train",
                origin="real",
                source="camera",
            )[0]
        )
        said.append(1 - number % 2 if number < 2 * WRONG else number % 2)
    record(
        workspace,
        [
            LabelEntry(image_id, "class", "ann", "human", f"first-{image_id}", class_index)
            for image_id, class_index in zip(ids, said, strict=True)
        ],
    )
    return ids, said


def test_the_probabilities_are_those_of_cross_val_predict() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 4, 300)
    features = (rng.normal(size=(300, 12)) + np.eye(4, 12)[labels]).astype(np.float32)
    features *= np.linspace(0.1, 20, 12, dtype=np.float32)
    ours = cross_fitted_probabilities(features, labels, 4, folds=6, seed=1)
    fold = stratified_folds(labels, 6, 1)
    theirs = np.empty_like(ours)
    for held in range(6):  # the same standardisation and penalty, as scikit-learn writes them
        inside = fold != held
        variance = features[inside].var(0, ddof=1)
        scale = np.sqrt(variance + NEARLY_CONSTANT * variance.mean())
        scaled = (features - features[inside].mean(0)) / scale
        model = LogisticRegression(C=1 / (PENALTY * inside.sum()), tol=1e-8, max_iter=5000)
        split = PredefinedSplit(np.where(inside, -1, 0))
        with_others = cross_val_predict(
            model, scaled, labels, cv=_both(split, inside), method="predict_proba"
        )
        theirs[~inside] = with_others[~inside]
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.99


def _both(split: PredefinedSplit, inside: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The one split that is looked at, and its complement, because cross_val_predict wants every row predicted."""
    ((train_rows, test_rows),) = split.split()
    assert len(train_rows) == inside.sum()
    return [(train_rows, test_rows), (test_rows, train_rows)]


def test_wrong_labels_stand_out_only_where_the_images_were_not_seen(
    workspace: Workspace, noise: tuple[list[int], list[int]]
) -> None:
    ids, said = noise
    model = quick_model(workspace)
    own = predict(workspace, model.name)
    assert own.cross_fit is None
    assert all(each.trained_on and not each.cross_fitted for each in items(workspace, ids))
    result = predict(workspace, model.name, folds=5)
    assert result.predicted == 0  # its own predictions are there already
    done = result.cross_fit
    assert done is not None
    assert done == cross_fits.of_model(workspace.db, model.id)
    assert (done.images, done.folds, done.recipe) == (40, 5, "linear head")
    shown = items(workspace, ids)
    assert all(each.cross_fitted and not each.trained_on for each in shown)
    right = [number % 2 for number in range(40)]
    assert [each.predicted_class for each in shown] == right  # what they are, not what was said of them
    assert done.accuracy == np.mean(np.array(right) == said) == 34 / 40
    assert inspect(workspace, str(ids[0]), None).guesses[0].cross_fitted
    first = ordered_ids(workspace, "predicted-class", "real")
    assert [right[ids.index(each)] for each in first] == [0] * 20 + [1] * 20


def test_another_cross_fitting_replaces_the_first_and_the_models_own_word_stays(
    workspace: Workspace, noise: tuple[list[int], list[int]]
) -> None:
    ids, _ = noise
    model = quick_model(workspace)
    predict(workspace, model.name)
    own = {row["image_id"]: row["probs"] for row in workspace.db.query("SELECT * FROM predictions")}
    cross_fit(workspace, model, 5)
    before = models.predictions_of(workspace.db, model.id, ids)
    version = models.scores_version(workspace.db)
    cross_fit(workspace, model, 2, seed=3)
    after = models.predictions_of(workspace.db, model.id, ids)
    assert cross_fits.of_model(workspace.db, model.id).folds == 2  # type: ignore[union-attr]
    assert any(not np.array_equal(before[each].probs, after[each].probs) for each in ids)
    assert models.scores_version(workspace.db) != version
    kept = {row["image_id"]: row["probs"] for row in workspace.db.query("SELECT * FROM predictions")}
    assert kept == own


def test_what_a_model_did_not_learn_from_keeps_its_own_prediction(
    workspace: Workspace, noise: tuple[list[int], list[int]]
) -> None:
    ids, said = noise
    view = views.create(workspace.db, "half", {}, [(each, said[i]) for i, each in enumerate(ids[:20])] * 2)
    name = quick_model(workspace).name
    with workspace.db.transaction() as connection:
        connection.execute("UPDATE models SET view_id = ? WHERE name = ?", [view.id, name])
    result = predict(workspace, name, folds=4, full_recipe=True)
    assert result.cross_fit is not None
    assert (result.cross_fit.images, result.cross_fit.recipe) == (20, "linear")
    shown = items(workspace, ids)
    assert [each.cross_fitted for each in shown] == [True] * 20 + [False] * 20


@pytest.mark.slow
def test_the_full_recipe_is_trained_once_a_fold(digits: Workspace) -> None:
    make_view(digits, "some", ViewSpec(keep=dict.fromkeys(digits.classes, 12)))
    model = train(digits, "some", epochs=6)
    predict(digits, model.name)
    done = cross_fit(digits, model, 3, full_recipe=True)
    assert (done.images, done.recipe, done.features) == (120, "digits", None)
    assert 0.5 < done.accuracy <= 1


def test_what_cannot_be_cross_fitted_is_said(
    workspace: Workspace, noise: tuple[list[int], list[int]]
) -> None:
    model = quick_model(workspace)
    with pytest.raises(UserError, match=r"51 folds; cross-fitting takes 2 \.\. 50"):
        predict(workspace, model.name, folds=51)
    with pytest.raises(UserError, match="trained on 40 images of this workspace; 45 folds"):
        predict(workspace, model.name, folds=45)
    with pytest.raises(UserError, match="give the number of folds"):
        predict(workspace, model.name, full_recipe=True)


def test_the_command_says_how_good_the_folds_were(
    workspace: Workspace, noise: tuple[list[int], list[int]]
) -> None:
    quick_model(workspace)
    shown = CliRunner().invoke(cli, ["predict", "--cross-fit", "5", "--workspace", str(workspace.root)])
    assert shown.exit_code == 0, shown.output
    assert "40 training images cross-fitted in 5 folds (linear head): 85.0% have their label" in shown.output


def test_the_job_that_the_page_queues_cross_fits_where_it_is_asked_to(
    workspace: Workspace, noise: tuple[list[int], list[int]]
) -> None:
    model = quick_model(workspace)
    plain = run_to_end(workspace, submit_predict(workspace), HANDLERS)
    assert (plain.result["predicted"], plain.result["cross_fitted"]) == (40, 0)
    asked = run_to_end(workspace, submit_predict(workspace, model.name, folds=4), HANDLERS)
    assert (asked.result["predicted"], asked.result["cross_fitted"]) == (0, 40)
