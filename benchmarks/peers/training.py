"""Images a second in training, beside a torchvision DataLoader loop and airbench, all on the same network.

    python -m benchmarks.peers.training

The loops are those of benchmarks/training.py: the network of the recipe "cifar10-fast", random 32-px images, the same
optimizer, crops and flips. A round is one epoch; making the network is not counted. airbench runs on CUDA only.
bfloat16 is measured only where the processor has units for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .common.claim import Action, Claim, Row, Side
from .common.machine import multiplies_bfloat16
from .common.turns import main

COUNT, EPOCHS = 2048, 2


def recipe(precise: bool) -> Any:
    """The recipe, for the epochs of one round."""
    from dataclasses import replace

    from synthaug.classifiers.recipes import RECIPES

    given = {"epochs": EPOCHS, "warmup_epochs": 1, "crop_padding": 4, "cpu_threads": None}
    return replace(RECIPES["cifar10-fast"], mixed_precision=not precise, **given)


def random_images() -> tuple[Any, Any]:
    """Images (N, 32, 32, 3) uint8 and labels (N,)."""
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, COUNT)


def rates(rate: Callable[[bool], float]) -> Action:
    """A round with the rates in float32 (``rate(True)``) and, if the processor has units for it, in bfloat16."""

    def work() -> dict[str, float]:
        found = {"float32_rate": rate(True)}
        if multiplies_bfloat16():
            found["bfloat16_rate"] = rate(False)
        return found

    return work


def ours(_: Path) -> Action:
    from benchmarks.training import ours as epochs

    images, labels = random_images()

    return rates(lambda precise: epochs(images, labels, recipe(precise))[-1])


def dataloader(workers: int) -> Any:
    """The plain loop with this many worker processes; once more with bfloat16 as torch's autocast gives it."""

    def setup(_: Path) -> Action:
        import torch

        from benchmarks.training import plain

        images, labels = random_images()

        def rate(precise: bool) -> float:
            with torch.autocast("cpu", torch.bfloat16, enabled=not precise):
                return plain(images, labels, recipe(True), workers)[-1]

        return rates(rate)

    return setup


def airbench(_: Path) -> Action:
    import torch
    from airbench import train94

    if not torch.cuda.is_available():
        raise RuntimeError("it trains on CUDA only, and there is no GPU here")

    def work() -> dict[str, float]:
        began = time.perf_counter()
        train94(epochs=EPOCHS)
        return {"bfloat16_rate": EPOCHS * 50_000 / (time.perf_counter() - began)}

    return work


def operations(_: Path) -> Action:
    """The multiplications of one epoch at the measured speed of a large matrix product."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from synthaug.classifiers.networks import build, initialise

    network, batch = build(recipe(True).network, 10), torch.randn(64, 3, 32, 32)
    initialise(network, torch.Generator().manual_seed(0), batch)
    with FlopCounterMode(display=False) as counter:
        network(batch).sum().backward()
    an_image = counter.get_total_flops() / len(batch)

    def rate(precise: bool) -> float:
        dtype = torch.float32 if precise else torch.bfloat16
        left, right = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
        left @ right
        began = time.perf_counter()
        left @ right
        return 2 * 2048**3 / (time.perf_counter() - began) / an_image

    return rates(rate)


CLAIM = Claim(
    "training",
    "Training",
    (
        Side("synthaug", ours, role="ours"),
        Side("DataLoader in process", dataloader(0), shown="torchvision"),
        Side("DataLoader with 2 workers", dataloader(2), shown="torchvision"),
        Side("airbench", airbench, ("airbench==0.1.8", "torch==2.15.0", "torchvision==0.29.2")),
        Side("floor", operations, role="floor"),
    ),
    (
        Row("float32_rate", "Training in float32, network of cifar10-fast", "images/s", True),
        Row("bfloat16_rate", "Training in bfloat16, same network", "images/s", True, optional=True),
    ),
    floor="the multiplications of forward and backward pass, at the speed of a product of two 2048 × 2048 matrices",
    notes="Ours also keeps a moving average of the weights; the DataLoader loops do not.",
    rounds=3,
)

if __name__ == "__main__":
    main(CLAIM)
