"""The app's routes: whatever is sent, the answer is JSON or an image, and never a failure of the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import strategies as st
from starlette.testclient import TestClient

from synthaug.config import Role
from synthaug.workspace import Workspace
from tests.app.conftest import client_as
from tests.fuzz.harness import fuzz
from tests.fuzz.inputs import JSON, NUMBERS, changed_bytes, changed_json
from tests.stages.helpers import add_synthetic


@pytest.fixture
def client(client_as: Callable[[Role | None], TestClient], digits: Workspace) -> TestClient:
    """The routes, asked by an owner, over digits and two synthetic images."""
    add_synthetic(digits, 2, 1)
    return client_as("owner")


def entry() -> dict[str, Any]:
    plain = {"image_id": 1, "value": "class", "class_index": 0, "source": "human"}
    return {**plain, "op_id": "operation-1", "model_id": None}


BODIES = {
    "/data/labels": lambda: {"entries": [entry()]},
    "/data/undo": lambda: {"entries": [{"op_id_to_undo": "operation-1", "op_id": "operation-2"}]},
}


@pytest.mark.parametrize("route", BODIES)
def test_bodies(route: str, client: TestClient) -> None:
    def body(text: bytes) -> None:
        answer = client.post(route, content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, answer.text
        answer.json()

    texts = changed_json(BODIES[route]) | JSON.map(json.dumps)
    sent = texts.map(str.encode) | texts.map(str.encode).flatmap(changed_bytes) | st.binary()
    body.__name__ = f"body_of{route.replace('/', '_')}"
    fuzz(body, text=sent)


WORDS = st.sampled_from(["newest", "unreviewed", "1,2", "any", "STROKE", "bold", "nan", "", "-1", "1e9"])
QUERIES = st.dictionaries(
    st.sampled_from(["order", "scope", "seed", "ids", "slot", "value", "trouble", "size"]),
    WORDS | NUMBERS.map(str) | st.text(max_size=30),
    max_size=4,
)
__all__ = ["client_as"]

ROUTES = ["/data/queue", "/data/items", "/data/progress", "/data/health", "/data/health/images", "/data/jobs"]


def test_queries(client: TestClient) -> None:
    def query(route: str, parameters: dict[str, str]) -> None:
        text = "&".join(f"{key}={quote(value, errors='replace')}" for key, value in parameters.items())
        answer = client.get(f"{route}?{text}")
        assert answer.status_code < 500, answer.text
        answer.json()

    fuzz(query, route=st.sampled_from(ROUTES), parameters=QUERIES)


def test_paths(client: TestClient) -> None:
    def path(place: str, name: str) -> None:
        answer = client.post(place.format(quote(name, safe="", errors="replace")))
        assert answer.status_code < 500, answer.text
        assert client.get(f"/media/{quote(name, safe='', errors='replace')}").status_code < 500

    places = st.sampled_from(["/data/jobs/{}/cancel", "/data/jobs/{}/resume"])
    fuzz(path, place=places, name=NUMBERS.map(str) | st.text(min_size=1, max_size=70))
