"""Every route and every Gradio function of the built app, called as nobody and in each role."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any, get_type_hints

import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.testclient import TestClient
from synthaug_app.accounts.access import access
from synthaug_app.context import AppContext
from synthaug_app.server import create_app, guard

from synthaug.config import ROLES
from synthaug.workspace import Workspace

from .conftest import BASE, gradio_app, session_of

# Who may at least; what is not here is closed to everybody. "open" needs no log-in.
EXPECTED = {
    "GET /log-in": "open",
    "POST /log-in": "open",
    "GET /log-in/{name}": "open",
    "GET /favicon.ico": "open",
    "POST /log-out": "annotator",
    "GET /label": "annotator",
    "GET /data/me": "annotator",
    "GET /data/queue": "annotator",
    "GET /data/items": "annotator",
    "GET /data/answers": "annotator",
    "GET /data/redo": "annotator",
    "GET /data/annotators": "annotator",
    "GET /data/progress": "annotator",
    "GET /data/landmarks": "annotator",
    "GET /data/beside/{image_id}": "annotator",
    "GET /data/landmarks/model": "reviewer",
    "POST /data/landmarks/scheme": "owner",
    "POST /data/landmarks/import": "owner",
    "GET /data/landmarks/export": "owner",
    "POST /data/landmarks/captions": "owner",
    "POST /data/landmarks/model": "owner",
    "POST /data/landmarks/correction": "owner",
    "GET /data/jobs": "annotator",
    "POST /data/labels": "annotator",
    "POST /data/leases": "annotator",
    "POST /data/notes": "annotator",
    "GET /data/reading": "annotator",
    "GET /data/agreement": "reviewer",
    "POST /data/reading": "owner",
    "POST /data/undo": "annotator",
    "GET /media/{name}": "annotator",
    "GET /app/{asked}/{path:path}": "annotator",
    "GET /assets/{path:path}": "annotator",
    "GET /static/{path:path}": "annotator",
    "GET /theme.css": "annotator",
    "GET /manifest.json": "annotator",
    "GET /gradio_api/heartbeat/{session_hash}": "annotator",
    "GET /": "reviewer",
    "HEAD /": "reviewer",
    "GET /explore": "reviewer",
    "GET /train": "reviewer",
    "GET /runs": "reviewer",
    "GET /data/runs": "reviewer",
    "GET /data/runs/sides": "reviewer",
    "GET /data/runs/images": "reviewer",
    "GET /image/{key}": "reviewer",
    "GET /data/points": "reviewer",
    "GET /data/image/{key}": "reviewer",
    "GET /data/facets": "reviewer",
    "GET /data/search": "reviewer",
    "GET /data/suspects/{kind}": "reviewer",
    "GET /data/selections": "reviewer",
    "GET /data/selections/{name:path}": "reviewer",
    "POST /data/selections": "reviewer",
    "GET /data/tags": "reviewer",
    "POST /data/tags": "reviewer",
    "GET /data/health": "reviewer",
    "GET /data/health/images": "reviewer",
    "POST /gradio_api/queue/join": "reviewer",
    "GET /gradio_api/queue/data": "reviewer",
    "POST /gradio_api/cancel": "reviewer",
    "GET /generate": "owner",
    "GET /finetune": "owner",
    "GET /data/uploads": "owner",
    "POST /data/uploads": "owner",
    "POST /data/uploads/part": "owner",
    "GET /data/uploads/{upload}": "owner",
    "POST /data/uploads/{upload}/finish": "owner",
    "POST /data/uploads/{upload}/discard": "owner",
    "POST /data/imports": "owner",
    "POST /data/imports/survey": "owner",
    "GET /data/imports/sample": "owner",
    "GET /data/imports/{job_id}/rejected": "owner",
    "POST /data/labels/correction": "owner",
    "POST /data/landmarks": "owner",
    "GET /data/exports/{export_id}/download": "owner",
    "POST /data/health/retired": "owner",
    "POST /data/jobs/{job_id}/cancel": "owner",
    "POST /data/jobs/{job_id}/resume": "owner",
}
FUNCTIONS = {
    "data_changed": "reviewer",
    "explore_images": "reviewer",
    "explore_changed": "reviewer",
    "train_first": "reviewer",
    "train_changed": "reviewer",
    "runs_changed": "reviewer",
    "train_threshold": "reviewer",
}
"""All other functions are an owner's."""

JOIN = "/gradio_api/queue/join"
PUBLIC = ("nobody", *ROLES)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An empty workspace of digits."""
    return Workspace.create(tmp_path_factory.mktemp("inventory") / "work", (), "digits")


@pytest.fixture(scope="module")
def app(workspace: Workspace) -> FastAPI:
    """The whole app, Gradio's part included."""
    return create_app(workspace, access("127.0.0.1"))


@pytest.fixture(scope="module")
def functions(app: FastAPI) -> dict[int, str]:
    """The name of every Gradio function by its index."""
    return {index: str(each.api_name) for index, each in gradio_app(app).get_blocks().fns.items()}


@pytest.fixture(scope="module")
def gates(workspace: Workspace, functions: dict[int, str]) -> dict[str, TestClient]:
    """The guards of the app before one that answers everything with "through", as nobody and as each role."""

    async def through(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"through"})

    guarded = FastAPI(openapi_url=None)
    context = AppContext.of(workspace)
    guard(guarded, context, access("127.0.0.1"), functions)
    guarded.mount("/", through)
    return {
        who: TestClient(guarded, base_url=BASE, follow_redirects=False, cookies=cookies)
        for who, cookies in [("nobody", {}), *((role, session_of(workspace, role)) for role in ROLES)]
    }


def routes_of(app: Any) -> Iterator[tuple[str, bool]]:
    """Every ``METHOD path`` of an app, and whether it is ours."""
    for route in app.routes:
        if isinstance(route, Mount):
            yield from ((each, False) for each, _ in routes_of(route.app))
        else:
            inner = getattr(route, "original_router", None)
            for each in [route] if inner is None else inner.routes:
                yield from ((f"{method} {each.path}", True) for method in each.methods)


def called(path: str) -> str:
    """A path with something in the place of its parameters."""
    return re.sub(r"{[^}]*}", "1", path)


def may(role: str, least: str) -> bool:
    """Whether the table lets somebody in."""
    return least == "open" or (role != "nobody" and ROLES.index(role) >= ROLES.index(least))  # type: ignore[arg-type]


def body_of(path: str, index: int = 0) -> bytes:
    """A call of a Gradio function, where that is what the route takes."""
    return json.dumps({"fn_index": index, "data": [], "session_hash": "s"}).encode() if path == JOIN else b""


def test_every_route_of_ours_replies_with_a_record_or_with_bytes(app: FastAPI) -> None:
    routers = [inner for route in app.routes if (inner := getattr(route, "original_router", None))]
    ours = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    assert len(ours) > 40
    untyped = {
        route.path
        for route in ours
        if not is_dataclass(route.response_model) and not returns_response(route.endpoint)
    }
    assert untyped == set()


def returns_response(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint is annotated to return an HTTP response."""
    kind = get_type_hints(endpoint).get("return")
    return isinstance(kind, type) and issubclass(kind, Response)


def test_the_table_names_every_route_of_ours_and_none_that_is_gone(app: FastAPI) -> None:
    found = dict(routes_of(app))
    assert {name for name, ours in found.items() if ours} <= set(EXPECTED)
    assert set(EXPECTED) <= set(found)
    assert len(found) > 100  # Gradio's were found


@pytest.mark.parametrize("who", PUBLIC)
def test_every_route_lets_pass_whom_the_table_says(
    app: FastAPI, gates: dict[str, TestClient], who: str, functions: dict[int, str]
) -> None:
    harmless = next(index for index, name in functions.items() if name == "data_changed")
    wrong = []
    for name in dict(routes_of(app)):
        method, path = name.split()
        answer = gates[who].request(method, called(path), content=body_of(path, harmless))
        least = EXPECTED.get(name)
        passes = least is not None and may(who, least)
        if (answer.text == "through" or (method == "HEAD" and answer.status_code == 200)) != passes:
            wrong.append((name, answer.status_code))
        if not passes and who == "nobody" and answer.status_code not in (303, 401):
            wrong.append((name, answer.status_code))
        if not passes and who != "nobody" and answer.status_code not in (303, 403, 404):
            wrong.append((name, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("who", PUBLIC)
def test_every_gradio_function_lets_pass_whom_the_table_says(
    gates: dict[str, TestClient], functions: dict[int, str], who: str
) -> None:
    wrong = []
    for index, name in functions.items():
        answer = gates[who].post(JOIN, content=body_of(JOIN, index))
        passes = may(who, FUNCTIONS.get(name, "owner"))
        if (answer.text == "through") != passes or (not passes and answer.status_code not in (401, 403)):
            wrong.append((name, answer.status_code))
    assert wrong == []
    assert set(FUNCTIONS) <= set(functions.values())


def test_functions_that_change_something_are_an_owners(functions: dict[int, str]) -> None:
    """A name of the table belongs to one function only, and to none that starts, stops or imports."""
    names = list(functions.values())
    assert len(names) == len(set(names))
    acting = {name for name in names if re.match("start|submit|stop|draw|ask", name)}
    assert len(acting) >= 6
    assert not acting & set(FUNCTIONS)


def test_the_app_itself_answers_nobody(app: FastAPI) -> None:
    nobody = TestClient(app, base_url=BASE, follow_redirects=False)
    open_ = {name for name, least in EXPECTED.items() if least == "open"}
    answers = {
        name: nobody.request(name.split()[0], called(name.split()[1]), content=body_of(name.split()[1]))
        for name in set(dict(routes_of(app))) - open_
    }
    assert {name for name, answer in answers.items() if answer.status_code not in (303, 401)} == set()
    pages = {"/", "/label", "/generate", "/finetune", "/explore", "/train", "/runs", "/image/{key}"}
    assert {name.split()[1] for name, answer in answers.items() if answer.status_code == 303} == pages


def test_unused_functions_are_closed_to_the_owner_as_well(app: FastAPI, workspace: Workspace) -> None:
    owner = TestClient(app, base_url=BASE, follow_redirects=False, cookies=session_of(workspace, "owner"))
    for path in (
        "/openapi.json",
        "/docs",
        "/redoc",
        "/config",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
    ):
        assert owner.get(path).json()["error"] == "there is nothing here"
    for path in ("/gradio_api/upload", "/gradio_api/component_server", "/gradio_api/run/predict"):
        assert owner.post(path, json={}).json()["error"] == "there is nothing here"
    assert owner.get("/gradio_api/file=/etc/passwd").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"fn_index": null}',
        b'{"fn_index": "0"}',
        b'{"fn_index": true}',
        b'{"fn_index": 0.0}',
        b'{"fn_index": -1}',
        b'{"fn_index": 99999}',
        b'{"api_name": "data_changed"}',
        b"\xff\xfe",
        b"[" * 200_000,
    ],
)
def test_a_call_of_no_function_passes_for_nobody(gates: dict[str, TestClient], body: bytes) -> None:
    assert gates["owner"].post(JOIN, content=body).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["//generate", "/generate/", "/GENERATE", "/x/../generate", "/label%2F..%2Fgenerate", "/%67enerate"],
)
def test_a_path_written_otherwise_opens_nothing(gates: dict[str, TestClient], path: str) -> None:
    assert gates["annotator"].get(BASE + path).status_code in (403, 404)
    assert gates["nobody"].get(BASE + path).status_code in (303, 401)


def test_a_page_in_a_role_holds_only_its_own_parts(app: FastAPI, workspace: Workspace) -> None:
    annotator = TestClient(app, base_url=BASE, cookies=session_of(workspace, "annotator"))
    page = annotator.get("/label")
    assert page.status_code == 200
    config = page.text.split("window.gradio_config = ")[1].split(";</script>")[0]
    shown = json.loads(config)
    assert shown["current_page"] == "label"
    assert shown["dependencies"] == []
    assert "Class balance" not in config


def test_the_first_page_takes_each_role_to_its_own(gates: dict[str, TestClient]) -> None:
    assert gates["nobody"].get("/explore?x=1").headers["location"] == "/log-in?next=%2Fexplore%3Fx%3D1"
    assert gates["annotator"].get("/").headers["location"] == "/label"
    refused = gates["reviewer"].get("/generate")
    assert refused.status_code == 403
    assert "<h1>Generate is for owners</h1>" in refused.text
    assert "<b>ben</b>" in refused.text
