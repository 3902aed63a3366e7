"""Generate, label, inspect and export synthetic training images, then measure whether they helped.

``import synthaug`` is fast, because each public name is loaded when it is first used::

    work = synthaug.create("work", preset="digits")
    work.import_images("digits")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthaug.api.results import (
        Exported,
        Generated,
        Imported,
        Labeled,
        LandmarkModel,
        Predicted,
        Previewed,
        Scored,
        Trained,
        Verdict,
        Viewed,
    )
    from synthaug.api.session import Session, create, open
    from synthaug.errors import SynthaugError, UserError
    from synthaug.executors.base import ExecutorSpec
    from synthaug.stages.class_map import ClassMap
    from synthaug.stages.generation_spec import GenerationSpec
    from synthaug.stages.view import ViewSpec

__version__ = "0.8.1"

__all__ = [
    "ClassMap",
    "ExecutorSpec",
    "Exported",
    "Generated",
    "GenerationSpec",
    "Imported",
    "Labeled",
    "LandmarkModel",
    "Predicted",
    "Previewed",
    "Scored",
    "Session",
    "SynthaugError",
    "Trained",
    "UserError",
    "Verdict",
    "ViewSpec",
    "Viewed",
    "create",
    "open",
]

_MODULES = {
    "Session": "synthaug.api.session",
    "create": "synthaug.api.session",
    "open": "synthaug.api.session",
    "ClassMap": "synthaug.stages.class_map",
    "ExecutorSpec": "synthaug.executors.base",
    "GenerationSpec": "synthaug.stages.generation_spec",
    "ViewSpec": "synthaug.stages.view",
    "SynthaugError": "synthaug.errors",
    "UserError": "synthaug.errors",
}
"""Modules that define the public names; all other names are in ``synthaug.api.results``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'synthaug' has no attribute {name!r}")
    value = getattr(import_module(_MODULES.get(name, "synthaug.api.results")), name)
    globals()[name] = value  # later lookups no longer call this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
