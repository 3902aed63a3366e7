"""The label log as a file: into another workspace with its history, and refused once it was changed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.stages.label_history import COLUMNS, HistoryImport, export_history, import_history
from synthaug.store import labels
from synthaug.store.label_chain import verify_chain
from synthaug.workspace import Workspace
from tests.made import add_gray_image


def with_images(root: Path, order: tuple[int, ...] = (1, 2, 3)) -> tuple[Workspace, dict[int, int]]:
    """A workspace with an image a gray level, in this order; the ids by level."""
    workspace = Workspace.create(root, ("cat", "dog"))
    return workspace, {level: add_gray_image(workspace, level, "synthetic") for level in order}


def labeled(root: Path) -> tuple[Workspace, dict[int, int]]:
    """1 is a dog, 2 was a cat and is nothing again, 3 is rejected by somebody with a formula for a name."""
    workspace, ids = with_images(root)
    label.record(workspace, [LabelEntry(ids[1], "class", "ann", "human", "op-1", 1)])
    label.record(workspace, [LabelEntry(ids[2], "class", "ann", "human", "op-2", 0)])
    label.undo(workspace, "op-2", "ann", "op-3")
    label.record(workspace, [LabelEntry(ids[3], "reject", "=1+1", "human", "op-4")])
    return workspace, ids


def told(workspace: Workspace, image_id: int) -> list[tuple[str, ...]]:
    """Everything that was ever said of an image, without the numbers of one workspace."""
    log = labels.history(workspace.db, image_id)
    return [(each.value, str(each.class_index), each.annotator, each.op_id, each.created_at) for each in log]


def test_an_imported_log_has_its_annotators_times_and_undos(tmp_path: Path) -> None:
    workspace, ids = labeled(tmp_path / "here")
    assert export_history(workspace, tmp_path / "labels.jsonl") == 4
    other, moved = with_images(tmp_path / "there", (3, 2, 1))
    assert import_history(other, tmp_path / "labels.jsonl") == HistoryImport(recorded=4, unchanged=0)
    for level, image_id in ids.items():
        assert told(other, moved[level]) == told(workspace, image_id)
    assert {each.image_id for each in labels.current(other.db, list(moved.values())).values()} == {
        moved[1],
        moved[3],
    }
    assert verify_chain(other.db) == []
    assert import_history(other, tmp_path / "labels.jsonl") == HistoryImport(recorded=0, unchanged=4)


def test_a_changed_line_or_a_lost_one_is_refused_and_nothing_is_recorded(tmp_path: Path) -> None:
    workspace, _ = labeled(tmp_path / "here")
    export_history(workspace, tmp_path / "labels.jsonl")
    head, *lines = (tmp_path / "labels.jsonl").read_text().splitlines()
    other, moved = with_images(tmp_path / "there")
    changed = [json.dumps(json.loads(lines[0]) | {"annotator": "bob"}), *lines[1:]]
    for kept in (changed, lines[:-1], lines[1:]):
        (tmp_path / "bad.jsonl").write_text("\n".join([head, *kept]) + "\n")
        with pytest.raises(UserError, match="was changed after it was exported"):
            import_history(other, tmp_path / "bad.jsonl")
    assert labels.current(other.db, list(moved.values())) == {}


def test_an_image_that_is_not_here_refuses_the_whole(tmp_path: Path) -> None:
    workspace, _ = labeled(tmp_path / "here")
    export_history(workspace, tmp_path / "labels.jsonl")
    other, moved = with_images(tmp_path / "there", (1, 2))
    with pytest.raises(UserError, match="there is no image"):
        import_history(other, tmp_path / "labels.jsonl")
    assert labels.current(other.db, list(moved.values())) == {}


def test_a_table_holds_no_formula(tmp_path: Path) -> None:
    workspace, _ = labeled(tmp_path / "here")
    export_history(workspace, tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    assert heading == list(COLUMNS)
    assert [row[COLUMNS.index("annotator")] for row in rows] == ["ann", "ann", "ann", "'=1+1"]


def test_an_exported_log_appears_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    workspace, _ = labeled(tmp_path / "here")
    with pytest.raises(UserError, match="there is no folder"):
        export_history(workspace, tmp_path / "missing" / "labels.jsonl")
    with pytest.raises(UserError, match=r"ends with '\.txt'"):
        export_history(workspace, tmp_path / "labels.txt")
    export_history(workspace, tmp_path / "labels.jsonl")
    before = (tmp_path / "labels.jsonl").read_bytes()
    export_history(workspace, tmp_path / "labels.jsonl")
    assert (tmp_path / "labels.jsonl").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "labels.jsonl"]
