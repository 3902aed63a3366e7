"""Return values of a session's methods: frozen records that display themselves in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthaug.api.html import COLOURS, card, interval_plot, table, thumbnails
from synthaug.records import Pixels

SHOWN = 24  # maximum number of images or rejected files that a result displays


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of an import: images added, images already present, and (path, reason) of each rejected file."""

    added: int
    duplicates: int
    rejected: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()  # what was assumed of the source or done to it, in sentences

    def _repr_html_(self) -> str:
        facts = {"added": self.added, "already present": self.duplicates, "rejected": len(self.rejected)}
        if not self.rejected:
            return card("Imported", facts)
        return card("Imported", facts, table(("file", "reason"), self.rejected[:SHOWN]))


@dataclass(frozen=True, slots=True)
class Generated:
    """The images of a generation job: their SHA-256 in the order of the job, and the prompt of each.

    ``thumbnails`` holds the pixels (H, W, 3) uint8 of the first images. ``seconds`` is the time spent generating.
    """

    job: int
    label: str | None
    images: tuple[str, ...]
    prompts: tuple[str, ...] = field(repr=False)
    thumbnails: tuple[Pixels, ...] = field(repr=False, compare=False)
    seconds: float

    def _repr_html_(self) -> str:
        facts = {"images": len(self.images), "class": self.label or "none", "job": self.job}
        shown = len(self.thumbnails)
        return card("Generated", facts, thumbnails(self.thumbnails, self.prompts[:shown]))


@dataclass(frozen=True, slots=True)
class Previewed:
    """The first images that a job would generate, without storing them; one image (H, W, 3) uint8 per prompt."""

    prompts: tuple[str, ...]
    images: tuple[Pixels, ...] = field(repr=False, compare=False)

    def _repr_html_(self) -> str:
        return card("Preview", {"images": len(self.images)}, thumbnails(self.images, self.prompts))


@dataclass(frozen=True, slots=True)
class Predicted:
    """The model, and the number of images for which this call computed class probabilities and features.

    ``cross_fitted`` is the number of training images that were also predicted by models fitted without them.
    """

    model: str
    images: int
    cross_fitted: int = 0

    def _repr_html_(self) -> str:
        return card(
            "Predicted", {"images": self.images, "cross-fitted": self.cross_fitted, "model": self.model}
        )


@dataclass(frozen=True, slots=True)
class Scored:
    """The number of images with coordinates and scores, and the model whose features they are based on."""

    model: str
    images: int

    def _repr_html_(self) -> str:
        return card("Scored", {"images": self.images, "model": self.model})


@dataclass(frozen=True, slots=True)
class Labeled:
    """The number of labels that this call wrote; ``reviewed`` of ``total`` synthetic images now have a label.

    ``kept`` images had a different label of another person, which still counts.
    """

    labels: int
    reviewed: int
    total: int
    kept: int = 0

    def _repr_html_(self) -> str:
        facts = {"labels": self.labels, "synthetic images reviewed": f"{self.reviewed} of {self.total}"}
        return card("Labeled", facts)


@dataclass(frozen=True, slots=True)
class Viewed:
    """A frozen view: its name, and the number of training images of each class."""

    name: str
    counts: Mapping[str, int]

    def _repr_html_(self) -> str:
        rows = list(self.counts.items())
        return card(
            f"View {self.name}", {"images": sum(self.counts.values())}, table(("class", "images"), rows)
        )


@dataclass(frozen=True, slots=True)
class Exported:
    """The number of images written; ``manifest`` is the file from which the export can be rebuilt byte for byte."""

    images: int
    directory: Path
    manifest: Path

    def _repr_html_(self) -> str:
        return card("Exported", {"images": self.images, "directory": self.directory})


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained classifier and its accuracy (0 .. 1) on the real test images.

    ``per_class`` holds the recall of each class (0 .. 1), or None for a class without test images. A first model
    without test images has ``test_images`` 0, and the accuracy of training images that it was fitted without.
    """

    model: str
    recipe: str
    accuracy: float | None
    per_class: Mapping[str, float | None]
    test_images: int

    def _repr_html_(self) -> str:
        facts = {"accuracy": _percent(self.accuracy), "real test images": self.test_images}
        rows = [(name, _percent(recall)) for name, recall in self.per_class.items()]
        return card(f"Trained {self.model}", facts, table(("class", "accuracy"), rows))


@dataclass(frozen=True, slots=True)
class LandmarkModel:
    """A model that places landmarks, measured on ``images``: real test images, or held-out training images.

    ``accuracy`` is that of the classes that its angles make (0 .. 1); ``errors`` are mean absolute errors of each
    angle in degrees, and of "all". ``figures`` holds the rest: bias, limits of agreement, correlations, failures.
    """

    model: str
    recipe: str
    accuracy: float | None
    errors: Mapping[str, float]
    images: int
    figures: Mapping[str, Any]

    def _repr_html_(self) -> str:
        facts = {"class by the angles": _percent(self.accuracy), "images": self.images}
        rows = [(name, f"{error:.2f} degrees") for name, error in self.errors.items()]
        return card(f"Trained {self.model}", facts, table(("angle", "mean absolute error"), rows))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the augmented view helped; :mod:`synthaug.measures.evidence` describes the rule.

    ``verdict`` is "helped", "harmed", "no worthwhile difference" or "not enough evidence"; ``text`` says it in a
    sentence. ``difference`` is the mean paired difference of the accuracies, and ``ci`` its interval at the level
    ``confidence``; all are shares (0.01 is one percentage point). ``baseline`` and ``augmented`` hold the accuracy of
    each seed on the ``test_images`` real test images.
    """

    verdict: str
    text: str
    difference: float
    ci: tuple[float, float]
    confidence: float
    baseline: tuple[float, ...]
    augmented: tuple[float, ...]
    test_images: int

    def _repr_html_(self) -> str:
        facts = {
            "baseline": _percent(sum(self.baseline) / len(self.baseline)),
            "augmented": _percent(sum(self.augmented) / len(self.augmented)),
            "seeds": len(self.baseline),
        }
        seeds = [after - before for before, after in zip(self.baseline, self.augmented, strict=True)]
        plot = interval_plot(self.difference, self.ci, seeds, COLOURS[self.verdict])
        return card(self.text, facts, plot)


def _percent(share: float | None) -> str:
    return "no test images" if share is None else f"{100 * share:.2f}%"
