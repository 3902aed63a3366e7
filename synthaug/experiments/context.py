"""Plain generation compared with contextual diversification (document 002): similarity of images, and accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import UnknownName
from synthaug.experiments.base import Arm, Contrast, Panel, Plan, Row, ScaleName
from synthaug.experiments.lab import Lab
from synthaug.experiments.settings import CPU, SMOKE, OnImages, Settings
from synthaug.experiments.similarity import similarity_panels
from synthaug.stages.generation_params import UNPROMPTED
from synthaug.stages.run_cache import Trainer
from synthaug.stages.view import ViewSpec

PIPELINES = ("plain", "contextual")
MIXTURES = {"only": "Synthetic only", "mixed": "Real + synthetic"}
EVERY_CLASS = "all"
OWN_BACKGROUND = "own"
SCENES = (
    "a photo of {a meadow|a forest|a beach|the open sea|a city street|a gravel road|a desert|snow|a living room|"
    "an airport runway|a clear sky|a cloudy sky}, empty scene"
)
"""Prompt template of backgrounds, for a generator that can draw scenes."""

BACKGROUNDS: Mapping[ScaleName, str | None] = {"smoke": OWN_BACKGROUND, "cpu": None, "full": SCENES}
"""Prompt template of the backgrounds. None: the template of the class; "own": the image itself without its subject."""
SCALES: Mapping[ScaleName, Settings] = {
    "smoke": replace(SMOKE, fraction=0.15),
    "cpu": replace(
        CPU,
        fraction=0.1,
        recipe=replace(find_recipe("small-cnn"), cpu_threads=1),
        seeds=5,
        epochs=None,
        reduction="a tenth of CIFAR-10, a small CNN, and the embedded generator (32 px, 10.7 million parameters) "
        "instead of Stable Diffusion XL. It cannot draw empty scenes, so that backgrounds are images of the class",
    ),
    "full": Settings(
        data=None,
        preset="cifar10",
        minority="cat",
        fraction=None,
        recipe=find_recipe("resnet18-30"),
        seeds=5,
        generator="stabilityai/stable-diffusion-xl-base-1.0",
        reduction="CIFAR-10 instead of the document's own images, which were not published",
    ),
}


class Context(OnImages):
    """Equal numbers of plainly generated images and of real subjects moved onto other backgrounds."""

    name = "context"
    title = "Contextual diversification against plain generation"
    question = (
        "Are images of real subjects in other contexts more diverse than plainly generated ones, and do they train "
        "better classifiers?"
    )
    source = "Synthetic image datasets for training CNNs (document 002)"
    scales = SCALES

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        self.requested = str(options.pop("classes", EVERY_CLASS))
        background = options.pop("background", BACKGROUNDS.get(scale))
        self.background = None if background is None else str(background)
        super().__init__(scale, data, **options)

    def prepare(self, lab: Lab) -> Plan:
        """Views of the real images, of each pipeline's images alone, and of each with the real images."""
        chosen = self.settings
        lab.imported(chosen.data)
        real = lab.view(f"{self.prefix}-real", ViewSpec(fraction=chosen.fraction)).name
        whole = lab.counts(real)
        counts = {name: whole[name] for name in self._classes(lab)}
        made = {
            each: tuple(self._made(lab, each, real, *item) for item in counts.items()) for each in PIPELINES
        }
        plain = Arm("real", "Real images", real, chosen.trained_with)
        return Plan(
            (
                plain,
                *(
                    self._mixed(lab, mixture, pipeline, real, counts, jobs)
                    for mixture in MIXTURES
                    for pipeline, jobs in made.items()
                ),
            ),
            plain.name,
            chosen.seeds,
            notes=self._notes(tuple(counts)),
            contrasts=tuple(
                Contrast(
                    _arm("contextual", mixture), _arm("plain", mixture), f"{title}, contextual against plain"
                )
                for mixture, title in MIXTURES.items()
            ),
            updates=chosen.updates,
        )

    def _mixed(
        self,
        lab: Lab,
        mixture: str,
        pipeline: str,
        real: str,
        counts: Mapping[str, int],
        jobs: tuple[int, ...],
    ) -> Arm:
        """The arm with ``counts`` images of a pipeline's generation jobs, with the real images or without."""
        chosen, name = self.settings, _arm(pipeline, mixture)
        kept = dict.fromkeys(counts, 0) if mixture == "only" else {}
        spec = ViewSpec(base=real, keep=kept, add_synthetic=counts, jobs=jobs)
        view = lab.view(f"{self.prefix}-{name}", spec).name
        return Arm(name, f"{MIXTURES[mixture]}, {pipeline}", view, chosen.trained_with, chosen.seen)

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """The similarity of the images of each pipeline."""
        return self._similarity(lab, plan)

    def _classes(self, lab: Lab) -> tuple[str, ...]:
        """The classes to generate. Raises UnknownName."""
        known = lab.workspace.classes
        if self.requested == EVERY_CLASS:
            return known
        asked = tuple(dict.fromkeys(each.strip() for each in self.requested.split(",")))
        for each in asked:
            if each not in known:
                raise UnknownName("class", each, (*known, EVERY_CLASS))
        return asked

    def _made(self, lab: Lab, pipeline: str, real: str, name: str, count: int) -> int:
        """The generation job of a pipeline for one class; the pipelines differ only in what they start from."""
        spec = self.settings.generation(name, count)
        if pipeline == "contextual":
            text = UNPROMPTED if self.background == OWN_BACKGROUND else self.background or spec.template
            spec = replace(spec, template=text, start="context", sources=real)
        return lab.generated(spec)

    def _similarity(self, lab: Lab, plan: Plan) -> tuple[Panel, ...]:
        """Similarity in the features of the CNN trained on the real images, compared with the real test images."""
        arms = {arm.name: arm for arm in plan.arms}
        recipe = arms["real"].recipe
        judge = lab.classifier(arms["real"].view, recipe)
        classes, test = self._classes(lab), Trainer(lab.workspace).test_set(recipe).data
        places = [lab.workspace.classes.index(each) for each in classes]
        sets = {"real test images": [judge.features(test.inputs[test.labels == each]) for each in places]}
        for title, view in (
            ("plain", arms[_arm("plain", "only")].view),
            ("contextual", arms[_arm("contextual", "only")].view),
        ):
            sets[title] = [
                judge.features(lab.pixels_of_view(view, recipe.image_size, "synthetic", each))
                for each in classes
            ]
        real = lab.pixels_of_view
        sets["real training images"] = [
            judge.features(real(arms["real"].view, recipe.image_size, "real", each)) for each in classes
        ]
        whose = "penultimate features of the CNN trained on the real images (seed 0)"
        return similarity_panels(sets, "real test images", whose)

    def _notes(self, classes: tuple[str, ...]) -> tuple[str, ...]:
        generator = self.settings.generator
        scope = (
            "all classes"
            if self.requested == EVERY_CLASS
            else f"{', '.join(classes)} (other classes stay real)"
        )
        background = "their own" if self.background == OWN_BACKGROUND else "generated"
        return (
            f"The document gives no results. Synthetic images: {scope}, as many as there are real ones. Contextual "
            f"images take their subjects from the real ones in turn. Backgrounds: {background}.",
            "Contextual images contain pixels of real training images, plain ones do not; this is part of the "
            "comparison.",
            f"The generator {generator!r} was trained on further images: the shipped generators on all real training "
            "images, hub models on other pictures.",
        )


def _arm(pipeline: str, mixture: str) -> str:
    return f"{pipeline}-{mixture}"
