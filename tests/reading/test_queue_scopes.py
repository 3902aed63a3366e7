"""The queue's scopes and its order by doubt, beside the same written out image by image."""

from __future__ import annotations

import random

import numpy as np
import pytest

from synthaug.reading.queue import ordered_ids
from synthaug.records import LabelEntry
from synthaug.store import label_log, models
from synthaug.workspace import Workspace
from tests.made import add_gray_image, add_untrained_model

COUNT = 60


@pytest.fixture
def mixed(workspace: Workspace) -> tuple[Workspace, set[int], set[int], dict[int, float]]:
    """Images of both origins, some with a label, some with a prediction: synthetic ones, labeled ones, confidences."""
    rng = random.Random(0)
    made = {number: rng.random() < 0.5 for number in range(COUNT)}
    ids = [
        add_gray_image(workspace, number, "synthetic" if is_made else "real")
        for number, is_made in made.items()
    ]
    labeled = set(rng.sample(ids, 20))
    entries = [
        LabelEntry(each, "class", "anna", "human", f"op-{each}", each % 10) for each in sorted(labeled)
    ]
    numbers = label_log.append(workspace.db, entries)
    undone = rng.sample(sorted(labeled), 5)
    for each in undone:
        number = numbers[sorted(labeled).index(each)]
        label_log.append(
            workspace.db, [LabelEntry(each, "undo", "anna", "human", f"un-{each}", undoes=number)]
        )
    model = add_untrained_model(workspace)
    predicted = rng.sample(ids, 40)
    probs = np.random.default_rng(0).dirichlet(np.ones(10), len(predicted)).astype(np.float32)
    models.add_predictions(
        workspace.db, model.id, predicted, probs, np.zeros((len(predicted), 2), np.float32)
    )
    confidences = {each: float(row.max()) for each, row in zip(predicted, probs, strict=True)}
    synthetic = {image_id for image_id, is_made in zip(ids, made.values(), strict=True) if is_made}
    return workspace, synthetic, labeled - set(undone), confidences


def test_every_scope_holds_what_it_says(
    mixed: tuple[Workspace, set[int], set[int], dict[int, float]],
) -> None:
    workspace, synthetic, labeled, _ = mixed
    ids = set(range(1, COUNT + 1))
    expected = {
        "all": ids,
        "synthetic": synthetic,
        "real": ids - synthetic,
        "unreviewed": synthetic - labeled,
        "unlabeled": ids - synthetic - labeled,
        "flagged": set(),
    }
    for scope, wanted in expected.items():
        assert ordered_ids(workspace, scope=scope) == sorted(wanted, reverse=True), scope


def test_the_least_sure_come_first_and_what_was_not_predicted_last(
    mixed: tuple[Workspace, set[int], set[int], dict[int, float]],
) -> None:
    workspace, _, _, confidences = mixed
    found = ordered_ids(workspace, "least-confident", "all")
    assert found == sorted(range(1, COUNT + 1), key=lambda each: (confidences.get(each, 2.0), each))
