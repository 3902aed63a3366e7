"""The context that every page and route of a running app receives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthaug.running.jobs import JobQueue
    from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class AppContext:
    """One open workspace and the queue of its long-running jobs."""

    workspace: Workspace
    jobs: JobQueue
