"""What a client may bring, how long it may take, what is kept in memory, and what the browser is told to forbid."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from jinja2 import DictLoader, Environment
from starlette.testclient import TestClient
from synthaug_app.bodies import LIMITS, OTHERWISE, Bodies
from synthaug_app.byte_cache import ByteCache
from synthaug_app.headers import NONCE, SecurityHeaders
from synthaug_app.page_template import OurPage, PageLoader
from synthaug_app.slow_clients import TimedProtocol

from synthaug.config import Role

SOON = 0.3  # seconds


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the body it was sent."""
    body = (await receive())["body"] if scope["method"] == "POST" else b"hello"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body})


class Quick(TimedProtocol):
    """A server without much patience."""

    seconds = SOON


@contextmanager
def served(app: Any) -> Iterator[int]:
    """An app on a real socket; yields the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, http=Quick, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def said_to(port: int, *parts: bytes) -> bytes:
    """All that a server answers to these bytes, until it closes the connection itself."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while received := connection.recv(4096):
            answer += received
        return answer


@pytest.mark.parametrize("path", ["/data/labels", "/anything"])
def test_a_body_over_its_routes_limit_is_refused(path: str) -> None:
    client = TestClient(Bodies(echo))
    limit = LIMITS.get(path, OTHERWISE)
    assert client.post(path, content=b"x" * limit).text == "x" * limit
    refused = client.post(path, content=b"x" * (limit + 1))
    assert refused.status_code == 413
    assert f"{limit:,} bytes" in refused.json()["error"]


def test_a_body_of_unknown_length_is_counted() -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    assert TestClient(Bodies(echo)).post("/anything", content=parts()).status_code == 413


def test_a_thousand_labels_fit(client_as: Callable[[Role | None], TestClient]) -> None:
    entry = {
        "image_id": 2**62,
        "value": "reject",
        "class_index": None,
        "source": "accepted",
        "op_id": "x" * 64,
    }
    answer = client_as("owner").post("/data/labels", json={"entries": [{**entry, "model_id": 2**62}] * 1000})
    assert answer.status_code not in (408, 413)


def test_a_thousand_undos_are_not_too_large(client_as: Callable[[Role | None], TestClient]) -> None:
    longest = {"op_id_to_undo": "x" * 64, "op_id": "y" * 64}
    answer = client_as("owner").post("/data/undo", json={"entries": [longest] * 1000})
    # Read, and refused: there is no such label.
    assert (answer.status_code, answer.json()["op_id"]) == (422, longest["op_id"])


def test_a_body_that_does_not_come_is_given_up() -> None:
    with served(Bodies(echo, seconds=SOON)) as port:
        answer = said_to(port, b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"GET / HT",),
        (b"GET / HTTP/1.1\r\nHost: local",),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHo"),
    ],
)
def test_a_request_that_does_not_come_is_given_up(parts: tuple[bytes, ...]) -> None:
    with served(echo) as port:
        answer = said_to(port, *parts)  # returns: the server closed the connection
    assert answer.count(b"HTTP/1.1 200") == sum(part.endswith(b"\r\n\r\n") for part in parts)


def test_an_answer_may_take_longer_than_a_request() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(2 * SOON)  # the time itself is what is tested
        await echo(scope, receive, send)

    with served(slow) as port:
        answer = said_to(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"\r\nhello\r\n" in answer


def test_the_cache_holds_no_more_than_it_may() -> None:
    cache = ByteCache(100)
    for number in range(10):
        cache.get(number, lambda: b"x" * 30)
    assert cache.held == 90
    assert cache.get(9, lambda: b"made again") == b"x" * 30
    assert cache.get(0, lambda: b"made again") == b"made again"
    assert cache.get("large", lambda: b"x" * 101) == b"x" * 101
    assert cache.held == 0


def test_every_answer_carries_the_headers() -> None:
    client = TestClient(SecurityHeaders(echo))
    first, second = client.get("/"), client.get("/")
    for name, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
    }.items():
        assert first.headers[name] == value
    policy = dict(part.split(" ", 1) for part in first.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe-inline" not in policy["script-src"]
    assert "*" not in first.headers["content-security-policy"]
    assert first.headers["content-security-policy"] != second.headers["content-security-policy"]


@pytest.mark.parametrize(("path", "status"), [("/label", 303), ("/data/me", 401), ("/log-in", 200)])
def test_refusals_carry_the_headers_too(
    client_as: Callable[[Role | None], TestClient], path: str, status: int
) -> None:
    answer = client_as(None).get(path)
    assert answer.status_code == status
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_only_the_templates_own_scripts_are_marked() -> None:
    page = "<head><script>one</script><script type='module' src=x></script></head>{{ words }}"
    environment = Environment(loader=PageLoader(DictLoader({"page": page})), autoescape=True)
    request = type("Request", (), {"scope": {NONCE: "n-1_"}})
    config = {"title": "</title>hips", "current_page": "label"}
    ours = {"label": OurPage("Label", ["/app/1/a.js"])}
    shown = environment.get_template("page").render(
        request=request, words="<script>", config=config, our_pages=ours
    )
    assert shown == (
        '<head><title>Label · &lt;/title&gt;hips</title><link rel="modulepreload" href="/app/1/a.js">'
        '<script nonce="n-1_">one</script><script nonce="n-1_" type=\'module\' src=x></script></head>'
        "&lt;script&gt;"
    )
