"""Pseudo-labels: labeling images that were generated without a class with a classifier (the long-tail paper)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.progress import Progress
from synthaug.stages.label import automatic_entry, check_threshold
from synthaug.stages.predict import predict
from synthaug.store import catalog, generations, label_log, labels, models
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """The number of images labeled with each class, and the number below the threshold."""

    labeled: dict[str, int]
    below: int
    model: str


def pseudo_label(
    workspace: Workspace,
    model: str | None = None,
    threshold: float = AUTOMATIC_THRESHOLD,
    progress: Progress | None = None,
) -> PseudoLabels:
    """Label unlabeled synthetic images without a prompted class if the confidence is at least ``threshold`` (0..1).

    Missing predictions of ``model`` (see :func:`.predict.predict`) are computed first. The labels are logged with the
    source "automatic". Labels of people take precedence, and a label that a person has undone is not given again by the
    same model. Raises UserError.
    """
    check_threshold(threshold)
    chosen = models.by_name(workspace.db, predict(workspace, model, progress, origin="synthetic").model)
    classless = _classless(workspace)
    predictions = models.predictions_of(workspace.db, chosen.id, classless)
    sure = [each for each in predictions.values() if each.confidence >= threshold]
    before = labels.labeled_before(workspace.db, chosen.id, [each.image_id for each in sure])
    new = [automatic_entry(chosen, each) for each in sure if each.image_id not in before]
    label_log.append(workspace.db, new)
    counts = Counter(workspace.classes[each.class_index] for each in new if each.class_index is not None)
    return PseudoLabels(
        {name: counts[name] for name in workspace.classes}, len(classless) - len(sure), chosen.name
    )


def _classless(workspace: Workspace) -> list[int]:
    """Ids of generated images without a prompted class and without a label."""
    ids = [image.id for image in catalog.find_images(workspace.db, origin="synthetic")]
    made = generations.of_images(workspace.db, ids)
    current = labels.current(workspace.db, ids)
    return [each for each in ids if each in made and made[each].class_index is None and each not in current]
