"""The exact number of distinct texts of a template, without enumerating them.

Duplicates arise from a value listed twice and from values that run together (``{a|ab}{bc|c}`` yields ``abc`` twice),
so the product of the deduplicated lists is not always right. The template is split into factors after every literal
character that cannot occur in the values before it; every text then splits there in only one way, and the counts of
the factors multiply. A factor with a single list has as many texts as distinct values. Any other factor becomes a
finite automaton, whose accepted words are counted by determinising it, so that a text counts once however it is
reached. If that takes more than ``MOST_STEPS`` steps, the result is None ("unknown"), never an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from synthaug.templates.axes import Body, ChoiceAxis, ListAxis, RangeValues, Ref

MOST_STEPS = 1_000_000  # about two seconds
MOST_PARTS = 2000  # parts of a template; they are compared pairwise before the first step
MOST_BOUND = 50  # slots that occur more than once, each of which is tried with every value


class BudgetExceeded(Exception):
    """The automaton takes more steps than allowed."""


def unique_count(body: Body) -> int | None:
    """The exact number of distinct texts, or None if counting them would take too long."""
    if _size(body) > MOST_PARTS:
        return None
    try:
        return prod(_factor_count(factor) for factor in _factors(body))
    except BudgetExceeded:
        return None


def _size(body: Body) -> int:
    """The number of texts, slots and choices in a body, including those in its options."""
    choices = [axis for axis in body.axes if isinstance(axis, ChoiceAxis)]
    return len(body.parts) + sum(_size(option) for axis in choices for _, option in axis.options)


def _factors(body: Body) -> Iterator[Body]:
    """The body split after each literal text with a character that no value since the last split contains."""
    axes = {axis.name: axis for axis in body.axes}
    last_use = {name: place for place, part in enumerate(body.parts) for name in _names(part, axes)}
    parts: list[str | Ref] = []
    names: dict[str, None] = {}
    letters: set[str] = set()
    for place, part in enumerate(body.parts):
        parts.append(part)
        if isinstance(part, Ref):
            if part.name not in names:
                names[part.name] = None
                letters |= _letters(axes[part.name])
            continue
        whole = all(last_use[used] < place for name in names for used in _names(Ref(name), axes))
        if names and whole and not set(part) <= letters:
            yield Body(tuple(parts), tuple(axes[name] for name in names))
            parts, names, letters = [], {}, set()
        else:
            letters |= set(part)
    yield Body(tuple(parts), tuple(axes[name] for name in names))


def _names(part: str | Ref, axes: Mapping[str, ListAxis | ChoiceAxis]) -> set[str]:
    """The axes of the body whose values a part uses, including those inside the options of a choice."""
    if isinstance(part, str):
        return set()
    axis = axes.get(part.name)
    names = {part.name} if axis else set()
    if isinstance(axis, ChoiceAxis):
        for _, option in axis.options:
            for inner in option.parts:
                names |= _names(inner, {**axes, **{each.name: each for each in option.axes}}) & set(axes)
    return names


def _letters(axis: ListAxis | ChoiceAxis) -> set[str]:
    """Every character that a value of the axis may contain."""
    if isinstance(axis, ListAxis):
        return set("-.0123456789") if isinstance(axis.values, RangeValues) else set().union(*axis.values)
    letters = set(axis.joiner)
    for _, option in axis.options:
        letters |= set().union(*(part for part in option.parts if isinstance(part, str)))
        letters |= set().union(*(_letters(each) for each in option.axes))
    return letters


def _factor_count(body: Body) -> int:
    """The number of distinct texts of one factor."""
    if not body.axes:
        return 1
    if len(body.axes) == 1 and isinstance(body.axes[0], ListAxis):
        return _different(body.axes[0])
    automaton = _Automaton()
    return automaton.count(automaton.body(body, 0, {}))


def _different(axis: ListAxis) -> int:
    """The number of distinct values."""
    return len(axis.values) if isinstance(axis.values, RangeValues) else len(set(axis.values))


class _Automaton:
    """An acyclic nondeterministic finite automaton, built from its end; state 0 accepts."""

    def __init__(self) -> None:
        self.edges: list[dict[str, int]] = [{}]
        self.jumps: list[tuple[int, ...]] = [()]
        self.steps = 0

    def spend(self, steps: int = 1) -> None:
        """Add steps to the work done. Raises BudgetExceeded beyond the limit."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise BudgetExceeded

    def state(self, edges: dict[str, int], jumps: tuple[int, ...] = ()) -> int:
        """The number of a new state."""
        self.spend()
        self.edges.append(edges)
        self.jumps.append(jumps)
        return len(self.edges) - 1

    def text(self, text: str, after: int) -> int:
        """The state from which ``text`` leads to ``after``."""
        for character in reversed(text):
            after = self.state({character: after})
        return after

    def body(self, body: Body, after: int, bound: Mapping[str, str]) -> int:
        """The state from which every text of ``body`` leads to ``after``."""
        self.spend(len(body.axes) * len(body.parts))
        if len(bound) > MOST_BOUND:
            raise BudgetExceeded
        for axis in body.axes:
            if isinstance(axis, ListAxis) and axis.name not in bound and _uses(body, axis.name) > 1:
                self.spend(_different(axis))
                values = dict.fromkeys(axis.values)
                return self.state(
                    {}, tuple(self.body(body, after, {**bound, axis.name: value}) for value in values)
                )
        axes = {axis.name: axis for axis in body.axes}
        for part in reversed(body.parts):
            if isinstance(part, str):
                after = self.text(part, after)
            elif part.name in bound:
                after = self.text(bound[part.name], after)
            else:
                after = self.axis(axes[part.name], after, bound)
        return after

    def axis(self, axis: ListAxis | ChoiceAxis, after: int, bound: Mapping[str, str]) -> int:
        """The state from which every text of ``axis`` leads to ``after``."""
        if isinstance(axis, ListAxis):
            self.spend(_different(axis))
            return self.state({}, tuple(self.text(value, after) for value in dict.fromkeys(axis.values)))
        starts: list[int | None] = [after, *[None] * axis.chosen]  # by how many are still to choose
        for place in range(len(axis.options) - 1, -1, -1):
            option = axis.options[place][1]
            for left in range(min(axis.chosen, len(axis.options) - place), 0, -1):
                rest = starts[left - 1]
                if rest is None or left < axis.chosen - place:
                    continue
                joined = self.text(axis.joiner, rest) if left > 1 else rest
                taken = self.body(option, joined, bound)
                skipped = starts[left]
                starts[left] = taken if skipped is None else self.state({}, (taken, skipped))
        start = starts[axis.chosen]
        assert start is not None  # noqa: S101 - the parser rejects choosing more options than there are
        return start

    def reach(self, states: set[int]) -> frozenset[int]:
        """The states and everything reachable from them by jumps (the epsilon closure)."""
        reached, todo = set(states), list(states)
        while todo:
            for target in self.jumps[todo.pop()]:
                if target not in reached:
                    self.spend()
                    reached.add(target)
                    todo.append(target)
        return frozenset(reached)

    def follow(self, states: frozenset[int]) -> list[frozenset[int]]:
        """The sets of states reached by one more character, one set per character."""
        targets: dict[str, set[int]] = {}
        for state in states:
            for character, target in self.edges[state].items():
                self.spend()
                targets.setdefault(character, set()).add(target)
        return [self.reach(each) for each in targets.values()]

    def count(self, start: int) -> int:
        """The number of distinct texts accepted from ``start``, by the subset construction."""
        first = self.reach({start})
        counts: dict[frozenset[int], int] = {}
        following: dict[frozenset[int], list[frozenset[int]]] = {}
        todo = [first]
        while todo:
            states = todo[-1]
            if states in counts:
                todo.pop()
            elif states in following:
                counts[states] = (0 in states) + sum(counts[each] for each in following.pop(states))
                todo.pop()
            else:
                following[states] = self.follow(states)
                todo.extend(each for each in following[states] if each not in counts)
        return counts[first]


def _uses(body: Body, name: str) -> int:
    """How often a body uses the value of ``name``, including in the options of its choices."""
    axes = {axis.name: axis for axis in body.axes}
    uses = 0
    for part in body.parts:
        if isinstance(part, Ref):
            uses += part.name == name
            axis = axes.get(part.name)
            if isinstance(axis, ChoiceAxis):
                uses += sum(_uses(option, name) for _, option in axis.options)
    return uses
