"""The guard in front of everything: own pages and tools pass, other sites and foreign host names do not."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from synthaug_app.accounts.access import access
from synthaug_app.security import OriginGuard, host_name

from synthaug.errors import UserError

HERE = "http://127.0.0.1:7860"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound


def client(host: str = "127.0.0.1", *allowed: str) -> TestClient:
    """A tiny app behind the guard, as bound to ``host``."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])
    app.add_middleware(OriginGuard, access=access(host, allowed))
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


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "192.0.2.7"])
def test_a_foreign_host_name_gets_nothing(host: str) -> None:
    assert client().get("/data/points", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "localhost:7860", "[::1]:7860"])
def test_this_machines_names_are_answered(host: str) -> None:
    assert client().get("/data/points", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["[bad", "", "a b", "a/b", "a@b", "a:b:c", "a:", "[::1", "::1]", "a:123456", "\u00fc", "x" * 9 + "\x7f"],
)
def test_a_malformed_host_name_is_a_bad_request(host: str) -> None:
    answer = client().get("/data/points", headers={"host": host.encode("latin-1")})
    assert answer.status_code == 400
    assert "not a host name" in answer.json()["error"]


def test_a_malformed_origin_is_refused() -> None:
    assert client().post("/", headers={"origin": "http://[bad"}).status_code == 403


def test_the_name_is_found_in_any_writing() -> None:
    assert host_name("LOCALHOST:7860") == "localhost"
    assert host_name("[::1]:7860") == "::1"


@pytest.mark.parametrize("host", ["192.168.1.7:7860", "10.0.0.1", "[fe80::1]:7860", "localhost"])
def test_an_app_opened_to_a_network_answers_to_addresses(host: str) -> None:
    assert client(EVERYWHERE).get("/", headers={"host": host}).status_code == 200


def test_another_name_has_to_be_allowed() -> None:
    lab = {"host": "lab.example:7860"}
    assert "--allow-host lab.example" in client(EVERYWHERE).get("/", headers=lab).json()["error"]
    assert client(EVERYWHERE, "Lab.Example").get("/", headers=lab).status_code == 200
    assert client("127.0.0.1", "lab.example").get("/", headers=lab).status_code == 200
    refused = client(EVERYWHERE, "lab.example").post("/", headers={**lab, "origin": "http://evil.example"})
    assert refused.status_code == 403


@pytest.mark.parametrize("name", ["http://lab.example", "lab.example:80", "", "a b"])
def test_an_allowed_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="host name"):
        access("127.0.0.1", [name])


def test_thousands_of_headers_are_refused() -> None:
    headers = {f"x-{number}": "y" for number in range(2000)}
    assert client().get("/", headers=headers).status_code == 431
    assert client().get("/", headers=dict(list(headers.items())[:50])).status_code == 200
