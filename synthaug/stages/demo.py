"""The demo: every step from real images to a verdict, on digits with only a few images of one class.

Steps whose results exist are skipped, so that an interrupted demo resumes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synthaug.config import AUTOMATIC_THRESHOLD, DATABASE_FILE, DIGIT_WORDS
from synthaug.errors import UserError
from synthaug.progress import Progress
from synthaug.running.jobs import run_to_end
from synthaug.stages import compare, generate, retrain
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.importing import import_images
from synthaug.stages.predict import predict
from synthaug.stages.score import score
from synthaug.stages.train import train
from synthaug.stages.view import ViewSpec, make_view, oversampled_view
from synthaug.store import catalog, jobs, models, views
from synthaug.workspace import Workspace

SCARCE = "8"
KEPT = 5
SYNTHETIC = 240
TEMPLATE = f"a <STROKE> handwritten digit {DIGIT_WORDS[int(SCARCE)]}, <SLANT>"
BASELINE = "imbalanced"
PREDICTOR = "first"
"""The classifier whose predictions are reviewed, trained before there are any synthetic images."""

Say = Callable[[str], None]


def fill(root: Path, seeds: int, report: Progress, say: Say) -> tuple[Workspace, list[compare.Comparison]]:
    """Create or finish the demo workspace at ``root``; returns it and its comparisons, newest first.

    Raises UserError if ``root`` is a workspace with other classes.
    """
    workspace = open_or_create(root, "digits")
    db = workspace.db
    if not catalog.find_images(db, origin="real"):
        say("1/6 importing scikit-learn's 1,797 handwritten digits")
        import_images(workspace, "digits", "digits", progress=report)
    if BASELINE not in {view.name for view in views.all_views(db)}:
        say(f"2/6 reducing class {SCARCE} to {KEPT} images: view {BASELINE!r}")
        make_view(workspace, BASELINE, ViewSpec(keep={SCARCE: KEPT}))
    if PREDICTOR not in models.names(db):
        say("3/6 training a classifier on it, with the scarce images repeated")
        balanced = oversampled_view(workspace, views.by_name(db, BASELINE))
        train(
            workspace,
            BASELINE if balanced is None else balanced.name,
            name=PREDICTOR,
            progress=lambda epoch: report(epoch["epoch"], epoch["epochs"], "training"),
        )
    if not jobs.latest(db, kinds=[generate.KIND]):
        generate.submit(workspace, GenerationSpec(TEMPLATE, SCARCE, SYNTHETIC, generator="digits"))
    say(f"4/6 generating {SYNTHETIC} images of class {SCARCE} from {TEMPLATE!r}")
    finish(workspace, generate.KIND, report)
    say("5/6 predicting classes and computing features, PCA and UMAP")
    predict(workspace, PREDICTOR, report)
    if not models.scored_images(db):
        score(workspace, PREDICTOR, progress=report)
    if not jobs.latest(db, kinds=[retrain.KIND]):
        retrain.submit(workspace, seeds=seeds, accept_above=AUTOMATIC_THRESHOLD)
    say(
        f"6/6 accepting predictions from a confidence of {AUTOMATIC_THRESHOLD}, exporting, and retraining with {seeds} "
        "seeds per side"
    )
    finish(workspace, retrain.KIND, report)
    return workspace, compare.all_comparisons(workspace)


def open_or_create(root: Path, preset: str) -> Workspace:
    """The workspace of a preset at ``root``, created if needed. Raises UserError if it has another preset."""
    if not (root / DATABASE_FILE).exists():
        return Workspace.create(root, (), preset)
    workspace = Workspace.open(root)
    if workspace.preset != preset:
        raise UserError(
            f"{root} is a workspace, but not that of the demo; choose another with --workspace DIR"
        )
    return workspace


def finish(workspace: Workspace, kind: str, report: Progress) -> None:
    """Run the first job of a kind to its end. Raises UserError if it fails."""
    job = jobs.latest(workspace.db, kinds=[kind])[-1]
    jobs.requeue(workspace.db, job.id)
    job = run_to_end(workspace, job.id, HANDLERS, report)
    if job.state != "done":
        raise UserError(f"the {kind} job of the demo ended as {job.state}: {job.error}")
