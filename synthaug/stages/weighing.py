"""Comparing the runs of two training sets; comparisons and experiments both get their verdicts from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.class_changes import ClassChange, per_class_changes
from synthaug.measures.crossed import McNemar, crossed_interval, mcnemar
from synthaug.measures.evidence import SMALLEST_EFFECT, Evidence, paired_comparison

Floats = NDArray[np.float64]
Metrics = Mapping[str, Any]  # of one run; see ``stages.measuring``


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one training set, seeds 0 .. S-1."""

    metrics: tuple[Metrics, ...]
    correct: NDArray[np.bool_] | None = (
        None  # (S, N) whether each test image is classified correctly, if recorded
    )

    def each(self, name: str) -> Floats | None:
        """A metric of every run (S,), or by class (S, K) with NaN for None; None if a run lacks it."""
        values = [run.get(name) for run in self.metrics]
        return None if any(value is None for value in values) else np.array(values, np.float64)

    def means(self, name: str) -> tuple[float | None, ...]:
        """The mean over runs of a metric by class (K,); empty if a run lacks it."""
        values = self.each(name)
        if values is None:
            return ()
        return tuple(None if np.isnan(each).any() else float(each.mean()) for each in values.T)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Confusion matrix (K, K) summed over the runs: rows = true class, columns = predicted class."""
        return np.asarray(np.sum([run["confusion"] for run in self.metrics], axis=0), np.int64)

    @property
    def class_images(self) -> NDArray[np.int64]:
        """Number of test images of each class (K,)."""
        return np.asarray(np.sum(self.metrics[0]["confusion"], axis=1), np.int64)


@dataclass(frozen=True, slots=True)
class Weighed:
    """The comparison of two training sets, paired by seed; fields are None if the runs lack the data for them."""

    accuracy: Evidence  # determines the verdict
    over_images: tuple[float, float] | None  # interval of the accuracy difference over seeds and test images
    mcnemar: tuple[McNemar, ...]  # one per seed; empty without predictions
    macro_auc: Evidence | None
    matched_accuracy: Evidence | None
    recall: tuple[ClassChange, ...]
    auc: tuple[ClassChange, ...]

    @property
    def only_prior(self) -> bool:
        """Whether accuracy rose without evidence that the classes are separated better."""
        others = [each for each in (self.matched_accuracy, self.macro_auc) if each is not None]
        return (
            self.accuracy.verdict == "helped"
            and bool(others)
            and not any(each.ci is not None and each.ci[0] > 0 for each in others)
        )


def weigh(
    baseline: Runs, augmented: Runs, *, look: int = 1, smallest_effect: float = SMALLEST_EFFECT
) -> Weighed:
    """Compare two training sets. ``look`` counts how often this question was asked, including this time."""
    images = baseline.class_images
    total = int(images.sum())

    def change(name: str, resolution: float) -> Evidence | None:
        before, after = baseline.each(name), augmented.each(name)
        if before is None or after is None:
            return None
        return paired_comparison(
            before, after, look=look, smallest_effect=smallest_effect, resolution=resolution
        )

    def by_class(name: str, steps: NDArray[np.int64], confidence: float) -> tuple[ClassChange, ...]:
        before, after = baseline.each(name), augmented.each(name)
        if before is None or after is None:
            return ()
        return per_class_changes(before, after, resolution=1 / np.maximum(steps, 1), confidence=confidence)

    accuracy = change("accuracy", 1 / total)
    assert accuracy is not None  # noqa: S101 (every run has one)
    both = baseline.correct, augmented.correct
    return Weighed(
        accuracy=accuracy,
        over_images=None
        if both[0] is None or both[1] is None
        else crossed_interval(both[0], both[1], confidence=accuracy.confidence),
        mcnemar=() if both[0] is None or both[1] is None else mcnemar(both[0], both[1]),
        macro_auc=change("macro_auc", 0.0),
        matched_accuracy=change("matched_accuracy", 1 / total),
        recall=by_class("per_class", images, accuracy.confidence),
        auc=by_class("auc", images * (total - images), accuracy.confidence),
    )


def reservations(found: Weighed) -> Sequence[str]:
    """Caveats on the verdict, in sentences; usually none."""
    sentences = []
    if found.only_prior:
        sentences.append(
            "The gain may come only from how often each class is predicted: neither the accuracy with the class prior "
            "matched nor the AUC is clearly higher."
        )
    verdict, wider = found.accuracy.verdict, found.over_images
    if verdict in ("helped", "harmed") and wider is not None and wider[0] <= 0 <= wider[1]:
        sentences.append("With other test images of the same kind there might be no difference.")
    if found.accuracy.look > 1:
        sentences.append(
            f"This is look {found.accuracy.look} at the question, so its interval is wider "
            f"({percentage(found.accuracy.confidence)}): all looks together are wrong in at most 5 of 100 cases."
        )
    return sentences


def percentage(confidence: float) -> str:
    """A confidence level in percent (0.992 as ``99.2%``)."""
    return f"{100 * confidence:.4g}%"
