"""Images a second and memory of generation, beside the pipelines of diffusers with the same weights.

    python -m benchmarks.peers.generation

The loops are those of benchmarks/generation.py: the embedded model, with its own scheduler, steps, guidance and batch
size, on both sides.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .common.claim import Action, Claim, Row, Side
from .common.machine import multiplies_bfloat16
from .common.turns import main

COUNT = 32

RATE = (
    "both sides compute the same networks in float32 where a processor has no units for bfloat16, so that neither can "
    "be much faster than the other."
)
MEMORY = "the networks alone, as the floor runs them, take as much."


def loop(which: str, **options: str) -> Any:
    """A side that generates ``COUNT`` images a round."""

    def setup(_: Path) -> Action:
        from benchmarks import generation

        if options.get("cpu_format") == "bfloat16" and not multiplies_bfloat16():
            raise RuntimeError("this processor has no units for bfloat16")
        draw, batch = getattr(generation, which)("text", generation.MODEL, **options)
        requests = generation.requests_of("text", COUNT)

        def work() -> dict[str, float]:
            began = time.perf_counter()
            drawn = draw(requests)
            return {"rate": drawn / (time.perf_counter() - began), "images": drawn, "batch": batch}

        return work

    return setup


def operations(_: Path) -> Action:
    """The multiplications of the stock loop at the measured speed of a large matrix product."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks import generation

    draw, batch = generation.stock("text", generation.MODEL)
    with FlopCounterMode(display=False) as counter:
        draw(generation.requests_of("text", batch))
    an_image = counter.get_total_flops() / batch

    def work() -> dict[str, float]:
        left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)
        left @ right
        began = time.perf_counter()
        left @ right
        return {"rate": 2 * 2048**3 / (time.perf_counter() - began) / an_image}

    return work


CLAIM = Claim(
    "generation",
    "Generation",
    (
        Side("synthaug", loop("ours"), role="ours"),
        Side("diffusers in float32, its default", loop("stock"), shown="diffusers"),
        Side("diffusers in bfloat16", loop("stock", cpu_format="bfloat16"), shown="diffusers"),
        Side("floor", operations, role="floor"),
    ),
    (
        Row("rate", "Generation with the embedded model, 32 px", "images/s", True, RATE),
        Row("peak_mb", "Peak memory of the same", "MB", why=MEMORY),
    ),
    floor="the multiplications of all networks, in float32, at the speed of a product of two 2048 × 2048 matrices",
    notes="Ours computes its networks in bfloat16 where the CPU has units for it, and the sampler in float32; its "
    "pixels are 0.4 of 255 levels off those of float32 on average. It draws each image from its own seed, whatever the "
    "batch.",
    same=("images", "batch"),
    rounds=3,
)

if __name__ == "__main__":
    main(CLAIM)
