"""The interface of experiments, their plan of training sets to compare, and the result behind a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from synthaug.classifiers.recipes import Recipe
from synthaug.experiments.lab import Lab
from synthaug.measures.evidence import Evidence

ScaleName = Literal["smoke", "cpu", "full"]
SCALES: tuple[ScaleName, ...] = ("smoke", "cpu", "full")

GeneratorData = Literal["none", "full", "view", "other"]
"""Training data of the generator that made an arm's synthetic images.

"none": the arm has no synthetic images. "full": all real training images, including those that the arm lacks, which
inflates the result. "view": only the real images of the arm, the fair case. "other": different images, as for models
from the hub.
"""


Updates = Literal["equal", "epochs"]
"""How long arms are trained. "equal": every arm takes the training steps of the largest set. "epochs": every arm takes
the epochs of its recipe, as published, so that larger sets get more steps; another arm then trains the baseline for the
steps of the largest set."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One row of the table: a training set and the recipe to train with."""

    name: str  # short and unique, such as "imbalanced"
    title: str  # for the table, such as "Imbalanced (10 cats)"
    view: str  # name of the frozen view
    recipe: Recipe
    generator_data: GeneratorData = "none"
    published: Mapping[str, float] = field(
        default_factory=dict
    )  # measure -> value, 0..1: {"accuracy": 0.8569}
    redrawn: tuple[str, ...] = ()  # the views of the seeds 1, 2 ..., if each seed has its own

    def view_of(self, seed: int) -> str:
        """The name of the view that this seed is trained on."""
        return self.redrawn[seed - 1] if self.redrawn and seed else self.view


@dataclass(frozen=True, slots=True)
class Contrast:
    """A comparison of two arms, in which ``against`` takes the place of the baseline."""

    arm: str
    against: str
    title: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The arms, the baseline they are compared with, and the number of training runs."""

    arms: tuple[Arm, ...]
    baseline: str  # name of the arm that the others are compared with
    seeds: int
    focus: tuple[str, ...] = ()  # classes whose accuracy has its own column
    notes: tuple[str, ...] = ()  # caveats for the reader: reductions, leaks, near-duplicates
    # Trains one arm with one seed: (arm, seed) -> metrics as JSON with "accuracy", "per_class", "confusion" and any
    # other measures (0..1, or in the unit given in the name). None: train the classifier of the recipe.
    train: Callable[[Arm, int], dict[str, object]] | None = None
    contrasts: tuple[Contrast, ...] = ()  # further rows that compare two arms
    updates: Updates = "equal"  # how long to train where sets differ in size


@dataclass(frozen=True, slots=True)
class Panel:
    """One section of the report: a figure or a table, with a text that explains it."""

    title: str
    text: str
    figure: Mapping[str, Any] | None = None  # a plotly figure as JSON
    columns: tuple[str, ...] = ()  # headings of the table, if there is one
    rows: tuple[tuple[str | float | int | None, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, as stored in the database."""

    id: int
    arm: str
    seed: int
    created_at: str
    metrics: Mapping[
        str, Any
    ]  # accuracy, per_class, confusion, recipe (all its fields), history, seconds ...
    environment: Mapping[str, Any]  # versions, hardware, command


@dataclass(frozen=True, slots=True)
class Row:
    """The results of one arm over its seeds, compared with the baseline. Accuracies are shares, 0..1."""

    arm: str
    title: str
    view: str
    recipe: str
    images: int  # training images, counting repeated images each time
    counts: Mapping[str, int]  # training images by class
    generator_data: GeneratorData
    runs: tuple[int, ...]  # ids, one per seed
    accuracies: tuple[float, ...]  # one per seed
    accuracy: float  # their mean
    interval: tuple[float, float] | None  # 95% t interval of the mean; None for one seed
    per_class: Mapping[str, float | None]  # mean recall by class
    confusion: tuple[tuple[int, ...], ...]  # rows = true class, columns = predicted class, summed over seeds
    measures: Mapping[str, tuple[float, ...]]  # other measures of the runs, one value per seed
    published: Mapping[str, float]
    # Compared with the baseline, paired by seed. None in the row of the baseline; intervals also None for one seed.
    difference: float | None
    difference_interval: tuple[float, float] | None  # Student's t
    difference_bootstrap: tuple[float, float] | None  # BCa
    verdict: str | None  # see measures.evidence; results of release 0.1 may also have "did not help"
    seeds_needed: int | None
    class_changes: Mapping[str, tuple[float, float]]  # class -> (difference, Holm-corrected p)
    # Results of release 0.1 lack the following fields.
    against: str = ""  # title of the row that this one is compared with, if it is not the baseline
    look: int = 1
    confidence: float = 0.95  # of the intervals of differences
    reservations: tuple[str, ...] = ()  # caveats on the verdict, in sentences
    difference_over_images: tuple[float, float] | None = None  # interval over seeds and test images
    auc: Mapping[str, float | None] = field(default_factory=dict)  # mean one-vs-rest AUC by class
    macro_auc: tuple[float, ...] = ()  # one per seed
    auc_change: Evidence | None = None  # of the macro AUC
    auc_changes: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # as class_changes
    matched_accuracies: tuple[float, ...] = ()  # with the class prior matched; one per seed
    matched_change: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """All contents of a report."""

    name: str
    title: str
    question: str
    source: str  # the document whose experiment is repeated
    scale: ScaleName
    reduction: str  # how this scale is smaller than the published experiment; "" for full
    workspace: str  # name, not path
    classes: tuple[str, ...]
    focus: tuple[str, ...]
    baseline: str
    rows: tuple[Row, ...]
    runs: tuple[Run, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    command: str
    created_at: str
    contrasts: tuple[Row, ...] = ()  # arms compared with an arm other than the baseline


class Experiment(Protocol):
    """The experiment of a paper, built from stages, at one scale: ``Experiment(scale, data, **options)``."""

    name: str
    title: str
    question: str
    source: str

    @property
    def preset(self) -> str | None:
        """The preset of a workspace created for it (a key of ``config.PRESETS``); None: the classes of the data."""

    @property
    def reduction(self) -> str:
        """How this scale is smaller than the published experiment, in a sentence; "" for full."""

    def prepare(self, lab: Lab) -> Plan:
        """Import images, create views and generate. If interrupted, it skips the steps that are already finished."""

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """The sections of the report besides the main table."""
