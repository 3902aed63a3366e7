"""The context that every page and route of a running app receives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthaug.reading.changes import Changes
    from synthaug.running.jobs import JobQueue
    from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class AppContext:
    """One open workspace, the queue of its long-running jobs, and what tells whether anything was written."""

    workspace: Workspace
    jobs: JobQueue
    changes: Changes

    @classmethod
    def of(cls, workspace: Workspace) -> AppContext:
        """The context of a workspace that was opened."""
        from synthaug.reading.changes import Changes
        from synthaug.running.jobs import JobQueue

        return cls(workspace, JobQueue(workspace), Changes(workspace.db.path))
