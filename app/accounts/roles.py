"""The table of roles: the lowest role that each route and each Gradio function needs.

Routes are ``METHOD path`` with the path as declared; HEAD counts as GET. Routes that are not listed are closed. Gradio
functions are listed by ``api_name``; those that are not listed need the role owner.
"""

from __future__ import annotations

from starlette.routing import compile_path

from synthaug.config import ROLES, Role

OPEN = ("GET /log-in", "POST /log-in", "GET /log-in/{name}", "GET /favicon.ico")
"""Routes that need no session: the log-in page and its files."""

ROUTES: dict[Role, tuple[str, ...]] = {
    "annotator": (
        "GET /label",
        "GET /data/me",
        "GET /data/queue",
        "GET /data/items",
        "GET /data/answers",
        "GET /data/redo",
        "GET /data/annotators",
        "GET /data/progress",
        "GET /data/landmarks",
        "GET /data/beside/{image_id}",
        "GET /data/jobs",  # empty for an annotator: the page asks whether the app is there
        "POST /data/labels",
        "POST /data/leases",
        "POST /data/notes",
        "GET /data/reading",
        "POST /data/undo",
        "GET /media/{name}",
        "GET /app/{asked}/{path:path}",
        "POST /log-out",
        # files and internal routes of Gradio's pages
        "GET /assets/{path:path}",
        "GET /static/{path:path}",
        "GET /theme.css",
        "GET /manifest.json",
        "GET /gradio_api/heartbeat/{session_hash}",
    ),
    "reviewer": (
        "GET /",
        "GET /explore",
        "GET /train",
        "GET /runs",
        "GET /data/runs",
        "GET /data/runs/sides",
        "GET /data/runs/images",
        "GET /image/{key}",
        "GET /data/points",
        "GET /data/image/{key}",
        "GET /data/facets",
        "GET /data/search",
        "GET /data/suspects/{kind}",
        "GET /data/selections",
        "GET /data/selections/{name:path}",
        "POST /data/selections",
        "GET /data/agreement",
        "GET /data/landmarks/model",
        "GET /data/tags",
        "POST /data/tags",
        "GET /data/health",
        "GET /data/health/images",
        "POST /gradio_api/queue/join",  # each function has its own least role, below
        "GET /gradio_api/queue/data",
        "POST /gradio_api/cancel",
    ),
    "owner": (
        "GET /generate",
        "GET /finetune",
        "POST /data/reading",
        "GET /data/uploads",
        "POST /data/uploads",
        "POST /data/uploads/part",
        "GET /data/uploads/{upload}",
        "POST /data/uploads/{upload}/finish",
        "POST /data/uploads/{upload}/discard",
        "POST /data/imports",
        "POST /data/imports/survey",
        "GET /data/imports/sample",
        "GET /data/imports/{job_id}/rejected",
        "POST /data/labels/correction",
        "POST /data/landmarks",
        "POST /data/landmarks/scheme",
        "POST /data/landmarks/import",
        "GET /data/landmarks/export",
        "POST /data/landmarks/captions",
        "POST /data/landmarks/model",
        "POST /data/landmarks/correction",
        "GET /data/exports/{export_id}/download",
        "POST /data/health/retired",
        "POST /data/jobs/{job_id}/cancel",
        "POST /data/jobs/{job_id}/resume",
    ),
}

FUNCTIONS: dict[str, Role] = {
    "data_changed": "reviewer",
    "explore_images": "reviewer",
    "explore_changed": "reviewer",
    "train_first": "reviewer",
    "train_changed": "reviewer",
    "runs_changed": "reviewer",
    "train_threshold": "reviewer",
}

HOME: dict[Role, str] = {"annotator": "/label", "reviewer": "/", "owner": "/"}
"""The start page of each role."""

PAGES = frozenset({"/", "/label", "/explore", "/train", "/runs", "/generate", "/finetune"})
IMAGE_LINK = "/image/"

JOIN = "/gradio_api/queue/join"
"""The route through which the browser calls Gradio functions."""

_OPEN = [(each.partition(" ")[0], compile_path(each.partition(" ")[2])[0]) for each in OPEN]
_ROUTES = [
    (each.partition(" ")[0], compile_path(each.partition(" ")[2])[0], role)
    for role, routes in ROUTES.items()
    for each in routes
]


def is_page(path: str) -> bool:
    """Whether the path is opened by people, so that a refusal is answered with a page instead of JSON."""
    return path in PAGES or path.startswith(IMAGE_LINK)


def is_open(method: str, path: str) -> bool:
    """Whether a request needs no session."""
    return any(_method(method) == known and pattern.match(path) for known, pattern in _OPEN)


def least_role(method: str, path: str) -> Role | None:
    """The lowest role that a route needs; None if the route is closed."""
    for known, pattern, role in _ROUTES:
        if _method(method) == known and pattern.match(path):
            return role
    return None


def may(role: Role, least: Role) -> bool:
    """Whether ``role`` is at least ``least``."""
    return ROLES.index(role) >= ROLES.index(least)


def _method(method: str) -> str:
    return "GET" if method == "HEAD" else method
