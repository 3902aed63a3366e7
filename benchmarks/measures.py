"""Time and peak memory of PCA, exact nearest neighbours, near-duplicates and UMAP.

    python benchmarks/measures.py [--size D] [--large]

Each measurement runs in its own process, so that peak memory is measured separately; importing the library is not
timed. ``--large`` adds 100,000 rows for PCA and neighbours. Features are 10 Gaussian clusters, roughly like the
penultimate features of a network with 10 classes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.neighbors import near_duplicates, nearest_neighbors
from synthaug.measures.projection import pca
from synthaug.measures.umap_fit import umap

MEASURES: dict[str, Callable[[NDArray[np.float32]], object]] = {
    "pca": pca,
    "neighbors": lambda features: nearest_neighbors(features, 10),
    "duplicates": lambda features: near_duplicates(features, 0.1),
    "umap": lambda features: umap(features, seed=0),
}


def make_features(count: int, size: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, size)) * 3
    return (centres[rng.integers(0, 10, count)] + rng.normal(size=(count, size))).astype(np.float32)


def measure(name: str, count: int, size: int) -> dict[str, float]:
    import torch

    if name == "umap":
        umap(make_features(50, size), seed=0)  # compiles
    else:
        torch.ones(2, 2) @ torch.ones(2, 2)
    features = make_features(count, size)
    started = time.perf_counter()
    MEASURES[name](features)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=64, metavar="D", help="features per row (default 64)")
    parser.add_argument("--large", action="store_true", help="add 100,000 rows for pca and neighbors")
    parser.add_argument("--one", nargs=2, metavar=("MEASURE", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], int(options.one[1]), options.size)))
        return
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, D = {options.size}"
    )
    print(f"{'measure':<12}{'rows':>9}{'seconds':>10}{'peak MiB':>10}")
    cases = [(name, count) for name in MEASURES for count in (1_000, 5_000, 20_000)]
    if options.large:
        cases += [(name, 100_000) for name in ("pca", "neighbors")]
    for name, count in cases:
        command = [sys.executable, __file__, "--size", str(options.size), "--one", name, str(count)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures = json.loads(output.splitlines()[-1])
        print(f"{name:<12}{count:>9,}{figures['seconds']:>10.2f}{figures['peak_mib']:>10.0f}", flush=True)


if __name__ == "__main__":
    main()
