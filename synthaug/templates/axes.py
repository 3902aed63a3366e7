"""Prompts as mixed-radix numbers: every slot and choice of a template is an axis, every prompt an index.

The digits of an index select one value per axis; the last axis varies fastest, as in ``itertools.product``. A choice
is an axis as well, whose values are the texts of its options in order, so that choices can be nested.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, product
from typing import TypeVar, overload

from synthaug.templates.grammar import NumberRange

Number = TypeVar("Number", int, float)


class RangeValues(Sequence[str]):
    """The numbers of a range as text, exact and without trailing zeros; computed on access."""

    def __init__(self, numbers: NumberRange) -> None:
        self._numbers = numbers
        self._length = int((numbers.last - numbers.first) // numbers.step) + 1

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self._text(each) for each in range(self._length)[index])
        return self._text(range(self._length)[index])

    def _text(self, index: int) -> str:
        text = f"{self._numbers.first + index * self._numbers.step:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if Decimal(text) == 0 else text


class Unbound(dict[str, str]):
    """Slot values by name, in which a slot without a value reads as ``<NAME>``."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference in the text to the value of the axis ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class ListAxis:
    """A slot or wildcard: one of ``values``, with equal weights."""

    name: str
    values: Sequence[str]

    @property
    def weighted(self) -> bool:
        """Whether the weights of the values differ: always false."""
        return False

    @property
    def count(self) -> int:
        """The number of values, duplicates included."""
        return len(self.values)

    def render(self, index: int, found: dict[str, str]) -> str:
        """Value number ``index``, which is also stored in ``found``."""
        found[self.name] = value = self.values[index]
        return value

    def draw(self, rng: random.Random) -> int:
        """A random index."""
        return rng.randrange(len(self.values))

    def log_weight(self, _index: int) -> float:
        """Logarithm of the relative probability of an index: 0, since all are equally likely."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """A sequence of text and axes; ``axes``, in order of first appearance, are the digits of its index."""

    parts: tuple[str | Ref, ...]
    axes: tuple[ListAxis | ChoiceAxis, ...]

    @property
    def count(self) -> int:
        """The number of prompts: the product over the axes."""
        return math.prod(axis.count for axis in self.axes)

    @property
    def weighted(self) -> bool:
        """Whether some prompts are more likely than others."""
        return any(axis.weighted for axis in self.axes)

    def digits(self, index: int) -> list[int]:
        """The digits of an index, one per axis."""
        digits = [0] * len(self.axes)
        for place in range(len(self.axes) - 1, -1, -1):
            index, digits[place] = divmod(index, self.axes[place].count)
        return digits

    def index(self, digits: Sequence[int]) -> int:
        """The inverse of :meth:`digits`."""
        index = 0
        for axis, digit in zip(self.axes, digits, strict=True):
            index = index * axis.count + digit
        return index

    def render(self, index: int, found: dict[str, str]) -> str:
        """Prompt number ``index``; the values of its slots are stored in ``found``."""
        places = list(zip(self.axes, self.digits(index), strict=True))
        for axis, digit in places:  # slots before choices, whose options may use them
            if isinstance(axis, ListAxis):
                axis.render(digit, found)
        for axis, digit in places:
            if isinstance(axis, ChoiceAxis):
                axis.render(digit, found)
        return "".join(part if isinstance(part, str) else found[part.name] for part in self.parts)

    def each(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Text and slot values of every prompt, in order of the indices."""
        if not all(
            isinstance(axis, ListAxis) and isinstance(axis.values, (list, tuple)) for axis in self.axes
        ):
            for index in range(self.count):
                found: dict[str, str] = {}
                yield self.render(index, found), found
            return
        # Without choices and ranges the values need no computing: several times as fast as one index at a time.
        names = [axis.name for axis in self.axes]
        place = {name: f"{{{number}}}" for number, name in enumerate(names)}
        text = "".join(
            place[part.name] if isinstance(part, Ref) else part.replace("{", "{{").replace("}", "}}")
            for part in self.parts
        )
        for values in product(*(axis.values for axis in self.axes if isinstance(axis, ListAxis))):
            yield text.format(*values), dict(zip(names, values, strict=True))

    def draw(self, rng: random.Random) -> int:
        """A random index, drawn by weight."""
        return self.index([axis.draw(rng) for axis in self.axes])

    def log_weight(self, index: int) -> float:
        """Logarithm of the relative probability of an index: the sum over the axes."""
        return sum(axis.log_weight(digit) for axis, digit in zip(self.axes, self.digits(index), strict=True))


@dataclass(frozen=True, slots=True)
class ChoiceAxis:
    """``chosen`` of the ``options``, in their order, joined by ``joiner``.

    ``counts[i][j]`` is the number of ways to choose ``j`` options from option ``i`` on (an elementary symmetric
    polynomial of the options' counts). ``masses`` is the same for the options' weights (scaled to a maximum of 1): the
    probability of a subset is proportional to the product of its weights.
    """

    name: str
    options: tuple[tuple[float, Body], ...]
    chosen: int
    joiner: str
    counts: tuple[tuple[int, ...], ...] = field(init=False)
    masses: tuple[tuple[float, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        counts = _ways([body.count for _, body in self.options], self.chosen)
        masses = _ways([weight for weight, _ in self.options], self.chosen)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "masses", masses)

    @property
    def count(self) -> int:
        """The number of texts, duplicates included."""
        return self.counts[0][self.chosen]

    @property
    def weighted(self) -> bool:
        """Whether drawing by weight differs from drawing all indices with equal probability."""
        first = self.options[0]
        return any(
            weight != first[0] or body.count != first[1].count or body.weighted
            for weight, body in self.options
        )

    def picks(self, index: int) -> Iterator[tuple[int, int]]:
        """The chosen options of an index, each with the index of the text within it."""
        left = self.chosen
        if left == 1:  # binary search, since a choice may have tens of thousands of options
            place = bisect(range(len(self.options)), index, key=self._before) - 1
            yield place, index - self._before(place)
            return
        for place, (_, body) in enumerate(self.options):
            if left == 0:
                return
            rest = self.counts[place + 1][left - 1]
            block = body.count * rest
            if index < block:
                within, index = divmod(index, rest)
                left -= 1
                yield place, within
            else:
                index -= block

    def _before(self, place: int) -> int:
        """The number of texts in the options before ``place``, where one option is chosen."""
        return self.counts[0][1] - self.counts[place][1]

    def index(self, picks: Sequence[tuple[int, int]]) -> int:
        """The inverse of :meth:`picks`."""
        index, left, chosen = 0, self.chosen, dict(picks)
        for place, (_, body) in enumerate(self.options):
            if left == 0:
                break
            rest = self.counts[place + 1][left - 1]
            if place in chosen:
                index += chosen[place] * rest
                left -= 1
            else:
                index += body.count * rest
        return index

    def render(self, index: int, found: dict[str, str]) -> str:
        """Text number ``index``, which is also stored in ``found`` with the slots of its options."""
        shown = [self.options[place][1].render(within, found) for place, within in self.picks(index)]
        found[self.name] = self.joiner.join(shown)
        return found[self.name]

    def draw(self, rng: random.Random) -> int:
        """A random index: draws options by weight, then a text within each."""
        picks: list[tuple[int, int]] = []
        left = self.chosen
        if left == 1:
            running = list(accumulate(weight for weight, _ in self.options))
            place = min(bisect(running, rng.random() * running[-1]), len(running) - 1)
            return self.index([(place, self.options[place][1].draw(rng))])
        for place, (weight, body) in enumerate(self.options):
            taken = weight * self.masses[place + 1][left - 1] if left else 0.0
            if left and rng.random() * self.masses[place][left] < taken:
                picks.append((place, body.draw(rng)))
                left -= 1
        return self.index(picks)

    def log_weight(self, index: int) -> float:
        """Logarithm of the relative probability of an index."""
        total = 0.0
        for place, within in self.picks(index):
            weight, body = self.options[place]
            total += math.log(weight) + body.log_weight(within) - log_mass(body)
        return total


def log_mass(body: Body) -> float:
    """Logarithm of the sum of the weights of all prompts of a body."""
    masses = (axis.count if isinstance(axis, ListAxis) else axis.masses[0][axis.chosen] for axis in body.axes)
    return sum(map(math.log, masses))


def _ways(sizes: Sequence[Number], chosen: int) -> tuple[tuple[Number, ...], ...]:
    """``ways[i][j]`` is the sum over all subsets of size j of ``sizes[i:]`` of the product of their elements."""
    ways: list[list[Number]] = [[1, *[0] * chosen]]
    for size in reversed(sizes):
        after = ways[-1]
        row: list[Number] = [1]
        for taken in range(1, chosen + 1):
            row.append(after[taken] + size * after[taken - 1])
        ways.append(row)
    return tuple(tuple(row) for row in reversed(ways))
