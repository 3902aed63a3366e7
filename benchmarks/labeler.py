"""Training of the CIFAR-10 labeler that comes with the package, and its test on the real test split.

    python benchmarks/labeler.py CIFAR10 [--output assets/models/cifar10-labeler] [--seeds 1] [--epochs N]

CIFAR10 is any source that ``synthaug import`` reads: parquet files, CIFAR batches or a folder of images. With
``--output`` the classifier of the last seed is written in half precision, with the results measured after loading it
again. The last 1,000 training images are held out; the log loss on them shows which temperature the recipe should have.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthaug.classifiers.fit import fit
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.recipes import find_recipe
from synthaug.config import CIFAR10
from synthaug.hardware import describe_device
from synthaug.measures.metrics import confusion_matrix, expected_calibration_error
from synthaug.stages.sources import labeled_arrays

RECIPE = "cifar10-labeler"
HELD_OUT = 1000
TEMPERATURES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def measure(classifier: FittedClassifier, images: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    """Accuracy, recall by class and calibration on real test images."""
    probabilities = classifier.probabilities(images)
    confusion = confusion_matrix(labels, probabilities.argmax(1), len(CIFAR10))
    return {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "per_class": (np.diag(confusion) / confusion.sum(1)).tolist(),
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        "test_images": len(labels),
    }


def log_losses(classifier: FittedClassifier, images: np.ndarray, labels: np.ndarray) -> dict[float, float]:
    """Mean log loss by temperature."""
    logits = np.log(classifier.probabilities(images) + 1e-12) * classifier.recipe.temperature
    losses = {}
    for temperature in TEMPERATURES:
        scaled = logits / temperature
        scaled -= np.log(np.exp(scaled).sum(1, keepdims=True))
        losses[temperature] = round(float(-scaled[np.arange(len(labels)), labels].mean()), 4)
    return losses


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()

    recipe = find_recipe(RECIPE)
    recipe = replace(recipe, epochs=options.epochs or recipe.epochs)
    images, labels = labeled_arrays(options.source, CIFAR10, "train", recipe.image_size)
    test_images, test_labels = labeled_arrays(options.source, CIFAR10, "test", recipe.image_size)
    print(f"{describe_device(torch.device('cpu'))}; {recipe}")
    accuracies = []
    for seed in range(options.seeds):
        began = time.perf_counter()
        classifier = fit(
            images[:-HELD_OUT],
            labels[:-HELD_OUT],
            len(CIFAR10),
            recipe,
            seed,
            class_names=CIFAR10,
            progress=print,
        )
        seconds = time.perf_counter() - began
        figures = measure(classifier, test_images, test_labels)
        accuracies.append(figures["accuracy"])
        print(f"seed {seed}: {figures} after {seconds:.0f} s")
        print(f"held out: {log_losses(classifier, images[-HELD_OUT:], labels[-HELD_OUT:])}")
    print(f"accuracy over {options.seeds} seeds: {np.mean(accuracies):.4f} ({accuracies})")
    if options.output is not None:
        write(classifier, options.output, test_images, test_labels)


def write(classifier: FittedClassifier, folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Store the classifier, with the results of the stored file in it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "classifier.safetensors"
    classifier.save(path, half=True)
    stored = FittedClassifier.load(path)
    stored.training |= measure(stored, images, labels)
    stored.save(path, half=True)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {stored.training}")


if __name__ == "__main__":
    main()
