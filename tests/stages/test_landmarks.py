"""Landmarks in the label log: checked, measured, undone, frozen, chained and carried elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthaug.errors import LabelRefused, UserError
from synthaug.reading import queue
from synthaug.reading.landmarks import Proposal, starts
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.stages.backup import backup, restore
from synthaug.stages.label_history import export_history, import_history
from synthaug.stages.landmark_scheme import current_scheme, required_scheme, stop_using, use_scheme
from synthaug.stages.verify import verify
from synthaug.store import catalog, labels, landmarks
from synthaug.store.label_chain import verify_chain
from synthaug.workspace import Workspace
from tests.landmarks.made import (
    HEIGHT,
    LEFT,
    PLACES,
    RIGHT,
    SMALL,
    WIDTH,
    add_film,
    answer,
    hip_workspace,
    place,
)
from tests.made import add_untrained_model

OTHER = PLACES | {"left_rim": (80.0, 180.0)}  # 135 degrees


@pytest.fixture
def hips(tmp_path: Path) -> Workspace:
    return hip_workspace(tmp_path / "work")


def now(workspace: Workspace, image_id: int) -> landmarks.PlacedLandmarks | None:
    return landmarks.current(workspace.db, [image_id]).get(image_id)


def test_placed_landmarks_are_stored_with_their_angles(hips: Workspace) -> None:
    image = add_film(hips, 10)
    place(hips, image, "op-1")
    kept = now(hips, image)
    assert kept is not None
    assert kept.landmarks.points == PLACES
    assert kept.landmarks.angles == {"left": LEFT, "right": RIGHT}
    assert labels.current(hips.db, [image])[image].class_index == SMALL


def test_angles_that_a_client_claims_are_measured_anew(hips: Workspace) -> None:
    image = add_film(hips, 10)
    entry = answer(hips, image, "op-1")
    assert entry.landmarks is not None
    label.record(hips, [replace(entry, landmarks=replace(entry.landmarks, angles={"left": 179.0}))])
    kept = now(hips, image)
    assert kept is not None
    assert kept.landmarks.angles["left"] == LEFT


def test_a_retry_is_recorded_once_and_another_answer_is_refused(hips: Workspace) -> None:
    image = add_film(hips, 10)
    assert place(hips, image, "op-1") == place(hips, image, "op-1")
    with pytest.raises(LabelRefused, match="whose landmarks is"):
        place(hips, image, "op-1", OTHER)


def test_undo_brings_back_where_they_were_and_a_plain_label_leaves_them(hips: Workspace) -> None:
    image = add_film(hips, 10)
    place(hips, image, "op-1")
    place(hips, image, "op-2", OTHER)
    label.record(hips, [LabelEntry(image, "class", "bob", "human", "op-3", 0)])
    kept = now(hips, image)
    assert kept is not None
    assert kept.landmarks.points == OTHER
    label.undo(hips, "op-2", "ann", "op-4")
    kept = now(hips, image)
    assert kept is not None
    assert kept.landmarks.points == PLACES
    label.undo(hips, "op-1", "ann", "op-5")
    assert now(hips, image) is None
    assert labels.current(hips.db, [image])[image].annotator == "bob"


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (PLACES | {"left_rim": (401.0, 10.0)}, "outside the image of 400 x 300"),
        (PLACES | {"left_rim": (100.0, 200.0)}, "in the same place"),
        (
            {"left_head": PLACES["left_head"]},
            "the scheme 'hip' has left_head, right_head, left_rim, right_rim",
        ),
    ],
)
def test_invalid_landmarks_are_refused_with_their_operation(
    hips: Workspace, places: dict[str, tuple[float, ...]], message: str
) -> None:
    image = add_film(hips, 10)
    with pytest.raises(LabelRefused, match=message) as refused:
        place(hips, image, "op-1", places)
    assert refused.value.op_id == "op-1"
    assert now(hips, image) is None


def test_landmarks_of_another_scheme_are_refused(hips: Workspace) -> None:
    image = add_film(hips, 10)
    entry = answer(hips, image, "op-1")
    use_scheme(hips, "hip", thresholds=[104.0])
    with pytest.raises(LabelRefused, match="placed by an earlier scheme"):
        label.record(hips, [entry])
    stop_using(hips)
    with pytest.raises(LabelRefused, match="the workspace uses none"):
        label.record(hips, [entry])


def test_only_a_class_carries_landmarks(hips: Workspace) -> None:
    image = add_film(hips, 10)
    entry = replace(answer(hips, image, "op-1"), value="reject", class_index=None)
    with pytest.raises(LabelRefused, match="landmarks need the label 'class', not 'reject'"):
        label.record(hips, [entry])


def test_a_test_image_takes_them_once_with_the_class_it_has(hips: Workspace) -> None:
    image = add_film(hips, 10, "test")
    label.record(hips, [LabelEntry(image, "class", "import", "imported", "op-0", SMALL)])
    with pytest.raises(LabelRefused, match="so its label is frozen"):
        label.record(hips, [answer(hips, image, "op-1", class_index=0)])
    place(hips, image, "op-2")
    for entry in (
        answer(hips, image, "op-3", OTHER),
        LabelEntry(image, "class", "ann", "human", "op-4", SMALL),
    ):
        with pytest.raises(LabelRefused, match="so its label is frozen"):
            label.record(hips, [entry])
    with pytest.raises(LabelRefused):
        label.undo(hips, "op-2", "ann", "op-5")
    kept = now(hips, image)
    assert kept is not None
    assert kept.landmarks.points == PLACES


def test_the_database_itself_keeps_test_landmarks(hips: Workspace) -> None:
    """Past the one function that writes to the log."""
    import sqlite3

    image = add_film(hips, 10, "test")
    place(hips, image, "op-1")
    row = (
        "INSERT INTO labels (image_id, value, class_position, annotator, source, op_id, created_at, previous_hash,"
        " landmarks) SELECT image_id, value, class_position, annotator, source, 'other', created_at, previous_hash,"
        " landmarks FROM labels"
    )
    with pytest.raises(sqlite3.IntegrityError, match="keeps its label"), hips.db.transaction() as connection:
        connection.execute(row)


def test_a_changed_coordinate_breaks_the_chain(hips: Workspace) -> None:
    image = add_film(hips, 10)
    place(hips, image, "op-1")
    place(hips, image, "op-2", OTHER)
    assert verify_chain(hips.db) == []
    assert verify(hips).problems == ()
    with hips.db.transaction() as connection:
        connection.execute("DROP TRIGGER labels_are_never_updated")
        connection.execute("UPDATE labels SET landmarks = replace(landmarks, '196.0', '195.0') WHERE id = 1")
    assert verify_chain(hips.db) == [
        "label log: entry 2 does not follow from entry 1; one of them was changed"
    ]


def test_the_exported_log_and_a_backup_carry_them(hips: Workspace, tmp_path: Path) -> None:
    image = add_film(hips, 10)
    place(hips, image, "op-1")
    place(hips, image, "op-2", OTHER)
    label.undo(hips, "op-2", "ann", "op-3")
    export_history(hips, tmp_path / "labels.jsonl")
    other = hip_workspace(tmp_path / "other")
    add_film(other, 77)
    moved = add_film(other, 10)
    assert import_history(other, tmp_path / "labels.jsonl").recorded == 3
    assert now(other, moved) == replace(now(hips, image), image_id=moved)  # type: ignore[type-var]
    assert verify_chain(other.db) == []
    backup(hips, tmp_path / "backup")
    restored = restore(tmp_path / "backup", tmp_path / "restored")
    again = Workspace.open(tmp_path / "restored")
    assert restored is not None
    assert now(again, image) == now(hips, image)
    assert current_scheme(again) == current_scheme(hips)


def test_a_log_exported_before_there_were_landmarks_is_still_read(hips: Workspace, tmp_path: Path) -> None:
    import json

    image = add_film(hips, 10)
    label.record(hips, [LabelEntry(image, "class", "ann", "human", "op-1", 0)])
    export_history(hips, tmp_path / "labels.jsonl")
    first, line = (tmp_path / "labels.jsonl").read_text().splitlines()
    entry = {name: value for name, value in json.loads(line).items() if name != "landmarks"}
    (tmp_path / "older.jsonl").write_text(f"{first}\n{json.dumps(entry)}\n")
    other = hip_workspace(tmp_path / "other")
    add_film(other, 10)
    assert import_history(other, tmp_path / "older.jsonl").recorded == 1


def proposal(workspace: Workspace, image_id: int) -> Proposal:
    found = queue.items(workspace, [image_id])[0].landmarks
    assert found is not None
    return found


def test_the_best_known_landmarks_are_proposed(hips: Workspace) -> None:
    first, second = add_film(hips, 10), add_film(hips, 20)
    begun = proposal(hips, second)
    assert (begun.origin, begun.points["left_head"]) == ("start", (0.30 * WIDTH, 0.5 * HEIGHT, 0.075 * WIDTH))
    place(hips, first, "op-1")
    mean = proposal(hips, second)
    assert mean.origin == "mean"
    assert mean.points["right_rim"] == pytest.approx(PLACES["right_rim"])
    assert proposal(hips, first) == Proposal(PLACES, "answer", "ann")
    model = add_untrained_model(hips, name="angles-1")
    landmarks.add_predictions(hips.db, model.id, {first: (OTHER, 2.5), second: (OTHER, 2.5)})
    assert proposal(hips, second) == Proposal(OTHER, "model", "angles-1", 2.5, model.id)
    assert proposal(hips, first).origin == "answer"
    landmarks.add_predictions(hips.db, model.id, {second: (PLACES, None)})
    assert proposal(hips, second) == Proposal(PLACES, "model", "angles-1", None, model.id)


def test_a_blind_reading_begins_without_the_answer_to_this_image(hips: Workspace) -> None:
    first, second = (catalog.known_images(hips.db, [add_film(hips, level)]) for level in (10, 20))
    ((first_id, image),) = first.items()
    place(hips, first_id, "op-1")
    scheme = required_scheme(hips)
    assert starts(hips, scheme, [image])[first_id].origin == "start"
    assert starts(hips, scheme, list(second.values())).popitem()[1].origin == "mean"


def test_without_a_scheme_nothing_is_proposed(hips: Workspace) -> None:
    image = add_film(hips, 10)
    place(hips, image, "op-1")
    stop_using(hips)
    assert queue.items(hips, [image])[0].landmarks is None
    use_scheme(hips, "cephalometry", no_class=True)
    assert proposal(hips, image).origin == "start"  # a hip's landmarks are none of a head's


def test_a_scheme_needs_classes_of_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "work", ("normal", "dysplastic"))
    with pytest.raises(
        UserError, match=r"makes the class 'Small', and this workspace has normal, dysplastic"
    ):
        use_scheme(workspace, "hip")
    assert current_scheme(workspace) is None
    used = use_scheme(workspace, "hip", classes=["dysplastic", "normal"], thresholds=[103.0])
    assert current_scheme(workspace) == used
    assert used.classes is not None
    assert (used.classes.names, used.classes.thresholds) == (("dysplastic", "normal"), (103.0,))
    with pytest.raises(UserError, match="choose one"):
        use_scheme(workspace, "hip", classes=["dysplastic", "normal"], no_class=True)
