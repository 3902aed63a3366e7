"""Generated images for the tail of CIFAR-10-LT (long-tail paper, augmentation)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import UserError
from synthaug.experiments.arms import class_weighted, logit_adjusted
from synthaug.experiments.base import Arm, Panel, Plan, Row, ScaleName
from synthaug.experiments.lab import Lab
from synthaug.experiments.settings import CPU, SMOKE, OnImages, Settings, template
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.pseudo_label import pseudo_label
from synthaug.stages.view import ViewSpec

RATIO = 0.1
"""The last class's share of the first one's images: ``n_i = int(n_0 * 0.1 ** (i / 9))``."""
ADDED = 0.1
"""Images added to a class, as a share of the largest one: 500 of 5000."""
UNCONDITIONAL = 3
"""As many unconditional images as three classes get conditional ones; a few more are drawn, for some are unclear."""
SPARE = 1.5
LEAK = (
    "The generator was trained on all real training images, balanced: what it knows of the rare classes leaks into "
    "their images (as in the paper, whose generators had seen them all too). With --option generator_data=view, DDPMs "
    "that saw the long tail only draw instead."
)
DDPMS: Mapping[ScaleName, tuple[str, int | None]] = {
    "smoke": ("tiny", 20),
    "cpu": ("small", 2000),
    "full": ("paper", None),
}
"""Size and steps of the DDPMs for ``generator_data=view``."""

SCALES: Mapping[ScaleName, Settings] = {
    "smoke": replace(SMOKE, fraction=0.6),
    # Fewer images than elsewhere: small batches, or there would be forty updates.
    "cpu": replace(CPU, epochs=6, recipe=replace(CPU.recipe, batch_size=128, lr=0.19, shift_lr=12.0)),
    "full": Settings(
        data=None,
        preset="cifar10",
        minority="truck",
        fraction=None,
        recipe=find_recipe("resnet18-30"),
        seeds=5,
        generator="embedded",
        guidance=(2.0, 5.0),
        reduction="the embedded generator instead of class-conditional and unconditional DDPMs; another may be named "
        "with --option generator=NAME",
    ),
}


class LongTail(OnImages):
    """CIFAR-10-LT, and generated images of its last classes."""

    name = "long-tail"
    title = "Generated images for the tail of a long-tailed set"
    question = "Do generated images of the rare classes help: asked for by class, or labeled afterwards?"
    source = "Long-tailed CIFAR-10 with diffusion models (document 001)"
    scales = SCALES

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        super().__init__(scale, data, **options)
        self._jobs: dict[str, int] = {}

    def prepare(self, lab: Lab) -> Plan:
        """The long tail, images with and without a class asked for, and the sets of the paper."""
        chosen = self.settings
        lab.imported(chosen.data)
        prefix = self.prefix
        some = lab.counts(lab.view(f"{prefix}-share", ViewSpec(fraction=chosen.fraction)).name)
        even = dict.fromkeys(some, min(some.values()))
        balanced = lab.view(f"{prefix}-balanced", ViewSpec(base=f"{prefix}-share", keep=even))
        tail = lab.view(f"{prefix}-lt", ViewSpec(base=balanced.name, long_tail=RATIO))
        added = round(ADDED * max(lab.counts(tail.name).values()))
        dog, ship, truck = _rare(lab.workspace.classes)
        recipe = chosen.trained_with
        drawn_by = self._generators(lab, tail.name)
        seen = chosen.seen if chosen.generator_data == "full" else "view"
        conditional = {name: self._conditional(lab, drawn_by[0], name, added) for name in (dog, ship, truck)}
        unclassed = self._unconditional(lab, drawn_by[1], balanced.name, UNCONDITIONAL * added)

        def arm(name: str, title: str, *counted: str) -> Arm:
            spec = ViewSpec(
                base=tail.name,
                add_synthetic=dict.fromkeys(counted, added),
                jobs=tuple(conditional[each] for each in counted),
            )
            return Arm(name, title, lab.view(f"{prefix}-{name}", spec).name, recipe, generator_data=seen)

        plain = Arm("lt", "Long tail", tail.name, recipe)
        oversampled = lab.view(f"{prefix}-oversampled", ViewSpec(base=tail.name, oversample=True))
        pseudo = lab.view(f"{prefix}-unconditional", ViewSpec(base=tail.name, images=unclassed))
        arms = (
            plain,
            class_weighted(plain),
            logit_adjusted(plain),
            Arm("oversampled", "Oversampled", oversampled.name, recipe),
            arm("truck", f"+ {added} {truck}", truck),
            arm("ship", f"+ {added} {ship}", ship),
            arm("both", f"+ {added} each of {ship}, {truck}", ship, truck),
            arm("conditional", f"+ {added} each of {dog}, {ship}, {truck}", dog, ship, truck),
            Arm(
                "unconditional",
                f"+ {len(unclassed)} drawn without a class, pseudo-labeled",
                pseudo.name,
                recipe,
                generator_data=seen,
            ),
            Arm("balanced", "All real images (upper bound)", balanced.name, recipe),
        )
        notes = (
            LEAK
            if seen == "full"
            else "The published generators had seen all real training images, balanced.",
            "The classifier that named the images drawn without a class had seen the balanced set as well.",
            f"{UNCONDITIONAL * added} images drawn without a class were wanted; the labeler was sure enough of "
            f"{len(unclassed)} of {round(SPARE * UNCONDITIONAL * added)}.",
            "The paper says nothing of momentum, augmentation, schedule and seeds, and gives single runs.",
        )
        return Plan(
            arms,
            plain.name,
            chosen.seeds,
            focus=(dog, ship, truck),
            notes=notes,
            updates=chosen.updates,
        )

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """Border luminance of what was drawn with a class, without one, and of real images."""
        from synthaug.experiments.border import border_panel

        size = self.settings.recipe.image_size
        balanced = next(arm.view for arm in plan.arms if arm.name == "balanced")
        groups = {"real": lab.pixels_of_view(balanced, size)}
        groups |= {title: lab.pixels_of_job(job, size) for title, job in self._jobs.items()}
        return (border_panel(groups),)

    def _generators(self, lab: Lab, tail: str) -> tuple[str, str]:
        """Who draws with a class and who without: the one named, or DDPMs that saw the long tail only."""
        if self.settings.generator_data == "full":
            return self.settings.generator, self.settings.generator
        size, steps = DDPMS[self.scale]
        conditional, unconditional = (
            lab.trained_generator(
                f"{self.name}-{self.scale}-ddpm{suffix}",
                "ddpm",
                tail,
                classes=classes,
                size=size,
                steps=steps,
            )
            for suffix, classes in (("", True), ("-unconditional", False))
        )
        return str(conditional), str(unconditional)

    def _conditional(self, lab: Lab, generator: str, name: str, count: int) -> int:
        chosen = self.settings
        by_text = chosen.generator_data == "full"
        # A DDPM is asked for its classes by their names.
        text = template(chosen.preset, name) if by_text else name
        guidance = chosen.guidance if by_text else None
        job = lab.generated(
            GenerationSpec(text, name, count, generator=generator, steps=chosen.steps, guidance=guidance)
        )
        self._jobs[f"generated for {name}"] = job
        return job

    def _unconditional(self, lab: Lab, generator: str, balanced: str, wanted: int) -> tuple[str, ...]:
        """Hashes of ``wanted`` images drawn without a class that a labeler was sure of; fewer if it was not."""
        chosen = self.settings
        count = round(SPARE * wanted)
        job = lab.generated(
            GenerationSpec("", None, count, generator=generator, steps=chosen.steps, guidance=1.0)
        )
        self._jobs["generated without a class"] = job
        pseudo_label(lab.workspace, lab.labeler(balanced, chosen.recipe), progress=lab.report)
        return lab.labeled_of(job)[:wanted]


def _rare(classes: Sequence[str]) -> tuple[str, str, str]:
    """The paper's dog, ship and truck; in other data the classes at the same places of the tail."""
    last = len(classes) - 1
    if last < 4:
        raise UserError(f"a long tail needs five classes or more; this workspace has {len(classes)}")
    return classes[last - 4], classes[last - 1], classes[last]
