"""Landmark files of others: schemes, COCO keypoints, CSV tables. What is recorded can be shown and exported."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from hypothesis import strategies as st

from synthaug.landmarks.captions import angles_in, caption_with
from synthaug.landmarks.geometry import class_by_angles, measure, start_places
from synthaug.landmarks.scheme import load_scheme, parse_scheme, scheme_from_json
from synthaug.reading import queue
from synthaug.records import Landmarks
from synthaug.stages.landmark_files import export_landmarks, import_landmarks
from synthaug.workspace import Workspace
from tests.fuzz.harness import fuzz
from tests.fuzz.inputs import JSON, changed_bytes, changed_json
from tests.landmarks.made import add_film, hip_workspace, place


def test_schemes() -> None:
    hip = (files("synthaug.landmarks") / "schemes" / "hip.toml").read_bytes()

    def landmark_scheme(data: bytes) -> None:
        scheme = parse_scheme(data.decode("utf-8", "replace"), "x.toml")
        assert scheme_from_json(scheme.to_json()) == scheme
        angles = measure(scheme, start_places(scheme, 100, 100))
        class_by_angles(scheme, angles)
        said = caption_with(scheme, Landmarks(scheme.name, scheme.revision, {}, angles))
        angles_in(scheme, said or "")

    fuzz(landmark_scheme, data=changed_bytes(hip) | st.binary())


def test_captions() -> None:
    hip = load_scheme("hip")

    def landmark_caption(text: str) -> None:
        found = angles_in(hip, text)
        assert found is None or set(found) == {"left", "right"}

    words = st.sampled_from(["left", "right", "angle", "112.03", "-7", "9" * 400, "degrees", "٣", ".", "1e9"])
    fuzz(landmark_caption, text=st.text() | st.lists(words).map(" ".join))


def whole(tmp_path: Path, name: str) -> tuple[Workspace, Path]:
    """A workspace, and the file that it wrote of two images."""
    workspace = hip_workspace(tmp_path / "work")
    for level in (10, 20):
        place(workspace, add_film(workspace, level), f"op-{level}")
    export_landmarks(workspace, tmp_path / name)
    return workspace, tmp_path / name


def read(workspace: Workspace, path: Path) -> None:
    """Import it, and show and export whatever was taken."""
    import_landmarks(workspace, path, "ann")
    json.dumps([dict(each.landmarks.points) for each in queue.items(workspace, [1, 2]) if each.landmarks])
    export_landmarks(workspace, path.with_name("again.json"))
    export_landmarks(workspace, path.with_name("again.csv"))
    json.loads(path.with_name("again.json").read_text(), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def test_coco(tmp_path: Path) -> None:
    workspace, path = whole(tmp_path, "x.json")
    valid = json.loads(path.read_text())

    def coco(text: str) -> None:
        path.write_text(text)
        read(workspace, path)

    fuzz(coco, text=changed_json(lambda: valid) | JSON.map(json.dumps))


def test_tables(tmp_path: Path) -> None:
    workspace, path = whole(tmp_path, "x.csv")
    valid = path.read_bytes()

    def landmark_table(data: bytes) -> None:
        path.write_bytes(data)
        read(workspace, path)

    fuzz(landmark_table, data=changed_bytes(valid) | st.binary())
