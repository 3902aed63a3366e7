"""Random orders of a template's prompts: seeded, by weight and without replacement."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synthaug.errors import TemplateError
from synthaug.templates.axes import Body

MOST_REPEATS = 20_000  # consecutive draws that repeat earlier ones
SORTED_UP_TO = 100_000  # prompts; with more, repeated draws are rare enough to reject them


@dataclass(frozen=True, slots=True)
class Space:
    """All prompts of a body, or only those whose digit at ``place`` is one of ``allowed``."""

    body: Body
    place: int = -1
    allowed: Sequence[int] = ()

    @property
    def sizes(self) -> list[int]:
        """The number of allowed digits of each axis."""
        sizes = [axis.count for axis in self.body.axes]
        if self.place >= 0:
            sizes[self.place] = len(self.allowed)
        return sizes

    @property
    def count(self) -> int:
        """The number of prompts."""
        product = 1
        for size in self.sizes:
            product *= size
        return product

    def index(self, number: int) -> int:
        """The index within the template of prompt ``number`` of this space."""
        digits: list[int] = []
        for size in reversed(self.sizes):
            number, digit = divmod(number, size)
            digits.append(digit)
        digits.reverse()
        if self.place >= 0:
            digits[self.place] = self.allowed[digits[self.place]]
        return self.body.index(digits)

    def draw(self, rng: random.Random) -> int:
        """A random index, drawn by weight with replacement."""
        digits = [axis.draw(rng) if place != self.place else -1 for place, axis in enumerate(self.body.axes)]
        if self.place >= 0:
            logs = [self.body.axes[self.place].log_weight(digit) for digit in self.allowed]
            weights = [math.exp(each - max(logs)) for each in logs]
            digits[self.place] = rng.choices(self.allowed, weights)[0]
        return self.body.index(digits)


def random_order(space: Space, expected: int, rng: random.Random) -> Iterator[int]:
    """Every index of ``space`` once, in random order; ``expected`` is about how many will be used.

    With weights, each draw is proportional to the weights of the remaining prompts (successive sampling), either by
    sorting exponential keys (Efraimidis and Spirakis 2006) or by rejecting repeated draws; both have the same
    distribution. Raises TemplateError if nearly all draws are repetitions.
    """
    if not space.body.weighted:
        return (space.index(number) for number in shuffled(space.count, rng))
    if space.count <= max(SORTED_UP_TO, 4 * expected):
        return _by_keys(space, rng)
    return _by_retrying(space, rng)


def shuffled(count: int, rng: random.Random) -> Iterator[int]:
    """``range(count)`` in random order: a Fisher-Yates shuffle that stores only the elements it moved."""
    moved: dict[int, int] = {}
    place = 0
    while place < count:
        other = rng.randrange(place, count)
        here = moved.pop(place, place)
        if other == place:
            yield here
        else:
            yield moved.get(other, other)
            moved[other] = here
        place += 1


def _by_keys(space: Space, rng: random.Random) -> Iterator[int]:
    indices = [space.index(number) for number in range(space.count)]
    heap = [
        (math.log(rng.expovariate(1.0) or 5e-324) - space.body.log_weight(index), index) for index in indices
    ]
    heapq.heapify(heap)
    while heap:
        yield heapq.heappop(heap)[1]


def _by_retrying(space: Space, rng: random.Random) -> Iterator[int]:
    seen: set[int] = set()
    count, repeats = space.count, 0
    while len(seen) < count:
        index = space.draw(rng)
        repeats = repeats + 1 if index in seen else 0
        if repeats > MOST_REPEATS:
            raise TemplateError(
                f"the last {MOST_REPEATS:,} draws all repeated one of the first {len(seen):,} prompts, because the "
                "weights are too far apart; draw fewer prompts or bring the weights closer together"
            )
        if repeats == 0:
            seen.add(index)
            yield index
