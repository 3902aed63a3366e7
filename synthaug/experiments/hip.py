"""Generated radiographs for hip angles: fine-tune, generate by angle, predict, correct, retrain (document 003)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.recipes import Recipe
from synthaug.config import HIP
from synthaug.experiments.arms import equal_steps
from synthaug.experiments.base import Arm, Panel, Plan, Row, ScaleName
from synthaug.experiments.hip_angles import (
    Angles,
    Reading,
    as_targets,
    captioned_angles,
    digest,
    frozen_view,
    kept_reading,
    log_classes,
    peoples_reading,
    prompted_angles,
)
from synthaug.experiments.hip_scales import hip_settings
from synthaug.experiments.lab import Lab
from synthaug.importers.hip_angles import hip_class, wording
from synthaug.importers.hip_phantom import READER, hip_phantom
from synthaug.stages import finetune
from synthaug.stages.pixels import load_pixels
from synthaug.stages.runs import Trainer
from synthaug.stages.train import per_class_recall
from synthaug.store import catalog, jobs, views

if TYPE_CHECKING:
    from synthaug.classifiers.regression import FittedRegressor

PHANTOM = "hip-phantom"
STAND_IN = "stand-in reader"
PREVIOUS = "previous model"
TARGETS = ("left angle", "right angle")
PREVIOUS_SEED = 1000  # none of the seeds that are compared
READER_TEST = 200  # phantoms, seen by nothing else, that the stand-in reader is judged on

MAE, PEARSON, SPEARMAN = "mean absolute error (degrees)", "Pearson correlation", "Spearman correlation"


class Hip:
    """Real images only, against real and generated ones whose angles are as prompted, predicted or corrected."""

    name = "hip"
    title = "Hip angles with generated radiographs"
    question = (
        "Do generated radiographs improve the angles that a model reads, and whose angles must they carry?"
    )
    source = "Dog hip angle classification using generated images (document 003)"
    preset = "hip"

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        self.scale = scale
        self.settings = hip_settings(scale, options)
        self.is_phantom = data is None or data.partition(":")[0] == PHANTOM
        self.data = self.settings.phantom if data is None else data
        self.prefix = f"{self.name}-{scale}"
        self._angles: dict[str, Angles] = {}  # by reading; those of "test" are the test set's
        self._of_view: dict[str, Angles] = {}

    @property
    def reduction(self) -> str:
        """How this scale is less than what was published."""
        return self.settings.reduction

    def prepare(self, lab: Lab) -> Plan:
        """Import, fine-tune, generate by angle, read the generated images thrice, and a view for each reading."""
        threshold = self.settings.threshold
        lab.imported(self.data)
        real, test = captioned_angles(lab, "train"), captioned_angles(lab, "test")
        log_classes(lab, real | test, threshold)
        base = frozen_view(lab, f"{self.prefix}-real", real, threshold)
        prompted = prompted_angles(lab, self._generated(lab, self._finetuned(lab, base), real))
        predicted = self._predicted(lab, real, prompted)
        corrected = self._corrected(lab, predicted.angles)
        self._angles = {
            "test": test,
            "real": real,
            "prompted": real | prompted,
            "predicted": real | predicted.angles,
            "corrected": real | corrected.angles,
        }
        arms = self._arms(lab)
        return Plan(
            arms,
            "real",
            self.settings.seeds,
            notes=self._notes(corrected),
            train=lambda arm, seed: self._trained(lab, arm, seed),
        )

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """True against predicted angles on the test set, and how far the readings of the generated images differ."""
        from synthaug.experiments.hip_figures import readings_table, true_against_predicted

        trainer = Trainer(lab.workspace)
        predicted: dict[str, NDArray[np.float64]] = {}
        for arm in plan.arms:
            run = trainer.find(views.by_name(lab.workspace.db, arm.view), arm.recipe, 0)
            if run is not None:
                predicted[arm.title] = np.array(run.metrics["predicted angles"])
        truth = as_targets(self._test_hashes(lab), self._angles["test"])
        real = self._angles["real"]
        generated = {
            name: {key: angles for key, angles in self._angles[name].items() if key not in real}
            for name in ("prompted", "predicted", "corrected")
        }
        return (
            Panel(
                "Predicted over true angle",
                "Both sides of every real test image, seed 0 of each arm; on the line the model is right.",
                true_against_predicted(truth, predicted),
            ),
            readings_table(generated),
        )

    def _finetuned(self, lab: Lab, view: str) -> Path:
        """The fine-tuned generator's folder; made or finished now, if it is not there."""
        workspace, chosen = lab.workspace, self.settings
        name = f"{self.prefix}-{digest(view, chosen.finetuning)}"
        known = {model.name: model.path for model in finetune.list_finetuned(workspace)}
        if name not in known:
            lab.say(f"fine-tuning {chosen.generator} on {view!r}")
            begun = [
                job.id
                for job in jobs.latest(workspace.db, kinds=(finetune.KIND,))
                if job.params["name"] == name
            ]
            settings = {"validate_every": chosen.steps, **chosen.finetuning}
            lab.finished(begun[0] if begun else finetune.submit(workspace, view, name=name, **settings))
            known = {model.name: model.path for model in finetune.list_finetuned(workspace)}
        return known[name]

    def _generated(self, lab: Lab, generator: Path, real: Angles) -> tuple[int, ...]:
        """Jobs of the images asked for with angles as the training set has them: one for each class."""
        chosen = self.settings
        form = _usual_wording(lab)
        pairs = drawn_angles(real, chosen.generated)
        asked = {name: [pair for pair in pairs if hip_class(*pair, chosen.threshold) == name] for name in HIP}
        return tuple(
            lab.generated(
                "<CAPTION>",
                name,
                len(pairs),
                generator=str(generator),
                steps=chosen.drawing_steps,
                guidance=chosen.guidance,
                seed=HIP.index(name),
                slots={
                    "CAPTION": [
                        form.format(left=f"{left:.2f}", right=f"{right:.2f}") for left, right in pairs
                    ]
                },
            )
            for name, pairs in asked.items()
            if pairs
        )

    def _predicted(self, lab: Lab, real: Angles, generated: Angles) -> Reading:
        """What a model of the real images alone reads in the generated ones."""

        def make() -> Reading:
            lab.say(f"the {PREVIOUS} reads {len(generated)} generated images")
            recipe = self.settings.trained_with
            model = self._fitted(
                lab, list(real), as_targets(list(real), real), recipe, PREVIOUS_SEED, PREVIOUS
            )
            return Reading(PREVIOUS, self._read(lab, model, list(generated)))

        key = digest(real, sorted(generated), asdict(self.settings.trained_with))
        return kept_reading(lab, f"{self.prefix}-predicted-{key}", make)

    def _corrected(self, lab: Lab, predicted: Angles) -> Reading:
        """The angles after correction, logged as labels: by people, on phantoms by the stand-in reader."""
        chosen = self.settings
        if self.is_phantom:
            key = digest(sorted(predicted), chosen.reader_images, asdict(chosen.reader_recipe))
            reading = kept_reading(
                lab, f"{self.prefix}-corrected-{key}", lambda: self._stand_in(lab, list(predicted))
            )
            log_classes(lab, reading.angles, chosen.threshold, STAND_IN, "automatic")
            return reading
        table = lab.workspace.root / "runs" / f"{self.prefix}-predicted.csv"
        corrections = None if chosen.corrections is None else Path(chosen.corrections)
        reading = peoples_reading(lab, predicted, corrections, table, chosen.threshold)
        log_classes(lab, reading.angles, chosen.threshold, reading.annotator, "human")
        return reading

    def _stand_in(self, lab: Lab, generated: list[str]) -> Reading:
        """A model of many other phantoms, whose angles are known, in the place of a veterinarian."""
        chosen = self.settings
        size, many = chosen.recipe.image_size, chosen.reader_images
        phantoms = []
        for index in range(many + READER_TEST):
            phantoms.append(hip_phantom((0, READER, index), size))
            lab.report(index + 1, many + READER_TEST, f"phantoms for the {STAND_IN}")
        images = np.stack([each.pixels for each in phantoms])
        angles = np.array([[each.left_angle, each.right_angle] for each in phantoms])
        model = self._fitted(lab, images[:many], angles[:many], chosen.reader_recipe, PREVIOUS_SEED, STAND_IN)
        error = float(np.abs(model.predict(images[many:]) - angles[many:]).mean())
        return Reading(STAND_IN, self._read(lab, model, generated), error)

    def _arms(self, lab: Lab) -> tuple[Arm, ...]:
        """Real only, the same for as many updates as the largest set takes, and one arm a reading."""
        recipe, threshold = self.settings.trained_with, self.settings.threshold
        arms = []
        for name, title in (
            ("real", "Real only"),
            ("prompted", "Real + generated, prompted angles"),
            ("predicted", "Real + generated, predicted angles"),
            ("corrected", "Real + generated, corrected angles"),
        ):
            view = frozen_view(lab, f"{self.prefix}-{name}", self._angles[name], threshold)
            self._of_view[view] = self._angles[name]
            arms.append(Arm(name, title, view, recipe, "none" if name == "real" else "view"))
        largest = max(map(len, self._of_view.values()))
        return (arms[0], equal_steps(arms[0], largest), *arms[1:])

    def _trained(self, lab: Lab, arm: Arm, seed: int) -> dict[str, Any]:
        """Train a regressor on an arm's images, and measure it on the real test set."""
        from synthaug.measures import metrics

        began, history = time.perf_counter(), list[dict[str, Any]]()
        angles = self._of_view[arm.view]
        hashes = [member.sha256 for member in _members(lab, arm)]
        model = self._fitted(
            lab,
            hashes,
            as_targets(hashes, angles),
            arm.recipe,
            seed,
            f"{arm.title}, seed {seed}",
            history.append,
        )
        test = self._test_hashes(lab)
        truth = as_targets(test, self._angles["test"])
        predicted = model.predict(load_pixels(lab.workspace, test, arm.recipe.image_size)).astype(np.float64)
        confusion = metrics.confusion_matrix(self._classes(truth), self._classes(predicted), len(HIP))
        return {
            "accuracy": float(np.trace(confusion) / confusion.sum()),
            "per_class": per_class_recall(confusion),
            "confusion": confusion.tolist(),
            MAE: float(metrics.mean_absolute_error(truth.ravel(), predicted.ravel())),
            PEARSON: float(metrics.pearson(truth.ravel(), predicted.ravel())),
            SPEARMAN: float(metrics.spearman(truth.ravel(), predicted.ravel())),
            "predicted angles": predicted.round(3).tolist(),
            "train_images": len(hashes),
            "test_images": len(test),
            "recipe": asdict(arm.recipe),
            "history": history,
            "seconds": time.perf_counter() - began,
        }

    def _fitted(
        self,
        lab: Lab,
        images: list[str] | NDArray[np.uint8],
        targets: NDArray[np.float64],
        recipe: Recipe,
        seed: int,
        title: str,
        keep: Callable[[dict[str, Any]], None] | None = None,
    ) -> FittedRegressor:
        from synthaug.classifiers.regression import fit_regressor

        def progress(epoch: dict[str, Any]) -> None:
            lab.report(epoch["epoch"], epoch["epochs"], title)
            if keep is not None:
                keep(epoch)

        pixels = load_pixels(lab.workspace, images, recipe.image_size) if isinstance(images, list) else images
        return fit_regressor(pixels, targets, TARGETS, recipe, seed, progress=progress)

    def _read(self, lab: Lab, model: FittedRegressor, hashes: list[str]) -> Angles:
        """What a model reads in stored images, to two decimals as captions say angles."""
        pixels = load_pixels(lab.workspace, hashes, self.settings.recipe.image_size)
        read = np.clip(model.predict(pixels), 1, 179)
        return {
            sha256: (round(float(a), 2), round(float(b), 2))
            for sha256, (a, b) in zip(hashes, read, strict=True)
        }

    def _test_hashes(self, lab: Lab) -> list[str]:
        """The test set in the order of its fingerprint."""
        return [sha256 for sha256, _ in catalog.hashes_of_split(lab.workspace.db, "test")]

    def _classes(self, angles: NDArray[np.float64]) -> NDArray[np.int64]:
        named = [HIP.index(hip_class(left, right, self.settings.threshold)) for left, right in angles]
        return np.array(named, np.int64)

    def _notes(self, corrected: Reading) -> tuple[str, ...]:
        notes = [
            "The published split lies wholly inside the generated images. Here the test set is real images only, and "
            "nothing that was fine-tuned, generated, read or trained has seen it.",
            f"A dog is 'Big' where the worse of both angles reaches {self.settings.threshold:g} degrees, else 'Small': "
            "the document does not say where it parts the classes. It gives no figures of accuracy or correlation.",
            "The published model finds key points, radii and angles together; here only both angles are regressed.",
        ]
        if self.is_phantom:
            notes[:0] = [
                "PHANTOM: the 'real' images are drawings at known angles, no radiographs. What this table shows holds "
                "for drawings; it says nothing of dogs.",
                f"No veterinarian corrected: the {corrected.annotator!r} is a model of {self.settings.reader_images} "
                f"other phantoms, none of them in either set; on fresh ones it is {corrected.error:.2f} degrees off on "
                "average. It brings what it learnt from them into the last arm, as a person brings experience. It "
                "corrects every image and rejects none.",
            ]
        else:
            notes.append(
                f"{len(corrected.angles)} generated images carry angles that people corrected or confirmed."
            )
        if self.scale == "smoke":
            notes.insert(0, "Smoke: the figures of this table mean nothing.")
        return tuple(notes)


def drawn_angles(real: Angles, count: int, seed: int = 0) -> list[tuple[float, float]]:
    """Pairs (left, right) in degrees from the normal distribution of these angles, within their range."""
    known = np.array(list(real.values()))
    rng = np.random.default_rng(seed)
    spread = np.cov(known.T) if len(known) > 1 else np.zeros((2, 2))
    pairs = np.clip(
        rng.multivariate_normal(known.mean(axis=0), spread, count), known.min(axis=0), known.max(axis=0)
    )
    return [(round(float(left), 2), round(float(right), 2)) for left, right in pairs]


def _usual_wording(lab: Lab) -> str:
    """How most captions of the real train images are put, with {left} and {right} for the angles."""
    images = catalog.find_images(lab.workspace.db, split="train", origin="real")
    captions = catalog.captions(lab.workspace.db, [image.id for image in images])
    return Counter(map(wording, captions.values())).most_common(1)[0][0]


def _members(lab: Lab, arm: Arm) -> list[views.ViewImage]:
    return views.members(lab.workspace.db, views.by_name(lab.workspace.db, arm.view).id)
