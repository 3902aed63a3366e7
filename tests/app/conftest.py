"""The whole app of a workspace, guarded as it is when it is served, and a client for each who may come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.testclient import TestClient
from synthaug_app.accounts.access import Access, access
from synthaug_app.accounts.person import cookie_name
from synthaug_app.context import AppContext
from synthaug_app.server import add_own_routes, guard

from synthaug.config import Role
from synthaug.stages import accounts
from synthaug.workspace import Workspace

BASE = "http://127.0.0.1:7860"
PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that the tests make
NAMES: dict[Role, str] = {"annotator": "cleo", "reviewer": "ben", "owner": "anna"}


def own_routes(workspace: Workspace, how: Access | None = None) -> FastAPI:
    """Our own routes behind the guards, without Gradio."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    context = AppContext.of(workspace)
    how = how or access("127.0.0.1")
    add_own_routes(app, context, how)
    guard(app, context, how, {})
    return app


def gradio_app(app: FastAPI) -> Any:
    """What Gradio is mounted as."""
    (mount,) = [route for route in app.routes if isinstance(route, Mount)]
    return mount.app


def session_of(workspace: Workspace, role: Role) -> dict[str, str]:
    """The cookie of somebody in a role, who has an account from now on."""
    known = {each.name: each for each in accounts.all_accounts(workspace)}
    name = NAMES[role]
    account = known.get(name) or accounts.add(workspace, name, role, PASSWORD)
    return {cookie_name(workspace.root): accounts.log_in(workspace, account, "127.0.0.1")}


@pytest.fixture
def client_as(digits: Workspace) -> Callable[[Role | None], TestClient]:
    """``client_as(role)``: our own routes over the digits, as somebody in that role; None: nobody."""
    app = own_routes(digits)

    def opened(role: Role | None) -> TestClient:
        cookies = None if role is None else session_of(digits, role)
        return TestClient(app, base_url=BASE, cookies=cookies, follow_redirects=False)

    return opened
