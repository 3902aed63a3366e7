"""The pool of synthetic images from which a view takes images, filtered and ordered; each is taken once."""

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
    """The filter and order of a pool; the fields are those of :class:`synthaug.stages.view.ViewSpec`."""

    order: SyntheticOrder = "random"
    curated: bool = False
    jobs: tuple[int, ...] = ()
    min_confidence: float | None = None
    max_ood: float | None = None
    tags: tuple[str, ...] = ()

    def described(self) -> str:
        """The conditions in words, in parentheses; "" if there are none."""
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
    """Candidates by class, best first. Raises ViewError if a prediction or score that the filter needs is missing."""

    def __init__(
        self,
        workspace: Workspace,
        wanted: PoolFilter,
        classes: Collection[int],
        excluded: Collection[int],
        rng: Random,
    ) -> None:
        """``classes`` are the indices of the classes that are needed, ``excluded`` the ids of images to leave out."""
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
        """All remaining candidates."""
        return [image for images in self._images.values() for image in images]

    def drop(self, image_ids: Collection[int]) -> None:
        """Remove candidates."""
        for position, images in self._images.items():
            self._images[position] = [image for image in images if image.image_id not in image_ids]

    def take(self, position: int, count: int, class_name: str) -> list[LabeledImage]:
        """Take the next ``count`` images of a class. Raises ViewError if there are too few."""
        left = self._images.get(position, [])
        if count > len(left):
            raise ViewError(
                f"{count} {self._kind} images of {class_name!r} are needed, but there are {len(left)}"
                f"{self._described}; generate more with: synthaug generate --label {class_name!r}"
            )
        self._images[position] = left[count:]
        return left[:count]


def check_jobs(workspace: Workspace, asked: Sequence[int]) -> None:
    """Raises UnknownName for an id that is not one of a generation job."""
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
    """The predictions of the model that predicted last, by id. Raises ViewError if any is missing."""
    model = models.predicting(workspace.db)
    ids = [each.image_id for each in candidates]
    found = {} if model is None else models.predictions_of(workspace.db, model.id, ids)
    if missing := len(ids) - len(found):
        raise ViewError(f"{option} needs predictions, and {missing} images have none; run: synthaug predict")
    return found


def _out_of_distribution(workspace: Workspace, candidates: Sequence[LabeledImage]) -> dict[int, float]:
    """The out-of-distribution ranks (0..1) of images among the real ones, by id. Raises ViewError if any is missing."""
    known = {row["id"]: row["ood_real"] for row in models.scored_images(workspace.db)}
    found = {each.image_id: known.get(each.image_id) for each in candidates}
    missing = sum(distance is None for distance in found.values())
    if missing:
        raise ViewError(f"--max-ood needs scores, and {missing} images have none; run: synthaug score")
    return {image_id: float(distance) for image_id, distance in found.items() if distance is not None}
