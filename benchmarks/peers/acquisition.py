"""Active-learning scores of 100,000 images from 20 Monte Carlo passes, beside baal and scikit-activeml.

    python -m benchmarks.peers.acquisition

Each side gets the probabilities in the layout that it asks for. Only the scores are compared; benchmarks/acquisition.py
measures the passes themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .common.claim import Action, Claim, Row, Side
from .common.turns import main

COUNT, PASSES, CLASSES = 100_000, 20, 10
WHY = "ours takes its logarithms in float64, so that scores near 0 are not lost in rounding."


def prepare(data: Path) -> None:
    """Class probabilities (T, N, K)."""
    import numpy as np

    weights = np.random.default_rng(0).standard_exponential((PASSES, COUNT, CLASSES), np.float32)
    np.save(data / "passes.npy", weights / weights.sum(2, keepdims=True))


def each_timed(scores: Mapping[str, Callable[[], Any]]) -> Action:
    """A round of several scores; their sums show that they agree."""

    def work() -> dict[str, float]:
        figures = {}
        for name, score in scores.items():
            began = time.perf_counter()
            values = score()
            figures[f"{name}_seconds"] = time.perf_counter() - began
            figures[name] = float(f"{float(values.mean()):.3g}")
        return figures

    return work


def ours(data: Path) -> Action:
    import numpy as np

    from synthaug.measures.acquisition import bald, entropy, margin

    passes = np.load(data / "passes.npy")
    single = passes[0]
    return each_timed(
        {
            "bald": lambda: bald(passes),
            "entropy": lambda: entropy(single),
            "margin": lambda: margin(single),
        }
    )


def baal(data: Path) -> Action:
    import numpy as np
    from baal.active.heuristics import BALD, Entropy

    passes = np.ascontiguousarray(np.load(data / "passes.npy").transpose(1, 2, 0))  # (N, K, T)
    single = np.ascontiguousarray(passes[:, :, 0])
    return each_timed(
        {
            "bald": lambda: BALD().get_uncertainties(passes),
            "entropy": lambda: Entropy().get_uncertainties(single[:, :, None]),
        }
    )


def scikit_activeml(data: Path) -> Action:
    import numpy as np
    from skactiveml.pool import uncertainty_scores

    single = np.load(data / "passes.npy")[0].astype(np.float64)
    single /= single.sum(1, keepdims=True)
    return each_timed(
        {
            "entropy": lambda: uncertainty_scores(single, method="entropy"),
            "margin": lambda: uncertainty_scores(single, method="margin_sampling"),
        }
    )


def logarithms(data: Path) -> Action:
    import numpy as np

    passes = np.load(data / "passes.npy")
    single = passes[0]

    def work() -> dict[str, float]:
        times = [time.perf_counter()]
        for action in (lambda: np.log(passes), lambda: np.log(single), lambda: single.max(1)):
            action()
            times.append(time.perf_counter())
        names = ("bald_seconds", "entropy_seconds", "margin_seconds")
        return {name: times[at + 1] - times[at] for at, name in enumerate(names)}

    return work


CLAIM = Claim(
    "acquisition",
    "Active-learning scores",
    (
        Side("synthaug", ours, role="ours"),
        Side("baal", baal, ("baal==2.1.0", "torch==2.15.0", "structlog")),
        Side("scikit-activeml", scikit_activeml, ("scikit-activeml==1.0.1",)),
        Side("floor", logarithms, role="floor"),
    ),
    (
        Row("bald_seconds", f"BALD of {COUNT:,} images, {PASSES} passes, {CLASSES} classes", why=WHY),
        Row("entropy_seconds", f"Entropy of {COUNT:,} images, one pass", why=WHY),
        Row("margin_seconds", f"Margin of {COUNT:,} images, one pass"),
    ),
    floor="one logarithm of every probability in float32 (BALD, entropy); one maximum over every row (margin)",
    notes="scikit-activeml wants float64 and gets it ready made.",
    same=("bald", "entropy", "margin"),
    prepare=prepare,
)

if __name__ == "__main__":
    main(CLAIM)
