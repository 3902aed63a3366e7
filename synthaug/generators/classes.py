"""Finding the class that a prompt names, for generators conditioned on a class instead of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources

from synthaug.errors import UserError

IMAGENET_TO_CIFAR10 = "class_maps/imagenet-cifar10.json"
LISTED = 20  # classes that an error message lists

ClassMap = Mapping[str, Sequence[str]]
"""Coarse class -> the fine classes it comprises."""


def named_class(prompt: str, classes: Sequence[str]) -> str:
    """The one of ``classes`` that the prompt names, matched as a whole word regardless of case.

    Where one name contains another ("fire truck", "truck"), the longer one counts. Raises UserError if the prompt
    names no class or several.
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
    """A pattern that matches any of the words as a whole word, preferring longer ones."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


def vocabulary(fine: Sequence[str]) -> dict[str, list[int]]:
    """Every name that a prompt may use, with the indices of the model's classes that it can stand for.

    ``fine`` holds the model's classes, each a comma-separated list of synonyms. The coarse classes of the ImageNet ->
    CIFAR-10 map come first, where the model has some of their fine classes; all synonyms follow. Two classes may
    share a name (ImageNet has two kinds of crane); then either index may be drawn.
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
    """The ImageNet classes that the long-tail paper assigns to each class of CIFAR-10 (its table 3)."""
    table: ClassMap = json.loads(
        (resources.files("synthaug_assets") / IMAGENET_TO_CIFAR10).read_text("utf-8")
    )
    return table


def _kinds(coarse: str, fine: Sequence[str], class_map: ClassMap) -> list[int]:
    """Indices of the fine classes with a synonym that is ``coarse`` itself or that the map lists under it."""
    wanted = {name.casefold() for name in (coarse, *class_map.get(coarse, ()))}
    return [
        index
        for index, names in enumerate(fine)
        if wanted & {name.strip().casefold() for name in names.split(",")}
    ]
