"""Landmarks over HTTP: the scheme that a page is given, answers that carry landmarks, and the owner's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from synthaug.config import Role
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.stages.reading_settings import change
from synthaug.store import catalog, jobs, labels, landmarks, models
from synthaug.workspace import Workspace
from tests.landmarks.made import LEFT, PLACES, RIGHT, SMALL, add_film, hip_workspace, place

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


def test_an_invalid_answer_is_refused_with_its_operation(hips: Workspace) -> None:
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


SPINE = """
name = "spine"
title = "Cobb angle"
points = [
  { name = "a", title = "A", mean = [0.4, 0.2] },
  { name = "b", title = "B", mean = [0.6, 0.2] },
  { name = "c", title = "C", mean = [0.4, 0.8] },
]
angles = [{ name = "cobb", title = "Cobb", at = "a", between = ["b", "c"] }]
"""


def test_a_scheme_is_opened_from_a_file_and_used(hips: Workspace) -> None:
    client = client_of(hips)
    before = current_scheme(hips)
    read = client.post("/data/landmarks/scheme", json={"file": "spine.toml", "text": SPINE}).json()["scheme"]
    assert (read["title"], current_scheme(hips)) == ("Cobb angle", before)  # nothing is changed by reading
    assert client.post("/data/landmarks", json={"name": "spine", "toml": SPINE}).json() == {"ok": True}
    assert client.get("/data/landmarks").json()["scheme"]["name"] == "spine"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "mine.toml is not valid TOML"),
        (SPINE.replace('"b", "c"]', '"b", "d"]'), "angle 'cobb' refers to 'd'"),
        (SPINE.replace("mean = [0.4, 0.2]", "mean = [4, 0.2]"), "shares must lie in 0 .. 1"),
        (SPINE + "\ncolour = 1\n", "colour"),
    ],
)
def test_a_scheme_that_cannot_be_used_says_why(hips: Workspace, text: str, reason: str) -> None:
    for route, body in (
        ("/scheme", {"file": "mine.toml", "text": text}),
        ("", {"name": "mine", "toml": text}),
    ):
        refused = client_of(hips).post(f"/data/landmarks{route}", json=body)
        assert refused.status_code == 400
        assert reason in refused.json()["error"]
        assert "mine.toml" in refused.json()["error"]


def test_angles_are_read_from_a_file_in_the_browser(hips: Workspace) -> None:
    image = add_film(hips, 10, source="films/rex.dcm")
    text = "image,left_degrees,right_degrees\nrex.dcm,101.5,110\nnobody.dcm,90,90\n"
    found = client_of(hips).post("/data/landmarks/import", json={"file": "angles.csv", "text": text}).json()
    assert (found["recorded"], found["skipped_count"]) == (1, 1)
    assert found["skipped"][0][0] == "nobody.dcm"
    kept = landmarks.current(hips.db, [image])[image]
    assert (kept.annotator, kept.landmarks.angles) == ("anna", {"left": 101.5, "right": 110.0})
    other = client_of(hips).post("/data/landmarks/import", json={"file": "angles.txt", "text": text})
    assert (other.status_code, "FILE.csv" in other.json()["error"]) == (400, True)


def test_a_training_is_asked_for_once_and_with_enough_images(hips: Workspace) -> None:
    client = client_of(hips)
    images = [add_film(hips, level) for level in range(4)]
    for number, image in enumerate(images[:3]):
        place(hips, image, f"operation-{number}")
    few = client.post("/data/landmarks/model")
    assert (few.status_code, "3 training images have landmarks" in few.json()["error"]) == (400, True)
    add_film(hips, 50, "test")
    place(hips, images[3], "operation-3")
    found = client.get("/data/landmarks/model").json()["standing"]
    assert (found["placed"], found["needed"], found["new"], found["job"]) == (4, 4, 4, None)
    job = client.post("/data/landmarks/model").json()["job"]
    assert jobs.get(hips.db, job).kind == "train-landmarks"
    again = client.post("/data/landmarks/model")
    assert (again.status_code, "is already training a landmark model" in again.json()["error"]) == (400, True)
    assert client.get("/data/landmarks/model").json()["standing"]["job"]["state"] == "queued"


def test_the_report_names_images_and_counts_what_came_since(hips: Workspace) -> None:
    images = [add_film(hips, level) for level in range(3)]
    place(hips, images[0], "operation-0")
    sha256 = catalog.images_by_id(hips.db, images)[1].sha256
    row = {"error": 4.0, "true": {"left": 1.0, "right": 2.0}, "read": {"left": 5.0, "right": 2.0}}
    figures = {
        "kind": "landmarks",
        "measured_on": "held out",
        "images": 2,
        "train_images": 5,
        "point_error": 1.5,
        "accuracy": 0.5,
        "scheme": "hip",
        "doubt": "",
        "image_size": 96,
        "depth": 8,
        "epochs": 1,
        "angles": {},
        "failures": [{"sha256": sha256, **row}, {"sha256": "f" * 64, **row}],
    }
    plain: dict[str, Any] = {"recipe": "landmarks", "revision": "0" * 64, "seed": 0, "view_id": None}
    models.add(hips.db, name="landmarks-1", file="none", metrics=figures, environment={}, **plain)
    place(hips, images[1], "operation-1")
    found = client_of(hips, "reviewer").get("/data/landmarks/model").json()["standing"]
    assert (found["placed"], found["new"], found["report"]["model"]) == (2, 1, "landmarks-1")
    assert [each["image_id"] for each in found["report"]["failures"]] == [images[1]]  # the other has left


def test_only_an_owner_corrects_a_test_image_and_says_why(hips: Workspace) -> None:
    image = add_film(hips, 10, "test")
    place(hips, image, "operation-0")
    moved = {name: list(each) for name, each in PLACES.items()} | {"left_rim": [20.0, 196.0]}
    body = {"image_id": image, "points": moved, "reason": "the rim was missed"}
    assert client_of(hips, "reviewer").post("/data/landmarks/correction", json=body).status_code == 403
    client = client_of(hips)
    silent = client.post("/data/landmarks/correction", json=body | {"reason": " "})
    assert (silent.status_code, "needs a reason" in silent.json()["error"]) == (400, True)
    assert client.post("/data/landmarks/correction", json=body).json() == {"ok": True, "label": "Small"}
    assert landmarks.current(hips.db, [image])[image].landmarks.points["left_rim"] == (20.0, 196.0)
    last = labels.history(hips.db, image)[-1]
    assert (last.annotator, last.reason) == ("anna", "the rim was missed")
    free = add_film(hips, 11)
    refused = client.post("/data/landmarks/correction", json=body | {"image_id": free})
    assert (refused.status_code, "is not a labeled real test image" in refused.json()["error"]) == (400, True)


def test_the_landmarks_beside_an_image_respect_blind_reading(hips: Workspace) -> None:
    first, second = add_film(hips, 1, source="rex/1.dcm"), add_film(hips, 2, source="rex/2.dcm")
    place(hips, first, "operation-0")
    change(hips, blind=True)
    (offer,) = client_of(hips, "annotator").get(f"/data/beside/{second}").json()["offers"]
    assert (offer["why"], offer["item"]["image_id"], offer["item"]["label_value"]) == (
        "Prior: 1.dcm",
        first,
        None,
    )
    assert client_of(hips).get("/data/beside/99").status_code == 404
