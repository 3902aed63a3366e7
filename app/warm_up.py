"""Reading the points of the map while the app starts, so that whoever opens the Explore page first need not wait."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from synthaug.errors import SynthaugError

if TYPE_CHECKING:
    from synthaug.workspace import Workspace


def warm_up(workspace: Workspace) -> Thread:
    """Start reading the points into the caches of :mod:`synthaug.reading.explore`; the app does not wait for it."""
    thread = Thread(target=_read, args=[workspace], daemon=True, name="warm-up")
    thread.start()
    return thread


def _read(workspace: Workspace) -> None:
    from synthaug.reading import explore

    with suppress(SynthaugError):  # nothing was scored yet, or the page that asks will say what is wrong
        explore.points(workspace)
