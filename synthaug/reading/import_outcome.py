"""What became of an import: the files that were not imported, as a table."""

from __future__ import annotations

import csv
import io

from synthaug.errors import UserError
from synthaug.spreadsheet import safe_cell
from synthaug.store import jobs
from synthaug.workspace import Workspace


def rejected_table(workspace: Workspace, job_id: int) -> str:
    """All files that an import job did not import, with the reasons, as CSV. Raises UserError."""
    job = jobs.get(workspace.db, job_id)
    if job.kind != "import":
        raise UserError(f"job {job_id} is of the kind {job.kind!r}; only an import rejects files")
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\n")
    table.writerow(("file", "reason"))
    table.writerows(map(safe_cell, row) for row in job.result.get("rejected", ()))
    return file.getvalue()
