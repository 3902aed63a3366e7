"""Our JavaScript modules and style sheets: each lies beside the widget it belongs to and is served as it is.

``/app/VERSION/components/grid/grid.js`` is the file ``components/grid/grid.js`` of this package, so that a
relative import means the same to the browser, to Node and to the type checker.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from synthaug.errors import UnknownName

HERE = Path(__file__).parent
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


@cache
def modules() -> dict[str, bytes]:
    """Every module by its path in this package, read once: pages and modules of one start fit together."""
    return {path.relative_to(HERE).as_posix(): path.read_bytes() for path in sorted(HERE.rglob("*.js"))}


@cache
def version() -> str:
    """A hash of all modules: the part of their address that lets a browser keep them for good."""
    digest = hashlib.sha256()
    for path, text in modules().items():
        digest.update(f"{path}\n{len(text)}\n".encode() + text)
    return digest.hexdigest()[:16]


def module_url(path: str) -> str:
    """Where the browser finds a module. Raises KeyError for one that is not there."""
    modules()[path]
    return f"/app/{version()}/{path}"


def mounting(path: str) -> str:
    """The ``js_on_load`` of a gr.HTML: fetch the module and hand it the component."""
    return f"(async () => (await import('{module_url(path)}')).mount({{ element, props, watch }}))();"


@cache
def stylesheet() -> str:
    """All style sheets as one: the tokens first, then each widget's and each page's, in the order of their names."""
    ours = [path for room in ("components", "pages") for path in sorted((HERE / room).rglob("*.css"))]
    sheets = [HERE / "static" / "theme.css", *ours]
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def modules_router() -> APIRouter:
    """``/app/VERSION/PATH.js``: never changes, so cached for a year; another version is not here any more."""
    router = APIRouter()

    @router.get("/app/{asked}/{path:path}")
    def module(asked: str, path: str) -> Response:
        if asked != version() or path not in modules():
            raise UnknownName("module", path, ())
        return Response(modules()[path], media_type="text/javascript; charset=utf-8", headers=FOREVER)

    return router
