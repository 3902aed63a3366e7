"""The guard in front of everything: own pages and tools pass, other sites and foreign host names do not."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from synthaug_app.security import OriginGuard, allowed_hosts

HERE = "http://127.0.0.1:7860"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound


def client(host: str = "127.0.0.1") -> TestClient:
    """A tiny app behind the guard, as bound to ``host``."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])
    app.add_middleware(OriginGuard, hosts=allowed_hosts(host))
    return TestClient(app, base_url=HERE)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": HERE},
        {"origin": HERE, "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_own_pages_and_tools_may_write(headers: dict[str, str]) -> None:
    assert client().post("/data/labels", headers=headers).text == "done"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://127.0.0.1.evil.example:7860"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": HERE, "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "content-type": "text/plain"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_other_sites_may_not_write(headers: dict[str, str], method: str) -> None:
    answer = client().request(method, "/gradio_api/component_server", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["ok"] is False


def test_other_sites_may_link_here() -> None:
    assert client().get("/", headers={"sec-fetch-site": "cross-site"}).text == "done"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_name_gets_nothing(host: str) -> None:
    assert client().get("/data/points", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "localhost:7860", "[::1]:7860"])
def test_this_machines_names_are_answered(host: str) -> None:
    assert client().get("/data/points", headers={"host": host}).status_code == 200


def test_an_app_opened_to_a_network_answers_to_every_name() -> None:
    assert client(EVERYWHERE).get("/", headers={"host": "lab-machine:7860"}).status_code == 200
    refused = client(EVERYWHERE).post(
        "/", headers={"host": "lab-machine:7860", "origin": "http://evil.example"}
    )
    assert refused.status_code == 403
