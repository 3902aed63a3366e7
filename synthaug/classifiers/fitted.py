"""A trained classifier, and its file: safetensors, with a JSON description in the header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from synthaug.classifiers.base import Floats, Images
from synthaug.classifiers.networks import Network, build, choose_device, place
from synthaug.classifiers.pixels import check_images, standardise, to_tensor
from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UserError

_HEADER = "synthaug.classifier"
_BATCH = 500


class FittedClassifier:
    """A network with the recipe, class names and training-set statistics that it needs to predict."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        class_names: Sequence[str],
        mean: Sequence[float],
        std: Sequence[float],
        training: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = network.eval()
        self.recipe = recipe
        self.class_names = tuple(class_names)
        self.mean = tuple(mean)  # a channel, in 0..1
        self.std = tuple(std)
        self.training = dict(training or {})  # seed, images, final loss ...; JSON-ready

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @cached_property
    def revision(self) -> str:
        """SHA-256 over every tensor's name, type, shape and bytes, and what else decides a prediction."""
        recipe = self.recipe
        decisive = (self.mean, self.std, recipe.image_size, recipe.flip_average, recipe.temperature)
        digest = hashlib.sha256(repr(decisive).encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def probabilities(self, images: Images) -> Floats:
        """Class probabilities (N, K)."""
        return self.predict(images)[0]

    def features(self, images: Images) -> Floats:
        """Penultimate features (N, D)."""
        return self.predict(images)[1]

    @torch.inference_mode()
    def predict(self, images: Images) -> tuple[Floats, Floats]:
        """Probabilities (N, K) and features (N, D) from a single pass."""
        check_images(images)
        probs = np.empty((len(images), self.num_classes), np.float32)
        features = np.empty((len(images), self.network.head.in_features), np.float32)
        device = self.network.head.weight.device
        mean, std = (torch.tensor(each, device=device) for each in (self.mean, self.std))
        for start in range(0, len(images), _BATCH):
            rows = slice(start, start + _BATCH)
            batch = to_tensor(images[rows], self.recipe.image_size).to(device)
            penultimate = self._features(standardise(batch, mean, std))
            features[rows] = penultimate.cpu().numpy()
            logits = self.network.head(penultimate) / self.recipe.temperature
            probs[rows] = logits.softmax(1).cpu().numpy()
        return probs, features

    def _features(self, x: Tensor) -> Tensor:
        """Features (B, D) of standardised images, averaged with their mirror images' where the recipe says so."""
        features = self.network.features(x)
        return (features + self.network.features(x.flip(-1))) / 2 if self.recipe.flip_average else features

    def save(self, path: Path, *, half: bool = False) -> None:
        """Write to ``path`` in one step: a reader sees the whole file or none.

        ``half`` stores the weights in float16: half the bytes, and another revision.
        """
        header = {
            "recipe": asdict(self.recipe),
            "class_names": self.class_names,
            "mean": self.mean,
            "std": self.std,
            "training": self.training,
        }
        tensors = {name: each.cpu().contiguous() for name, each in self.network.state_dict().items()}
        if half:
            tensors = {
                name: each.half() if each.is_floating_point() else each for name, each in tensors.items()
            }
        partial = path.with_name(path.name + ".partial")
        save_file(tensors, partial, metadata={_HEADER: json.dumps(header)})
        partial.replace(path)

    @classmethod
    def load(cls, path: Path, device: str | None = None) -> FittedClassifier:
        """Read a file written by ``save``; ``device`` as for ``fit``."""
        header, tensors = _read(path)
        recipe = Recipe(**header["recipe"])
        network = build(recipe.network, len(header["class_names"]))
        network.load_state_dict(tensors)
        network = place(network, choose_device(device))
        return cls(network, recipe, header["class_names"], header["mean"], header["std"], header["training"])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors of a classifier's file."""
    if not path.is_file():
        raise UserError(f"no classifier at {path}")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise UserError(f"{path} is not a readable safetensors file: {error}") from error
    if _HEADER not in metadata:
        raise UserError(f"{path} holds no classifier of ours: its header has no {_HEADER!r}")
    header: dict[str, Any] = json.loads(metadata[_HEADER])
    return header, tensors
