"""Training recipes as named records. Importing this module does not import torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from synthaug.backbones import SIZES, input_size
from synthaug.errors import UnknownName, UserError
from synthaug.records import Framing

Optimizer = Literal["sgd", "adamw"]
Schedule = Literal["cosine", "one-cycle", "none"]

Loss = Literal["plain", "class-weighted", "logit-adjusted"]
"""Cross-entropy: plain; with images weighted inversely to the frequency of their class; or with the logits shifted by
the log class frequencies during training (Menon et al. 2021, tau = 1), so that rare classes are predicted as well."""

Selection = Literal["last", "validation", "test"]
"""The epoch whose weights are kept: the last; the best on held-out training images; or the best on images that the
caller gives, as some papers do with the test set, which makes its accuracy too high."""

SyntheticUse = Literal["mixed", "first", "body"]
"""What a network learns from synthetic images. mixed: the same as from real ones. first: what it learns before the last
quarter of the epochs, in which it sees real images only. body: its features; the head is fitted anew at the end, to the
real images alone and with equal weight for every class (SYNAuG, Ye-Bin et al. 2023; without synthetic images this is
classifier re-training, Kang et al. 2020)."""

REAL_SHARE = 0.25
"""Share of the epochs in which a recipe with the synthetic use "first" sees real images only; at least the last one."""

SMALL = 64
"""Images of up to this many pixels a side are read at the recipe's own size."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines a training run, except the data and the seed."""

    name: str
    network: str  # a key of networks.NETWORKS
    epochs: int
    batch_size: int
    optimizer: Optimizer
    lr: float  # peak learning rate
    momentum: float = 0.9  # SGD only; AdamW uses beta1 = momentum
    weight_decay: float = 0.0
    schedule: Schedule = "cosine"
    warmup_epochs: float = 0.0  # linear from 0; after it, "one-cycle" falls linearly to 0
    gradient_clip: float | None = None  # largest L2 norm of the gradient of all weights
    label_smoothing: float = 0.0
    crop_padding: int = 0  # black pixels added on each side before a random crop; 0 = off
    mirrored_border: bool = False  # pad by reflection instead of with black
    cutout: int = 0  # side in pixels of a gray square at a random place of each image; 0 = off
    flip: bool = (
        False  # random horizontal flip; must be off where labels, targets or captions depend on the side
    )
    image_size: int = 32  # side in pixels; images of another size are resized with antialiasing
    framing: Framing = "squeezed"  # of images that are not square; stages.train chooses it by the images
    dropout: float = 0.0  # rate on the penultimate features during training
    mixed_precision: bool = False  # matrix products in bfloat16 if the device has units for it
    ema_decay: float | None = (
        None  # decay per step of a moving average of the weights, which predicts; None = the last weights predict
    )
    flip_average: bool = False  # average the features of an image and its mirror image in predictions
    temperature: float = (
        1.0  # predicted logits are divided by it, because label smoothing makes a network underconfident
    )
    nesterov: bool = False
    shift_lr: float | None = None  # peak learning rate of the biases of batch normalisation; None = lr
    cpu_threads: int | None = None  # threads on a CPU; None = all. Small layers are faster on one
    loss: Loss = "plain"
    selection: Selection = "last"
    validation_share: float = 0.1  # share of each class that the selection "validation" holds out
    patience: int | None = None  # stop after this many epochs without a better selection score
    steps: int | None = None  # number of updates, which replaces epochs
    body_dropout: float = 0.0  # rate on whole channels inside the network during training
    pretrained: bool = False  # start from ImageNet weights
    head_only: bool = False  # leave the body unchanged; the head is a logistic regression on its features
    resample: bool = False  # the seed weights the images of a head (Bayesian bootstrap, Rubin 1981)
    synthetic: SyntheticUse = "mixed"
    drawn_features: bool = False  # of a head: rare classes are filled up by ``feature_diffusion`` (LDMLR)

    def __post_init__(self) -> None:
        for kind, value, known in (
            ("loss", self.loss, Loss),
            ("selection", self.selection, Selection),
            ("use of synthetic images", self.synthetic, SyntheticUse),
        ):
            if value not in get_args(known):
                raise UnknownName(kind, value, get_args(known))
        for kind, count in (("epochs", self.epochs), ("steps", self.steps), ("patience", self.patience)):
            if count is not None and count < 1:
                raise UserError(f"{kind} of recipe {self.name!r} is {count}; it must be at least 1")
        if self.patience is not None and self.selection == "last":
            raise UserError(
                "patience waits for a better selection score; choose the selection 'validation' or 'test'"
            )
        if self.head_only and self.selection != "last":
            raise UserError(f"the recipe {self.name!r} has only one epoch; choose the selection 'last'")
        if self.head_only and self.synthetic != "mixed":
            raise UserError(
                f"the recipe {self.name!r} fits a head in one go; choose the use 'mixed' of synthetic images"
            )
        if self.drawn_features and not self.head_only:
            raise UserError(f"drawn_features is for recipes that only fit a head, not for {self.name!r}")
        if not 0 < self.validation_share < 1:
            raise UserError(f"validation_share is {self.validation_share:g}; it must lie between 0 and 1")
        for kind, rate in (("dropout", self.dropout), ("body_dropout", self.body_dropout)):
            if not 0 <= rate < 1:
                raise UserError(f"{kind} is {rate:g}; it must be at least 0 and less than 1")

    def for_images_of(self, longest_side: int) -> Recipe:
        """The recipe at a size that suits images of ``longest_side`` pixels: at most 224, but never below its own."""
        if self.pretrained:
            return replace(self, image_size=max(input_size(longest_side), self.image_size))
        wanted = 0 if longest_side <= SMALL else min(longest_side, SIZES[-1])
        return replace(self, image_size=max(wanted, self.image_size))

    def for_epochs(self, epochs: int) -> Recipe:
        """The recipe for this many epochs, without a number of steps; the warm-up takes at most a quarter of them."""
        return replace(self, epochs=epochs, warmup_epochs=min(self.warmup_epochs, epochs / 4), steps=None)

    def for_updates_of(self, images: int) -> Recipe:
        """The recipe with the number of steps that its epochs take on ``images`` images, whatever set is trained on."""
        return replace(self, steps=self.epochs * math.ceil(images / self.batch_size))


# CIFAR-10 in a quarter of an hour on one core with AMX; after Jordan (2024), "94% on CIFAR-10 in 3.29 seconds". The
# temperature is the one of 0.3, 0.4 ... 1 with the lowest log loss.
FAST = Recipe(
    name="cifar10-fast",
    network="airbench",
    epochs=12,
    batch_size=512,
    optimizer="sgd",
    lr=0.75,
    shift_lr=48.0,
    momentum=0.85,
    nesterov=True,
    weight_decay=1.33e-3,
    schedule="one-cycle",
    warmup_epochs=3,
    label_smoothing=0.2,
    crop_padding=2,
    flip=True,
    mixed_precision=True,
    ema_decay=0.99,
    flip_average=True,
    temperature=0.5,
    cpu_threads=1,  # threads that share a batch wait for one another, which takes long on a busy machine
)

PRETRAINED = Recipe(
    name="pretrained",
    network="efficientnet_lite0",
    epochs=5,
    batch_size=32,
    optimizer="adamw",
    lr=2e-4,
    weight_decay=1e-2,
    schedule="one-cycle",
    warmup_epochs=1,
    crop_padding=8,
    image_size=96,  # at least; see ``for_images_of``
    dropout=0.2,
    mixed_precision=True,
    pretrained=True,
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        # For the digits, about 1,300 images: a few seconds on two cores.
        Recipe(
            name="digits",
            network="small_cnn",
            epochs=12,
            batch_size=64,
            optimizer="adamw",
            lr=1e-2,
            weight_decay=1e-2,
            schedule="one-cycle",
            warmup_epochs=2,
            crop_padding=1,  # no label smoothing, because confidences decide which images are accepted automatically
            image_size=16,  # twice the 8 pixels they were scanned at
            cpu_threads=1,
        ),
        # For CIFAR-10 without a GPU: minutes.
        Recipe(
            name="small-cnn",
            network="small_cnn",
            epochs=15,
            batch_size=128,
            optimizer="adamw",
            lr=5e-3,
            weight_decay=5e-2,
            schedule="one-cycle",
            warmup_epochs=3,
            crop_padding=4,
            flip=True,
        ),
        FAST,
        # The recipe of the shipped labeler, which trains longer and on harder images: 43 minutes on one busy core. The
        # temperature is the one of 0.3, 0.4 ... 1 with the lowest log loss on held-out training images.
        replace(
            FAST,
            name="cifar10-labeler",
            epochs=30,
            warmup_epochs=6,
            crop_padding=3,
            mirrored_border=True,
            cutout=8,
            temperature=0.6,
        ),
        # The protocol of the long-tail paper: lr 0.01, batch 256, 30 epochs; it does not state the other settings.
        Recipe(
            name="resnet18-30",
            network="resnet18",
            epochs=30,
            batch_size=256,
            optimizer="sgd",
            lr=0.01,
            weight_decay=5e-4,
            crop_padding=4,
            flip=True,
        ),
        # The protocol of the active-learning paper: lr 0.1, 5 warm-up epochs, cosine to 0 at epoch 100.
        Recipe(
            name="resnet18-100",
            network="resnet18",
            epochs=100,
            batch_size=256,
            optimizer="sgd",
            lr=0.1,
            weight_decay=5e-4,
            warmup_epochs=5,
            gradient_clip=0.5,
            crop_padding=4,
            flip=True,
        ),
        # For images of some hundred pixels a side on a GPU, for classes or numbers (``regression``).
        Recipe(
            name="efficientnet-b0",
            network="efficientnet_b0",
            epochs=30,
            batch_size=32,
            optimizer="adamw",
            lr=1e-3,
            weight_decay=1e-2,
            warmup_epochs=2,
            image_size=224,
            dropout=0.2,
            mixed_precision=True,
        ),
        # For photographs and radiographs on a CPU: ImageNet weights, fine-tuned. Images are not mirrored.
        PRETRAINED,
        # Only the head is trained: seconds.
        replace(
            PRETRAINED, name="linear", epochs=1, warmup_epochs=0, head_only=True, crop_padding=0, dropout=0.0
        ),
        # The protocol for radiographs: EfficientNet-B7 with Adam at 1e-3. It does not state the other settings; 600
        # pixels are the network's own size. AdamW without weight decay is Adam.
        Recipe(
            name="efficientnet-b7",
            network="efficientnet_b7",
            epochs=30,
            batch_size=8,
            optimizer="adamw",
            lr=1e-3,
            schedule="none",
            image_size=600,
            dropout=0.5,
            mixed_precision=True,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """The recipe called ``name``. Raises UnknownName."""
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    return RECIPES[name]
