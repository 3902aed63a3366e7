"""The table of roles: which least role each route and each Gradio function needs. What is not listed is closed.

A route is ``METHOD path``, the path as it is declared; HEAD counts as GET. A Gradio function goes by its
``api_name``, and one that is not listed is an owner's.
"""

from __future__ import annotations

from starlette.routing import compile_path

from synthaug.config import ROLES, Role

OPEN = ("GET /log-in", "POST /log-in", "GET /log-in/{name}", "GET /favicon.ico")
"""What needs no session: the log-in page and its own files."""

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
        "GET /data/jobs",  # empty for an annotator: the page asks whether the app is there
        "POST /data/labels",
        "POST /data/leases",
        "POST /data/notes",
        "GET /data/reading",
        "POST /data/undo",
        "GET /media/{name}",
        "GET /app/{asked}/{path:path}",
        "POST /log-out",
        # Gradio's own files and the plumbing of its pages
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
        "POST /data/landmarks",
        "GET /data/exports/{export_id}/download",
        "POST /data/health/retired",
        "POST /data/jobs/{job_id}/cancel",
        "POST /data/jobs/{job_id}/resume",
    ),
}

FUNCTIONS: dict[str, Role] = {
    "data_figures": "reviewer",
    "data_sources": "reviewer",
    "data_poll": "reviewer",
    "explore_images": "reviewer",
    "explore_poll": "reviewer",
    "train_first": "reviewer",
    "train_poll": "reviewer",
    "runs_poll": "reviewer",
    "train_threshold": "reviewer",
}

HOME: dict[Role, str] = {"annotator": "/label", "reviewer": "/", "owner": "/"}
"""The page that a role starts on."""

PAGES = frozenset({"/", "/label", "/explore", "/train", "/runs", "/generate", "/finetune"})
IMAGE_LINK = "/image/"

JOIN = "/gradio_api/queue/join"
"""Where the browser calls a Gradio function."""

_OPEN = [(each.partition(" ")[0], compile_path(each.partition(" ")[2])[0]) for each in OPEN]
_ROUTES = [
    (each.partition(" ")[0], compile_path(each.partition(" ")[2])[0], role)
    for role, routes in ROUTES.items()
    for each in routes
]


def is_page(path: str) -> bool:
    """Whether a person opens it: answered with a page and not with JSON where it may not be seen."""
    return path in PAGES or path.startswith(IMAGE_LINK)


def is_open(method: str, path: str) -> bool:
    """Whether a request needs no session."""
    return any(_method(method) == known and pattern.match(path) for known, pattern in _OPEN)


def least_role(method: str, path: str) -> Role | None:
    """The least role that a route needs; None: nobody reaches it."""
    for known, pattern, role in _ROUTES:
        if _method(method) == known and pattern.match(path):
            return role
    return None


def may(role: Role, least: Role) -> bool:
    """Whether a role is enough."""
    return ROLES.index(role) >= ROLES.index(least)


def _method(method: str) -> str:
    return "GET" if method == "HEAD" else method
