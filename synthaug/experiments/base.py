"""What an experiment is: a plan of training sets to compare, and the result that its report is written from."""

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
"""What the generator of an arm's synthetic images had seen.

"none": nothing of it is synthetic; "full": all the real training images, also those that the arm lacks (the result
flatters); "view": only the arm's own real images (honest); "other": images of another kind, as hub models have.
"""


Updates = Literal["equal", "epochs"]
"""How long arms are trained. "equal": every arm for the updates of the largest set; "epochs": each for the epochs of
its recipe, as published, which gives larger sets more updates, and the baseline for those of the largest as well."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One row of the table: a training set and the recipe it is trained with."""

    name: str  # short and unique: "imbalanced"
    title: str  # as the table says it: "Imbalanced (10 cats)"
    view: str  # name of the frozen view
    recipe: Recipe
    generator_data: GeneratorData = "none"
    published: Mapping[str, float] = field(
        default_factory=dict
    )  # measure -> value, 0..1: {"accuracy": 0.8569}


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two arms compared with one another: the second takes the baseline's place."""

    arm: str
    against: str
    title: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The arms, what they are compared with, and how often each is trained."""

    arms: tuple[Arm, ...]
    baseline: str  # name of the arm that the others are compared with
    seeds: int
    focus: tuple[str, ...] = ()  # classes whose accuracy has a column of its own
    notes: tuple[
        str, ...
    ] = ()  # what a reader must know to read the table: reductions, leaks, near-duplicates
    # Trains one arm on a seed: (arm, seed) -> JSON-ready metrics with "accuracy", "per_class", "confusion", and
    # whatever else is measured (0..1 or in the unit its name says). None: the classifier of the recipe.
    train: Callable[[Arm, int], dict[str, Any]] | None = None
    contrasts: tuple[Contrast, ...] = ()  # rows beside those of the arms
    updates: Updates = "equal"  # where sets differ in size


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure of the report, with the sentence that says what it shows."""

    title: str
    text: str
    figure: Mapping[str, Any] | None = None  # a plotly figure as JSON-ready dict
    columns: tuple[str, ...] = ()  # or (and) a table: headings
    rows: tuple[tuple[str | float | int | None, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, as the database keeps it."""

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
    """One arm over its seeds, beside the baseline. Accuracies are shares, 0..1."""

    arm: str
    title: str
    view: str
    recipe: str
    images: int  # training images; repeated ones count as often as they stand there
    counts: Mapping[str, int]  # training images by class
    generator_data: GeneratorData
    runs: tuple[int, ...]  # ids, one a seed
    accuracies: tuple[float, ...]  # one a seed
    accuracy: float  # their mean
    interval: tuple[float, float] | None  # 95% t interval of the mean; None for one seed
    per_class: Mapping[str, float | None]  # mean recall by class
    confusion: tuple[tuple[int, ...], ...]  # rows true, columns predicted, summed over seeds
    measures: Mapping[str, tuple[float, ...]]  # whatever else the runs measured, one a seed
    published: Mapping[str, float]
    # Against the baseline, paired by seed; None in the baseline's own row (and the intervals for one seed).
    difference: float | None
    difference_interval: tuple[float, float] | None  # t
    difference_bootstrap: tuple[float, float] | None  # BCa
    verdict: str | None  # see measures.evidence; results of release 0.1 also say "did not help"
    seeds_needed: int | None
    class_changes: Mapping[str, tuple[float, float]]  # class -> (difference, Holm-corrected p)
    # Results of release 0.1 lack what follows.
    against: str = ""  # title of another row that this one is compared with instead of the baseline
    look: int = 1
    confidence: float = 0.95  # of the intervals of differences
    reservations: tuple[str, ...] = ()  # what must be known beside the verdict, in sentences
    difference_over_images: tuple[float, float] | None = None  # for other test images too
    auc: Mapping[str, float | None] = field(default_factory=dict)  # mean by class, one against the rest
    macro_auc: tuple[float, ...] = ()  # one a seed
    auc_change: Evidence | None = None  # of the macro AUC
    auc_changes: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # as class_changes
    matched_accuracies: tuple[float, ...] = ()  # with the class prior matched; one a seed
    matched_change: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a report shows."""

    name: str
    title: str
    question: str
    source: str  # the document it repeats
    scale: ScaleName
    reduction: str  # how this scale is less than what was published; "" for full
    workspace: str  # its name, not its path
    classes: tuple[str, ...]
    focus: tuple[str, ...]
    baseline: str
    rows: tuple[Row, ...]
    runs: tuple[Run, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    command: str
    created_at: str
    contrasts: tuple[Row, ...] = ()  # arms of the table against another arm than the baseline


class Experiment(Protocol):
    """A paper's question as stages. Made anew for each scale: ``Experiment(scale, data, **options)``."""

    name: str
    title: str
    question: str
    source: str

    @property
    def preset(self) -> str | None:
        """The classes of a workspace made for it, a key of ``config.PRESETS``; None: those of the data."""

    @property
    def reduction(self) -> str:
        """How this scale is less than what was published, in a sentence; "" for full."""

    def prepare(self, lab: Lab) -> Plan:
        """Import, make views, generate. Everything done before is found again, so that it can be interrupted."""

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """The figures beside the table."""
