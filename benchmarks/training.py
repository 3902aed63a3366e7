"""Training speed: our loop on one uint8 tensor, compared with a plain DataLoader with PIL transforms.

    python benchmarks/training.py [--images N] [--epochs E] [--threads T]

All loops train the network of the recipe "cifar10-fast" from scratch on the same random 32x32 images with the same
optimizer, batch size, random crop (padding 4) and flip, one after the other in one process. The first epoch of each
is a warm-up and not counted. Ours runs in float32, for a fair comparison, and as in the recipe, with bfloat16
products where the hardware supports them. Both also maintain the moving average of the weights, which the plain loop
does not.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from synthaug.classifiers.fit import fit
from synthaug.classifiers.networks import build, choose_device
from synthaug.classifiers.optimisation import make_optimizer
from synthaug.classifiers.recipes import RECIPES, Recipe
from synthaug.hardware import describe_device, multiplies_bfloat16


class PilDataset(Dataset[tuple[torch.Tensor, int]]):
    """A dataset like torchvision's CIFAR10, with one PIL image and its transforms per item."""

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
    """Images per second of each epoch with our loop."""
    reports: list[dict[str, Any]] = []
    fit(images, labels, 10, recipe, seed=0, progress=reports.append)
    return [report["images_per_second"] for report in reports]


def plain(images: np.ndarray, labels: np.ndarray, recipe: Recipe, workers: int) -> list[float]:
    """Images per second of each epoch with a DataLoader."""
    torch.manual_seed(0)
    device = choose_device(None)
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


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=2_048, metavar="N")
    parser.add_argument(
        "--epochs", type=int, default=4, metavar="E", help="the first is a warm-up and not counted"
    )
    parser.add_argument(
        "--threads", type=int, default=1, metavar="T", help="threads of torch, for every loop"
    )
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("--epochs must be at least 2: the first is not counted")
    return options


def main() -> None:
    options = parsed()
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (options.images, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, options.images)
    recipe = replace(
        RECIPES["cifar10-fast"],
        epochs=options.epochs,
        warmup_epochs=1,
        crop_padding=4,
        cpu_threads=options.threads,
    )
    device = choose_device(None)
    print(
        f"{os.cpu_count()} cores, {describe_device(device)}, torch {torch.__version__}; "
        f"{options.images:,} images of 32x32, {recipe.network}, batches of {recipe.batch_size}"
    )
    speeds = {
        "ours, bfloat16" if multiplies_bfloat16(device) else "ours, as the recipe": ours(
            images, labels, recipe
        ),
        "ours, float32": ours(images, labels, replace(recipe, mixed_precision=False)),
        "DataLoader, in process": plain(images, labels, recipe, 0),
        "DataLoader, 2 workers": plain(images, labels, recipe, 2),
    }
    print_speeds(speeds)


def print_speeds(speeds: Mapping[str, Sequence[float]]) -> None:
    """Print the median speed of every loop, and how many times as fast as each rival ours is."""
    medians = {name: float(np.median(each[1:])) for name, each in speeds.items()}
    rivals = [name for name in speeds if name.startswith("DataLoader")]
    for name, each in speeds.items():
        line = f"{name:<24}{medians[name]:>8,.0f} images/s ({min(each[1:]):,.0f}-{max(each[1:]):,.0f})"
        if name not in rivals:
            line += "".join(f", {medians[name] / medians[rival]:.2f} x {rival}" for rival in rivals)
        print(line)


if __name__ == "__main__":
    main()
