"""Which class a prompt asks for, where a generator reads a class and not a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources

from synthaug.errors import UserError

IMAGENET_TO_CIFAR10 = "class_maps/imagenet-cifar10.json"

ClassMap = Mapping[str, Sequence[str]]
"""Coarse class -> fine classes that are kinds of it."""


def named_class(prompt: str, classes: Sequence[str]) -> str:
    """The one of ``classes`` that the prompt names, as a whole word and whatever its case.

    A longer name hides a shorter one within it ("fire truck", "truck"). Raises UserError for none or several.
    """
    rest, found = prompt, []
    for name in sorted(classes, key=len, reverse=True):
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        if word.search(rest):
            found.append(name)
            rest = word.sub(" ", rest)
    if len(found) == 1:
        return found[0]
    said = f"names {' and '.join(map(repr, found))}" if found else "names none of its classes"
    raise UserError(
        f"this generator draws one class at a time, and the prompt {prompt!r} {said}; "
        f"it understands {', '.join(classes)}"
    )


def imagenet_to_cifar10() -> ClassMap:
    """The classes of ImageNet that the long-tail paper takes for a class of CIFAR-10 (its table 3)."""
    table: ClassMap = json.loads(
        (resources.files("synthaug_assets") / IMAGENET_TO_CIFAR10).read_text("utf-8")
    )
    return table


def fine_classes(coarse: str, fine: Sequence[str], class_map: ClassMap) -> list[int]:
    """Indices of the ``fine`` classes that belong to ``coarse``: itself, or what the map says.

    A fine class may have several names, separated by commas, as ImageNet's have; the first that the map names
    counts. Raises UserError where there is none.
    """
    wanted = {name.casefold() for name in (coarse, *class_map.get(coarse, ()))}
    found = [
        index
        for index, names in enumerate(fine)
        if wanted & {name.strip().casefold() for name in names.split(",")}
    ]
    if not found:
        raise UserError(f"no class of this generator is a kind of {coarse!r}")
    return found
