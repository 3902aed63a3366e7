"""Generated radiographs for measuring hip angles: fine-tune, generate, predict, correct and retrain (document 003)."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.config import HIP
from synthaug.experiments.base import Arm, Panel, Plan, Row, ScaleName
from synthaug.experiments.hip.angles import (
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
from synthaug.experiments.hip.readers import STAND_IN, fitted, measured, previous_model, stand_in
from synthaug.experiments.hip.scales import hip_settings
from synthaug.experiments.lab import Lab
from synthaug.importers.hip.angles import hip_class, wording
from synthaug.importers.hip.phantom import HipPhantomImporter
from synthaug.progress import EpochReport
from synthaug.stages import finetune
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.pixels import load_pixels
from synthaug.stages.run_cache import Trainer
from synthaug.store import catalog, jobs, views

PHANTOM = "drawn phantoms instead of 219 radiographs of dogs"


class Hip:
    """Compares real images only with real and generated ones that have prompted, predicted or corrected angles."""

    name = "hip"
    title = "Hip angles with generated radiographs"
    question = (
        "Do generated radiographs improve a model that measures hip angles, and which angles should they be labeled "
        "with?"
    )
    source = "Dog hip angle classification using generated images (document 003)"
    preset = "hip"

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        self.scale = scale
        self.settings = hip_settings(scale, options)
        self.data = self.settings.phantom if data is None else data
        self.prefix = f"{self.name}-{scale}"
        self._is_phantom = self.data.partition(":")[0] == HipPhantomImporter.name
        self._angles: dict[str, Angles] = {}  # by reading; those of "test" are the test set's
        self._of_view: dict[str, Angles] = {}

    @property
    def reduction(self) -> str:
        """How this scale is smaller than the published experiment; phantoms are a reduction at every scale."""
        less = (PHANTOM if self._is_phantom else "", self.settings.reduction)
        return "; ".join(each for each in less if each)

    def prepare(self, lab: Lab) -> Plan:
        """Import, fine-tune, generate, measure the generated images in three ways, and create a view for each."""
        threshold = self.settings.threshold
        lab.imported(self.data)
        self._is_phantom = _is_phantom(lab)
        real, test = captioned_angles(lab, "train"), captioned_angles(lab, "test")
        log_classes(lab, real | test, threshold)
        base = frozen_view(lab, f"{self.prefix}-real", real, threshold)
        made = self._generated(lab, self._finetuned(lab, base), real)
        prompted = prompted_angles(lab, made)
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
            notes=(*self._notes(corrected), *_cut_prompts(lab, made)),
            train=lambda arm, seed: self._trained(lab, arm, seed),
            updates=self.settings.updates,
        )

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """Predicted over true angles of the test images, and differences between readings of the generated images."""
        from synthaug.experiments.hip.figures import readings_table, true_against_predicted

        trainer = Trainer(lab.workspace)
        predicted: dict[str, NDArray[np.float64]] = {}
        for arm in plan.arms:
            run = trainer.find(views.by_name(lab.workspace.db, arm.view), arm.recipe, 0)
            if run is not None:
                predicted[arm.title] = np.array(run.metrics["predicted angles"])
        truth = as_targets(_test_hashes(lab), self._angles["test"])
        real = self._angles["real"]
        generated = {
            name: {key: angles for key, angles in self._angles[name].items() if key not in real}
            for name in ("prompted", "predicted", "corrected")
        }
        return (
            Panel(
                "Predicted over true angle",
                "Both sides of every real test image, seed 0 of each arm; points on the line are exact.",
                true_against_predicted(truth, predicted),
            ),
            readings_table(generated),
        )

    def _finetuned(self, lab: Lab, view: str) -> Path:
        """The folder of the fine-tuned generator, which is trained now if it is not finished."""
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
            lab.finished(
                begun[0]
                if begun
                else finetune.submit(
                    workspace, view, name=name, validate_every=chosen.steps, **chosen.finetuning
                )
            )
            known = {model.name: model.path for model in finetune.list_finetuned(workspace)}
        return known[name]

    def _generated(self, lab: Lab, generator: Path, real: Angles) -> tuple[int, ...]:
        """The generation jobs, one per class, for prompts with angles distributed as in the training set."""
        chosen = self.settings
        form = _usual_wording(lab)
        pairs = drawn_angles(real, chosen.generated)
        asked = {name: [pair for pair in pairs if hip_class(*pair, chosen.threshold) == name] for name in HIP}
        return tuple(
            lab.generated(
                GenerationSpec(
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
            )
            for name, pairs in asked.items()
            if pairs
        )

    def _predicted(self, lab: Lab, real: Angles, generated: Angles) -> Reading:
        """The angles that the model trained on real images predicts for the generated ones."""
        recipe = self.settings.trained_with
        key = digest(real, sorted(generated), asdict(recipe))
        return kept_reading(
            lab,
            f"{self.prefix}-predicted-{key}",
            lambda: previous_model(lab, real, recipe, list(generated)),
        )

    def _corrected(self, lab: Lab, predicted: Angles) -> Reading:
        """The angles after correction by people (on phantoms, by the stand-in reader), also logged as labels."""
        chosen = self.settings
        if self._is_phantom:
            key = digest(sorted(predicted), chosen.reader_images, asdict(chosen.reader_recipe))
            reading = kept_reading(
                lab, f"{self.prefix}-corrected-{key}", lambda: stand_in(lab, chosen, list(predicted))
            )
            log_classes(lab, reading.angles, chosen.threshold, STAND_IN, "automatic")
            return reading
        table = lab.workspace.root / "runs" / f"{self.prefix}-predicted.csv"
        corrections = None if chosen.corrections is None else Path(chosen.corrections)
        reading = peoples_reading(lab, predicted, corrections, table, chosen.threshold)
        log_classes(lab, reading.angles, chosen.threshold, reading.annotator, "human")
        return reading

    def _arms(self, lab: Lab) -> tuple[Arm, ...]:
        """One arm of real images only, and one arm per reading."""
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
        return tuple(arms)

    def _trained(self, lab: Lab, arm: Arm, seed: int) -> dict[str, object]:
        """Train a regressor on the images of an arm and test it on the real test set."""
        began, history = time.perf_counter(), list[EpochReport]()
        members = views.members(lab.workspace.db, views.by_name(lab.workspace.db, arm.view).id)
        hashes, test = [member.sha256 for member in members], _test_hashes(lab)
        pixels, test_pixels = (
            load_pixels(lab.workspace, each, arm.recipe.image_size) for each in (hashes, test)
        )
        targets, title = as_targets(hashes, self._of_view[arm.view]), f"{arm.title}, seed {seed}"
        model = fitted(lab, pixels, targets, arm.recipe, seed, title, history.append)
        truth, predicted = (
            as_targets(test, self._angles["test"]),
            model.predict(test_pixels).astype(np.float64),
        )
        return {
            **measured(truth, predicted, self.settings.threshold),
            "train_images": len(hashes),
            "test_images": len(test),
            "recipe": asdict(arm.recipe),
            "history": history,
            "seconds": time.perf_counter() - began,
        }

    def _notes(self, corrected: Reading) -> tuple[str, ...]:
        notes = [
            "The published split consists of generated images only. Here the test set holds real images only, and no "
            "generator, reader or model was trained on it.",
            f"A dog is 'Big' if the worse of both angles reaches {self.settings.threshold:g} degrees, else 'Small'; "
            "the document gives neither the threshold nor accuracies or correlations.",
            "The published model predicts key points, radii and angles; here the model predicts only both angles.",
        ]
        if self._is_phantom:
            notes[:0] = [
                "PHANTOM: the 'real' images are drawings with known angles, not radiographs. The results hold for "
                "drawings and say nothing about dogs.",
                f"No veterinarian corrected the angles. The {corrected.annotator!r} is a model trained on "
                f"{self.settings.reader_images} other phantoms that are in neither set; its mean error on unseen "
                f"phantoms is {corrected.error:.2f} degrees. It adds to the last arm what it learned from them, as a "
                "person adds experience, so that a gain there may come from these phantoms rather than from the "
                "generated images. It corrects every image and rejects none.",
            ]
        else:
            notes.append(
                f"{len(corrected.angles)} generated images have angles that people corrected or confirmed."
            )
        if self.scale == "smoke":
            notes.insert(0, "Smoke scale: the numbers in this table are meaningless.")
        return tuple(notes)


def drawn_angles(real: Angles, count: int, seed: int = 0) -> list[tuple[float, float]]:
    """Random pairs (left, right) in degrees from a normal distribution fitted to ``real``, clipped to its range."""
    known = np.array(list(real.values()))
    rng = np.random.default_rng(seed)
    spread = np.cov(known.T) if len(known) > 1 else np.zeros((2, 2))
    pairs = np.clip(
        rng.multivariate_normal(known.mean(axis=0), spread, count), known.min(axis=0), known.max(axis=0)
    )
    return [(round(float(left), 2), round(float(right), 2)) for left, right in pairs]


def _usual_wording(lab: Lab) -> str:
    """The most frequent wording of the captions of real training images, with {left} and {right} for the angles."""
    images = catalog.find_images(lab.workspace.db, split="train", origin="real")
    captions = catalog.captions(lab.workspace.db, [image.id for image in images])
    return Counter(map(wording, captions.values())).most_common(1)[0][0]


def _is_phantom(lab: Lab) -> bool:
    """Whether all real images of the workspace are phantoms."""
    images = catalog.find_images(lab.workspace.db, origin="real")
    return all(image.source.startswith(f"{HipPhantomImporter.name}/") for image in images)


def _cut_prompts(lab: Lab, made: tuple[int, ...]) -> tuple[str, ...]:
    """A note on prompts that were too long for the text encoder, if there are any."""
    cuts = [cut for job in made if (cut := jobs.get(lab.workspace.db, job).result.get("cut")) is not None]
    images = sum(cut["images"] for cut in cuts)
    if not images:
        return ()
    return (
        f"{images} prompts were too long for the text encoder, which ignored their end, such as "
        f"{cuts[0]['example']!r}. Angles in that part had no effect.",
    )


def _test_hashes(lab: Lab) -> list[str]:
    """SHA-256 of the test images, in the order of the fingerprint of the test set."""
    return [sha256 for sha256, _ in catalog.hashes_of_split(lab.workspace.db, "test")]
