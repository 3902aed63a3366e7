"""Monte Carlo dropout for acquisition scores: in the head only, compared with the whole network.

    python benchmarks/acquisition.py [--images 1000] [--passes 20] [--network small_cnn] [--threads 1]

Compares three ways to compute T passes over the same images with the same network, whose weights are random because
speed does not depend on them: features once and all passes as one matrix product (ours); T passes of the whole network
with the same masks (ours, as the reference); and BAAL's ``patch_module`` and ``ModelWrapper.predict_on_dataset``, which
repeats each image T times in a batch, if BAAL is installed. BAAL is not a dependency: ``pip install --no-deps baal
structlog``. BAAL draws a mask for every image, so that its scores only agree in rank.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.monte_carlo import head_passes, network_passes, rank_agreement
from synthaug.classifiers.networks import build, choose_device, initialise, place
from synthaug.classifiers.pixels import standardise, to_tensor
from synthaug.classifiers.recipes import Recipe
from synthaug.hardware import describe_device
from synthaug.measures.acquisition import bald, entropy

Probs = NDArray[np.float32]
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def drawn_classifier(network: str, images: NDArray[np.uint8]) -> FittedClassifier:
    """An untrained network whose batch normalisation has seen the images."""
    recipe = Recipe("benchmark", network, epochs=1, batch_size=256, optimizer="sgd", lr=0.1)
    built, device = build(network, 10), choose_device(None)
    batch = standardise(to_tensor(images[:256], 32), torch.tensor(MEAN), torch.tensor(STD))
    initialise(built, torch.Generator().manual_seed(0), batch)
    built = place(built, device)
    with torch.no_grad():
        for _ in range(20):
            built.train()(batch.to(device))
    return FittedClassifier(built, recipe, [str(i) for i in range(10)], MEAN, STD)


def baal_passes(
    classifier: FittedClassifier, images: NDArray[np.uint8], options: argparse.Namespace
) -> Callable[[], Probs] | None:
    """A function that computes the passes with BAAL; None if BAAL is not installed."""
    try:
        from baal.bayesian.dropout import patch_module
        from baal.modelwrapper import ModelWrapper, TrainingArgs
    except ImportError:
        return None
    torch.manual_seed(0)
    network = classifier.network
    # On the CPU BAAL needs prepared tensors; the time to prepare them is not counted.
    model = patch_module(nn.Sequential(network.body, nn.Dropout(options.rate), network.head), inplace=False)
    model = model.to(memory_format=torch.channels_last)
    ready = standardise(to_tensor(images, 32), torch.tensor(MEAN), torch.tensor(STD))
    dataset = torch.utils.data.TensorDataset(ready, torch.zeros(len(ready), dtype=torch.long))
    wrapper = ModelWrapper(
        model,
        TrainingArgs(
            batch_size=options.batch,
            use_cuda=torch.cuda.is_available(),
            workers=0,
            replicate_in_memory=True,
        ),
    )

    def work() -> Probs:
        logits = wrapper.predict_on_dataset(dataset, iterations=options.passes, verbose=False)
        probabilities = torch.from_numpy(logits).softmax(1)  # (N, K, T)
        return np.ascontiguousarray(probabilities.permute(2, 0, 1).numpy(), np.float32)

    print(f"baal {version('baal')}")
    return work


def drawn_images(count: int) -> NDArray[np.uint8]:
    """Noise (N, 32, 32, 3) uint8 of different colours and contrasts, so that the network's outputs differ."""
    rng = np.random.default_rng(0)
    colour, contrast = rng.uniform(0, 255, (count, 1, 1, 3)), rng.uniform(0, 80, (count, 1, 1, 1))
    noisy = colour + contrast * rng.standard_normal((count, 32, 32, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def timed(work: Callable[[], Probs]) -> tuple[Probs, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--images", type=int, default=1000, metavar="N", help="images in the pool (default 1000)"
    )
    parser.add_argument(
        "--passes", type=int, default=20, metavar="T", help="passes with dropout (default 20)"
    )
    parser.add_argument("--rate", type=float, default=0.2, metavar="P", help="dropout rate (default 0.2)")
    parser.add_argument("--network", default="small_cnn", metavar="NAME", help="network (default small_cnn)")
    parser.add_argument(
        "--batch", type=int, default=25, metavar="N", help="images per batch for BAAL (default 25)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of torch (default 1)")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore", module="baal")
    images = drawn_images(options.images)
    classifier = drawn_classifier(options.network, images)
    classifier.features(images[:100])  # warm-up
    device = describe_device(choose_device(None))
    print(f"{device}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {vars(options)}", flush=True)

    rate, passes = options.rate, options.passes
    ways: dict[str, Callable[[], Probs] | None] = {
        "head": lambda: head_passes(classifier, classifier.features(images), rate, passes, 0),
        "whole network": lambda: network_passes(classifier, images, rate, passes, 0),
        "baal": baal_passes(classifier, images, options),
    }
    print_agreement(measured(ways, options.images))


def measured(ways: Mapping[str, Callable[[], Probs] | None], images: int) -> dict[str, Probs]:
    """Run each way, print its speed, and return its probabilities."""
    found: dict[str, Probs] = {}
    seconds: dict[str, float] = {}
    for name, work in ways.items():
        if work is None:
            print("baal is not installed")
            continue
        found[name], seconds[name] = timed(work)
        ratio = seconds[name] / seconds["head"]
        rate_of = images / seconds[name]
        print(f"{name:<14}{seconds[name]:8.2f} s{rate_of:10.0f} images/s{ratio:8.1f} x", flush=True)
    return found


def print_agreement(found: Mapping[str, Probs]) -> None:
    """Print how far the scores of "head" and of every other way agree."""
    for name in list(found)[1:]:
        for score in (entropy, bald):
            ours, theirs = score(found["head"]), score(found[name])
            print(
                f"{score.__name__} against {name}: largest difference {np.abs(ours - theirs).max():.2e}, "
                f"rank correlation {rank_agreement(ours, theirs):.4f}"
            )


if __name__ == "__main__":
    main()
