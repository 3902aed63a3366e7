"""Queues by class, confidence, annotator and source; nothing that is to be read blind shows through a filter."""

from __future__ import annotations

import pytest

from synthaug.reading.queue import ordered_ids
from synthaug.reading.queue_filter import QueueFilter, annotators
from synthaug.records import LabelEntry
from synthaug.stages import label, reading_settings
from synthaug.workspace import Workspace
from tests.stages.helpers import add_real
from tests.stages.test_label_and_queue import predict
from tests.stages.test_readers import ANN, BEN, REV, say


@pytest.fixture
def ids(workspace: Workspace) -> list[int]:
    """Five images: predicted 0, 0, 1, 1 and not at all; labels by ann, ben and an import on the first three."""
    with workspace.db.transaction():
        made = add_real(workspace, 5)
        rows = ([0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.05, 0.95])
        predict(workspace, dict(zip(made, rows, strict=False)))
        say(workspace, made[0], ANN, 0)
        say(workspace, made[1], BEN, 1)
        label.record(workspace, [LabelEntry(made[2], "class", "import", "imported", "import-1", 0)])
    return made


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (QueueFilter(), [0, 1, 2, 3, 4]),
        (QueueFilter(class_index=0), [0, 2]),  # by label
        (QueueFilter(class_index=1), [1, 3]),  # the last by prediction
        (QueueFilter(confidence_from=0.65), [0, 2, 3]),
        (QueueFilter(confidence_to=0.75), [1, 2]),
        (QueueFilter(confidence_from=0.65, confidence_to=0.92), [0, 2]),
        (QueueFilter(annotator="ben"), [1]),
        (QueueFilter(source="imported"), [2]),
        (QueueFilter(source="human", class_index=0), [0]),
        (QueueFilter(annotator="nobody"), []),
    ],
)
def test_a_filter_keeps_the_matching_images(
    workspace: Workspace, ids: list[int], wanted: QueueFilter, expected: list[int]
) -> None:
    found = ordered_ids(workspace, "newest", "all", reader=ANN, wanted=wanted)
    assert sorted(found) == [ids[each] for each in expected]


def test_a_blind_reader_learns_nothing_from_a_filter(workspace: Workspace, ids: list[int]) -> None:
    reading_settings.change(workspace, blind=True)
    wanted = QueueFilter(class_index=0)
    assert ordered_ids(workspace, "newest", "all", reader=ANN, wanted=wanted) == []
    assert sorted(ordered_ids(workspace, "newest", "all", reader=REV, wanted=wanted)) == [ids[0], ids[2]]


def test_a_filter_uses_the_labels_that_count(workspace: Workspace, ids: list[int]) -> None:
    assert annotators(workspace) == ["ann", "ben", "import"]
