"""Few cats in a tenth of CIFAR-10: generated cats for a simple CNN, and losses against imbalance (document 000)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import UserError
from synthaug.experiments.arms import class_weighted, logit_adjusted
from synthaug.experiments.base import Arm, Panel, Plan, Row, ScaleName
from synthaug.experiments.gap import gap_panel
from synthaug.experiments.lab import Lab
from synthaug.experiments.settings import CPU, SMOKE, OnImages, Settings, class_word
from synthaug.stages import finetune
from synthaug.stages.generator_names import FINETUNED
from synthaug.stages.view import ViewSpec
from synthaug.store import jobs

FRACTION = 0.1
"""Share of CIFAR-10 that is used: 500 images per class."""


@dataclass(frozen=True, slots=True)
class Cats:
    """Settings of one scale that only this experiment has."""

    kept: float = 0.1  # share of the minority class that is kept; the document does not give it
    finetune_steps: int = 0  # of a LoRA on the images that are kept; 0 leaves this arm out


CATS: Mapping[ScaleName, Cats] = {
    "smoke": Cats(finetune_steps=4),
    "cpu": Cats(finetune_steps=300),
    "full": Cats(finetune_steps=1000),
}
SCALES: Mapping[ScaleName, Settings] = {
    "smoke": SMOKE,
    "cpu": replace(
        CPU,
        fraction=FRACTION,
        recipe=replace(find_recipe("small-cnn"), cpu_threads=1),
        seeds=5,
        epochs=None,
        reduction="the embedded generator (32 px, 10.7 million parameters) instead of Stable Diffusion at 512 px",
    ),
    "full": Settings(
        data=None,
        preset="cifar10",
        minority="cat",
        fraction=FRACTION,
        recipe=find_recipe("small-cnn"),
        seeds=5,
        generator="CompVis/stable-diffusion-v1-4",
    ),
}


class CatCnn(OnImages):
    """Few cats in a tenth of the data, and enough generated ones to balance the classes."""

    name = "cat-cnn"
    title = "Generated cats for a simple CNN"
    question = "A small set has few images of one class. Do generated ones, up to balance, help a simple CNN?"
    source = "Stable Diffusion for CNNs, a case study with CIFAR-10 (document 000)"
    scales = SCALES

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        cats = CATS.get(scale, Cats())
        kept, steps = (options.pop(each, getattr(cats, each)) for each in ("kept", "finetune_steps"))
        self.cats = Cats(_number("kept", kept, float), _number("finetune_steps", steps, int))
        if not 0 < self.cats.kept < 1:
            raise UserError(f"kept is {self.cats.kept:g}; it must be a share between 0 and 1")
        if self.cats.finetune_steps < 0:
            raise UserError(
                f"finetune_steps is {self.cats.finetune_steps}; it must be at least 0 (0 leaves this arm out)"
            )
        super().__init__(scale, data, **options)

    def prepare(self, lab: Lab) -> Plan:
        """Views of the subset, of the subset with few images of one class, and of the remedies."""
        chosen = self.settings
        lab.imported(chosen.data)
        rare = chosen.minority
        whole = lab.view(f"{self.prefix}-balanced", ViewSpec(fraction=chosen.fraction)).name
        counts = lab.counts(whole)
        if rare not in counts:
            raise UserError(
                f"there is no class {rare!r}; choose one of {', '.join(counts)} with --option minority=CLASS"
            )
        kept = max(1, round(self.cats.kept * counts[rare]))
        scarce = lab.view(f"{self.prefix}-imbalanced", ViewSpec(base=whole, keep={rare: kept})).name
        plain = Arm("imbalanced", f"Imbalanced ({kept} of {rare})", scarce, chosen.trained_with)
        return Plan(
            (
                Arm("balanced", f"Baseline ({counts[rare]} of {rare})", whole, chosen.trained_with),
                plain,
                class_weighted(plain),
                logit_adjusted(plain),
                self._oversampled(lab, scarce),
                *self._generated(lab, scarce, kept, counts[rare] - kept),
            ),
            plain.name,
            chosen.seeds,
            focus=(rare,),
            notes=self._notes(rare),
            updates=chosen.updates,
        )

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """How much of the lost accuracy each arm recovers, and the generated images on principal components."""
        return (
            gap_panel(rows, plan.baseline, "balanced", self.settings.minority),
            self._components(lab, plan),
        )

    def _oversampled(self, lab: Lab, scarce: str) -> Arm:
        """The arm that repeats the images of the scarce class."""
        repeated = ViewSpec(base=scarce, oversample=True, oversample_classes=(self.settings.minority,))
        view = lab.view(f"{self.prefix}-oversampled", repeated).name
        return Arm("oversampled", "Oversampled", view, self.settings.trained_with)

    def _generated(self, lab: Lab, scarce: str, kept: int, missing: int) -> tuple[Arm, ...]:
        """The arms whose missing images come from the generator, as it is and (if wanted) fine-tuned."""
        plain = self._filled(lab, "synthetic", f"+ {missing} generated", scarce, missing)
        if not self.cats.finetune_steps:
            return (plain,)
        title = f"+ {missing} generated, fine-tuned on the {kept} real ones"
        model = self._finetuned(lab, scarce)
        return (plain, self._filled(lab, "finetuned", title, scarce, missing, generator=model))

    def _filled(
        self, lab: Lab, name: str, title: str, scarce: str, missing: int, generator: str | None = None
    ) -> Arm:
        """The arm of ``scarce`` with ``missing`` images added; the default generator is that of the settings."""
        chosen = self.settings
        spec = chosen.generation(chosen.minority, missing)
        job = lab.generated(spec if generator is None else replace(spec, generator=generator))
        added = ViewSpec(base=scarce, add_synthetic={chosen.minority: missing}, jobs=(job,))
        view = lab.view(f"{self.prefix}-{name}", added).name
        return Arm(name, title, view, chosen.trained_with, chosen.seen)

    def _finetuned(self, lab: Lab, scarce: str) -> str:
        """The folder of the generator fine-tuned (LoRA) on the remaining images of the class."""
        chosen, workspace = self.settings, lab.workspace
        name = f"{self.prefix}-{self.cats.finetune_steps}"
        folder = workspace.root / FINETUNED / name
        if not folder.exists():
            others = dict.fromkeys((each for each in workspace.classes if each != chosen.minority), 0)
            stayed = lab.view(f"{self.prefix}-stayed", ViewSpec(base=scarce, keep=others))
            lab.say(f"fine-tuning {chosen.generator}")
            begun = [
                job.id
                for job in jobs.latest(workspace.db, kinds=(finetune.KIND,))
                if job.params["name"] == name
            ]
            lab.finished(begun[0] if begun else self._submitted(lab, stayed.name, name))
        return str(folder)

    def _submitted(self, lab: Lab, view: str, name: str) -> int:
        chosen, steps = self.settings, self.cats.finetune_steps
        word = class_word(chosen.minority)
        return finetune.submit(
            lab.workspace,
            view,
            chosen.generator,
            caption=f"a handwritten digit {word}" if chosen.preset == "digits" else f"a photo of a {word}",
            validate_every=steps,
            name=name,
            steps=steps,
        )

    def _components(self, lab: Lab, plan: Plan) -> Panel:
        from synthaug.experiments.figures import pca_panel

        arms = {arm.name: arm for arm in plan.arms}
        rare, size = self.settings.minority, self.settings.recipe.image_size
        judge = arms["balanced"]
        groups = {f"real {rare}": lab.pixels_of_view(judge.view, size, class_name=rare)}
        for name, title in (("synthetic", "generated"), ("finetuned", "generated, fine-tuned")):
            if name in arms:
                groups[title] = lab.pixels_of_view(arms[name].view, size, "synthetic")
        sentence = (
            f"Penultimate features of the CNN trained on the balanced set, for the real images of {rare} and for the "
            "generated ones."
        )
        classifier = lab.classifier(judge.view, judge.recipe)
        return pca_panel(classifier, groups, "Where the generated images lie", sentence)

    def _notes(self, rare: str) -> tuple[str, ...]:
        generator = self.settings.generator
        return (
            f"The document gives no results and does not say how many cats were kept; here it is "
            f"{100 * self.cats.kept:g}% (--option kept=SHARE).",
            f"The generator {generator!r} was trained on further images of {rare}: the shipped generators on all real "
            "training images, Stable Diffusion on other pictures. A gain may come from these images, also after "
            "fine-tuning on the few real ones.",
            f"Fine-tuning: a LoRA trained for {self.cats.finetune_steps} steps on the remaining real images of {rare}.",
        )


def _number(name: str, value: Any, kind: type[int] | type[float]) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        wanted = "an integer" if kind is int else "a number"
        raise UserError(f"--option {name}={value}: {value!r} is not {wanted}") from error
