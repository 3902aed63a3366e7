"""Train while labeling: asked for after so many answers, once at a time, and the queue follows the new model."""

from __future__ import annotations

import numpy as np
import pytest

from synthaug.reading.queue import items, ordered_ids
from synthaug.records import LabelEntry
from synthaug.running.jobs import run_to_end
from synthaug.stages import label, reading_settings, refit
from synthaug.stages.handlers import HANDLERS
from synthaug.store import catalog, jobs, models
from synthaug.workspace import Workspace
from tests.stages.helpers import add_real
from tests.stages.test_readers import ANN, say


def answer_all(workspace: Workspace, ids: list[int], classes: list[int]) -> None:
    """Answers of one person, in one commit."""
    with workspace.db.transaction():
        for image, index in zip(ids, classes, strict=True):
            say(workspace, image, ANN, index)


def test_it_is_off_until_somebody_turns_it_on(workspace: Workspace) -> None:
    answer_all(workspace, add_real(workspace, 6), [0, 1] * 3)
    assert refit.state(workspace) is None
    assert refit.refit_if_due(workspace) is None


def test_it_is_asked_for_after_so_many_answers_and_never_twice_at_once(workspace: Workspace) -> None:
    reading_settings.change(workspace, refit_every=5)
    ids = add_real(workspace, 15)
    answer_all(workspace, ids[:4], [0, 1, 0, 1])
    assert refit.refit_if_due(workspace) is None
    assert refit.state(workspace) == refit.RefitState(5, 1, running=False, fitted=None, problem="")
    label.undo(workspace, f"ann-{ids[3]}-1", "ann", "undo-123456")  # is no answer
    assert refit.refit_if_due(workspace) is None
    answer_all(workspace, ids[3:5], [1, 0])
    job = refit.refit_if_due(workspace)
    assert job is not None
    answer_all(workspace, ids[5:], [0, 1] * 5)
    assert refit.refit_if_due(workspace) is None  # the first is queued still
    assert refit.state(workspace) == refit.RefitState(5, 0, running=True, fitted=None, problem="")
    jobs.finish(workspace.db, job, "done", result={})
    assert refit.state(workspace) == refit.RefitState(5, 0, running=False, fitted=job, problem="")
    again = refit.refit_if_due(workspace)
    assert again is not None
    jobs.finish(workspace.db, again, "failed", result={}, error="no memory")
    found = refit.state(workspace)
    assert found == refit.RefitState(5, 5, running=False, fitted=job, problem="no memory")


def test_one_class_is_nothing_to_learn(workspace: Workspace) -> None:
    reading_settings.change(workspace, refit_every=5)
    answer_all(workspace, add_real(workspace, 6), [3] * 6)
    assert refit.refit_if_due(workspace) is None


@pytest.mark.slow
def test_the_rest_of_the_queue_is_ranked_by_the_model_that_learned_from_the_answers(
    workspace: Workspace,
) -> None:
    reading_settings.change(workspace, refit_every=20)
    rng = np.random.default_rng(4)
    ids = []
    with workspace.db.transaction():
        for number in range(28):  # bright and dark noise; the last eight wait, and get ever more alike
            offset = 75 + (150 * (number % 2) - 75) * (1 - max(0, number - 19) / 12)
            pixels = (rng.integers(0, 100, (32, 32, 3)) + offset).astype(np.uint8)
            sha256 = workspace.images.put(pixels, {})
            row = {"sha256": sha256, "size": (32, 32), "split": "train", "origin": "real", "source": "camera"}
            ids.append(catalog.add_image(workspace.db, **row)[0])  # type: ignore[arg-type]
    answer_all(workspace, ids[:20], [number % 2 for number in range(20)])
    job = refit.refit_if_due(workspace)
    assert job is not None
    assert run_to_end(workspace, job, HANDLERS).state == "done"
    rest = ordered_ids(workspace, "least-confident", "unlabeled", reader=ANN)
    assert sorted(rest) == ids[20:]
    shown = items(workspace, rest, ANN, "unlabeled")
    assert [each.predicted_class for each in shown] == [(each.image_id - ids[0]) % 2 for each in shown]
    doubts = [each.confidence for each in shown]
    assert doubts == sorted(doubts, key=lambda each: each or 0)
    assert len(set(doubts)) > 1
    assert not any(each.trained_on for each in shown)
    assert all(each.cross_fitted for each in items(workspace, ids[:20]))  # what it learned from is marked
    label.record(workspace, [LabelEntry(ids[20], "class", "ann", "human", "later-1", 0)])
    assert models.learned_from(workspace.db, models.newest(workspace.db), [ids[20]]) == set()
