"""Training recipes as named records. Light: nothing here imports torch."""

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
"""Cross-entropy; with images weighted inversely to their class's frequency; with logits shifted by the log of
the class frequencies while training (Menon et al. 2021, tau = 1), so that rare classes are not given up."""

Selection = Literal["last", "validation", "test"]
"""Which epoch's weights are kept: the last one's; those best on training images held out; those best on images
that the caller names, as some papers do with the test set, which flatters."""


SMALL = 64
"""Images of up to so many pixels a side are read at the recipe's own size."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run, but the data and the seed."""

    name: str
    network: str  # a key of networks.NETWORKS
    epochs: int
    batch_size: int
    optimizer: Optimizer
    lr: float  # peak learning rate
    momentum: float = 0.9  # SGD only; AdamW uses beta1 = momentum
    weight_decay: float = 0.0
    schedule: Schedule = "cosine"
    warmup_epochs: float = 0.0  # linear from 0; "one-cycle" climbs for this long, then falls linearly
    gradient_clip: float | None = None  # largest L2 norm of the whole gradient
    label_smoothing: float = 0.0
    crop_padding: int = 0  # random crop after padding with black, pixels a side; 0 = off
    mirrored_border: bool = False  # pad with the image's own mirror image instead of black
    cutout: int = 0  # side of a gray square put somewhere on every image, in pixels; 0 = off
    flip: bool = (
        False  # random horizontal flip; off wherever left and right differ, as targets and captions may
    )
    image_size: int = 32  # side in pixels; other sizes are resized, antialiased
    framing: Framing = "squeezed"  # how an image that is not square becomes one; the data decide
    dropout: float = 0.0  # on the penultimate features, training only
    mixed_precision: bool = False  # products in bfloat16, where the device has units for them
    ema_decay: float | None = (
        None  # predict with a moving average of the weights, a step; None = with the last
    )
    flip_average: bool = False  # predict the mean of an image and its mirror image
    temperature: float = (
        1.0  # predicted logits are divided by it: smoothed labels leave a network underconfident
    )
    nesterov: bool = False
    shift_lr: float | None = None  # peak learning rate of the biases of batch normalisation; None = lr
    cpu_threads: int | None = None  # on a CPU; None = all. Layers too small to share are faster on one
    loss: Loss = "plain"
    selection: Selection = "last"
    validation_share: float = 0.1  # of each class, held out of the training images where selection says so
    patience: int | None = None  # stop after so many epochs without a better selection score
    steps: int | None = None  # updates in all, whatever the size of the set; decides instead of epochs
    body_dropout: float = 0.0  # on whole channels inside the network, training only
    pretrained: bool = False  # begin with the weights that ImageNet left in the network
    head_only: bool = False  # the body stays as it is; the head is a logistic regression on its features
    resample: bool = False  # a head's seeds weigh the images anew (Bayesian bootstrap, Rubin 1981)

    def __post_init__(self) -> None:
        for kind, value, known in (("loss", self.loss, Loss), ("selection", self.selection, Selection)):
            if value not in get_args(known):
                raise UnknownName(kind, value, get_args(known))
        for kind, count in (("epochs", self.epochs), ("steps", self.steps), ("patience", self.patience)):
            if count is not None and count < 1:
                raise UserError(f"{kind} of recipe {self.name!r} is {count}; it must be at least 1")
        if self.patience is not None and self.selection == "last":
            raise UserError(
                "patience waits for a better selection score; choose selection 'validation' or 'test'"
            )
        if self.head_only and self.selection != "last":
            raise UserError(f"recipe {self.name!r} has no epochs to select from; choose selection 'last'")
        if not 0 < self.validation_share < 1:
            raise UserError(f"validation_share is {self.validation_share:g}; it must lie between 0 and 1")
        for kind, rate in (("dropout", self.dropout), ("body_dropout", self.body_dropout)):
            if not 0 <= rate < 1:
                raise UserError(f"{kind} is {rate:g}; it must be at least 0 and less than 1")

    def for_images_of(self, longest_side: int) -> Recipe:
        """The same at a size that suits images of ``longest_side`` pixels: never below its own, and up to 224 px."""
        if self.pretrained:
            return replace(self, image_size=max(input_size(longest_side), self.image_size))
        wanted = 0 if longest_side <= SMALL else min(longest_side, SIZES[-1])
        return replace(self, image_size=max(wanted, self.image_size))

    def for_epochs(self, epochs: int) -> Recipe:
        """The same for so many epochs, of which the warm-up takes a quarter at most; no number of updates stands."""
        return replace(self, epochs=epochs, warmup_epochs=min(self.warmup_epochs, epochs / 4), steps=None)

    def for_updates_of(self, images: int) -> Recipe:
        """The same for as many updates as its epochs of ``images`` images take: more images also mean more updates."""
        return replace(self, steps=self.epochs * math.ceil(images / self.batch_size))


# CIFAR-10 in a quarter of an hour on one core with AMX; after Jordan (2024), "94% on CIFAR-10 in 3.29 seconds". The
# temperature is the one of the least log loss, of 0.3, 0.4 ... 1.
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
    cpu_threads=1,  # threads of one batch wait for one another, long if another program holds a core
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
    image_size=96,  # at least: the data decide
    dropout=0.2,
    mixed_precision=True,
    pretrained=True,
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        # Digits, about 1,200 images: a few seconds on two cores.
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
            crop_padding=1,  # no label smoothing: confidences decide what is accepted unseen
            image_size=16,  # twice the 8 pixels they were scanned at
            cpu_threads=1,
        ),
        # CIFAR-10 without a GPU: minutes.
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
        # The same for longer and on harder images: what the shipped labeler was trained with, 43 minutes on one busy
        # core. The temperature is the one of the least log loss on held-out training images, of 0.3, 0.4 ... 1.
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
        # The long-tail protocol: lr 0.01, batch 256, 30 epochs; the rest is unsaid there.
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
        # The active-learning protocol: lr 0.1, 5 warm-up epochs, cosine to 0 at epoch 100.
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
        # Images of some hundred pixels a side, for classes or numbers (``regression``); on a GPU.
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
        # For photographs and radiographs, on a CPU: what saw ImageNet, fine-tuned. Left and right stay what they are.
        PRETRAINED,
        # The head alone: seconds.
        replace(
            PRETRAINED, name="linear", epochs=1, warmup_epochs=0, head_only=True, crop_padding=0, dropout=0.0
        ),
        # The radiograph protocol: EfficientNet-B7 with Adam at 1e-3; the rest is unsaid there, and 600 pixels are
        # the network's own. AdamW without weight decay is Adam.
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
    """The recipe of that name."""
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    return RECIPES[name]
