"""One rare class on features of a pretrained network: every seed keeps other images and adds other generated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.linear import head_probabilities
from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import UserError
from synthaug.experiments.arms import class_weighted, features_drawn, logit_adjusted
from synthaug.experiments.base import Arm, Contrast, Panel, Plan, Row, ScaleName
from synthaug.experiments.gap import gap_panel
from synthaug.experiments.lab import Lab
from synthaug.experiments.settings import CPU, SMOKE, OnImages, Settings
from synthaug.measures.acquisition import entropy
from synthaug.measures.neighbors import nearest_neighbors
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.view import ViewSpec

NEIGHBORS = 5  # of the remaining real images, to which a generated one should be close
HEAD = find_recipe("linear")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of images of one scale."""

    kept: int  # of the rare class
    added: int  # generated, augmented, or further real images
    pool: int  # generated images to choose from


SIZES: Mapping[ScaleName, Sizes] = {
    "smoke": Sizes(kept=4, added=8, pool=16),
    "cpu": Sizes(kept=50, added=1000, pool=2000),
    "full": Sizes(kept=50, added=4950, pool=19_800),
}
SCALES: Mapping[ScaleName, Settings] = {
    "smoke": replace(SMOKE, recipe=HEAD, epochs=None),
    "cpu": replace(
        CPU,
        fraction=None,
        recipe=HEAD,
        seeds=5,
        epochs=None,
        reduction="1,000 generated images instead of as many as are missing, from the embedded generator (32 px, 10.7 "
        "million parameters)",
    ),
    "full": Settings(
        data=None,
        preset="cifar10",
        minority="cat",
        fraction=None,
        recipe=HEAD,
        seeds=10,
        generator="CompVis/stable-diffusion-v1-4",
    ),
}


class RareClass(OnImages):
    """A class reduced to a few images, and a logistic regression that is always fitted until it converges."""

    name = "rare-class"
    title = "One rare class, on pretrained features"
    question = (
        "A class has lost 99% of its images. What do generated images add where the features are good already, and "
        "every classifier is trained to its end?"
    )
    source = "the question of document 004, with logistic regression on ImageNet features; no document has this table"
    scales = SCALES

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        super().__init__(scale, data, **options)
        self.sizes = SIZES[scale]

    def prepare(self, lab: Lab) -> Plan:
        """The training sets of every seed: remedies without new images, and several kinds of new ones."""
        chosen, sizes = self.settings, self.sizes
        lab.imported(chosen.data)
        rare = chosen.minority
        full = lab.view(f"{self.prefix}-full", ViewSpec(fraction=chosen.fraction)).name
        have = lab.counts(full)
        if have.get(rare, 0) < sizes.kept + sizes.added:
            raise UserError(
                f"the class {rare!r} needs at least {sizes.kept + sizes.added} real training images, and has "
                f"{have.get(rare, 0)}; choose another with --option minority=CLASS"
            )
        pool = lab.generated(chosen.generation(rare, sizes.pool))
        seeds = range(chosen.seeds)
        scarce = [
            self._view(lab, "imbalanced", seed, ViewSpec(base=full, keep={rare: sizes.kept}))
            for seed in seeds
        ]
        plain = self._arm("imbalanced", f"Imbalanced ({sizes.kept} of {rare})", scarce)
        more = [
            self._view(lab, "more", seed, ViewSpec(base=full, keep={rare: sizes.kept + sizes.added}))
            for seed in seeds
        ]
        return Plan(
            (
                plain,
                class_weighted(plain),
                logit_adjusted(plain),
                features_drawn(plain),
                self._augmented(lab, scarce),
                self._at_random(lab, scarce, pool),
                self._nearest(lab, scarce, pool),
                self._unsure(lab, scarce, pool),
                self._arm("more", f"+ {sizes.added} further real ones", more),
                self._arm("full", f"All real images ({have[rare]} of {rare})", [full] * chosen.seeds),
            ),
            plain.name,
            chosen.seeds,
            focus=(rare,),
            updates=chosen.updates,
            notes=self._notes(),
            contrasts=tuple(
                Contrast(name, "imbalanced-logit-adjusted", f"{title} against logit-adjusted loss")
                for name, title in (
                    ("random", "Generated, at random,"),
                    ("nearest", "Generated, nearest,"),
                    ("unsure", "Generated, least sure,"),
                )
            ),
        )

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        """How much of the loss each arm recovers."""
        return (gap_panel(rows, plan.baseline, "full", self.settings.minority),)

    def _augmented(self, lab: Lab, scarce: Sequence[str]) -> Arm:
        """The arm with distorted copies of the remaining real images, other ones for every seed."""
        rare, added = self.settings.minority, self.sizes.added
        made = []
        for seed, base in enumerate(scarce):
            spec = GenerationSpec(
                "augmented", rare, added, generator="augmentation", start="image", sources=base, seed=seed
            )
            made.append(self._filled(lab, "augmented", seed, base, lab.generated(spec)))
        return self._arm("augmented", f"+ {added} distorted copies", made)

    def _at_random(self, lab: Lab, scarce: Sequence[str], pool: int) -> Arm:
        made = [self._filled(lab, "random", seed, base, pool) for seed, base in enumerate(scarce)]
        return self._arm("random", f"+ {self.sizes.added} generated, at random", made, self.settings.seen)

    def _unsure(self, lab: Lab, scarce: Sequence[str], pool: int) -> Arm:
        """The arm with the generated images that the classifier of the imbalanced set is least sure about."""
        hashes = lab.hashes_of_job(pool)
        features = lab.features(hashes)

        def entropies(seed: int, base: str) -> NDArray[np.float64]:
            head = lab.classifier(base, self.settings.trained_with, seed)
            return entropy(head_probabilities(head, features)[None])

        made = [
            self._chosen(lab, "unsure", seed, base, hashes, -entropies(seed, base))
            for seed, base in enumerate(scarce)
        ]
        title = f"+ {self.sizes.added} generated, of {self.sizes.pool} those classified least surely"
        return self._arm("unsure", title, made, self.settings.seen)

    def _nearest(self, lab: Lab, scarce: Sequence[str], pool: int) -> Arm:
        """The arm with the generated images that lie closest to the remaining real ones, by their features."""
        rare, added = self.settings.minority, self.sizes.added
        hashes = lab.hashes_of_job(pool)
        features, made = lab.features(hashes), []
        for seed, base in enumerate(scarce):
            real = lab.features(lab.hashes_of_view(base, class_name=rare))
            distances = nearest_neighbors(features, min(NEIGHBORS, len(real)), real)[0][:, -1]
            made.append(self._chosen(lab, "nearest", seed, base, hashes, distances))
        title = f"+ {added} generated, of {self.sizes.pool} the closest to the real ones"
        return self._arm("nearest", title, made, self.settings.seen)

    def _chosen(
        self,
        lab: Lab,
        name: str,
        seed: int,
        base: str,
        hashes: Sequence[str],
        order: NDArray[np.floating[Any]],
    ) -> str:
        """The view with the images (N) that come first by ascending ``order`` (N,)."""
        first = np.argsort(order, kind="stable")[: self.sizes.added]
        return self._view(lab, name, seed, ViewSpec(base=base, images=tuple(hashes[each] for each in first)))

    def _filled(self, lab: Lab, name: str, seed: int, base: str, job: int) -> str:
        added = {self.settings.minority: min(self.sizes.added, lab.different(job))}
        return self._view(lab, name, seed, ViewSpec(base=base, add_synthetic=added, jobs=(job,)))

    def _view(self, lab: Lab, name: str, seed: int, spec: ViewSpec) -> str:
        """The name of the view of one seed, which decides all that is drawn."""
        return lab.view(f"{self.prefix}-{name}-{seed}", replace(spec, seed=seed)).name

    def _arm(self, name: str, title: str, views: Sequence[str], generator_data: Any = "none") -> Arm:
        first, *others = views
        return Arm(name, title, first, self.settings.trained_with, generator_data, redrawn=tuple(others))

    def _notes(self) -> tuple[str, ...]:
        chosen = self.settings
        seen = (
            f"The generator {chosen.generator!r} was trained on real images of {chosen.minority} that the imbalanced "
            "set lacks, which flatters what its images add."
        )
        return (
            "The features are those of an EfficientNet-Lite0 trained on ImageNet, which has images of many classes, "
            "cats among them. All classifiers are logistic regressions on them, fitted until they converge, so that no "
            "arm gains by longer training.",
            "Every seed keeps other real images, draws other generated ones and divides the images into other folds; "
            "the intervals cover all of this. Only the pool of generated images is the same.",
            *([seen] if chosen.seen == "full" else []),
            "Features drawn by a diffusion model fill up the rare class to the size of the others (after LDMLR); the "
            "model learns only the features of the arm's own images.",
            "The images that a classifier is least sure about are those with the highest entropy of its predictions; "
            "Deliberate Practice (Askari-Hemmat et al. 2025) guides the generator towards such images, and here they "
            "are chosen from the pool.",
        )
