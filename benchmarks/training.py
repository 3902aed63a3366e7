"""Training speed: our loop on one uint8 tensor against a plain DataLoader with PIL transforms.

    python benchmarks/training.py [--images N] [--epochs E] [--workers W]

Both train the same small network from scratch on the same random 32x32 images with the same optimizer, batch
size, random crop (pad 4) and flip, one after the other in one process. The first epoch of each warms up and
is not counted.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from synthaug.classifiers.fit import fit
from synthaug.classifiers.networks import build
from synthaug.classifiers.optimisation import make_optimizer
from synthaug.classifiers.recipes import RECIPES, Recipe


class PilDataset(Dataset[tuple[torch.Tensor, int]]):
    """What torchvision's CIFAR10 does: one PIL image and its transforms an item."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((0.5, 0.5, 0.5), (0.29, 0.29, 0.29)),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])


def ours(images: np.ndarray, labels: np.ndarray, recipe: Recipe) -> list[float]:
    """Images a second of each epoch."""
    reports: list[dict[str, Any]] = []
    fit(images, labels, 10, recipe, seed=0, progress=reports.append)
    return [report["images_per_second"] for report in reports]


def plain(images: np.ndarray, labels: np.ndarray, recipe: Recipe, workers: int) -> list[float]:
    """Images a second of each epoch."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loader = DataLoader(PilDataset(images, labels), recipe.batch_size, shuffle=True, num_workers=workers)
    network = build(recipe.network, 10).to(device)
    optimizer = make_optimizer(network, recipe)
    speeds = []
    for _ in range(recipe.epochs):
        started = time.perf_counter()
        for x, y in loader:
            loss = torch.nn.functional.cross_entropy(network(x.to(device)), y.to(device))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        speeds.append(len(images) / (time.perf_counter() - started))
    return speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=5_000, metavar="N")
    parser.add_argument("--epochs", type=int, default=4, metavar="E")
    parser.add_argument("--workers", type=int, default=2, metavar="W", help="processes of the DataLoader")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (options.images, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, options.images)
    recipe = replace(RECIPES["small-cnn"], epochs=options.epochs)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads; {options.images:,} images of 32x32, {recipe.network}"
    )
    cases = {"ours": ours(images, labels, recipe), "DataLoader, in process": plain(images, labels, recipe, 0)}
    if options.workers:
        cases[f"DataLoader, {options.workers} workers"] = plain(images, labels, recipe, options.workers)
    for name, speeds in cases.items():
        counted = speeds[1:]
        print(f"{name:<24}{np.median(counted):>8,.0f} images/s ({min(counted):,.0f}-{max(counted):,.0f})")


if __name__ == "__main__":
    main()
