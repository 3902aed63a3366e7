"""Which handler works which kind of job. Handlers are imported when their first job comes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from synthaug.running.jobs import Handler, JobContext
from synthaug.stages.class_map import ClassMap
from synthaug.store import jobs, models
from synthaug.workspace import Workspace, check_class_names

MODULES = {
    "import": "synthaug.stages.importing",
    "generate": "synthaug.stages.generate",
    "finetune": "synthaug.stages.finetune",
    "export": "synthaug.stages.export_download",
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


def submit_predict(workspace: Workspace, model: str | None = None, folds: int | None = None) -> int:
    """Queue predictions for every image that ``model`` (default: the newest) has not seen; returns the job's id.

    ``folds``: the images that it was trained on are predicted as well, by cross-fitting in so many folds.
    """
    name = models.newest(workspace.db).name if model is None else models.by_name(workspace.db, model).name
    return jobs.submit(workspace.db, "predict", {"model": name, "folds": folds}, 0)


def submit_score(
    workspace: Workspace, model: str | None = None, method: str = "knn", *, refit: bool = False
) -> int:
    """Queue features, coordinates and scores (default: see :func:`.score.features_to_map`); returns the job's id.

    ``method``: how distances are measured, see measures.ood; ``refit``: whether UMAP is fitted again to all images.
    """
    from synthaug.stages.score import features_to_map

    params = {"model": model or features_to_map(workspace), "method": method, "refit": refit}
    return jobs.submit(workspace.db, "score", params, 0)


def submit_import(
    workspace: Workspace,
    source: str,
    format: str,
    split: str | None,
    origin: str,
    class_map: ClassMap | None = None,
    hold_out: float = 0.0,
    upload: str | None = None,
) -> int:
    """Queue an import of a path, or of an ``upload`` that is shown as ``source``; returns the job's id.

    Raises UserError for classes that cannot be added.
    """
    class_map = class_map or ClassMap()
    if class_map.add:
        check_class_names(list(dict.fromkeys([*workspace.classes, *class_map.add])))
    params: dict[str, Any] = {"source": source, "format": format, "split": split, "origin": origin}
    params["hold_out"] = hold_out
    params |= {"class_map": class_map.to_json(), **({} if upload is None else {"upload": upload})}
    return jobs.submit(workspace.db, "import", params, 0)
