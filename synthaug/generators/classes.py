"""Which class a prompt asks for, where a generator reads a class and not a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources

from synthaug.errors import UserError

IMAGENET_TO_CIFAR10 = "class_maps/imagenet-cifar10.json"
LISTED = 20  # classes named in an error

ClassMap = Mapping[str, Sequence[str]]
"""Coarse class -> fine classes that are kinds of it."""


def named_class(prompt: str, classes: Sequence[str]) -> str:
    """The one of ``classes`` that the prompt names, as a whole word and whatever its case.

    A longer name hides a shorter one within it ("fire truck", "truck"). Raises UserError for none or several.
    """
    spelt = {name.casefold(): name for name in classes}
    found = list(dict.fromkeys(spelt[word] for word in _any_of(tuple(spelt)).findall(prompt.casefold())))
    if len(found) == 1:
        return found[0]
    fault = f"names {' and '.join(map(repr, found))}" if found else "names none of its classes"
    more = f" ... ({len(classes)} in all)" if len(classes) > LISTED else ""
    raise UserError(
        f"this generator draws one class at a time, and the prompt {prompt!r} {fault}; "
        f"it understands {', '.join(classes[:LISTED])}{more}"
    )


@lru_cache(maxsize=8)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Finds whole words, of two at one place the longer."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def vocabulary(fine: Sequence[str]) -> dict[str, list[int]]:
    """What a prompt may call a model's classes, and the indices of those it then means.

    Coarse classes of the ImageNet -> CIFAR-10 map come first, where the model has some kind of them under other
    names; then every synonym. Two classes may share a name (ImageNet has two kinds of crane): either is meant.
    """
    names = [[each.strip() for each in label.split(",") if each.strip()] for label in fine]
    first: dict[str, list[int]] = {}
    others: dict[str, list[int]] = {}
    for index, synonyms in enumerate(names):
        first.setdefault(synonyms[0], []).append(index)
        for synonym in synonyms[1:]:
            others.setdefault(synonym, []).append(index)
    own = first | {name: kinds for name, kinds in others.items() if name not in first}
    taken = {name.casefold() for name in own}
    table = imagenet_to_cifar10()
    kinds = {name: _kinds(name, fine, table) for name in table if name.casefold() not in taken}
    return {name: indices for name, indices in kinds.items() if indices} | own


@lru_cache(maxsize=1)
def imagenet_to_cifar10() -> ClassMap:
    """The classes of ImageNet that the long-tail paper takes for a class of CIFAR-10 (its table 3)."""
    table: ClassMap = json.loads(
        (resources.files("synthaug_assets") / IMAGENET_TO_CIFAR10).read_text("utf-8")
    )
    return table


def _kinds(coarse: str, fine: Sequence[str], class_map: ClassMap) -> list[int]:
    """Indices of the fine classes that are ``coarse`` itself, or of which the map names any synonym."""
    wanted = {name.casefold() for name in (coarse, *class_map.get(coarse, ()))}
    return [
        index
        for index, names in enumerate(fine)
        if wanted & {name.strip().casefold() for name in names.split(",")}
    ]
