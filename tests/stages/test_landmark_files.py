"""Landmarks as files: out and in again, read by COCO's own library, and brought by others."""

from __future__ import annotations

import csv
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO

from synthaug.errors import UserError
from synthaug.importers.hip.angles import hip_caption
from synthaug.reading import queue
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.stages.export import export
from synthaug.stages.landmark_files import LandmarkImport, export_landmarks, import_captions, import_landmarks
from synthaug.stages.landmark_scheme import stop_using
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import labels, landmarks
from synthaug.workspace import Workspace
from tests.landmarks.made import HEIGHT, LEFT, PLACES, RIGHT, SMALL, WIDTH, add_film, hip_workspace, place

OTHER = PLACES | {"left_rim": (80.0, 180.0), "right_rim": (320.0, 180.0)}  # 135 degrees at both: Big


@pytest.fixture
def placed(tmp_path: Path) -> tuple[Workspace, list[int]]:
    """Two films with landmarks, one that was rejected afterwards, one without."""
    workspace = hip_workspace(tmp_path / "work")
    ids = [add_film(workspace, level) for level in (10, 20, 30, 40)]
    for number, places in enumerate((PLACES, OTHER, PLACES)):
        place(workspace, ids[number], f"op-{number}", places)
    label.record(workspace, [LabelEntry(ids[2], "reject", "ann", "human", "op-reject")])
    return workspace, ids


def other_workspace(root: Path) -> tuple[Workspace, list[int]]:
    """The same films under other numbers."""
    workspace = hip_workspace(root)
    add_film(workspace, 99)
    return workspace, [add_film(workspace, level) for level in (10, 20, 30, 40)]


def points(workspace: Workspace, image_id: int) -> Any:
    found = landmarks.current(workspace.db, [image_id]).get(image_id)
    return None if found is None else found.landmarks.points


@pytest.mark.parametrize("name", ["landmarks.json", "landmarks.csv"])
def test_landmarks_survive_an_export_and_an_import(
    placed: tuple[Workspace, list[int]], name: str, tmp_path: Path
) -> None:
    workspace, _ = placed
    assert export_landmarks(workspace, tmp_path / name) == 2
    other, moved = other_workspace(tmp_path / "other")
    assert import_landmarks(other, tmp_path / name, "bob") == LandmarkImport(2, 0, (), ())
    assert [points(other, image_id) for image_id in moved] == [PLACES, OTHER, None, None]
    classes = [each.class_index for each in labels.current(other.db, moved).values()]
    assert classes == [SMALL, 0]
    assert import_landmarks(other, tmp_path / name, "bob") == LandmarkImport(0, 2, (), ())
    export_landmarks(other, tmp_path / f"again-{name}")
    assert import_landmarks(workspace, tmp_path / f"again-{name}", "ann").recorded == 0


def test_cocos_own_library_reads_what_is_written(placed: tuple[Workspace, list[int]], tmp_path: Path) -> None:
    workspace, ids = placed
    export_landmarks(workspace, tmp_path / "landmarks.json")
    with redirect_stdout(StringIO()):
        coco = COCO(str(tmp_path / "landmarks.json"))
    (category,) = coco.loadCats(coco.getCatIds(catNms=["hip"]))
    assert category["keypoints"] == ["left_head", "right_head", "left_rim", "right_rim"]
    assert sorted(category["skeleton"]) == [[1, 2], [1, 3], [2, 4]]
    assert coco.getImgIds() == ids[:2]
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[ids[0]], iscrowd=False))
    assert annotation["keypoints"] == [100, 200, 2, 300, 200, 2, 97, 196, 2, 303.25, 150, 2]
    assert annotation["num_keypoints"] == 4
    assert annotation["bbox"] == [70, 150, 261.5, 81.5]
    assert annotation["area"] == 261.5 * 81.5
    assert annotation["radii"] == {"left_head": 30, "right_head": 31.5}
    assert annotation["angles"] == {"left": LEFT, "right": RIGHT}


def test_a_file_of_another_tool_is_read(tmp_path: Path) -> None:
    """Keypoints in another order, one more of them, file names, no radii; a film whose rim was not seen."""
    workspace = hip_workspace(tmp_path / "work")
    image, unseen = (
        add_film(workspace, 10, source="visit/A 1.dcm"),
        add_film(workspace, 20, source="visit/B.dcm"),
    )
    size = {"width": WIDTH, "height": HEIGHT}
    keypoints = [97, 196, 2, 1, 1, 2, 303, 150, 1, 100, 200, 2, 300, 200, 2]
    content = {
        "images": [{"id": 7, "file_name": "A 1.dcm", **size}, {"id": 8, "file_name": "B.dcm", **size}],
        "annotations": [
            {"image_id": 7, "category_id": 3, "keypoints": keypoints},
            {"image_id": 8, "category_id": 3, "keypoints": [0, 0, 0, *keypoints[3:]]},
            {"image_id": 8, "category_id": 4, "bbox": [0, 0, 1, 1]},
        ],
        "categories": [
            {"id": 3, "keypoints": ["left_rim", "tail", "right_rim", "left_head", "right_head"]},
            {"id": 4, "name": "person"},
        ],
    }
    (tmp_path / "cvat.json").write_text(json.dumps(content))
    done = import_landmarks(workspace, tmp_path / "cvat.json", "ann")
    assert done.recorded == 1
    assert points(workspace, image) == {
        "left_head": (100, 200, 0.075 * WIDTH),
        "right_head": (300, 200, 0.075 * WIDTH),
        "left_rim": (97, 196),
        "right_rim": (303, 150),
    }
    assert [key for key, _ in done.skipped] == ["B.dcm"]
    assert "left_rim" in done.skipped[0][1]
    assert points(workspace, unseen) is None


def write(path: Path, *rows: dict[str, object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def row(image: object, places: dict[str, tuple[float, ...]] = PLACES) -> dict[str, object]:
    cells: dict[str, object] = {"image": image}
    for name, place_ in places.items():
        cells |= zip((f"{name}_x", f"{name}_y", f"{name}_radius"), place_, strict=False)
    return cells


def test_rows_that_cannot_be_recorded_are_skipped_with_the_reason(tmp_path: Path) -> None:
    workspace = hip_workspace(tmp_path / "work")
    good, outside = add_film(workspace, 10), add_film(workspace, 20)
    frozen = add_film(workspace, 30, "test")
    label.record(workspace, [LabelEntry(frozen, "class", "import", "imported", "op", 0)])
    path = write(
        tmp_path / "x.csv",
        row(good),
        row(outside, PLACES | {"left_rim": (-1.0, 5.0)}),
        row(999),
        row(frozen),
    )
    done = import_landmarks(workspace, path, "ann")
    assert done.recorded == 1
    reasons = dict(done.skipped)
    assert "outside the image of 400 x 300" in reasons[str(outside)]
    assert "no image came from a file of this name" in reasons["999"]
    assert "so its label is frozen" in reasons[str(frozen)]
    assert points(workspace, good) == PLACES


def test_sides_that_look_exchanged_are_told(tmp_path: Path) -> None:
    workspace = hip_workspace(tmp_path / "work")
    image = add_film(workspace, 10)
    flipped = {name: (WIDTH - each[0], *each[1:]) for name, each in PLACES.items()}
    done = import_landmarks(workspace, write(tmp_path / "x.csv", row(image, flipped)), "ann")
    assert (done.recorded, done.swapped) == (1, (str(image),))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "image,left_head_x\n1,2\n", "has no column"),
        ("x.csv", ",".join(row(1)) + "\n1,two,3,4,5,6,7,8,9,1,2\n", "x.csv line 2: left_head_x is 'two'"),
        ("x.json", "{", "is not valid JSON"),
        (
            "x.json",
            '{"images": [], "annotations": [], "categories": [{"id": 1}]}',
            "no category with the keypoints",
        ),
        ("x.txt", "", "ends with '.txt'"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(name: str, text: str, message: str, tmp_path: Path) -> None:
    workspace = hip_workspace(tmp_path / "work")
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        import_landmarks(workspace, tmp_path / name, "ann")
    with pytest.raises(UserError, match="cannot be read"):
        import_landmarks(workspace, tmp_path / "missing.csv", "ann")


def test_without_a_scheme_nothing_is_written(placed: tuple[Workspace, list[int]], tmp_path: Path) -> None:
    stop_using(placed[0])
    with pytest.raises(UserError, match="has no landmark scheme"):
        export_landmarks(placed[0], tmp_path / "x.csv")


def test_captions_bring_angles_and_an_export_writes_them(tmp_path: Path) -> None:
    workspace = hip_workspace(tmp_path / "work")
    said = add_film(workspace, 10, caption=hip_caption(112.03, 91.09))
    short = add_film(workspace, 20, caption="Hip X-ray, LEFT angle: 110 right angle 108.5")
    add_film(workspace, 30, caption="a dog with one left angle of 100 degrees")
    by_hand = add_film(workspace, 40, caption=hip_caption(90, 90))
    place(workspace, by_hand, "op-1", OTHER)
    assert import_captions(workspace, "ann").recorded == 2
    current = landmarks.current(workspace.db, [said, short, by_hand])
    assert current[said].landmarks.angles == {"left": 112.03, "right": 91.09}
    assert current[short].landmarks.angles == {"left": 110.0, "right": 108.5}
    assert current[by_hand].landmarks.points == OTHER
    classes = {
        each.image_id: each.class_index for each in labels.current(workspace.db, [said, short]).values()
    }
    assert classes == {said: SMALL, short: 0}
    export_landmarks(workspace, tmp_path / "angles.csv")
    other, moved = other_workspace(tmp_path / "other")
    assert import_landmarks(other, tmp_path / "angles.csv", "ann").recorded == 3
    alone = landmarks.current(other.db, moved)[moved[0]].landmarks
    assert (alone.points, alone.angles) == ({}, {"left": 112.03, "right": 91.09})
    assert queue.items(other, [moved[0]])[0].landmarks.origin == "mean"  # angles say nothing of where
    make_view(workspace, "all", ViewSpec())
    export(workspace, tmp_path / "out", "folder", "all")
    with (tmp_path / "out" / "metadata.csv").open(newline="", encoding="utf-8") as file:
        texts = {each["text"] for each in csv.DictReader(file)}
    assert texts == {hip_caption(112.03, 91.09), hip_caption(110, 108.5), hip_caption(135, 135)}
