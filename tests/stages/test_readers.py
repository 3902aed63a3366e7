"""Several readers: leases that end, second readings that replace nothing, conflicts that a reviewer settles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

from synthaug.errors import LabelRefused, UserError
from synthaug.reading.queue import answers, items, ordered_ids, taken_back
from synthaug.records import LabelEntry
from synthaug.stages import label, reading_settings
from synthaug.stages.annotate import annotate
from synthaug.stages.label_history import export_history, import_history
from synthaug.stages.readers import LEASE, Answer, Reader, answer, due, in_sample, take
from synthaug.stages.verify import verify
from synthaug.store import labels, leases, readings
from synthaug.workspace import Workspace
from tests.stages.helpers import add_real, add_synthetic
from tests.stages.test_label_and_queue import predict

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ANN, BEN, CY, REV = Reader("ann"), Reader("ben"), Reader("cy"), Reader("rev", reviewer=True)


def say(
    workspace: Workspace, image: int, reader: Reader, index: int | None, op_id: str = "", **more: Any
) -> int:
    """One answer as the desk sends it: a class, or "reject"."""
    value = "reject" if index is None else "class"
    entry = LabelEntry(image, value, reader.name, "human", op_id or f"{reader.name}-{image}-{index}", index)
    (number,) = answer(workspace, [Answer(entry, **more)], reviewer=reader.reviewer)
    return number


def counts(workspace: Workspace, image: int) -> tuple[str, int | None]:
    current = labels.current(workspace.db, [image])[image]
    return current.annotator, current.class_index


def test_an_image_is_handed_to_one_person_until_the_lease_ends(workspace: Workspace) -> None:
    first, second, third = add_real(workspace, 3)
    assert take(workspace, [first, second], ANN, "unlabeled", NOON) == [first, second]
    assert take(workspace, [first, second, third], BEN, "unlabeled", NOON) == [third]
    assert take(workspace, [first], ANN, "unlabeled", NOON + LEASE / 2) == [first]  # renewed
    later = NOON + LEASE + timedelta(seconds=1)
    assert take(workspace, [first, second], BEN, "unlabeled", later) == [second]
    assert take(workspace, [first], BEN, "unlabeled", NOON + 2 * LEASE) == [first]


def test_two_tabs_of_one_person_share_their_leases(workspace: Workspace) -> None:
    ids = add_real(workspace, 4)
    assert take(workspace, ids, ANN, "unlabeled", NOON) == ids
    assert take(workspace, ids[::-1], ANN, "unlabeled", NOON) == ids[::-1]


def test_people_who_ask_at_once_never_get_the_same_image(workspace: Workspace) -> None:
    ids = add_real(workspace, 30)
    handed: dict[str, list[int]] = {}
    people = [
        Thread(target=lambda n=n: handed.update({n: take(workspace, ids, Reader(n), "all")})) for n in "abcd"
    ]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert sorted(each for some in handed.values() for each in some) == ids


def test_what_another_answered_meanwhile_is_not_handed_out_in_a_queue_of_work(workspace: Workspace) -> None:
    first, second = add_real(workspace, 2)
    say(workspace, first, ANN, 3)
    assert take(workspace, [first, second], BEN, "unlabeled", NOON) == [second]
    assert take(workspace, [first, second], BEN, "all", NOON) == [first, second]
    assert take(workspace, [first], ANN, "unlabeled", NOON + 2 * LEASE) == [first]  # back to one's own


def test_an_answer_gives_the_image_back(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    take(workspace, [image], ANN, "all", NOON)
    say(workspace, image, ANN, 3)
    assert leases.of_others(workspace.db, [image], "ben", "2026-03-04T12:00:00.000Z") == set()


def test_a_late_answer_stands_beside_the_first_and_replaces_nothing(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    say(workspace, image, ANN, 3)
    say(workspace, image, BEN, 5)
    assert counts(workspace, image) == ("ann", 3)
    assert [each.reading for each in labels.history(workspace.db, image)] == [None, "second"]
    assert readings.conflicts(workspace.db) == [image]
    assert verify(workspace).problems == ()


def test_who_sees_a_label_and_may_correct_it_does(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    say(workspace, image, ANN, 3)
    say(workspace, image, BEN, 5, seen=("class", 3))  # an annotator corrects nobody
    assert counts(workspace, image) == ("ann", 3)
    say(workspace, image, REV, 6, seen=("class", 5))  # seen something else than what counts
    assert counts(workspace, image) == ("ann", 3)
    say(workspace, image, REV, 7, seen=("class", 3))
    assert counts(workspace, image) == ("rev", 7)


def test_a_reader_can_change_their_own_answer(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    say(workspace, image, ANN, 3)
    say(workspace, image, ANN, 4)
    assert counts(workspace, image) == ("ann", 4)
    assert readings.conflicts(workspace.db) == []


def test_without_a_first_reading_the_second_counts(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    say(workspace, image, ANN, 3, "operation-1")
    say(workspace, image, BEN, 5)
    label.undo(workspace, "operation-1", "ann", "operation-2")
    assert counts(workspace, image) == ("ben", 5)
    assert readings.conflicts(workspace.db) == []


def test_an_imported_or_automatic_label_gives_way_to_the_first_who_reads(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    label.record(workspace, [LabelEntry(image, "class", "import", "imported", "import-1", 1)])
    say(workspace, image, ANN, 3)
    assert counts(workspace, image) == ("ann", 3)
    assert readings.of_images(workspace.db, [image])[image].each[0].annotator == "ann"


def test_a_conflict_is_settled_by_a_reviewer_once(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    say(workspace, image, ANN, 3)
    say(workspace, image, BEN, 5)
    assert ordered_ids(workspace, "newest", "conflicts", reader=REV) == [image]
    with pytest.raises(UserError, match="'ann' is an annotator"):
        ordered_ids(workspace, "newest", "conflicts", reader=ANN)
    with pytest.raises(LabelRefused, match="'cy' is an annotator; only a reviewer settles"):
        say(workspace, image, CY, 5, settles=True)
    number = say(workspace, image, REV, 5, "settle-1", settles=True)
    assert counts(workspace, image) == ("rev", 5)
    assert ordered_ids(workspace, "newest", "conflicts", reader=REV) == []
    with pytest.raises(LabelRefused, match="have been settled"):
        say(workspace, image, Reader("other", reviewer=True), 3, settles=True)
    assert say(workspace, image, REV, 5, "settle-1", settles=True) == number  # sent again
    label.undo(workspace, "settle-1", "rev", "undo-12345")
    assert ordered_ids(workspace, "newest", "conflicts", reader=REV) == [image]
    assert counts(workspace, image) == ("ann", 3)


def test_equal_readings_are_no_conflict(workspace: Workspace) -> None:
    first, second = add_real(workspace, 2)
    for reader in (ANN, BEN):
        say(workspace, first, reader, 3)
        say(workspace, second, reader, None)
    assert readings.conflicts(workspace.db) == []


def test_the_reviewer_is_shown_both_readings_and_nobody_else(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    say(workspace, image, ANN, 3)
    say(workspace, image, BEN, 5)
    (item,) = items(workspace, [image], REV, "conflicts")
    assert [(each.annotator, each.class_index) for each in item.readings] == [("ann", 3), ("ben", 5)]
    assert items(workspace, [image], ANN, "conflicts")[0].readings == ()
    assert items(workspace, [image], REV, "all")[0].readings == ()


def test_the_sample_that_is_read_twice_grows_with_the_share(workspace: Workspace) -> None:
    hashes = [f"{number:064x}" for number in range(2000)]
    small, large = ({each for each in hashes if in_sample(each, share)} for share in (0.1, 0.3))
    assert small < large
    assert 150 < len(small) < 250  # binomial: 200, standard deviation 13.4
    assert not any(in_sample(each, 0) for each in hashes)
    assert all(in_sample(each, 1) for each in hashes)


def test_a_second_reading_goes_to_somebody_else_and_is_blind(workspace: Workspace) -> None:
    images = add_synthetic(workspace, 2, class_index=3)
    predict(workspace, {image: [0.9, 0.1] for image in images})
    reading_settings.change(workspace, second_share=1.0)
    say(workspace, images[0], ANN, 3)
    assert due(workspace, "ann") == set()
    assert ordered_ids(workspace, "newest", "unreviewed", reader=ANN) == [images[1]]
    assert ordered_ids(workspace, "newest", "unreviewed", reader=BEN) == images[::-1]
    assert take(workspace, images, BEN, "unreviewed", NOON) == images
    second, first = items(workspace, images, BEN, "unreviewed")
    assert (second.blind, second.prompt, second.slots, second.prompted_class) == (True, None, {}, None)
    assert (second.predicted_class, second.confidence, second.model_id) == (None, None, None)
    assert (second.label_value, second.label_class, second.label_source) == (None, None, None)
    assert (first.blind, first.prompted_class, first.predicted_class) == (False, 3, 0)
    say(workspace, images[0], BEN, 3)
    assert due(workspace, "cy") == set()  # read twice: enough


def test_a_labeled_test_image_is_not_read_again(workspace: Workspace) -> None:
    images = add_real(workspace, 1, "test") + add_real(workspace, 1)
    reading_settings.change(workspace, second_share=1.0)
    for image in images:
        say(workspace, image, ANN, 0)
    assert due(workspace, "ben") == {images[1]}  # the log would refuse an answer to the other
    shown = items(workspace, images, BEN)
    assert [each.locked for each in shown] == [True, False]


def test_blind_mode_shows_each_person_only_their_own_answer(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    label.record(workspace, [LabelEntry(image, "class", "import", "imported", "import-1", 1)])
    predict(workspace, {image: [0.9, 0.1]})
    assert items(workspace, [image], ANN, "real")[0].label_class == 1
    reading_settings.change(workspace, blind=True)
    (item,) = items(workspace, [image], ANN, "real")
    assert (item.blind, item.label_value, item.predicted_class) == (True, None, None)
    say(workspace, image, ANN, 3)
    say(workspace, image, BEN, 5)
    assert items(workspace, [image], BEN, "real")[0].label_class == 5
    assert items(workspace, [image], ANN, "real")[0].label_class == 3
    assert items(workspace, [image], REV, "real")[0].label_class == 3
    assert items(workspace, [image], REV, "unlabeled")[0].label_class is None
    assert answers(workspace, BEN, None, 10)[0].previous_class is None  # nor through what is undone
    assert answers(workspace, REV, None, 10) == []


def test_a_prediction_by_a_model_that_learned_from_the_image_is_marked(digits: Workspace) -> None:
    from synthaug.store import models, views

    ids = ordered_ids(digits, "newest", "all")[:2]
    view = views.create(digits.db, "some", {}, [(ids[0], 0)])
    model = models.add(
        digits.db,
        name="m",
        recipe="r",
        revision="x",
        seed=0,
        view_id=view.id,
        file="f",
        metrics={},
        environment={},
    )
    import numpy as np

    probs = np.full((2, 10), 0.1, np.float32)
    models.add_predictions(digits.db, model.id, ids, probs, np.zeros((2, 2), np.float32))
    assert [each.trained_on for each in items(digits, ids)] == [True, False]


def test_readings_survive_an_export_and_an_import_of_the_log(workspace: Workspace, tmp_path: Any) -> None:
    ids = add_real(workspace, 2)
    say(workspace, ids[0], ANN, 3)
    say(workspace, ids[0], BEN, 5)
    say(workspace, ids[0], REV, 5, settles=True)
    export_history(workspace, tmp_path / "log.jsonl")
    other = Workspace.create(tmp_path / "other", (), "digits")
    assert add_real(other, 2) == ids
    assert import_history(other, tmp_path / "log.jsonl").recorded == 3
    assert readings.of_images(other.db, ids) == readings.of_images(workspace.db, ids)
    assert counts(other, ids[0]) == ("rev", 5)
    assert verify(other).problems == ()


def test_a_changed_reading_is_found(workspace: Workspace) -> None:
    (image,) = add_real(workspace, 1)
    say(workspace, image, ANN, 3)
    say(workspace, image, BEN, 5)
    with workspace.db.transaction() as connection:
        connection.execute("DROP TRIGGER labels_are_never_updated")
        connection.execute("UPDATE labels SET reading = NULL WHERE annotator = 'ben'")
    assert any("label log" in problem for problem in verify(workspace).problems)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"second_share": 1.5}, "the share of second readings is 1.5"),
        ({"refit_every": 2}, "after every 2 answers"),
        ({"guideline": "x" * 20_001}, "20001 characters"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    workspace: Workspace, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        reading_settings.change(workspace, **changes)
    assert reading_settings.settings(workspace) == reading_settings.ReadingSettings()


def test_undone_answers_are_found_in_the_log(workspace: Workspace) -> None:
    ids = add_real(workspace, 3)
    for number, image in enumerate(ids):
        say(workspace, image, ANN, number, f"operation-{number}")
    say(workspace, ids[0], BEN, 7)  # another person's answers change nothing
    for number in (2, 1):
        label.undo(workspace, f"operation-{number}", "ann", f"undoing-{number}")
    assert [each.image_id for each in taken_back(workspace, ANN)] == [ids[1], ids[2]]
    say(workspace, ids[1], ANN, 1, "again-1")
    assert [(each.image_id, each.class_index) for each in taken_back(workspace, ANN)] == [(ids[2], 2)]
    label.undo(workspace, "again-1", "rev", "undoing-3")  # a reviewer took it back, not ann
    assert [each.image_id for each in taken_back(workspace, ANN)] == [ids[2]]
    say(workspace, ids[2], ANN, 9)
    assert taken_back(workspace, ANN) == []
    assert taken_back(workspace, BEN) == []


def test_notes_are_ones_own_to_change_and_flags_make_a_queue(workspace: Workspace) -> None:
    first, second = add_real(workspace, 2)
    annotate(workspace, first, "ann", " rim not visible ", flagged=False)
    annotate(workspace, first, "ben", "", flagged=True)
    annotate(workspace, second, "ann", "ann was here", flagged=True)
    annotate(workspace, second, "ann", "", flagged=False)  # taken back
    item, other = items(workspace, [first, second], ANN)
    assert [(each.annotator, each.text, each.flagged) for each in item.notes] == [
        ("ann", "rim not visible", False),
        ("ben", "", True),
    ]
    assert other.notes == ()
    assert ordered_ids(workspace, "newest", "flagged") == [first]
    reading_settings.change(workspace, blind=True)
    assert [each.annotator for each in items(workspace, [first], ANN)[0].notes] == ["ann"]
    with pytest.raises(UserError, match="2001 characters"):
        annotate(workspace, first, "ann", "x" * 2001, flagged=False)
    with pytest.raises(UserError, match="no image '999'"):
        annotate(workspace, 999, "ann", "x", flagged=False)
