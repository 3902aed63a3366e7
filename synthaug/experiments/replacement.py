"""Replacing real images by synthetic ones (long-tail paper, ablation): how much accuracy is lost?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from synthaug.classifiers.recipes import find_recipe
from synthaug.experiments.base import Arm, Panel, Plan, Row, ScaleName
from synthaug.experiments.lab import Lab
from synthaug.experiments.settings import CPU, SMOKE, OnImages, Settings
from synthaug.stages.view import ViewSpec

PUBLISHED = {2: 0.7737, 4: 0.7665, 6: 0.7554, 8: 0.7620, 10: 0.7620, 12: 0.7349}
"""Percentage replaced -> published accuracy (single runs; the row without replacement is missing)."""

SCALES: Mapping[ScaleName, Settings] = {
    "smoke": SMOKE,
    "cpu": CPU,
    "full": Settings(
        data=None,
        preset="cifar10",
        minority="cat",
        fraction=None,
        recipe=replace(find_recipe("resnet18-30"), epochs=50),
        seeds=5,
        generator="embedded",
        guidance=(2.0, 5.0),
        reduction="the embedded generator instead of a DDPM; choose another with --option generator=NAME",
    ),
}


class Replacement(OnImages):
    """Replaces p% of the real images of every class by generated ones, for p = 0, 2 ... 12."""

    name = "replacement"
    title = "Replacing real images by generated ones"
    question = "How much accuracy does it cost to replace p% of the real training images by generated ones?"
    source = "Long-tailed CIFAR-10 with diffusion models (document 001), ablation"
    scales = SCALES

    def prepare(self, lab: Lab) -> Plan:
        """Views of the balanced set and of each share of replaced images."""
        chosen = self.settings
        lab.imported(chosen.data)
        real = lab.view(f"{self.prefix}-0", ViewSpec(fraction=chosen.fraction, seed=0)).name
        most = max(PUBLISHED) / 100
        made = tuple(
            lab.generated(chosen.generation(name, round(count * most)))
            for name, count in lab.counts(real).items()
        )
        arms = (
            Arm("0", "Real images only", real, chosen.trained_with),
            *(self._replaced(lab, real, made, percent) for percent in PUBLISHED),
        )
        notes = (
            "A generator that was trained on all real training images, as the published and the shipped ones were, "
            "cannot add information that these images lack.",
            "The published row of 0% is missing (the text implies 76.63%). The published numbers are single runs and "
            "not monotonic: differences below one point are within the noise of a single run.",
        )
        return Plan(arms, "0", chosen.seeds, notes=notes, updates=chosen.updates)

    def _replaced(self, lab: Lab, real: str, jobs: tuple[int, ...], percent: int) -> Arm:
        """The arm whose view replaces ``percent`` of every class in ``real`` by images of the generation jobs."""
        spec = ViewSpec(base=real, replace=percent / 100, jobs=jobs, seed=percent)
        return Arm(
            str(percent),
            f"{percent}% replaced",
            lab.view(f"{self.prefix}-{percent}", spec).name,
            self.settings.trained_with,
            generator_data=self.settings.seen,
            published={"accuracy": PUBLISHED[percent]},
        )

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """Accuracy over the share of replaced images."""
        from synthaug.experiments.figures import curves

        shares = [float(row.arm) for row in rows]
        ours = [100 * row.accuracy for row in rows]
        spread = [row.interval or (row.accuracy, row.accuracy) for row in rows]
        figure = curves(
            shares,
            {"ours": (ours, [100 * low for low, _ in spread], [100 * high for _, high in spread])},
            x_title="replaced, %",
            y_title="test accuracy, %",
        )
        text = "Test accuracy over the share of replaced real images, with its 95% interval over seeds."
        return (Panel("Accuracy over the share of replaced images", text, figure),)
