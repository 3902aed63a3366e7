"""Retraining as one job: freezing and exporting the curated set, and comparing it with the real images alone.

If the classes are imbalanced, it is also compared with a control: the same real images, oversampled.
"""

from __future__ import annotations

from synthaug.config import LARGE_SIDE
from synthaug.errors import UserError
from synthaug.measures.evidence import FEWEST_SEEDS
from synthaug.progress import RunReport
from synthaug.records import Json
from synthaug.running.jobs import JobContext
from synthaug.stages.compare import compare
from synthaug.stages.export import export
from synthaug.stages.job_records import RetrainParams, RetrainResult
from synthaug.stages.label import accept_confident, check_threshold
from synthaug.stages.train import resolve_recipe, train
from synthaug.stages.view import baseline_view, curated_view, oversampled_view
from synthaug.store import catalog, jobs, models, views
from synthaug.workspace import Workspace

KIND = "retrain"


def submit(
    workspace: Workspace,
    seeds: int = 5,
    recipe: str | None = None,
    accept_above: float | None = None,
    export_format: str | None = None,
) -> int:
    """Check, then queue the job; returns its id.

    ``accept_above`` first accepts unreviewed images whose predicted class is the prompted one with at least this
    confidence (see label.accept_confident); None leaves them out. The default ``export_format`` is "cifar10",
    or "folder" for images that are too large for it. Raises UserError.
    """
    chosen = resolve_recipe(workspace, recipe)
    if not FEWEST_SEEDS <= seeds <= 100:
        raise UserError(f"the number of seeds is {seeds}; it must be in {FEWEST_SEEDS} .. 100")
    if accept_above is not None:
        check_threshold(accept_above)
    if export_format is None:
        export_format = "folder" if catalog.usual_side(workspace.db) >= LARGE_SIDE else "cifar10"
    params = RetrainParams(seeds, chosen.name, accept_above, export_format)
    return jobs.submit(workspace.db, KIND, params.to_json(), 0)


def run(context: JobContext) -> Json:
    """Run the job: the views and the export first, then the training runs. Finished parts are not repeated."""
    workspace, params = context.workspace, RetrainParams.from_json(context.job.params)
    view, baseline = _views(context)
    rivals = {"baseline": baseline}
    if (control := oversampled_view(workspace, baseline)) is not None:
        rivals = {
            "oversampled": control,
            "baseline": baseline,
        }  # the baseline last, so that it is shown first
    total = (1 + len(rivals)) * params.seeds + 2
    context.progress(0, total, "exporting the curated set")
    directory = workspace.root / "exports" / f"{view.name}-{params.format}"
    if not directory.exists():
        export(workspace, directory, params.format, view.name)
    weighed: dict[str, int] = dict(context.result.get("comparisons", {}))
    for role, rival in rivals.items():
        if role not in weighed:
            weighed[role] = _weigh(context, rival.name, view.name, role, total)
            context.keep(comparisons=weighed)
    context.progress(total - 1, total, "training the model to keep")
    if view.name not in models.names(workspace.db):
        train(workspace, view.name, params.recipe, 0, view.name, should_cancel=context.should_cancel)
    return RetrainResult(view.name, str(directory), view.name).to_json()


def _weigh(context: JobContext, rival: str, view: str, role: str, total: int) -> int:
    """Compare ``view`` with one rival, and report every epoch; returns the id of the comparison."""
    history: list[RunReport] = list(context.result.get("history", []))

    def report(done: int, runs: int, epoch: RunReport) -> None:
        named = epoch["run"].replace("baseline", role)
        history.append({**epoch, "run": named})
        finished = len({each["run"] for each in history if each["epoch"] == each["epochs"]})
        note = f"{named.replace('/', ', seed ')}: epoch {epoch['epoch']} of {epoch['epochs']}"
        context.progress(min(1 + finished, total - 1), total, note, history=history)

    params = RetrainParams.from_json(context.job.params)
    found = compare(
        context.workspace, rival, view, params.seeds, params.recipe, report, context.should_cancel
    )
    return found.id


def _views(context: JobContext) -> tuple[views.View, views.View]:
    """The curated view and the baseline of this job, which are created when it starts."""
    workspace = context.workspace
    names: list[str] | None = context.result.get("views")
    if names is None:
        threshold = RetrainParams.from_json(context.job.params).accept_above
        if threshold is not None:
            accept_confident(workspace, threshold)
        baseline = baseline_view(workspace)
        view = curated_view(workspace, f"curated-{context.job.id}", baseline.name)
        context.keep(views=[baseline.name, view.name])
        return view, baseline
    return views.by_name(workspace.db, names[1]), views.by_name(workspace.db, names[0])
