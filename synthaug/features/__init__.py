"""Feature extractors: pretrained networks that need no labels, looked up by name, imported on use."""

from __future__ import annotations

from importlib import import_module

from synthaug.errors import UnknownName
from synthaug.features.base import FeatureExtractor
from synthaug.records import Framing

EXTRACTORS = {"efficientnet-lite0": "synthaug.features.timm_model:efficientnet_lite0"}
DEFAULT_EXTRACTOR = "efficientnet-lite0"
TIMM_PREFIX = "timm:"
"""``timm:NAME`` loads any network of timm, with its weights from the hub."""


def load_extractor(name: str, longest_side: int, framing: Framing = "squeezed") -> FeatureExtractor:
    """The extractor called ``name`` for images of up to ``longest_side`` pixels, which are framed like that.

    Raises UnknownName, UserError.
    """
    if name.startswith(TIMM_PREFIX):
        from synthaug.features.timm_model import from_hub

        return from_hub(name, framing)
    if name not in EXTRACTORS:
        raise UnknownName("feature extractor", name, [*EXTRACTORS, f"{TIMM_PREFIX}NAME"])
    module, _, attribute = EXTRACTORS[name].partition(":")
    extractor: FeatureExtractor = getattr(import_module(module), attribute)(longest_side, framing)
    return extractor
