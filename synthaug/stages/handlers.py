"""The handlers of all kinds of jobs, which are imported when they are first needed, and functions to queue jobs."""

from __future__ import annotations

from importlib import import_module

from synthaug.records import Json, Origin, Split
from synthaug.running.jobs import Handler, JobContext
from synthaug.stages.class_map import ClassMap
from synthaug.stages.job_records import ImportParams, PredictParams, ScoreParams
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
    def handle(context: JobContext) -> Json:
        result: Json = import_module(module).run(context)
        return result

    return handle


HANDLERS: dict[str, Handler] = {kind: _handler(module) for kind, module in MODULES.items()}


def submit_predict(workspace: Workspace, model: str | None = None, folds: int | None = None) -> int:
    """Queue the prediction of all images without one by ``model`` (default: the newest); returns the id of the job.

    With ``folds``, the images that it was trained on are also predicted by cross-fitting in so many folds.
    """
    name = models.newest(workspace.db).name if model is None else models.by_name(workspace.db, model).name
    return jobs.submit(workspace.db, "predict", PredictParams(name, folds).to_json(), 0)


def submit_score(
    workspace: Workspace, model: str | None = None, method: str = "knn", *, refit: bool = False
) -> int:
    """Queue features, coordinates and scores (default: see :func:`.score.features_to_map`); returns the job's id.

    ``method``: how distances are measured, see measures.ood; ``refit``: whether UMAP is fitted again to all images.
    """
    from synthaug.stages.score import features_to_map

    params = ScoreParams(model or features_to_map(workspace), method, refit)
    return jobs.submit(workspace.db, "score", params.to_json(), 0)


def submit_import(
    workspace: Workspace,
    source: str,
    format: str,
    split: Split | None,
    origin: Origin,
    class_map: ClassMap | None = None,
    hold_out: float = 0.0,
    upload: str | None = None,
) -> int:
    """Queue the import of a path, or of an ``upload`` that is shown as ``source``; returns the id of the job.

    Raises UserError for classes that cannot be added.
    """
    class_map = class_map or ClassMap()
    if class_map.add:
        check_class_names(list(dict.fromkeys([*workspace.classes, *class_map.add])))
    params = ImportParams(source, format, split, origin, hold_out, class_map, upload)
    return jobs.submit(workspace.db, "import", params.to_json(), 0)
