"""One class reduced to 1%: seven training sets (active-learning paper), and losses against imbalance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import UserError
from synthaug.experiments.arms import class_weighted, head_refitted, logit_adjusted, real_last
from synthaug.experiments.base import Arm, Contrast, Panel, Plan, Row, ScaleName
from synthaug.experiments.lab import Lab
from synthaug.experiments.settings import CPU, SMOKE, OnImages, Settings
from synthaug.stages.acquire import Acquisition, Search, acquire
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.view import ViewSpec
from synthaug.templates import shipped_template

KEPT = 0.01
"""Share of the minority class that is kept: 50 of 5000."""

PUBLISHED = {
    "imbalanced": (0.8569, 0.0),
    "oversampled": (0.8540, 0.0308),
    "augmented": (0.8541, 0.0561),
    "gan": (0.8566, 0.0995),
    "random": (0.8902, 0.3441),
    "acquired": (0.9081, 0.5137),
    "full": (0.9377, 0.8851),
}
"""Published test accuracy and accuracy of cats; single runs of ResNet-18, at the epoch with the best test accuracy."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Settings of one scale that only this experiment has."""

    pool: float  # generated images per image that is chosen
    rounds: int  # of active learning
    first_epochs: int  # training epochs of the first round
    round_epochs: int  # training epochs of each later round, from the weights of the previous one
    gan_size: str
    gan_epochs: int
    function: str = "entropy"
    agreement_sample: int = 200  # images per round whose scores are compared with those of the full network


SIZES: Mapping[ScaleName, Sizes] = {
    "smoke": Sizes(pool=2, rounds=2, first_epochs=2, round_epochs=1, gan_size="tiny", gan_epochs=40),
    "cpu": Sizes(pool=4, rounds=10, first_epochs=8, round_epochs=2, gan_size="tiny", gan_epochs=150),
    "full": Sizes(pool=20.6, rounds=99, first_epochs=30, round_epochs=3, gan_size="small", gan_epochs=300),
}
SCALES: Mapping[ScaleName, Settings] = {
    "smoke": SMOKE,
    "cpu": replace(
        CPU,
        reduction=f"{CPU.reduction}; a pool four times what is chosen instead of twenty times, 10 rounds instead of "
        "99, and a DCGAN of a sixteenth of the width, 150 epochs, that saw the real cats instead of cat faces",
    ),
    "full": Settings(
        data=None,
        preset="cifar10",
        minority="cat",
        fraction=None,
        recipe=find_recipe("resnet18-100"),
        seeds=5,
        generator="CompVis/stable-diffusion-v1-4",
        steps=100,
        guidance=7.5,
        reduction="the GAN saw CIFAR-10's cats instead of 30,000 cat faces; rounds are warm-started",
    ),
}


class ImbalanceTable(OnImages):
    """Cats reduced to 1%, and the ways to compensate for it."""

    name = "imbalance-table"
    title = "One rare class: seven training sets"
    question = (
        "A class has lost 99% of its images. How much accuracy do generated images recover, and does it help to "
        "choose them by active learning?"
    )
    source = "Stable Diffusion and active learning against imbalance (document 004), table 1"
    scales = SCALES

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        self.sizes = SIZES[scale]
        if "function" in options:
            self.sizes = replace(self.sizes, function=str(options.pop("function")))
        super().__init__(scale, data, **options)

    def prepare(self, lab: Lab) -> Plan:
        """The training sets, in the order of the table."""
        chosen = self.settings
        lab.imported(chosen.data)
        rare = chosen.minority
        full = lab.view(f"{self.prefix}-full", ViewSpec(fraction=chosen.fraction))
        whole = lab.counts(full.name)
        if rare not in whole:
            raise UserError(
                f"there is no class {rare!r}; choose one of {', '.join(whole)} with --option minority=CLASS"
            )
        kept = max(1, round(KEPT * whole[rare]))
        missing = whole[rare] - kept
        scarce = lab.view(f"{self.prefix}-imbalanced", ViewSpec(base=full.name, keep={rare: kept}))
        plain = self._arm("imbalanced", f"Imbalanced ({kept} of {rare})", scarce.name)
        pool = self._drawn(lab, rare, round(self.sizes.pool * missing))
        filled = self._filled(lab, full.name, scarce.name, missing, pool)
        acquired = self._acquired(lab, scarce.name, missing, pool)
        by_learning = f"+ {missing} generated, chosen by active learning"
        return Plan(
            (
                plain,
                class_weighted(plain),
                logit_adjusted(plain),
                head_refitted(plain),
                *filled,
                real_last(filled[-1]),
                head_refitted(filled[-1]),
                self._arm("acquired", by_learning, acquired.view, chosen.seen),
                self._arm("full", "All real images (upper bound)", full.name),
            ),
            plain.name,
            chosen.seeds,
            focus=(rare,),
            updates=chosen.updates,
            notes=self._notes(rare, acquired),
            contrasts=(
                Contrast("acquired", "random", f"+ {missing}: active learning against random"),
                Contrast(
                    "random-head-refitted",
                    "imbalanced-head-refitted",
                    f"Head refitted to the real images: + {missing} at random against none",
                ),
            ),
        )

    def _filled(self, lab: Lab, full: str, scarce: str, missing: int, pool: int) -> tuple[Arm, ...]:
        """The arms whose missing images are repeated, augmented, from a GAN, or drawn from the pool at random."""
        rare = self.settings.minority
        repeated = ViewSpec(base=scarce, oversample=True, oversample_classes=(rare,))
        oversampled = lab.view(f"{self.prefix}-oversampled", repeated)
        augmented = GenerationSpec(
            "augmented", rare, missing, generator="augmentation", start="image", sources=scarce
        )
        gan = GenerationSpec(rare, rare, missing, generator=str(self._gan(lab, full, scarce)))
        jobs = {"augmented": lab.generated(augmented), "gan": lab.generated(gan), "random": pool}
        # Count distinct images, because a collapsed GAN repeats itself.
        added = {name: min(missing, lab.different(job)) for name, job in jobs.items()}
        made = {
            name: lab.view(
                f"{self.prefix}-{name}",
                ViewSpec(base=scarce, add_synthetic={rare: added[name]}, jobs=(job,)),
            ).name
            for name, job in jobs.items()
        }
        from_gan, at_random = f"+ {added['gan']} from a GAN", f"+ {missing} generated, at random"
        return (
            self._arm("oversampled", "Oversampled", oversampled.name),
            self._arm("augmented", "Oversampled, augmented", made["augmented"]),
            self._arm("gan", from_gan, made["gan"], self.settings.generator_data),
            self._arm("random", at_random, made["random"], self.settings.seen),
        )

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """The figure of the paper: principal components of features from the model trained on the full set."""
        from synthaug.experiments.figures import pca_panel

        arms = {arm.name: arm for arm in plan.arms}
        full = arms["full"]
        rare = self.settings.minority
        size = full.recipe.image_size
        real = lab.pixels_of_view(full.view, size, class_name=rare)
        groups = {f"real {rare}": real}
        for name, title in (("random", "at random"), ("acquired", "chosen by active learning")):
            groups[f"generated, {title}"] = lab.pixels_of_view(arms[name].view, size, "synthetic")
        sentence = (
            f"Penultimate features of the classifier trained on all real images, for the real images of {rare} and "
            "for the generated ones, on the first two principal components of the real ones."
        )
        judge = lab.classifier(full.view, full.recipe)
        return (pca_panel(judge, groups, "Where the generated images lie", sentence),)

    def _arm(self, name: str, title: str, view: str, generator_data: Any = "none") -> Arm:
        accuracy, rare = PUBLISHED[name]
        published = {"accuracy": accuracy, self.settings.minority: rare}
        return Arm(name, title, view, self.settings.trained_with, generator_data, published)

    def _drawn(self, lab: Lab, rare: str, count: int) -> int:
        """The generation job of the pool: the paper's template for cats, a diverse template for any other class."""
        spec = self.settings.generation(rare, count)
        return lab.generated(replace(spec, template=shipped_template("cat")) if rare == "cat" else spec)

    def _gan(self, lab: Lab, full: str, scarce: str) -> Path:
        """The folder of a DCGAN trained on all real images of the class, or only on the remaining ones."""
        return lab.trained_generator(
            f"{self.prefix}-gan",
            "gan",
            full if self.settings.generator_data == "full" else scarce,
            label=self.settings.minority,
            size=self.sizes.gan_size,
            steps=self.sizes.gan_epochs,
        )

    def _acquired(self, lab: Lab, scarce: str, missing: int, pool: int) -> Acquisition:
        """The images that active learning chose from the pool."""
        sizes = self.sizes
        lab.say(f"choosing {missing} images from the pool in {sizes.rounds} rounds, by {sizes.function}")
        return acquire(
            lab.workspace,
            f"{self.prefix}-acquired",
            scarce,
            Search(
                label=self.settings.minority,
                add=missing,
                per_round=-(-missing // sizes.rounds),
                function=sizes.function,
                epochs_first=sizes.first_epochs,
                epochs_a_round=sizes.round_epochs,
                jobs=(pool,),
                agreement_sample=sizes.agreement_sample,
            ),
            replace(self.settings, epochs=sizes.first_epochs).trained_with,
            progress=lab.report,
        )

    def _notes(self, rare: str, acquired: Acquisition) -> tuple[str, ...]:
        generator = self.settings.generator
        agreements = [each.rank_agreement for each in acquired.rounds if each.rank_agreement is not None]
        left_out = sum(each.left_out for each in acquired.rounds) / len(acquired.rounds)
        agreed = (
            "The rank correlation between scores with dropout in the head and in the whole network is "
            f"{min(agreements):.2f} to {max(agreements):.2f}."
            if agreements
            else ""
        )
        leak = (
            f"was trained on real images of {rare} that the imbalanced set lacks, which flatters what it adds"
        )
        sentences = ["The published GAN and Stable Diffusion were trained on other images of cats."]
        sentences += [f"The generator {generator!r} {leak}."] if self.settings.seen == "full" else []
        sentences += [f"The GAN {leak}."] if self.settings.generator_data == "full" else []
        return (
            " ".join(sentences),
            f"Active learning: {len(acquired.rounds)} rounds by {self.sizes.function} with 20 Monte Carlo passes of "
            "the head. The classifier of each round starts from the weights of the previous one. On average, "
            f"{left_out:.0f} images of the pool were excluded per round because they are farther from the real images "
            "than 99% of these are from each other. " + agreed,
            "The published numbers are single runs at the epoch with the best test accuracy; ours are means over seeds "
            "at the last epoch.",
        )
