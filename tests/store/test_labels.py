"""The label log: append-only, idempotent, and which label counts."""

from __future__ import annotations

import sqlite3
from itertools import count
from random import Random

import pytest

from synthaug.errors import LabelRefused
from synthaug.records import LabelEntry, LabelSource, LabelValue
from synthaug.store import catalog, label_log, labels
from synthaug.store.database import Database
from synthaug.workspace import Workspace

numbers = count()


def add_image(db: Database, letter: str = "a") -> int:
    sha256 = letter * 64
    image_id, _ = catalog.add_image(
        db, sha256=sha256, size=(32, 32), split="train", origin="synthetic", source="test"
    )
    return image_id


def say(
    db: Database,
    image_id: int,
    class_index: int | None,
    source: LabelSource = "human",
    value: LabelValue = "class",
    undoes: int | None = None,
) -> int:
    entry = LabelEntry(image_id, value, "ann", source, f"op-{next(numbers)}", class_index, undoes)
    return label_log.append(db, [entry])[0]


def current(db: Database, image_id: int) -> int | None:
    label = labels.current(db, [image_id]).get(image_id)
    return None if label is None else label.class_index


def test_the_latest_word_counts(workspace: Workspace) -> None:
    image = add_image(workspace.db)
    say(workspace.db, image, 3)
    say(workspace.db, image, 8)
    assert current(workspace.db, image) == 8


@pytest.mark.parametrize("person", ["human", "accepted"])
def test_a_person_outranks_the_rest_whenever_they_spoke(workspace: Workspace, person: LabelSource) -> None:
    image = add_image(workspace.db)
    say(workspace.db, image, 1, person)
    say(workspace.db, image, 2, "imported")
    say(workspace.db, image, 3, "automatic")
    assert current(workspace.db, image) == 1


def test_an_imported_label_outranks_an_automatic_one(workspace: Workspace) -> None:
    image = add_image(workspace.db)
    say(workspace.db, image, 2, "imported")
    say(workspace.db, image, 3, "automatic")
    assert current(workspace.db, image) == 2


def test_undo_brings_back_what_was_said_before(workspace: Workspace) -> None:
    image = add_image(workspace.db)
    say(workspace.db, image, 3)
    second = say(workspace.db, image, 8)
    say(workspace.db, image, None, value="undo", undoes=second)
    assert current(workspace.db, image) == 3
    assert len(labels.history(workspace.db, image)) == 3


def test_the_same_operation_twice_is_recorded_once(workspace: Workspace) -> None:
    image = add_image(workspace.db)
    entry = LabelEntry(image, "class", "ann", "human", "op-again", 3)
    assert label_log.append(workspace.db, [entry]) == label_log.append(workspace.db, [entry])
    assert len(labels.history(workspace.db, image)) == 1


@pytest.mark.parametrize("statement", ["UPDATE labels SET class_position = 1", "DELETE FROM labels"])
def test_the_log_cannot_be_rewritten(workspace: Workspace, statement: str) -> None:
    say(workspace.db, add_image(workspace.db), 3)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), workspace.db.transaction() as connection:
        connection.execute(statement)


def test_only_a_class_label_carries_a_class(workspace: Workspace) -> None:
    image = add_image(workspace.db)
    with pytest.raises(LabelRefused, match="'reject' has no class"):
        say(workspace.db, image, 3, value="reject")
    with pytest.raises(LabelRefused, match=r"the class index is None; it must be in 0 \.\. 9"):
        say(workspace.db, image, None, value="class")


def test_review_progress_counts_every_kind_of_answer(workspace: Workspace) -> None:
    first, second, _ = (add_image(workspace.db, letter) for letter in "abc")
    say(workspace.db, first, 3)
    say(workspace.db, second, None, value="unsure")
    assert labels.review_progress(workspace.db)["synthetic"] == (2, 3)


def test_review_progress_is_what_counting_gives(digits: Workspace) -> None:
    db, random = digits.db, Random(0)
    ids = [row[0] for row in db.query("SELECT id FROM images WHERE split = 'train' LIMIT 20")]
    undone = 0
    for _ in range(200):  # again and again, also taken back until nothing is left
        image_id = random.choice(ids)
        counts = labels.counting_id(db, image_id)
        if counts is not None and random.random() < 0.6:
            say(db, image_id, None, value="undo", undoes=counts)
            undone += 1
        else:
            say(db, image_id, random.randrange(10))
    counted = db.query(
        "SELECT origin, count(current_labels.image_id), count(*) FROM images"
        " LEFT JOIN current_labels ON current_labels.image_id = images.id GROUP BY origin"
    )
    assert labels.review_progress(db) == {"synthetic": (0, 0)} | {row[0]: tuple(row)[1:] for row in counted}
    assert undone > 20
