"""Time and memory of all measures on a pool of synthetic images, from 1,000 to 101,915 as in the active-learning paper.

    python benchmarks/pool.py [--sizes 1000,10000,50000,101915] [--features 512] [--only knn] [--threads 2]

Each measure runs at each size in its own process. Printed are the seconds, the peak memory (and how much of it was used
before the measure started, by arrays and imports), and the exponent of growth from the previous size.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

PASSES, CLASSES, TARGETS = 20, 10, 200
Features = NDArray[np.float32]


def features_of(count: int, size: int) -> Features:
    """Rows (N, D) in a hundred clusters, of which every hundredth is a near-duplicate of another."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((100, size), np.float32)
    rows = centres[rng.integers(0, 100, count)] + rng.standard_normal((count, size), np.float32)
    rows[1::100] = rows[::100][: len(rows[1::100])] + np.float32(1e-4)
    return rows


def passes_of(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Class probabilities (T, N, K)."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_exponential((PASSES, count, CLASSES), np.float32)
    weights /= weights.sum(2, keepdims=True)
    return weights


def acquisition(count: int, _: int) -> Callable[[], object]:
    from synthaug.measures.acquisition import ACQUISITIONS, posterior_of

    passes = passes_of(count)
    return lambda: [posterior_of(passes, 3), *(score(passes) for score in ACQUISITIONS.values())]


def expected_gain(count: int, _: int) -> Callable[[], object]:
    from synthaug.measures.acquisition import epig

    passes, targets = passes_of(count), passes_of(TARGETS, 1)
    return lambda: epig(passes, targets)


def components(count: int, size: int) -> Callable[[], object]:
    from synthaug.measures.projection import pca

    rows = features_of(count, size)
    return lambda: pca(rows)


def knn(count: int, size: int) -> Callable[[], object]:
    import torch  # noqa: F401  (imported before the measurement starts)

    from synthaug.measures.neighbors import nearest_neighbors

    rows = features_of(count, size)
    return lambda: nearest_neighbors(rows, 10)


def duplicates(count: int, size: int) -> Callable[[], object]:
    import torch  # noqa: F401

    from synthaug.measures.neighbors import near_duplicates

    rows = features_of(count, size)

    def find() -> object:
        found = int((near_duplicates(rows, 0.1) >= 0).sum())
        if found != len(rows[1::100]):
            raise RuntimeError(f"{found} near duplicates were found, not {len(rows[1::100])}")
        return found

    return find


MEASURES: dict[str, Callable[[int, int], Callable[[], object]]] = {
    "acquisition": acquisition,
    "epig": expected_gain,
    "pca": components,
    "knn": knn,
    "duplicates": duplicates,
}


def held() -> float:
    """Peak memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(name: str, count: int, size: int, threads: int) -> dict[str, float]:
    """Measure in a new process."""
    command = [sys.executable, __file__, "--alone", name, "--sizes", str(count), "--features", str(size)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    loaded: dict[str, float] = json.loads(done.stdout)
    return loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,50000,101915", metavar="N,N...")
    parser.add_argument("--features", type=int, default=512, metavar="D", help="(default 512)")
    parser.add_argument("--only", choices=list(MEASURES), action="append", help="these measures only")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), metavar="N", help="(default: cores)")
    parser.add_argument("--alone", choices=list(MEASURES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = [int(each) for each in options.sizes.split(",")]
    if options.alone:
        work = MEASURES[options.alone](sizes[0], options.features)
        before, started = held(), time.perf_counter()
        work()
        print(json.dumps({"seconds": time.perf_counter() - started, "before": before, "peak": held()}))
        return
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {options.threads} threads, load {load:.1f}; D = {options.features}")
    print(f"{'':<14}{'N':>8}{'s':>9}{'peak MB':>10}{'of it before':>14}{'growth':>9}")
    for name in options.only or MEASURES:
        last: tuple[int, float] | None = None
        for count in sizes:
            found = alone(name, count, options.features, options.threads)
            growth = math.log(found["seconds"] / last[1]) / math.log(count / last[0]) if last else math.nan
            print(
                f"{name:<14}{count:>8}{found['seconds']:>9.2f}{found['peak']:>10.0f}{found['before']:>14.0f}"
                f"{growth:>9.2f}",
                flush=True,
            )
            last = count, found["seconds"]


if __name__ == "__main__":
    main()
