"""Compiling the syntax tree to axes: looking up word lists, naming axes and binding each slot once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from synthaug.errors import TemplateError
from synthaug.templates.axes import Body, ChoiceAxis, ListAxis, RangeValues, Ref
from synthaug.templates.grammar import ChoiceNode, Node, NumberRange, SlotNode, WildcardNode, error_at, parse
from synthaug.templates.leaving_out import Values, folded, without
from synthaug.templates.wordlists import shipped_lists

MOST_PROMPTS = 10**300  # a float can still represent this


def compile_template(text: str, slots: Mapping[str, Sequence[str]], retired: Values) -> Body:
    """The axes of a template; ``slots`` maps slot names to values and takes precedence over the shipped lists.

    ``retired``: values that are left out, by the name of their slot or choice. Raises TemplateError, with the
    position of the mistake where it is in the text.
    """
    if not text.strip():
        raise TemplateError("the template is empty; write a prompt such as 'a photo of a <BREED> cat'", 0)
    _check_unicode("the template", text)
    nodes = parse(text)
    return _Compiler(text, nodes, _checked(slots), folded(retired)).body(nodes, frozenset())


def _check_unicode(what: str, text: str) -> None:
    """Raises TemplateError for lone surrogates, which cannot be encoded in files or databases."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TemplateError(f"{what} is not valid Unicode text: {error}", error.start) from error


def _checked(slots: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The given lists by case-folded name. Raises TemplateError for empty lists and names that differ only in case."""
    lists: dict[str, Sequence[str]] = {}
    for name, values in slots.items():
        if isinstance(values, str):
            raise TemplateError(f"the values of slot {name!r} are a single string, {values!r}; give a list")
        if not values:
            raise TemplateError(f"the list of slot {name!r} is empty; give it at least one value")
        if name.casefold() in lists:
            raise TemplateError(f"slot {name!r} is given twice; slot names ignore upper and lower case")
        for value in (name, *values):
            _check_unicode(f"slot {name!r}", value)
        lists[name.casefold()] = tuple(values)
    return lists


class _Compiler:
    """Turns nodes into bodies; holds the state that all parts of a template share."""

    def __init__(
        self,
        text: str,
        nodes: Sequence[Node],
        given: Mapping[str, Sequence[str]],
        retired: Mapping[str, frozenset[str]],
    ) -> None:
        self.text = text
        self.given = given
        self.retired = retired
        self.shown: dict[str, str] = {}  # case-folded slot name -> spelling at its first occurrence
        self.ranges: dict[str, NumberRange] = {}
        for slot in _slots(nodes):
            self.shown.setdefault(slot.name.casefold(), slot.name)
            self.add_range(slot)
        self.taken = set(self.shown)
        self.choices = 0
        self.next_number: dict[str, int] = {}  # stem -> number below which every name is taken

    def add_range(self, slot: SlotNode) -> None:
        """Store the range of a slot that has one. Raises TemplateError for a conflicting definition."""
        if slot.numbers is None:
            return
        if slot.name.casefold() in self.given:
            raise error_at(
                f"slot <{slot.name}> has both a range and a list of values; keep one",
                self.text,
                slot.position,
            )
        if self.ranges.setdefault(slot.name.casefold(), slot.numbers) != slot.numbers:
            raise error_at(f"slot <{slot.name}> has two different ranges", self.text, slot.position)

    def body(self, nodes: Sequence[Node], bound: frozenset[str]) -> Body:
        """The body of ``nodes``, where the enclosing bodies already bind the slots in ``bound``."""
        own = frozenset(node.name.casefold() for node in nodes if isinstance(node, SlotNode))
        self.refuse_twice([node for node in nodes if isinstance(node, ChoiceNode)], bound | own)
        parts: list[str | Ref] = []
        axes: dict[str, ListAxis | ChoiceAxis] = {}
        for node in nodes:
            if isinstance(node, str):
                parts.append(node)
                continue
            if isinstance(node, SlotNode):
                name = self.shown[node.name.casefold()]
                if name not in axes and node.name.casefold() not in bound:
                    axes[name] = self.fewer(ListAxis(name, self.values(node)))
            else:
                axis = self.choice(node, bound | own) if isinstance(node, ChoiceNode) else self.wildcard(node)
                name = axis.name
                axes[name] = self.fewer(axis)
            parts.append(Ref(name))
        body = Body(tuple(parts), tuple(axes.values()))
        if body.count > MOST_PROMPTS:
            raise TemplateError(
                f"the template has more than 10**{round(math.log10(MOST_PROMPTS))} prompts; use fewer slots and choices"
            )
        return body

    def fewer(self, axis: ListAxis | ChoiceAxis) -> ListAxis | ChoiceAxis:
        """The axis without the retired values of its name."""
        return without(axis, self.retired.get(axis.name.casefold(), frozenset()))

    def choice(self, node: ChoiceNode, bound: frozenset[str]) -> ChoiceAxis:
        """The axis of a choice, named by the order of opening braces: choice1, choice2 ..."""
        self.choices += 1
        name = self.free_name("choice", self.choices)
        if node.chosen > 1:
            self.refuse_twice([each for option in node.options for each in option.body], bound)
        most = max(option.weight for option in node.options)
        options = tuple((option.weight / most, self.body(option.body, bound)) for option in node.options)
        return ChoiceAxis(name, options, node.chosen, node.joiner)

    def wildcard(self, node: WildcardNode) -> ListAxis:
        """The axis of ``__name__``, called name, or name2, name3 ... at later occurrences."""
        values = self.lookup(node.name)
        if values is None:
            raise self.unknown(f"there is no word list __{node.name}__", node.position)
        return ListAxis(self.free_name(node.name, 1), values)

    def free_name(self, stem: str, number: int) -> str:
        """``stem`` followed by the first number, starting with ``number``, that makes an unused name."""
        number = max(number, self.next_number.get(stem.casefold(), number))
        while True:
            name = stem if number == 1 and stem != "choice" else f"{stem}{number}"
            number += 1
            if name.casefold() not in self.taken:
                self.taken.add(name.casefold())
                self.next_number[stem.casefold()] = number
                return name

    def values(self, slot: SlotNode) -> Sequence[str]:
        """The values of a named slot: its range, the given list, or the shipped list."""
        numbers = self.ranges.get(slot.name.casefold())
        if numbers:
            return RangeValues(numbers)
        values = self.lookup(slot.name)
        if values is None:
            raise self.unknown(f"there is no word list for slot <{slot.name}>", slot.position)
        return values

    def lookup(self, name: str) -> Sequence[str] | None:
        """The given or the shipped list of a name, ignoring case."""
        given = self.given.get(name.casefold())
        return given if given is not None else shipped_lists().get(name.casefold())

    def unknown(self, message: str, position: int) -> TemplateError:
        """The error for a name without a word list; names the lists that exist."""
        known = ", ".join(sorted({*self.given, *shipped_lists()}))
        return error_at(f"{message}; give it values, or use one of these lists: {known}", self.text, position)

    def refuse_twice(self, parts: Iterable[Node], bound: frozenset[str]) -> None:
        """Raises TemplateError for an unbound slot that occurs in two parts which may appear together."""
        seen: set[str] = set()
        for part in parts:
            inside = {
                slot.name.casefold(): slot for slot in _slots([part]) if slot.name.casefold() not in bound
            }
            for name in inside.keys() & seen:
                slot = inside[name]
                hint = "use it outside the braces as well, or in one choice only"
                raise error_at(
                    f"<{slot.name}> occurs in two choices that may appear together; {hint}",
                    self.text,
                    slot.position,
                )
            seen |= inside.keys()


def _slots(nodes: Iterable[Node]) -> Iterator[SlotNode]:
    """Every named slot at any depth, in the order of the text."""
    for node in nodes:
        if isinstance(node, SlotNode):
            yield node
        elif isinstance(node, ChoiceNode):
            for option in node.options:
                yield from _slots(option.body)
