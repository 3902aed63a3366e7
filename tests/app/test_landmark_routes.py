"""Landmarks over HTTP: the scheme that a page is given, answers that carry landmarks, and the owner's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from synthaug.config import Role
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.store import landmarks
from synthaug.workspace import Workspace
from tests.landmarks.made import LEFT, PLACES, RIGHT, SMALL, add_film, hip_workspace

from .conftest import BASE, own_routes, session_of


@pytest.fixture
def hips(tmp_path: Path) -> Workspace:
    return hip_workspace(tmp_path / "work")


def client_of(workspace: Workspace, role: Role = "owner") -> TestClient:
    return TestClient(own_routes(workspace), base_url=BASE, cookies=session_of(workspace, role))


def answer(client: TestClient, image_id: int, places: dict[str, Any] | None = None) -> Any:
    scheme = client.get("/data/landmarks").json()
    placed = {"scheme": "hip", "revision": scheme["revision"], "points": PLACES if places is None else places}
    plain = {
        "image_id": image_id,
        "value": "class",
        "class_index": SMALL,
        "source": "human",
        "op_id": "operation-1",
    }
    return client.post("/data/labels", json={"entries": [{**plain, "landmarks": placed}]})


def test_an_answer_with_landmarks_is_recorded_and_shown_again(hips: Workspace) -> None:
    image = add_film(hips, 10)
    client = client_of(hips, "annotator")
    shown = client.get("/data/items", params={"ids": image}).json()["items"][0]["landmarks"]
    assert shown["origin"] == "start"
    assert answer(client, image).json()["ok"]
    assert landmarks.current(hips.db, [image])[image].landmarks.angles == {"left": LEFT, "right": RIGHT}
    shown = client.get("/data/items", params={"ids": image}).json()["items"][0]["landmarks"]
    assert (shown["origin"], shown["by"]) == ("answer", "cleo")
    assert shown["points"]["right_head"] == [300, 200, 31.5]


def test_one_that_cannot_be_is_refused_by_its_operation(hips: Workspace) -> None:
    image = add_film(hips, 10)
    refused = answer(client_of(hips), image, PLACES | {"left_rim": (500, 10)})
    assert refused.status_code == 422
    assert refused.json()["refused"] is True
    assert refused.json()["op_id"] == "operation-1"
    assert "outside the image" in refused.json()["error"]


@pytest.mark.parametrize("points", [{"left_rim": [1]}, {"left_rim": ["a", 2]}, {"left_rim": None}, "all"])
def test_points_that_are_none_are_refused(hips: Workspace, points: Any) -> None:
    refused = answer(client_of(hips), add_film(hips, 10), points)
    assert refused.status_code == 422
    assert "points" in refused.json()["error"]


def test_an_owner_chooses_the_scheme_and_its_classes(hips: Workspace) -> None:
    client = client_of(hips)
    chosen = {"name": "hip", "classes": ["Big", "Small"], "thresholds": [100.5]}
    assert client.post("/data/landmarks", json=chosen).json() == {"ok": True}
    scheme = client.get("/data/landmarks").json()["scheme"]
    assert scheme["classes"] == {"by": "least", "names": ["Big", "Small"], "thresholds": [100.5]}
    assert client.post("/data/landmarks", json={"name": "cephalometry", "no_class": True}).json() == {
        "ok": True
    }
    assert client.post("/data/landmarks", json={"name": None}).json() == {"ok": True}
    assert current_scheme(hips) is None
    assert client.get("/data/landmarks").json()["scheme"] is None


def test_a_choice_that_cannot_be_says_why_and_no_file_is_read(hips: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("name = 1")
    before = current_scheme(hips)
    client = client_of(hips)
    unfit = client.post("/data/landmarks", json={"name": "hip", "classes": ["Big", "Tall"]})
    assert (unfit.status_code, "makes the class 'Tall'" in unfit.json()["error"]) == (400, True)
    path = client.post("/data/landmarks", json={"name": str(tmp_path / "mine.toml")})
    assert (path.status_code, "no landmark scheme called" in path.json()["error"]) == (404, True)
    assert current_scheme(hips) == before
