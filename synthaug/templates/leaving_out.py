"""Removing retired values from the axes of a template."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from synthaug.errors import TemplateError
from synthaug.templates.axes import Body, ChoiceAxis, ListAxis, Unbound

MOST_VALUES = 1_000_000  # limit for a slot or choice from which values are removed

Values = Mapping[str, Collection[str]]
"""Name of a slot or choice -> its values that are left out."""


def folded(values: Values) -> dict[str, frozenset[str]]:
    """The values by case-folded name."""
    return {name.casefold(): frozenset(each) for name, each in values.items()}


def without(axis: ListAxis | ChoiceAxis, gone: frozenset[str]) -> ListAxis | ChoiceAxis:
    """The axis without these values. Raises TemplateError if none would be left, or one cannot be removed alone."""
    if not gone:
        return axis
    if axis.count > MOST_VALUES:
        raise TemplateError(
            f"{axis.name} has {axis.count:,} values; values can be left out of at most {MOST_VALUES:,}"
        )
    if isinstance(axis, ListAxis):
        return ListAxis(axis.name, _kept(axis.name, axis.values, gone))
    return _fewer_options(axis, gone)


def _kept(name: str, values: Sequence[str], gone: frozenset[str]) -> tuple[str, ...]:
    kept = tuple(value for value in values if value not in gone)
    if not kept:
        raise TemplateError(
            f"every value of {name} is retired, such as {values[0]!r}; use one again: synthaug retire --undo"
        )
    return kept


def _fewer_options(axis: ChoiceAxis, gone: frozenset[str]) -> ChoiceAxis:
    """Remove options that are a retired text. Raises TemplateError for a retired text of several parts."""
    options = axis.options
    if axis.chosen == 1:
        options = tuple(option for option in options if _text(option[1]) not in gone)
        if not options:
            _kept(axis.name, [str(_text(body)) for _, body in axis.options], gone)
        most = max(weight for weight, _ in options)
        axis = ChoiceAxis(axis.name, tuple((weight / most, body) for weight, body in options), 1, axis.joiner)
    for index in range(axis.count):
        if (text := axis.render(index, Unbound())) in gone:
            raise TemplateError(
                f"{text!r} of {axis.name} is retired, but it consists of several parts and cannot be left out alone; "
                "change the template, or use the value again: synthaug retire --undo"
            )
    return axis


def _text(body: Body) -> str | None:
    """The text of an option; None if it contains slots or choices."""
    return None if body.axes else "".join(part for part in body.parts if isinstance(part, str))
