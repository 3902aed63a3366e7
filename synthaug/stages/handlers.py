"""Which handler works which kind of job. Handlers are imported when their first job comes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from synthaug.running.jobs import Handler, JobContext
from synthaug.store import jobs, models
from synthaug.workspace import Workspace

MODULES = {
    "import": "synthaug.stages.importing",
    "generate": "synthaug.stages.generate",
    "finetune": "synthaug.stages.finetune",
    "predict": "synthaug.stages.predict",
    "score": "synthaug.stages.score",
    "train": "synthaug.stages.train",
    "quick-model": "synthaug.stages.quick_model",
    "train-landmarks": "synthaug.stages.landmark_model",
    "retrain": "synthaug.stages.retrain",
}


def _handler(module: str) -> Handler:
    def handle(context: JobContext) -> Mapping[str, Any]:
        result: Mapping[str, Any] = import_module(module).run(context)
        return result

    return handle


HANDLERS: dict[str, Handler] = {kind: _handler(module) for kind, module in MODULES.items()}


def submit_predict(workspace: Workspace, model: str | None = None) -> int:
    """Queue predictions for every image that ``model`` (default: the newest) has not seen; returns the job's id."""
    name = models.newest(workspace.db).name if model is None else models.by_name(workspace.db, model).name
    return jobs.submit(workspace.db, "predict", {"model": name}, 0)


def submit_score(workspace: Workspace, model: str | None = None, method: str = "knn") -> int:
    """Queue features, coordinates and scores (default: see :func:`.score.features_to_map`); returns the job's id.

    ``method``: how distances are measured, see measures.ood.
    """
    from synthaug.stages.score import features_to_map

    return jobs.submit(
        workspace.db, "score", {"model": model or features_to_map(workspace), "method": method}, 0
    )


def submit_import(
    workspace: Workspace,
    source: str,
    format: str,
    split: str | None,
    origin: str,
) -> int:
    """Queue an import; returns the job's id."""
    params = {"source": source, "format": format, "split": split, "origin": origin}
    return jobs.submit(workspace.db, "import", params, 0)
