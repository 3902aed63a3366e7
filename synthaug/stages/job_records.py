"""The parameters and results of each kind of job, as the job table stores them.

Those of generation jobs are in :mod:`.generation_spec` and :mod:`.generation_result`. A result is stored piece by piece
while its job runs, so that every field of a record that is read before the end has a default.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthaug.generator_training.finetuning_config import FinetuneConfig
from synthaug.parsing import JsonRecord
from synthaug.records import Origin, Split
from synthaug.stages.class_map import ClassMap


@dataclass(frozen=True, slots=True)
class ImportParams(JsonRecord):
    """``source`` is a path, or the name under which ``upload`` (the id of uploaded files) is shown."""

    source: str
    format: str = "auto"
    split: Split | None = None
    origin: Origin = "real"
    hold_out: float = 0.0
    class_map: ClassMap | None = None
    upload: str | None = None


@dataclass(frozen=True, slots=True)
class ExportParams(JsonRecord):
    """The view to export, and the file format."""

    view: str
    format: str


@dataclass(frozen=True, slots=True)
class ExportJobResult(JsonRecord):
    """The folder that was written, and the number of images in it."""

    export: str
    images: int


@dataclass(frozen=True, slots=True)
class PredictParams(JsonRecord):
    """The name of the classifier (None stands for the newest), and in how many folds to cross-fit, if at all."""

    model: str | None = None
    folds: int | None = None


@dataclass(frozen=True, slots=True)
class PredictJobResult(JsonRecord):
    """The numbers of predicted and of cross-fitted images, and the name of the classifier."""

    predicted: int
    model: str
    cross_fitted: int


@dataclass(frozen=True, slots=True)
class ScoreParams(JsonRecord):
    """``model`` is a classifier or an extractor; ``method`` is one of measures.ood.METHODS.

    ``refit`` fits the UMAP again instead of placing new images in it.
    """

    model: str | None = None
    method: str = "knn"  # the only method of release 0.1
    refit: bool = False


@dataclass(frozen=True, slots=True)
class TrainParams(JsonRecord):
    """The view to train on, the name of the recipe, and the seed."""

    view: str
    recipe: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainResult(JsonRecord):
    """The name of the new model, and its accuracy, 0..1."""

    model: str
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class TrainAndPredictResult(JsonRecord):
    """The name of the new model, its accuracy, 0..1, and the number of images that it predicted."""

    model: str
    accuracy: float | None
    predicted: int


@dataclass(frozen=True, slots=True)
class RetrainParams(JsonRecord):
    """``accept_above`` is a confidence, 0..1; see :func:`.retrain.submit`."""

    seeds: int
    recipe: str
    accept_above: float | None = None
    format: str = "cifar10"


@dataclass(frozen=True, slots=True)
class RetrainResult(JsonRecord):
    """``augmented`` is the curated view, ``model`` the classifier trained on it, ``export`` the folder it is in."""

    augmented: str
    export: str
    model: str


@dataclass(frozen=True, slots=True)
class FinetuneParams(JsonRecord):
    """The parameters of a fine-tuning; see :func:`.finetune.submit`."""

    view: str
    base: str
    name: str
    caption: str | None
    validation_prompts: tuple[str, ...]
    validate_every: int  # steps
    config: FinetuneConfig


@dataclass(frozen=True, slots=True)
class LossPoint(JsonRecord):
    """The mean loss of the steps since the previous point, up to ``step``."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class ValidationImages(JsonRecord):
    """The images generated after ``step`` steps, by SHA-256, one per prompt; they are stored, but in no split."""

    step: int
    images: tuple[str, ...]
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FinetuneProgress(JsonRecord):
    """What a fine-tuning has recorded so far, both in the order of the steps."""

    history: tuple[LossPoint, ...] = ()  # at most 200
    validation: tuple[ValidationImages, ...] = ()


@dataclass(frozen=True, slots=True)
class FinetuneResult(JsonRecord):
    """The name, folder and revision of the new generator."""

    model: str
    path: str
    revision: str
