"""Which landmarks a reader is shown again: their own, blind or not; and which images come first by a model's doubt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthaug.reading.queue import items, ordered_ids
from synthaug.stages import readers
from synthaug.stages.readers import Answer, Reader
from synthaug.stages.reading_settings import change
from synthaug.store import landmarks
from synthaug.workspace import Workspace
from tests.landmarks.made import PLACES, add_film, answer, hip_workspace
from tests.made import add_untrained_model

OTHER = PLACES | {"left_rim": (60.0, 196.0)}


@pytest.fixture
def hips(tmp_path: Path) -> Workspace:
    return hip_workspace(tmp_path / "work")


def shown_rim(
    workspace: Workspace, image: int, reader: Reader, scope: str = "all"
) -> tuple[str, tuple[float, ...]]:
    """By whom, and where, the left rim is shown."""
    placed = items(workspace, [image], reader, scope)[0].landmarks
    assert placed is not None
    return placed.by, placed.points["left_rim"]


def test_each_reader_is_shown_their_own_landmarks_again(hips: Workspace) -> None:
    image = add_film(hips, 10)
    ann, ben = Reader("ann"), Reader("ben")
    change(hips, second_share=1.0)
    readers.answer(hips, [Answer(answer(hips, image, "operation-1"))], reviewer=False)
    before = items(hips, [image], ben, "unlabeled")[0]
    assert before.blind
    assert before.landmarks is not None
    assert (before.landmarks.origin, before.landmarks.by) == ("start", "")
    second = replace(answer(hips, image, "operation-2", OTHER, class_index=0), annotator="ben")
    readers.answer(hips, [Answer(second)], reviewer=False)
    for blind in (False, True):
        change(hips, blind=blind)
        assert shown_rim(hips, image, ann) == ("ann", PLACES["left_rim"])
        assert shown_rim(hips, image, ben) == ("ben", OTHER["left_rim"])
        assert items(hips, [image], ben, "all")[0].label_class == 0  # what ben said, not what counts


def test_a_reviewer_sees_what_counts(hips: Workspace) -> None:
    image = add_film(hips, 10)
    change(hips, second_share=1.0)
    readers.answer(hips, [Answer(answer(hips, image, "operation-1"))], reviewer=False)
    second = replace(answer(hips, image, "operation-2", OTHER), annotator="rev")
    readers.answer(hips, [Answer(second)], reviewer=True)
    assert shown_rim(hips, image, Reader("rev", reviewer=True)) == ("ann", PLACES["left_rim"])


def test_landmarks_of_an_earlier_scheme_are_not_shown_as_ones_own(hips: Workspace) -> None:
    from synthaug.stages.landmark_scheme import use_scheme

    image = add_film(hips, 10)
    change(hips, blind=True)
    readers.answer(hips, [Answer(answer(hips, image, "operation-1"))], reviewer=False)
    use_scheme(hips, "cephalometry", no_class=True)
    placed = items(hips, [image], Reader("ann"), "all")[0].landmarks
    assert placed is not None
    assert placed.origin == "start"


def test_where_a_model_placed_landmarks_the_least_certain_come_first(hips: Workspace) -> None:
    images = [add_film(hips, level) for level in range(4)]
    model = add_untrained_model(hips)
    said = {images[1]: (PLACES, 9.0), images[0]: (PLACES, 2.5), images[3]: (PLACES, 30.0)}
    landmarks.add_predictions(hips.db, model.id, said)
    assert ordered_ids(hips, "least-confident", "real") == [images[3], images[1], images[0], images[2]]
