"""Labels as people, scripts and rules give them; queues in the order asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from synthaug.cli import cli
from synthaug.cli import labels as label_commands  # noqa: F401 - it registers its commands
from synthaug.errors import UnknownName, UserError
from synthaug.reading.queue import answers, items, ordered_ids
from synthaug.records import LabelEntry, LabelSource
from synthaug.stages import label
from synthaug.stages.bulk_labels import CsvLabels, from_csv
from synthaug.stages.readers import Reader
from synthaug.store import catalog, labels, models
from synthaug.workspace import Workspace
from tests.stages.helpers import add_real, add_synthetic


def predict(workspace: Workspace, probabilities: dict[int, list[float]]) -> None:
    """Store predictions of a model as stage predict would; the first classes are given, the rest share."""
    model = models.add(
        workspace.db,
        name="m",
        recipe="r",
        revision="abc",
        seed=0,
        view_id=None,
        file="f",
        metrics={},
        environment={},
    )
    probs = np.zeros((len(probabilities), len(workspace.classes)), np.float32)
    for row, given in zip(probs, probabilities.values(), strict=True):
        row[: len(given)] = given
    models.add_predictions(
        workspace.db, model.id, list(probabilities), probs, np.zeros((len(probs), 2), np.float32)
    )


def test_confident_agreement_is_accepted_and_confident_disagreement_is_left_to_a_person(
    workspace: Workspace,
) -> None:
    sure, unsure, contrary = add_synthetic(workspace, 3, class_index=0)
    predict(workspace, {sure: [0.95, 0.05], unsure: [0.8, 0.2], contrary: [0.01, 0.99]})
    assert label.accept_confident(workspace, 0.9) == 1
    said = labels.current(workspace.db, [sure, unsure, contrary])
    assert list(said) == [sure]
    assert (said[sure].class_index, said[sure].source) == (0, "automatic")
    assert label.accept_confident(workspace, 0.9) == 0


def test_accepting_before_predicting_says_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="synthaug predict"):
        label.accept_confident(workspace)


def test_labels_from_a_csv_by_id_and_by_hash(workspace: Workspace, tmp_path: Path) -> None:
    first, second, third = add_synthetic(workspace, 3, class_index=8)
    sha256 = catalog.images_by_id(workspace.db, [second])[0].sha256
    (tmp_path / "l.csv").write_text(f"image,label\n{first},3\n{sha256},reject\n{third},unsure\n")
    assert from_csv(workspace, tmp_path / "l.csv", "ann") == CsvLabels(3, 0, 0)
    said = labels.current(workspace.db, [first, second, third])
    assert [said[each].value for each in (first, second, third)] == ["class", "reject", "unsure"]
    assert said[first].class_index == 3
    assert from_csv(workspace, tmp_path / "l.csv", "ann") == CsvLabels(0, 3, 0)
    assert len(labels.history(workspace.db, first)) == 1


def test_a_csv_leaves_other_peoples_labels_alone_unless_told_to(workspace: Workspace, tmp_path: Path) -> None:
    ids = add_synthetic(workspace, 5, class_index=8)
    given = zip(ids, ("ann", "ann", "ben", "imported", "nobody"), strict=True)
    sources: dict[str, LabelSource] = {"imported": "imported"}
    label.record(
        workspace,
        [
            LabelEntry(each, "class", who, sources.get(who, "human"), f"first-{each}", 8)
            for each, who in given
            if who != "nobody"
        ],
    )
    table = tmp_path / "l.csv"
    table.write_text("image,label\n" + "".join(f"{each},{8 if each == ids[0] else 3}\n" for each in ids))
    assert from_csv(workspace, table, "cem") == CsvLabels(recorded=2, unchanged=1, repeated=0, kept=2)
    said = labels.current(workspace.db, ids)
    assert [(said[each].annotator, said[each].class_index) for each in ids] == [
        ("ann", 8), ("ann", 8), ("ben", 8), ("cem", 3), ("cem", 3)
    ]  # fmt: skip
    shown = CliRunner().invoke(cli, ["label", str(table), "--annotator", "cem", "-w", str(workspace.root)])
    assert "0 labels recorded, 3 unchanged; 2 images keep the different label of another" in shown.output
    assert from_csv(workspace, table, "cem", overwrite=True) == CsvLabels(2, 3, 0, overwritten=2)
    assert labels.current(workspace.db, ids)[ids[2]].annotator == "cem"


def test_a_csv_may_say_who_labeled_each_image(workspace: Workspace, tmp_path: Path) -> None:
    first, second = add_synthetic(workspace, 2, class_index=8)
    table = tmp_path / "l.csv"
    table.write_text(f"image,label,annotator\n{first},3,ann\n{second},4,\n")
    with pytest.raises(UserError, match="line 3: there is no annotator"):
        from_csv(workspace, table)
    assert from_csv(workspace, table, "ben").recorded == 2
    said = labels.current(workspace.db, [first, second])
    assert (said[first].annotator, said[second].annotator) == ("ann", "ben")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture,label\n1,3\n", "no column 'image'"),
        ("image,label\n1,3\n999,3\n", "line 3: there is no image '999'"),
        ("image,label\n1,dog\n", "line 2: the label 'dog' is unknown; it must be one of '0'"),
    ],
)
def test_a_bad_csv_is_refused_as_a_whole(
    workspace: Workspace, tmp_path: Path, text: str, message: str
) -> None:
    (image,) = add_synthetic(workspace, 1, class_index=8)
    assert image == 1
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        from_csv(workspace, tmp_path / "l.csv", "ann")
    assert not labels.current(workspace.db, [image])


def test_undo_appends_and_happens_once(workspace: Workspace) -> None:
    (image,) = add_synthetic(workspace, 1, class_index=8)
    label.record(workspace, [LabelEntry(image, "class", "ann", "human", "op", 3)])
    assert label.undo(workspace, "op", "ann", "undo-1") is not None
    assert label.undo(workspace, "op", "ann", "undo-2") is None
    assert label.progress(workspace) == {"reviewed": 0, "total": 1, "real_labeled": 0, "real_total": 0}
    with pytest.raises(UserError, match="no label with the operation id"):
        label.undo(workspace, "never", "ann", "undo-3")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (LabelEntry(1, "class", "ann", "human", "op", 99), "the class index is 99; it must be in 0 .. 9"),
        (LabelEntry(1, "reject", "ann", "human", "op", 1), "has no class"),
        (LabelEntry(1, "class", " ", "human", "op", 1), "annotator"),
        (LabelEntry(77, "class", "ann", "human", "op", 1), "image"),
    ],
)
def test_a_label_that_cannot_be_is_refused(workspace: Workspace, entry: LabelEntry, message: str) -> None:
    add_synthetic(workspace, 1, class_index=8)
    with pytest.raises(UserError, match=message):
        label.record(workspace, [entry])
    assert label.progress(workspace)["reviewed"] == 0


def test_queue_orders(workspace: Workspace) -> None:
    a, b, c, unpredicted = add_synthetic(workspace, 4, class_index=0)
    predict(workspace, {a: [0.5, 0.45], b: [0.6, 0.2], c: [0.05, 0.9]})
    assert ordered_ids(workspace, "newest") == [unpredicted, c, b, a]
    assert ordered_ids(workspace, "least-confident") == [a, b, c, unpredicted]
    assert ordered_ids(workspace, "disagreement") == [c, a, b, unpredicted]
    shuffled = ordered_ids(workspace, "random", seed=1)
    assert sorted(shuffled) == [a, b, c, unpredicted]
    assert shuffled == ordered_ids(workspace, "random", seed=1)
    with pytest.raises(UnknownName, match="queue order"):
        ordered_ids(workspace, "best")


def test_scopes(digits: Workspace) -> None:
    first, second = add_synthetic(digits, 2, class_index=8)
    label.record(digits, [LabelEntry(first, "class", "ann", "human", "op", 8)])
    assert ordered_ids(digits, scope="unreviewed") == [second]
    assert ordered_ids(digits, scope="synthetic") == [second, first]
    assert len(ordered_ids(digits, scope="real")) == 1797
    assert len(ordered_ids(digits, scope="all")) == 1799
    with pytest.raises(UnknownName, match="queue scope"):
        ordered_ids(digits, scope="some")


def test_unlabeled_real_images_are_a_queue_that_empties(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "work", ["a", "b"])
    ids = add_real(workspace, 3)
    add_synthetic(workspace, 1, class_index=0)
    assert ordered_ids(workspace, scope="unlabeled") == ids[::-1]
    label.record(workspace, [LabelEntry(ids[1], "class", "ann", "human", "op", 0)])
    assert ordered_ids(workspace, scope="unlabeled") == [ids[2], ids[0]]
    assert label.progress(workspace) == {"reviewed": 0, "total": 1, "real_labeled": 1, "real_total": 3}
    label.undo(workspace, "op", "ann", "op-undo")
    assert ordered_ids(workspace, scope="unlabeled") == ids[::-1]


def test_the_order_by_class_begins_with_the_uncertain_images_of_each(workspace: Workspace) -> None:
    a, b, c, d, unpredicted = add_synthetic(workspace, 5, class_index=8)
    predict(workspace, {a: [0.3, 0.7], b: [0.9, 0.1], c: [0.45, 0.55], d: [0.6, 0.4]})
    assert ordered_ids(workspace, "predicted-class") == [d, b, c, a, unpredicted]


def test_answers_go_back_through_the_log(workspace: Workspace) -> None:
    a, b = add_synthetic(workspace, 2, class_index=8)
    said = [(a, 0, "ann"), (b, 1, "ann"), (a, 2, "ben"), (a, 3, "ann"), (b, 4, "ann")]
    for number, (image, index, who) in enumerate(said):
        label.record(workspace, [LabelEntry(image, "class", who, "human", f"operation-{number}", index)])
    label.undo(workspace, "operation-4", "ann", "undo-4")
    found = answers(workspace, Reader("ann"), None, 10)
    assert [(each.op_id, each.image_id, each.previous_class) for each in found] == [
        ("operation-3", a, 2),  # ben's is the next that counts
        ("operation-1", b, None),
        ("operation-0", a, 2),
    ]
    assert [each.op_id for each in answers(workspace, Reader("ann"), found[0].id, 1)] == ["operation-1"]
    for each in found:  # each step leaves what was foretold
        label.undo(workspace, each.op_id, "ann", f"undo-{each.op_id}")
        now = labels.current(workspace.db, [each.image_id]).get(each.image_id)
        assert (now.class_index if now else None) == each.previous_class
    assert answers(workspace, Reader("ann"), None, 10) == []


def test_an_item_tells_the_whole_story(workspace: Workspace) -> None:
    (image,) = add_synthetic(workspace, 1, class_index=8)
    predict(workspace, {image: [0.25, 0.75]})
    label.record(workspace, [LabelEntry(image, "class", "ann", "accepted", "op", 1)])
    (item,) = items(workspace, [image])
    assert (item.prompt, item.slots, item.prompted_class) == ("a bold digit", {"STROKE": "bold"}, 8)
    assert (item.predicted_class, item.confidence) == (1, 0.75)
    assert (item.label_value, item.label_class, item.label_source) == ("class", 1, "accepted")
    with pytest.raises(UnknownName):
        items(workspace, [999])
