"""Constants that more than one package uses."""

from __future__ import annotations

from typing import Literal

WORKSPACE_VARIABLE = "SYNTHAUG_WORKSPACE"
CACHE_VARIABLE = "SYNTHAUG_CACHE"
DATABASE_FILE = "synthaug.db"
FOLDERS = ("images", "models", "runs", "exports")

DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
HIP = ("Big", "Small")
PRESETS = {"digits": DIGITS, "cifar10": CIFAR10, "hip": HIP}
"""Class names by preset, in the order of their indices."""

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

LOCAL_HOST = "127.0.0.1"
DEFAULT_PORT = 7860
DEFAULT_GENERATOR = {"digits": "digits"}
FALLBACK_GENERATOR = "embedded"
DEFAULT_RECIPE = {"digits": "digits"}
FALLBACK_RECIPE = "small-cnn"
LARGE_RECIPE = "pretrained"
LARGE_SIDE = 96
"""Side in pixels from which images are classified with a pretrained network; smaller ones are learned from scratch."""
SMALLEST_SIDE, LARGEST_SIDE = 8, 1024
"""Range of the side, in pixels, to which images can be resized for training."""
LARGEST_SEED = 2**63 - 1
AUTOMATIC_THRESHOLD = 0.9
"""Confidence, 0..1, from which predictions may be accepted automatically (``source = automatic``)."""

Role = Literal["annotator", "reviewer", "owner"]
ROLES: tuple[Role, ...] = ("annotator", "reviewer", "owner")
"""Roles in the app, in ascending order: each role has all rights of the roles before it."""

CROSS_FIT_FOLDS = 5
"""How many models predict the images that a model was trained on, each fitted without a share of them."""
