"""The app's JavaScript modules and style sheets, which are stored beside their widgets and served unchanged.

``/app/VERSION/components/grid/grid.js`` is the file ``components/grid/grid.js`` of this package, so that relative
imports work in the same way in the browser, in Node and in the type checker.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from synthaug.errors import UnknownName

HERE = Path(__file__).parent
NOT_LOADED = "This part of the page did not load. Check that synthaug is running, then reload the page."
IMPORT = re.compile(r'^(?:import|export)\b[^;"]*\bfrom "(\.[^"]+)"', re.MULTILINE)
MOUNTED = re.compile(r"^import\('/app/\w+/([^']+)'\)")
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


@cache
def modules() -> dict[str, bytes]:
    """Every module by its path in this package, read once, so that pages and modules of one start match."""
    return {path.relative_to(HERE).as_posix(): path.read_bytes() for path in sorted(HERE.rglob("*.js"))}


@cache
def version() -> str:
    """A hash of all modules, which is part of their URLs so that browsers can cache them permanently."""
    digest = hashlib.sha256()
    for path, text in modules().items():
        digest.update(f"{path}\n{len(text)}\n".encode() + text)
    return digest.hexdigest()[:16]


def module_url(path: str) -> str:
    """The URL path of a module. Raises KeyError for an unknown one."""
    modules()[path]
    return f"/app/{version()}/{path}"


def mounting(path: str) -> str:
    """The ``js_on_load`` of a gr.HTML that loads the module and mounts the component, or says that it did not load."""
    return f"""import('{module_url(path)}').then(
  (module) => module.mount({{ element, trigger, props, watch }}),
  () => {{
    const said = document.createElement('p');
    said.className = 'sa-error';
    said.setAttribute('role', 'alert');
    said.textContent = '{NOT_LOADED}';
    element.prepend(said);
  }},
);"""


def mounted_by(script: str | None) -> str | None:
    """The path of the module that a script of :func:`mounting` loads; None for other scripts."""
    found = MOUNTED.match(script or "")
    return found and found[1]


@cache
def imports_of(path: str) -> list[str]:
    """The paths of the modules that a module imports at once."""
    folder = posixpath.dirname(path)
    return [posixpath.normpath(f"{folder}/{name}") for name in IMPORT.findall(modules()[path].decode())]


def with_imports(paths: Iterable[str]) -> list[str]:
    """The modules, then all that they import, then all that those import ..., each once.

    A browser that is told of them at once does not find them one import after the other.
    """
    found = list(dict.fromkeys(paths))
    for path in found:  # which grows meanwhile
        found += [each for each in imports_of(path) if each not in found]
    return found


@cache
def stylesheet() -> str:
    """All style sheets in one text: first the theme, then those of the components and pages, sorted by name."""
    ours = [path for room in ("components", "pages") for path in sorted((HERE / room).rglob("*.css"))]
    sheets = [HERE / "static" / "theme.css", *ours]
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def modules_router() -> APIRouter:
    """The route ``/app/VERSION/PATH.js``, cached for a year; other versions are not found."""
    router = APIRouter()

    @router.get("/app/{asked}/{path:path}")
    def module(asked: str, path: str) -> Response:
        if asked != version() or path not in modules():
            raise UnknownName("module", path, ())
        return Response(modules()[path], media_type="text/javascript; charset=utf-8", headers=FOREVER)

    return router
