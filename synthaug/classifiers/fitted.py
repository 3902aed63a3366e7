"""A trained network, and its file: safetensors, with a JSON description in the header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from pydantic import Field, FiniteFloat
from safetensors.torch import save
from torch import Tensor

from synthaug.classifiers.base import Floats, Images
from synthaug.classifiers.networks import Network, build, choose_device, fill_pretrained, place
from synthaug.classifiers.pixels import batches, check_images, standardise, to_tensor
from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UserError
from synthaug.files import write_atomically
from synthaug.hardware import mixed_precision
from synthaug.parsing import parse_json, parse_record
from synthaug.weights import fill, read_tensors

Channels = tuple[FiniteFloat, FiniteFloat, FiniteFloat]


HEAD = "head."
"""What the names of the head's tensors begin with."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What a file says of the network in it."""

    recipe: dict[str, Any]
    names: Annotated[tuple[str, ...], Field(min_length=1)]
    mean: Channels
    std: Channels
    training: dict[str, Any]


class Fitted:
    """A network with the recipe, names and training-set statistics that it needs to predict."""

    noun: ClassVar[str]
    names_key: ClassVar[str]  # what the names are called in the file

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        names: Sequence[str],
        mean: Sequence[float],
        std: Sequence[float],
        training: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = network.eval()
        self.recipe = recipe
        self.names = tuple(names)  # of the outputs
        self.mean = tuple(mean)  # a channel, in 0..1
        self.std = tuple(std)
        self.training = dict(training or {})  # seed, images, final loss ...; JSON-ready

    @cached_property
    def revision(self) -> str:
        """SHA-256 over every tensor's name, type, shape and bytes, and what else decides a prediction."""
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
        """What the head says (N, K) and penultimate features (N, D), from a single pass.

        In the precision of the training, where the device has units for it: equal revisions agree up to rounding.
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
        """Penultimate features (N, D)."""
        return self.outputs(images)[1]

    def save(self, path: Path, *, half: bool = False) -> None:
        """Write to ``path`` in one step, durably: a reader or a power cut sees the whole file or none.

        ``half`` stores the weights in float16: half the bytes, and another revision.
        """
        header = {
            "recipe": asdict(self.recipe),
            self.names_key: self.names,
            "mean": self.mean,
            "std": self.std,
            "training": self.training,
        }
        tensors = {name: each.cpu().contiguous() for name, each in self.network.state_dict().items()}
        if self.recipe.head_only:  # the body is the package's, the same for every such model
            tensors = {name: each for name, each in tensors.items() if name.startswith(HEAD)}
        if half:
            tensors = {
                name: each.half() if each.is_floating_point() else each for name, each in tensors.items()
            }
        data = save(tensors, metadata={f"synthaug.{self.noun}": json.dumps(header)})
        write_atomically(path, data, durable=True)

    @classmethod
    def load(cls, path: Path, device: str | None = None) -> Self:
        """Read a file written by ``save``; ``device`` as for ``fit``."""
        header, tensors = _read(path, cls.noun)
        described = {**header, "names": header.get(cls.names_key)}
        found = parse_record(_Header, described, f"the description in {path}", unknown="ignore")
        recipe = _recipe(found.recipe, path)
        network = build(recipe.network, len(found.names))
        if recipe.head_only:
            fill_pretrained(network, recipe.network)
            body = network.state_dict()
            tensors = {name: each for name, each in body.items() if not name.startswith(HEAD)} | tensors
        fill(network, tensors, path)
        network = place(network, choose_device(device))
        return cls(network, recipe, found.names, found.mean, found.std, found.training)


def _recipe(written: dict[str, Any], path: Path) -> Recipe:
    """The recipe in a file's description, its numbers as they were written: equal files stay equal."""
    parse_record(Recipe, written, f"the recipe in {path}", unknown="forbid")
    return Recipe(**written)


class FittedClassifier(Fitted):
    """A trained classifier; the names are those of its K classes."""

    noun = "classifier"
    names_key = "class_names"

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.names

    @property
    def num_classes(self) -> int:
        return len(self.names)

    def probabilities(self, images: Images) -> Floats:
        """Class probabilities (N, K)."""
        return self.predict(images)[0]

    def log_probabilities(self, images: Images) -> Floats:
        """Logarithms of the class probabilities (N, K), also of those too small for a probability's float."""
        logits = torch.from_numpy(self.outputs(images)[0])
        found: Floats = (logits / self.recipe.temperature).log_softmax(1).numpy()
        return found

    def predict(self, images: Images) -> tuple[Floats, Floats]:
        """Probabilities (N, K) and features (N, D) from a single pass."""
        logits, features = self.outputs(images)
        probs: Floats = (torch.from_numpy(logits) / self.recipe.temperature).softmax(1).numpy()
        return probs, features


def penultimate(network: Network, x: Tensor, recipe: Recipe) -> Tensor:
    """Features (B, D) of standardised images, averaged with their mirror images' where the recipe says so."""
    features = network.features(x)
    return (features + network.features(x.flip(-1))) / 2 if recipe.flip_average else features


def _read(path: Path, noun: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors of a file that holds a ``noun``."""
    if not path.is_file():
        raise UserError(f"no {noun} at {path}")
    metadata, tensors = read_tensors(path)
    key = f"synthaug.{noun}"
    if key not in metadata:
        raise UserError(f"{path} holds no {noun} of ours: its header has no {key!r}")
    return parse_json(dict[str, Any], metadata[key], f"{key!r} in {path}"), tensors
