"""The routes of the map and the inspector, over a workspace of digits without scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from starlette.testclient import TestClient
from synthaug_app.points import decode_points

from synthaug.config import Role
from synthaug.store import catalog
from synthaug.workspace import Workspace


@pytest.fixture
def client(client_as: Callable[[Role | None], TestClient]) -> TestClient:
    """A reviewer."""
    return client_as("reviewer")


def test_an_image_comes_by_its_id_and_by_its_hash(client: TestClient, digits: Workspace) -> None:
    image = catalog.find_images(digits.db)[3]
    by_id, by_hash = (client.get(f"/data/image/{key}").json() for key in (image.id, image.sha256))
    assert by_id == by_hash
    assert by_id["item"]["sha256"] == image.sha256
    assert by_id["classes"] == list(digits.classes)
    assert by_id["features"] is None  # nothing was scored, so there are no neighbours
    assert [each["value"] for each in by_id["history"]] == ["class"]


def test_a_link_leads_to_the_map_with_the_image_open(client: TestClient, digits: Workspace) -> None:
    image = catalog.find_images(digits.db)[0]
    answer = client.get(f"/image/{image.sha256}")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/explore?image={image.sha256}"
    assert client.get(f"/image/{image.id}").headers["location"] == answer.headers["location"]


def test_a_link_asks_a_stranger_to_log_in_and_leads_on(
    client_as: Callable[[Role | None], TestClient], digits: Workspace
) -> None:
    path = f"/image/{catalog.find_images(digits.db)[0].sha256}"
    answer = client_as(None).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/log-in?next={path.replace('/', '%2F')}"


@pytest.mark.parametrize("key", ["0", "f" * 64, "..%2fetc", "%00", "1.5", "-1"])
def test_an_image_that_is_not_there_is_404(client: TestClient, key: str) -> None:
    assert client.get(f"/data/image/{key}").status_code == 404
    assert client.get(f"/image/{key}").status_code == 404


def test_without_scores_there_are_no_suspects_and_no_facets(client: TestClient) -> None:
    for kind in ("duplicates", "label-errors", "disagreements"):
        assert client.get(f"/data/suspects/{kind}").json()["ids"] == []
    assert client.get("/data/suspects/ghosts").status_code == 404
    header, _ = decode_points(client.get("/data/facets").content)
    assert header["facets"] == []


def test_a_search_answers_with_ids(client: TestClient) -> None:
    answer = client.get("/data/search", params={"text": "nothing like it"})
    assert np.frombuffer(answer.content, "<u4").tolist() == []
    assert client.get("/data/search", params={"text": "x" * 300}).status_code == 422


def test_a_selection_is_saved_and_read(client: TestClient, digits: Workspace) -> None:
    ids = [image.id for image in catalog.find_images(digits.db)[:3]]
    name = "a/b & <c> ünï"
    assert client.post("/data/selections", json={"name": f" {name} ", "ids": ids}).json()["name"] == name
    assert client.get("/data/selections").json() == {"names": [name]}
    found = client.get("/data/selections/a%2Fb%20%26%20%3Cc%3E%20%C3%BCn%C3%AF").json()
    assert (found["title"], found["ids"]) == (name, ids)
    assert client.post("/data/selections", json={"name": "", "ids": ids}).status_code == 400
    assert client.post("/data/selections", json={"name": "x", "ids": [10**9]}).status_code == 404
    assert client.get("/data/selections/none").status_code == 404
