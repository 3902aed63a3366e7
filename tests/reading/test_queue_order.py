"""Orders by prediction, read as arrays, are those of a sort that looks at one image after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthaug.reading import queue, queue_order
from synthaug.records import LabelEntry
from synthaug.stages.score import _classes
from synthaug.store import catalog, generations, jobs, label_log, models
from synthaug.store.database import Database
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace
from tests.made import add_untrained_model

CLASSES = 3


@pytest.fixture
def filled(tmp_path: Path) -> Workspace:
    """Forty images: two in three predicted, with ties; one in two generated, some twice and some for no class."""
    workspace = Workspace.create(tmp_path / "w", ["a", "b", "c", "d"])
    rng = np.random.default_rng(3)
    model = add_untrained_model(workspace)
    ids = [add_image(workspace.db, number) for number in range(40)]
    for job in range(2):
        number = jobs.submit(workspace.db, "generate", {}, 20)
        jobs.finish(workspace.db, number, "cancelled", result={})
        for position, image_id in enumerate(ids[job::3]):
            add_generation(workspace.db, number, position, image_id, [None, 0, 1, 2, 3][rng.integers(5)])
            if job and position < 5:
                add_generation(workspace.db, number, 100 + position, ids[3 * position], 2)
    seen = [each for each in ids if each % 3]
    probs = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.2, 0.2, 0.6]], np.float32)
    models.add_predictions(
        workspace.db, model.id, seen, probs[rng.integers(3, size=len(seen))], rng.random((len(seen), 2))
    )
    marked = [
        LabelEntry(each, value, "ann", "human", f"op-{each}", 1 if value == "class" else None)
        for each, value in zip(ids[::4], ["class", "reject", "unsure"] * 4, strict=False)
    ]
    label_log.append(workspace.db, marked)
    return workspace


def add_image(db: Database, number: int) -> int:
    added = catalog.add_image(
        db, sha256=f"{number:064x}", size=(8, 8), split="train", origin="synthetic", source="job 1"
    )
    return added[0]


def add_generation(db: Database, job: int, position: int, image_id: int, class_index: int | None) -> None:
    rest: dict[str, Any] = {"slots": {}, "seed": 0, "generator": "none", "revision": "0"}
    generations.add(db, Generation(job, position, image_id, class_index, "x", position, **rest))


def one_by_one(workspace: Workspace, ids: list[int]) -> dict[int, models.Prediction]:
    found = {each: models.predictions_of(workspace.db, 1, [each]) for each in ids}
    return {each: held[each] for each, held in found.items() if held}


@pytest.mark.parametrize("ids", [list(range(1, 41)), [9, 4, 30, 7, 8, 1, 2, 3], [3, 6], []])
def test_orders_are_those_of_one_image_after_the_other(filled: Workspace, ids: list[int]) -> None:
    seen = one_by_one(filled, ids)
    made = {each: found for each in ids if (found := generations.of_images(filled.db, [each]).get(each))}

    def as_prompted(image_id: int) -> float:
        known = image_id in seen and image_id in made
        asked = made[image_id].class_index if known else None
        return 2.0 if asked is None or asked >= CLASSES else float(seen[image_id].probs[asked])

    surest = {each: seen[each].confidence if each in seen else 2.0 for each in ids}
    assert queue_order.least_certain_first(filled, ids) == sorted(ids, key=lambda i: (surest[i], i))
    expected = sorted(ids, key=lambda i: (as_prompted(i), i))
    assert queue_order.least_as_prompted_first(filled, ids) == expected
    by_class = sorted(seen, key=lambda i: (seen[i].class_index, seen[i].confidence, i))
    assert queue_order.by_predicted_class(filled, ids) == by_class + [i for i in ids if i not in seen]


def test_without_predictions_the_order_is_that_of_the_ids(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", ["a", "b"])
    ids = [add_image(workspace.db, number) for number in range(3)]
    for order in ("least-confident", "disagreement", "predicted-class"):
        assert queue.ordered_ids(workspace, order) == ids


def test_predictions_read_at_once_are_those_read_one_by_one(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions of seven, which do not divide them."""
    monkeypatch.setattr(models, "BATCH", 7)
    ids, probs, features = models.all_predictions(filled.db, 1)
    seen = one_by_one(filled, list(range(1, 41)))
    assert ids == sorted(seen)
    np.testing.assert_array_equal(probs, np.stack([seen[each].probs for each in ids]))
    rows = filled.db.query("SELECT features FROM predictions ORDER BY image_id")
    np.testing.assert_array_equal(features, np.stack([np.frombuffer(row[0], np.float32) for row in rows]))
    assert models.all_probabilities(filled.db, 1)[0] == ids
    np.testing.assert_array_equal(models.all_probabilities(filled.db, 1)[1], probs)
    nothing = models.all_predictions(filled.db, 2)
    assert (nothing[0], nothing[1].shape, nothing[2].shape) == ([], (0, 0), (0, 0))


def test_the_class_of_an_image_is_that_of_its_label_or_else_of_its_first_generation(
    filled: Workspace,
) -> None:
    expected = []
    for image_id in range(1, 41):
        label = filled.db.one(
            "SELECT value, class_position FROM current_labels WHERE image_id = ?", [image_id]
        )
        made = generations.all_of_image(filled.db, image_id)
        found = label["class_position"] if label else made[0].class_index if made else None
        expected.append(-1 if found is None else found)
    assert len(set(expected)) == 5
    assert _classes(filled, list(range(1, 41))).tolist() == expected
