"""FID and KID of 10,000 generated and 10,000 real images from ready features, beside torchmetrics.

    python -m benchmarks.peers.fidelity

Only the arithmetic is compared: the features (512 a row) are drawn, and torchmetrics gets a network that hands them on.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .common.claim import Action, Claim, Row, Side
from .common.turns import main

COUNT, SIZE, SUBSETS, SUBSET_SIZE = 10_000, 512, 50, 1000


def prepare(data: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((SIZE, SIZE)) / SIZE**0.5
    for name, shift in (("real", 0.0), ("generated", 0.1)):
        rows = rng.standard_normal((COUNT, SIZE)) @ mixing + shift
        np.save(data / f"{name}.npy", rows.astype(np.float32))


def ours(data: Path) -> Action:
    import numpy as np

    from synthaug.measures.fidelity import fid, kid

    real, generated = np.load(data / "real.npy"), np.load(data / "generated.npy")

    def work() -> dict[str, float]:
        began = time.perf_counter()
        distance = fid(generated, real)
        middle = time.perf_counter()
        kid(generated, real, subsets=SUBSETS, subset_size=SUBSET_SIZE)
        end = time.perf_counter()
        return {"fid_seconds": middle - began, "kid_seconds": end - middle, "fid": round(distance, 2)}

    return work


def torchmetrics(data: Path) -> Action:
    import numpy as np
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    class Ready(torch.nn.Module):
        """Hands features on."""

        num_features = SIZE

        def forward(self, features: Any) -> Any:
            return features

    real, generated = (torch.from_numpy(np.load(data / f"{name}.npy")) for name in ("real", "generated"))

    def value(metric: Any) -> Any:
        metric.update(real, real=True)
        metric.update(generated, real=False)
        return metric.compute()

    def work() -> dict[str, float]:
        began = time.perf_counter()
        distance = value(FrechetInceptionDistance(feature=Ready()))
        middle = time.perf_counter()
        value(KernelInceptionDistance(feature=Ready(), subsets=SUBSETS, subset_size=SUBSET_SIZE))
        end = time.perf_counter()
        return {"fid_seconds": middle - began, "kid_seconds": end - middle, "fid": round(float(distance), 2)}

    return work


def products(data: Path) -> Action:
    import numpy as np
    import torch

    real, generated = (np.load(data / f"{name}.npy") for name in ("real", "generated"))

    def work() -> dict[str, float]:
        began = time.perf_counter()
        for each in (real, generated):
            exact = each.astype(np.float64)
            covariance = exact.T @ exact
        np.linalg.eigvalsh(covariance)
        middle = time.perf_counter()
        pair = [torch.from_numpy(each[:SUBSET_SIZE]) for each in (real, generated)]
        for _ in range(SUBSETS):
            for x, y in ((0, 0), (0, 1)):  # two are symmetric, and count half
                torch.mm(pair[x], pair[y].T)
        return {"fid_seconds": middle - began, "kid_seconds": time.perf_counter() - middle}

    return work


CLAIM = Claim(
    "fidelity",
    "FID and KID",
    (
        Side("synthaug", ours, role="ours"),
        Side("torchmetrics", torchmetrics, ("torchmetrics[image]==1.9.0", "torch==2.15.0")),
        Side("floor", products, role="floor"),
    ),
    (
        Row("fid_seconds", f"FID of {COUNT:,} and {COUNT:,} rows of {SIZE} features"),
        Row("kid_seconds", f"KID of the same, {SUBSETS} subsets of {SUBSET_SIZE:,}"),
    ),
    floor="FID: two covariances and one set of eigenvalues in float64; KID: its matrix products in float32, "
    "every pair of rows once",
    notes="Both sides give the same FID to two decimals. KID has float32 kernels on both sides, and float64 sums of "
    "their rows on ours.",
    same=("fid",),
    prepare=prepare,
)

if __name__ == "__main__":
    main(CLAIM)
