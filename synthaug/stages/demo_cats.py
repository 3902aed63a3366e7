"""The second demo workspace: cats generated offline from the template of the active-learning paper.

It contains no real photographs, because we may not distribute them; import CIFAR-10 to continue with real images.
"""

from __future__ import annotations

from pathlib import Path

from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.progress import Progress
from synthaug.stages import generate, labeler
from synthaug.stages.demo import Say, finish, open_or_create
from synthaug.stages.export import export
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.label import accept_confident
from synthaug.stages.predict import predict
from synthaug.stages.score import score
from synthaug.stages.view import curated_view
from synthaug.store import jobs, models, views
from synthaug.templates import shipped_template
from synthaug.workspace import Workspace

CLASS = "cat"
SYNTHETIC = 160
LABELER = next(iter(labeler.SHIPPED))
VIEW = "confident-cats"
FORMAT = "cifar10"


def fill_cats(root: Path, report: Progress, say: Say) -> Workspace:
    """Create or finish a workspace of generated cats at ``root``, which are predicted, scored and exported.

    Raises UserError if ``root`` is a workspace with other classes.
    """
    workspace = open_or_create(root, "cifar10")
    db = workspace.db
    template = shipped_template(CLASS)
    if not jobs.latest(db, kinds=[generate.KIND]):
        generate.submit(workspace, GenerationSpec(template, CLASS, SYNTHETIC))
    say(f"1/3 generating {SYNTHETIC} images of class {CLASS} from {template!r}")
    finish(workspace, generate.KIND, report)
    say(f"2/3 predicting classes with {LABELER} and computing features, PCA and UMAP")
    predict(workspace, LABELER, report)
    if not models.scored_images(db):
        score(workspace, LABELER, progress=report)
    say(
        f"3/3 accepting predictions of {CLASS} from a confidence of {AUTOMATIC_THRESHOLD}, exporting as {FORMAT}"
    )
    if VIEW not in {view.name for view in views.all_views(db)}:
        accept_confident(workspace)
        curated_view(workspace, VIEW, None)
    directory = root / "exports" / f"{VIEW}-{FORMAT}"
    if not directory.exists():
        export(workspace, directory, FORMAT, VIEW)
    return workspace
