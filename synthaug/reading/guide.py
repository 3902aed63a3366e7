"""The guide: the steps from images to a verdict, which of them are done, and which is next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synthaug.config import Role
from synthaug.stages.landmark_request import FEWEST
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.store import labels, landmarks, models, views
from synthaug.workspace import Workspace

State = Literal["done", "next", "open", "blocked"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts. ``train`` and ``test`` are real images with a class; ``classes`` counts those with training images."""

    real: int = 0
    unlabeled: int = 0  # real images without a label
    train: int = 0
    test: int = 0
    classes: int = 0
    models: int = 0
    synthetic: int = 0
    unreviewed: int = 0
    accepted: int = 0
    comparisons: int = 0
    scheme: bool = False  # landmarks are placed here
    placed: int = 0  # training images with landmarks
    landmark_models: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``note`` is its count or what it needs; ``action`` is a link to ``href``, empty while blocked."""

    key: str
    title: str
    state: State
    note: str
    action: str = ""
    href: str = ""
    role: Role = "owner"  # lowest role that may do it


def steps(counts: Counts) -> tuple[Step, ...]:
    """The six steps; the first open one is ``next``."""
    found = (
        _import(counts),
        _label(counts),
        _first_model(counts),
        _generate(counts),
        _review(counts),
        _compare(counts),
    )
    following = next((step.key for step in found if step.state == "open"), None)
    return tuple(_next(step) if step.key == following else step for step in found)


def counts_of(workspace: Workspace) -> Counts:
    """Count the images, models and comparisons of a workspace."""
    db = workspace.db
    rows = labels.class_counts(db)
    scheme = current_scheme(workspace)
    progress = labels.review_progress(db)
    (labeled, real), (reviewed, synthetic) = progress["real"], progress["synthetic"]
    return Counts(
        real=real,
        unlabeled=real - labeled,
        train=sum(row.train_real for row in rows),
        test=sum(row.test_real for row in rows),
        classes=sum(row.train_real > 0 for row in rows),
        models=len(models.names(db)),
        synthetic=synthetic,
        unreviewed=synthetic - reviewed,
        accepted=sum(row.accepted for row in rows),
        comparisons=len(views.all_comparisons(db)),
        scheme=scheme is not None,
        placed=0 if scheme is None else landmarks.count_placed(db, scheme.name, "train"),
        landmark_models=sum(each.metrics.get("kind") == models.LANDMARKS for each in models.all_models(db)),
    )


def lacking(counts: Counts) -> str:
    """What a first model still needs; "" if nothing. Without test images it is measured on held-out images."""
    return "needs labeled images of two classes" if counts.classes < 2 else ""


def lacking_for_a_comparison(counts: Counts) -> str:
    """What a comparison still needs; "" if nothing."""
    if lacking(counts):
        return lacking(counts)
    if not counts.test:
        return "needs labeled test images"
    return "" if counts.accepted else "needs accepted synthetic images"


def _next(step: Step) -> Step:
    return Step(step.key, step.title, "next", step.note, step.action, step.href, step.role)


def _import(counts: Counts) -> Step:
    note = _count(counts.real, "image") if counts.real else "no images yet"
    return Step(
        "import", "Import", _state(counts.real), note, "Import more" if counts.real else "Import", "/#import"
    )


def _label(counts: Counts) -> Step:
    if not counts.real:
        return Step("label", "Label", "blocked", "after the import")
    note = f"{counts.unlabeled:,} left" if counts.unlabeled else "all labeled"
    state = _state(not counts.unlabeled)
    return Step("label", "Label", state, note, "Label", "/label?scope=unlabeled", "annotator")


def _first_model(counts: Counts) -> Step:
    key, title = "model", "First model"
    if counts.scheme:
        return _landmark_model(counts)
    if counts.models:
        return Step(
            key, title, "done", _count(counts.models, "model"), "See the results", "/train", "reviewer"
        )
    missing = lacking(counts)
    if not missing:
        return Step(key, title, "open", f"{counts.train:,} images", "Train it", "/train#first-model")
    if counts.real and not counts.unlabeled:  # labeling cannot help; more images are needed
        return Step(key, title, "open", missing, "Import more", "/#import")
    return Step(key, title, "blocked", missing)


def _landmark_model(counts: Counts) -> Step:
    key, title, there = "model", "Landmark model", "/label#landmark-model"
    if counts.landmark_models:
        return Step(
            key, title, "done", _count(counts.landmark_models, "model"), "See the report", there, "reviewer"
        )
    if counts.placed >= FEWEST:
        return Step(key, title, "open", f"{counts.placed:,} images with landmarks", "Train it", there)
    missing = f"needs {_count(FEWEST - counts.placed, 'more image')} with landmarks"
    if counts.real and not counts.unlabeled:  # every image has a class, but not its landmarks
        return Step(key, title, "open", missing, "Place landmarks", "/label?scope=real", "annotator")
    return Step(key, title, "blocked", missing)


def _generate(counts: Counts) -> Step:
    note = _count(counts.synthetic, "image") if counts.synthetic else "none yet"
    return Step("generate", "Generate", _state(counts.synthetic), note, "Generate", "/generate")


def _review(counts: Counts) -> Step:
    if not counts.synthetic:
        return Step("review", "Review", "blocked", "after generating")
    note = f"{counts.unreviewed:,} left" if counts.unreviewed else "all reviewed"
    state = _state(not counts.unreviewed)
    return Step("review", "Review", state, note, "Review", "/label?scope=unreviewed", "annotator")


def _compare(counts: Counts) -> Step:
    key, title = "compare", "Compare"
    if counts.comparisons:
        note = _count(counts.comparisons, "comparison")
        return Step(key, title, "done", note, "See the verdict", "/train", "reviewer")
    missing = lacking_for_a_comparison(counts)
    if missing and _all_used(counts):
        real = lacking(counts) or not counts.test
        more = ("Import more", "/#import") if real else ("Generate more", "/generate")
        return Step(key, title, "open", missing, *more)
    if missing:
        return Step(key, title, "blocked", missing)
    return Step(key, title, "open", _count(counts.accepted, "synthetic image"), "Compare", "/train")


def _all_used(counts: Counts) -> bool:
    """Whether every image is labeled or reviewed, so that only further images can help."""
    waiting = counts.unlabeled or counts.unreviewed
    trained = counts.landmark_models if counts.scheme else counts.models
    return bool(counts.real and trained and counts.synthetic and not waiting)


def _state(done: object) -> State:
    return "done" if done else "open"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
