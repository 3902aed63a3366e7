"""A prompt template: exact counts before expansion, any prompt by its number, seeded samples."""

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
from synthaug.templates.sampling import MOST_REPEATS, Space, drawn

Duplicates = Literal["skip", "keep"]
MOST_STRATA = 1_000_000


class Template:
    """A readable template, made by :meth:`parse`; the language is described in :mod:`.grammar`.

    Prompts are numbered 0 .. ``count - 1`` in the order of ``itertools.product`` over the slots and choices
    as they first appear, the last one fastest. A value listed twice counts twice.
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
        """Read a template; ``slots`` gives values by slot or word-list name, in upper or lower case.

        ``retired``: values that are left out, by the name of their slot or choice.

        >>> Template.parse("<SIZE> {cat|dog}", {"size": ["big", "small"]}).prompt(3).text
        'small dog'
        """
        return cls(text, compile_template(text, slots or {}, retired or {}))

    @cached_property
    def count(self) -> int:
        """How many prompts there are, duplicates included."""
        return self._body.count

    @cached_property
    def unique_count(self) -> int | None:
        """How many different texts there are: exact, or None where counting would take minutes."""
        return unique_count(self._body)

    @cached_property
    def slots(self) -> Mapping[str, Sequence[str]]:
        """The values of every slot and choice, by name; an outer slot shows as ``<NAME>`` in a choice."""
        return dict(_slot_values(self._body))

    def prompt(self, index: int) -> Prompt:
        """Prompt ``index``, without expanding the others."""
        if not 0 <= index < self.count:
            raise TemplateError(f"there is no prompt {index}; the template has 0 to {self.count - 1}")
        slots: dict[str, str] = {}
        return Prompt(index, self._body.render(index, slots), slots)

    def __iter__(self) -> Iterator[Prompt]:
        """Every prompt in order, duplicates included."""
        return map(self.prompt, range(self.count))

    def sample(self, n: int, seed: int, duplicates: Duplicates = "skip") -> Iterator[Prompt]:
        """``n`` prompts drawn without replacement, weights honoured; the same for the same seed.

        "skip" takes every text once; "keep" takes every index once, so a value listed twice weighs double.
        """
        there_are = self.count if duplicates == "keep" else self.unique_count
        if n < 0 or (there_are is not None and n > there_are):
            kind = "prompts" if duplicates == "keep" else "different prompts"
            raise TemplateError(f"cannot draw {n} {kind}; the template has {there_are}")
        return self._taken(Space(self._body), n, random.Random(seed), duplicates)  # noqa: S311

    def stratified(self, n: int, slot: str, seed: int, duplicates: Duplicates = "skip") -> Iterator[Prompt]:
        """``n`` prompts with equally many for every value of ``slot``, drawn in turn value after value.

        Where ``n`` does not divide evenly, which values get one more is drawn with the seed.
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
        """The prompts for each different value of a slot that every prompt has."""
        names = [axis.name for axis in self._body.axes]
        found = [place for place, name in enumerate(names) if name.casefold() == slot.casefold()]
        if not found:
            raise TemplateError(
                f"cannot stratify by {slot!r}; every prompt has: {', '.join(names) or 'no slot'}"
            )
        axis = self._body.axes[found[0]]
        if axis.count > MOST_STRATA:
            raise TemplateError(
                f"cannot stratify by {slot!r}: {axis.count:,} values; {MOST_STRATA:,} at most"
            )
        digits: dict[str, list[int]] = {}
        for digit in range(axis.count):
            digits.setdefault(axis.render(digit, Unbound()), []).append(digit)
        return {value: Space(self._body, found[0], allowed) for value, allowed in digits.items()}

    def _taken(
        self, space: Space, n: int, rng: random.Random, duplicates: Duplicates, seen: set[str] | None = None
    ) -> Iterator[Prompt]:
        """The first ``n`` prompts of a drawing order; "skip" leaves out the texts in ``seen``."""
        seen = set() if seen is None else seen
        taken = repeats = 0
        order = drawn(space, n, rng)
        while taken < n:
            index = next(order, None)
            if index is None:
                raise TemplateError(f"cannot draw {n} prompts; there are {taken}")
            prompt = self.prompt(index)
            if duplicates == "keep" or prompt.text not in seen:
                seen.add(prompt.text)
                taken += 1
                repeats = 0
                yield prompt
            elif (repeats := repeats + 1) > MOST_REPEATS:
                raise TemplateError(
                    f"only {taken} different prompts were found: the {MOST_REPEATS:,} drawn after them repeat their "
                    'texts. Ask for fewer, or keep duplicates ("keep")'
                )


class ChoiceValues(Sequence[str]):
    """The texts of a choice, rendered when asked for."""

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
