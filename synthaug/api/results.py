"""What the calls of a session return: frozen records that show themselves in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthaug.api.html import COLOURS, card, interval_plot, table, thumbnails
from synthaug.records import Pixels

SHOWN = 24  # images, or rejected files, that a result shows


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a source: images added, images that were there already, and (path, reason) of the rest."""

    added: int
    duplicates: int
    rejected: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()  # what was assumed of the source or done to it, in sentences

    def _repr_html_(self) -> str:
        facts = {"added": self.added, "there already": self.duplicates, "rejected": len(self.rejected)}
        if not self.rejected:
            return card("Imported", facts)
        return card("Imported", facts, table(("file", "why"), self.rejected[:SHOWN]))


@dataclass(frozen=True, slots=True)
class Generated:
    """The images of a job. ``images``: their SHA-256 in the job's order; ``prompts``: the prompt of each.

    ``thumbnails``: pixels (H, W, 3) uint8 of the first ones. ``seconds``: how long this call drew.
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
    """The first images a job would make; nothing is stored. ``images``: pixels (H, W, 3) uint8, one a prompt."""

    prompts: tuple[str, ...]
    images: tuple[Pixels, ...] = field(repr=False, compare=False)

    def _repr_html_(self) -> str:
        return card("Preview", {"images": len(self.images)}, thumbnails(self.images, self.prompts))


@dataclass(frozen=True, slots=True)
class Predicted:
    """How many images got class probabilities and features that had none of this model."""

    model: str
    images: int

    def _repr_html_(self) -> str:
        return card("Predicted", {"images": self.images, "model": self.model})


@dataclass(frozen=True, slots=True)
class Scored:
    """How many images have coordinates and scores, and whose features they rest on."""

    model: str
    images: int

    def _repr_html_(self) -> str:
        return card("Scored", {"images": self.images, "model": self.model})


@dataclass(frozen=True, slots=True)
class Labeled:
    """How many labels this call wrote; ``reviewed`` of ``total`` synthetic images have one now."""

    labels: int
    reviewed: int
    total: int

    def _repr_html_(self) -> str:
        facts = {"labels": self.labels, "synthetic images reviewed": f"{self.reviewed} of {self.total}"}
        return card("Labeled", facts)


@dataclass(frozen=True, slots=True)
class Viewed:
    """A frozen view: its name, and how many training images of each class it holds."""

    name: str
    counts: Mapping[str, int]

    def _repr_html_(self) -> str:
        rows = list(self.counts.items())
        return card(
            f"View {self.name}", {"images": sum(self.counts.values())}, table(("class", "images"), rows)
        )


@dataclass(frozen=True, slots=True)
class Exported:
    """How many images were written; ``manifest`` rebuilds them byte for byte."""

    images: int
    directory: Path
    manifest: Path

    def _repr_html_(self) -> str:
        return card("Exported", {"images": self.images, "directory": self.directory})


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier measured on the real test images. Accuracies are shares, 0 .. 1.

    ``per_class``: recall of each class; None for a class without test images.
    """

    model: str
    recipe: str
    accuracy: float
    per_class: Mapping[str, float | None]
    test_images: int

    def _repr_html_(self) -> str:
        facts = {"accuracy": _percent(self.accuracy), "real test images": self.test_images}
        rows = [(name, _percent(recall)) for name, recall in self.per_class.items()]
        return card(f"Trained {self.model}", facts, table(("class", "accuracy"), rows))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Did the augmented view help? See :mod:`synthaug.measures.evidence` for the rule.

    ``verdict``: "helped", "harmed", "no worthwhile difference" or "not enough evidence"; ``text``: the same in a
    sentence. ``difference`` and ``ci``: mean paired difference of the accuracies and its ``confidence`` interval,
    shares of 1. ``baseline``, ``augmented``: accuracy of each seed on the ``test_images`` real test images.
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
