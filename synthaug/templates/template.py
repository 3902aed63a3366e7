"""A prompt template: exact counts without expansion, any prompt by its index, and seeded samples."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from typing import Literal, overload

from synthaug.errors import TemplateError
from synthaug.records import Prompt
from synthaug.templates.axes import Body, ChoiceAxis, ListAxis, Unbound
from synthaug.templates.compiler import compile_template
from synthaug.templates.distinct import unique_count
from synthaug.templates.sampling import MOST_REPEATS, Space, random_order

Duplicates = Literal["skip", "keep"]
MOST_STRATA = 1_000_000


class Template:
    """A parsed template, created by :meth:`parse`; :mod:`.grammar` describes the language.

    Prompts have the indices 0 .. ``count - 1``, in the order of ``itertools.product`` over the slots and choices in
    order of first appearance: the last one varies fastest. A value listed twice counts twice.
    """

    def __init__(self, text: str, body: Body) -> None:
        self.text = text
        self._body = body

    @classmethod
    def parse(
        cls,
        text: str,
        slots: Mapping[str, Sequence[str]] | None = None,
        retired: Mapping[str, Collection[str]] | None = None,
    ) -> Template:
        """Parse a template; ``slots`` maps names of slots or word lists, in any case, to their values.

        ``retired``: values that are left out, by the name of their slot or choice. Raises TemplateError for a
        syntax error or an unknown word list.

        >>> Template.parse("<SIZE> {cat|dog}", {"size": ["big", "small"]}).prompt(3).text
        'small dog'
        """
        return cls(text, compile_template(text, slots or {}, retired or {}))

    @cached_property
    def count(self) -> int:
        """The number of prompts, duplicates included."""
        return self._body.count

    @cached_property
    def unique_count(self) -> int | None:
        """The exact number of distinct texts, or None if counting them would take minutes."""
        return unique_count(self._body)

    @cached_property
    def slots(self) -> Mapping[str, Sequence[str]]:
        """The values of every slot and choice by name; inside a choice, an outer slot reads as ``<NAME>``."""
        return dict(_slot_values(self._body))

    def prompt(self, index: int) -> Prompt:
        """Prompt number ``index``, without expanding the others. Raises TemplateError for an index out of range."""
        if not 0 <= index < self.count:
            raise TemplateError(
                f"there is no prompt {index}; the template has the prompts 0 to {self.count - 1}"
            )
        slots: dict[str, str] = {}
        return Prompt(index, self._body.render(index, slots), slots)

    def __iter__(self) -> Iterator[Prompt]:
        """Every prompt in order, duplicates included."""
        return (Prompt(index, text, slots) for index, (text, slots) in enumerate(self._body.each()))

    def sample(self, n: int, seed: int, duplicates: Duplicates = "skip") -> Iterator[Prompt]:
        """``n`` prompts drawn by weight without replacement; the same seed gives the same prompts.

        "skip" draws every text at most once; "keep" draws every index at most once, so that a value listed twice has
        twice the weight. Raises TemplateError if there are not ``n`` prompts.
        """
        available = self.count if duplicates == "keep" else self.unique_count
        if n < 0 or (available is not None and n > available):
            kind = "prompts" if duplicates == "keep" else "different prompts"
            raise TemplateError(f"cannot draw {n} {kind}; the template has {available}")
        return self._taken(Space(self._body), n, random.Random(seed), duplicates)  # noqa: S311

    def stratified(self, n: int, slot: str, seed: int, duplicates: Duplicates = "skip") -> Iterator[Prompt]:
        """``n`` prompts, the same number for every value of ``slot``, with the values taking turns.

        If ``n`` does not divide evenly, the seed decides which values get one more. Raises TemplateError for a slot
        that some prompts lack, and for a value with too few prompts.
        """
        rng = random.Random(seed)  # noqa: S311
        strata = list(self._strata(slot).items())
        rng.shuffle(strata)
        each, more = divmod(n, len(strata))
        quotas = [each + (place < more) for place in range(len(strata))]
        columns = []
        seen: set[str] = set()
        for (value, space), quota in zip(strata, quotas, strict=True):
            try:
                columns.append(list(self._taken(space, quota, rng, duplicates, seen)))
            except TemplateError as error:
                raise TemplateError(f"{slot} = {value!r}: {error}") from error
        rows = range(max(quotas))
        return iter([column[row] for row in rows for column in columns if row < len(column)])

    def _strata(self, slot: str) -> dict[str, Space]:
        """The prompts for each distinct value of a slot that occurs in every prompt."""
        names = [axis.name for axis in self._body.axes]
        found = [place for place, name in enumerate(names) if name.casefold() == slot.casefold()]
        if not found:
            raise TemplateError(
                f"cannot stratify by {slot!r}; the slots that every prompt has are: {', '.join(names) or 'none'}"
            )
        axis = self._body.axes[found[0]]
        if axis.count > MOST_STRATA:
            raise TemplateError(
                f"cannot stratify by {slot!r}: it has {axis.count:,} values, more than the limit of {MOST_STRATA:,}"
            )
        digits: dict[str, list[int]] = {}
        for digit in range(axis.count):
            digits.setdefault(axis.render(digit, Unbound()), []).append(digit)
        return {value: Space(self._body, found[0], allowed) for value, allowed in digits.items()}

    def _taken(
        self, space: Space, n: int, rng: random.Random, duplicates: Duplicates, seen: set[str] | None = None
    ) -> Iterator[Prompt]:
        """The first ``n`` prompts in a random order; "skip" leaves out the texts in ``seen``."""
        seen = set() if seen is None else seen
        taken = repeats = 0
        order = random_order(space, n, rng)
        while taken < n:
            index = next(order, None)
            if index is None:
                raise TemplateError(f"cannot draw {n} prompts; there are only {taken}")
            prompt = self.prompt(index)
            if duplicates == "keep" or prompt.text not in seen:
                seen.add(prompt.text)
                taken += 1
                repeats = 0
                yield prompt
            elif (repeats := repeats + 1) > MOST_REPEATS:
                raise TemplateError(
                    f"only {taken} different prompts were found, and the next {MOST_REPEATS:,} draws repeated their "
                    'texts; draw fewer prompts, or keep duplicates ("keep")'
                )


class ChoiceValues(Sequence[str]):
    """The texts of a choice, rendered on access."""

    def __init__(self, axis: ChoiceAxis) -> None:
        self._axis = axis

    def __len__(self) -> int:
        return self._axis.count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        chosen = range(self._axis.count)[index]
        if isinstance(chosen, int):
            return self._axis.render(chosen, Unbound())
        return tuple(map(self._axis.render, chosen, repeat(Unbound())))


def _slot_values(body: Body) -> Iterator[tuple[str, Sequence[str]]]:
    """The name and values of every axis, outer ones first."""
    for axis in body.axes:
        if isinstance(axis, ListAxis):
            yield axis.name, axis.values
        else:
            yield axis.name, ChoiceValues(axis)
            for _, option in axis.options:
                yield from _slot_values(option)
