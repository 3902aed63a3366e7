"""What the runs of two training sets say of one another: the one way to a verdict, of comparisons and experiments."""

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
Metrics = Mapping[str, Any]  # of a run: see ``stages.measuring``


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one training set, seeds 0 .. S-1."""

    metrics: tuple[Metrics, ...]
    correct: NDArray[np.bool_] | None = None  # (S, N) test images named right; None: not kept

    def each(self, name: str) -> Floats | None:
        """One figure of every run (S,), or (S, K) with NaN for None; None if a run lacks it."""
        values = [run.get(name) for run in self.metrics]
        return None if any(value is None for value in values) else np.array(values, np.float64)

    def means(self, name: str) -> tuple[float | None, ...]:
        """The mean over runs of a figure that every class has; empty if a run lacks it."""
        values = self.each(name)
        if values is None:
            return ()
        return tuple(None if np.isnan(each).any() else float(each.mean()) for each in values.T)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (K, K) summed over the runs: rows true, columns predicted."""
        return np.asarray(np.sum([run["confusion"] for run in self.metrics], axis=0), np.int64)

    @property
    def class_images(self) -> NDArray[np.int64]:
        """Test images of each class (K,)."""
        return np.asarray(np.sum(self.metrics[0]["confusion"], axis=1), np.int64)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One training set against another, paired by seed. None: the runs were recorded without what it takes."""

    accuracy: Evidence  # the verdict is on this
    over_images: tuple[float, float] | None  # the same difference, for other test images too
    mcnemar: tuple[McNemar, ...]  # one a seed; empty without predictions
    macro_auc: Evidence | None
    matched_accuracy: Evidence | None
    recall: tuple[ClassChange, ...]
    auc: tuple[ClassChange, ...]

    @property
    def only_prior(self) -> bool:
        """Whether accuracy rose and nothing shows that the classes are told apart better than before."""
        others = [each for each in (self.matched_accuracy, self.macro_auc) if each is not None]
        return (
            self.accuracy.verdict == "helped"
            and bool(others)
            and not any(each.ci is not None and each.ci[0] > 0 for each in others)
        )


def weigh(
    baseline: Runs, augmented: Runs, *, look: int = 1, smallest_effect: float = SMALLEST_EFFECT
) -> Weighed:
    """Weigh two training sets. ``look``: how often the question was looked at, this time included."""
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
    """What a reader of the verdict must know beside it, in sentences; nothing for most."""
    said = []
    if found.only_prior:
        said.append(
            "The gain is in how often classes are named, not in telling them apart: with the class prior matched, "
            "neither accuracy nor AUC is surely higher."
        )
    verdict, wider = found.accuracy.verdict, found.over_images
    if verdict in ("helped", "harmed") and wider is not None and wider[0] <= 0 <= wider[1]:
        said.append("On other test images of the same kind the difference might be none.")
    if found.accuracy.look > 1:
        said.append(
            f"This is look {found.accuracy.look} at the question, so its interval is wider "
            f"({percentage(found.accuracy.confidence)}): all looks together err in at most 5 of 100 cases."
        )
    return said


def percentage(confidence: float) -> str:
    """0.992 as ``99.2%``."""
    return f"{100 * confidence:.4g}%"
