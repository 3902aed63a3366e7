"""A trained network, and its file: safetensors, with a JSON description in the header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, cast

import numpy as np
import torch
from pydantic import Field, FiniteFloat
from safetensors.torch import save
from torch import Tensor

from synthaug.classifiers.base import Floats, Images
from synthaug.classifiers.networks import Network, build, choose_device, fill_pretrained, place
from synthaug.classifiers.pixels import batches, check_images, standardise, to_tensor
from synthaug.classifiers.recipes import Recipe
from synthaug.classifiers.training_record import TrainingRecord
from synthaug.errors import UserError
from synthaug.files import write_atomically
from synthaug.hardware import mixed_precision
from synthaug.parsing import JsonObject, parse_json, parse_record
from synthaug.weights import fill, read_tensors

Channels = tuple[FiniteFloat, FiniteFloat, FiniteFloat]

HEAD = "head."
"""Prefix of the names of the head's tensors."""


@dataclass(frozen=True, slots=True)
class _Header:
    """The description of the network in a file. The recipe and the training are parsed in a second step."""

    recipe: JsonObject
    names: Annotated[tuple[str, ...], Field(min_length=1)]
    mean: Channels
    std: Channels
    training: JsonObject


class Fitted:
    """A network with the recipe, the names and the training-set statistics that it needs to predict."""

    noun: ClassVar[str]
    names_key: ClassVar[str]  # the field of the names in the file

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        names: Sequence[str],
        mean: Sequence[float],
        std: Sequence[float],
        training: TrainingRecord | None = None,
    ) -> None:
        self.network = network.eval()
        self.recipe = recipe
        self.names = tuple(names)  # of the outputs
        self.mean = tuple(mean)  # of each channel, in 0..1
        self.std = tuple(std)
        self.training: TrainingRecord = {**training} if training else {}

    @cached_property
    def revision(self) -> str:
        """SHA-256 (hex) over every tensor's name, dtype, shape and bytes, and the settings that change a prediction."""
        recipe = self.recipe
        decisive: tuple[object, ...] = (
            self.mean,
            self.std,
            recipe.image_size,
            recipe.flip_average,
            recipe.temperature,
        )
        if recipe.framing != "squeezed":  # else the revisions of earlier releases would change
            decisive = (*decisive, recipe.framing)
        digest = hashlib.sha256(repr(decisive).encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @torch.inference_mode()
    def outputs(self, images: Images) -> tuple[Floats, Floats]:
        """The head's outputs (N, K) and the penultimate features (N, D), float32, from a single pass.

        Computed in the precision of the training if the device supports it, so equal revisions agree up to rounding.
        Raises UserError for images that are not (N, H, W, 3) of uint8 or uint16.
        """
        check_images(images)
        outputs = np.empty((len(images), len(self.names)), np.float32)
        features = np.empty((len(images), self.network.head.in_features), np.float32)
        device = self.network.head.weight.device
        mean, std = (torch.tensor(each, device=device) for each in (self.mean, self.std))
        for rows in batches(len(images), self.recipe.image_size):
            batch = to_tensor(images[rows], self.recipe.image_size, self.recipe.framing).to(device)
            with mixed_precision(device, wanted=self.recipe.mixed_precision):
                seen = penultimate(self.network, standardise(batch, mean, std), self.recipe)
            seen = seen.float()
            features[rows] = seen.cpu().numpy()
            outputs[rows] = self.network.head(seen).cpu().numpy()
        return outputs, features

    def features(self, images: Images) -> Floats:
        """Penultimate features (N, D) float32."""
        return self.outputs(images)[1]

    def save(self, path: Path, *, half: bool = False) -> None:
        """Write the file at ``path`` atomically and durably: after a power cut it is there as a whole or not at all.

        ``half`` stores the weights in float16, which halves the file and changes the revision.
        """
        header = {
            "recipe": asdict(self.recipe),
            self.names_key: self.names,
            "mean": self.mean,
            "std": self.std,
            "training": self.training,
        }
        tensors = {name: each.cpu().contiguous() for name, each in self.network.state_dict().items()}
        if self.recipe.head_only:  # the body comes with the package and is the same in every such model
            tensors = {name: each for name, each in tensors.items() if name.startswith(HEAD)}
        if half:
            tensors = {
                name: each.half() if each.is_floating_point() else each for name, each in tensors.items()
            }
        data = save(tensors, metadata={f"synthaug.{self.noun}": json.dumps(header)})
        write_atomically(path, data, durable=True)

    @classmethod
    def load(cls, path: Path, device: str | None = None) -> Self:
        """Read a file written by ``save``; ``device`` as for ``fit``. Raises UserError for any other file."""
        header, tensors = _read(path, cls.noun)
        described = {**header, "names": header.get(cls.names_key)}
        found = parse_record(_Header, described, f"the description in {path}", unknown="ignore")
        recipe, training = _recipe(found.recipe, path), _training(found.training, path)
        network = build(recipe.network, len(found.names))
        if recipe.head_only:
            fill_pretrained(network, recipe.network)
            body = network.state_dict()
            tensors = {name: each for name, each in body.items() if not name.startswith(HEAD)} | tensors
        fill(network, tensors, path)
        network = place(network, choose_device(device))
        return cls(network, recipe, found.names, found.mean, found.std, training)


def _recipe(written: JsonObject, path: Path) -> Recipe:
    """The recipe in a file's description, checked but not converted: 1.0 for 1 would give another revision."""
    parse_record(Recipe, written, f"the recipe in {path}", unknown="forbid")
    fields: dict[str, Any] = written
    return Recipe(**fields)


def _training(written: JsonObject, path: Path) -> TrainingRecord:
    """The record of the training, checked but not converted, so that saving it again writes the same bytes."""
    parse_record(TrainingRecord, written, f"the training in {path}")
    return cast(TrainingRecord, written)


class FittedClassifier(Fitted):
    """A trained classifier; its names are those of the K classes."""

    noun = "classifier"
    names_key = "class_names"

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.names

    @property
    def num_classes(self) -> int:
        return len(self.names)

    def probabilities(self, images: Images) -> Floats:
        """Class probabilities (N, K) float32, in 0..1; each row sums to 1."""
        return self.predict(images)[0]

    def log_probabilities(self, images: Images) -> Floats:
        """Logarithms of the class probabilities (N, K) float32; finite even where the probability rounds to 0."""
        logits = torch.from_numpy(self.outputs(images)[0])
        found: Floats = (logits / self.recipe.temperature).log_softmax(1).numpy()
        return found

    def predict(self, images: Images) -> tuple[Floats, Floats]:
        """Probabilities (N, K) and features (N, D) from a single pass."""
        logits, features = self.outputs(images)
        probs: Floats = (torch.from_numpy(logits) / self.recipe.temperature).softmax(1).numpy()
        return probs, features


def penultimate(network: Network, x: Tensor, recipe: Recipe) -> Tensor:
    """Features (B, D) of standardised images (B, 3, H, W), averaged over the mirror image if the recipe asks for it."""
    features = network.features(x)
    return (features + network.features(x.flip(-1))) / 2 if recipe.flip_average else features


def _read(path: Path, noun: str) -> tuple[JsonObject, dict[str, Tensor]]:
    """The description and the tensors in a file of a ``noun``. Raises UserError for any other file."""
    if not path.is_file():
        raise UserError(f"there is no {noun} at {path}")
    metadata, tensors = read_tensors(path)
    key = f"synthaug.{noun}"
    if key not in metadata:
        raise UserError(f"{path} is not a {noun} that synthaug saved: its header has no {key!r}")
    return parse_json(JsonObject, metadata[key], f"{key!r} in {path}"), tensors
