"""The synthetic images that a view may take: filtered, in the order asked for, each given out once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from synthaug.errors import UnknownName, ViewError
from synthaug.stages import generate
from synthaug.stages.tag import images_with
from synthaug.store import jobs, labels, models
from synthaug.store.labels import LabeledImage
from synthaug.store.models import Prediction
from synthaug.workspace import Workspace

SyntheticOrder = Literal["random", "confident", "least-confident", "entropy", "margin"]


@dataclass(frozen=True, slots=True)
class PoolFilter:
    """Which synthetic images count, and which come first; see :class:`synthaug.stages.view.ViewSpec`."""

    order: SyntheticOrder = "random"
    curated: bool = False
    jobs: tuple[int, ...] = ()
    min_confidence: float | None = None
    max_ood: float | None = None
    tags: tuple[str, ...] = ()

    def described(self) -> str:
        """The conditions in words, in brackets; "" where there are none."""
        limits = []
        if self.jobs:
            limits.append(f"of job {', '.join(map(str, self.jobs))}")
        if self.tags:
            limits.append(f"tagged {' or '.join(self.tags)}")
        if self.min_confidence is not None:
            limits.append(f"with a confidence of at least {self.min_confidence:g}")
        if self.max_ood is not None:
            limits.append(f"at most {self.max_ood:g} out of distribution")
        return f" ({', '.join(limits)})" if limits else ""


class Pool:
    """Candidates by class, best first. Raises ViewError where a prediction or score that is needed is missing."""

    def __init__(
        self,
        workspace: Workspace,
        wanted: PoolFilter,
        classes: Collection[int],
        excluded: Collection[int],
        rng: Random,
    ) -> None:
        """``classes``: indices of those that will be asked for; ``excluded``: ids of images not to give out."""
        candidates = labels.labeled_images(workspace.db, split="train", origin="synthetic", jobs=wanted.jobs)
        if not wanted.curated:
            candidates += labels.prompted_images(workspace.db, wanted.jobs)
        rng.shuffle(candidates)
        candidates = [
            each for each in candidates if each.class_index in classes and each.image_id not in excluded
        ]
        candidates = _ordered(workspace, _filtered(workspace, candidates, wanted), wanted.order)
        self._images: dict[int, list[LabeledImage]] = {}
        for image in candidates:
            self._images.setdefault(image.class_index, []).append(image)
        self._kind = "confirmed synthetic" if wanted.curated else "synthetic"
        self._described = wanted.described()

    def images(self) -> list[LabeledImage]:
        """Every candidate that is left."""
        return [image for images in self._images.values() for image in images]

    def drop(self, image_ids: Collection[int]) -> None:
        """Take candidates out."""
        for position, images in self._images.items():
            self._images[position] = [image for image in images if image.image_id not in image_ids]

    def take(self, position: int, count: int, class_name: str) -> list[LabeledImage]:
        """The next ``count`` images of a class. Raises ViewError if there are not so many."""
        left = self._images.get(position, [])
        if count > len(left):
            raise ViewError(
                f"{count} {self._kind} images of {class_name!r} are asked for; there are {len(left)}"
                f"{self._described}. Generate more with: synthaug generate --label {class_name!r}"
            )
        self._images[position] = left[count:]
        return left[:count]


def check_jobs(workspace: Workspace, asked: Sequence[int]) -> None:
    """Refuse what is no generation job. Raises UnknownName."""
    if not asked:
        return
    known = {job.id for job in jobs.latest(workspace.db, kinds=(generate.KIND,))}
    for job_id in asked:
        if job_id not in known:
            raise UnknownName("generation job", str(job_id), map(str, known))


def _filtered(workspace: Workspace, candidates: list[LabeledImage], wanted: PoolFilter) -> list[LabeledImage]:
    if wanted.tags:
        tagged = images_with(workspace, wanted.tags)
        candidates = [each for each in candidates if each.image_id in tagged]
    if wanted.min_confidence is not None:
        found = _predictions(workspace, candidates, "--min-confidence")
        candidates = [
            each
            for each in candidates
            if found[each.image_id].probs[each.class_index] >= wanted.min_confidence
        ]
    if wanted.max_ood is not None:
        distances = _out_of_distribution(workspace, candidates)
        candidates = [each for each in candidates if distances[each.image_id] <= wanted.max_ood]
    return candidates


def _ordered(
    workspace: Workspace, candidates: list[LabeledImage], order: SyntheticOrder
) -> list[LabeledImage]:
    if order == "random" or not candidates:
        return candidates
    import numpy as np

    from synthaug.measures import acquisition

    found = _predictions(workspace, candidates, f"--order {order}")
    probs = np.stack([found[each.image_id].probs for each in candidates])
    keys = {
        "confident": -probs.max(axis=1),
        "least-confident": probs.max(axis=1),
        "entropy": -acquisition.entropy(probs),
        "margin": -acquisition.margin(probs),
    }[order]
    return [candidates[i] for i in np.argsort(keys, kind="stable")]


def _predictions(
    workspace: Workspace, candidates: Sequence[LabeledImage], option: str
) -> Mapping[int, Prediction]:
    """What the model that predicted last says of each. Raises ViewError where it says nothing."""
    model = models.predicting(workspace.db)
    ids = [each.image_id for each in candidates]
    found = {} if model is None else models.predictions_of(workspace.db, model.id, ids)
    if missing := len(ids) - len(found):
        raise ViewError(f"{option} needs predictions; {missing} images have none. Run: synthaug predict")
    return found


def _out_of_distribution(workspace: Workspace, candidates: Sequence[LabeledImage]) -> dict[int, float]:
    """Each image's distance rank among the real ones, 0 .. 1. Raises ViewError where it has none."""
    known = {row["id"]: row["ood_real"] for row in models.scored_images(workspace.db)}
    found = {each.image_id: known.get(each.image_id) for each in candidates}
    missing = sum(distance is None for distance in found.values())
    if missing:
        raise ViewError(f"--max-ood needs scores; {missing} images have none. Run: synthaug score")
    return {image_id: float(distance) for image_id, distance in found.items() if distance is not None}
