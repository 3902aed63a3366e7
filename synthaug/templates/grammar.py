"""The template language: parses text to a small syntax tree and reports every mistake with its position.

    <BREED>               a named slot, with values from a word list; every occurrence has the same value
    <ANGLE:60..120:0.5>   a numeric range that includes both ends; the default step is 1
    __breed__             a word list by file name; every occurrence has its own value
    {a|b}                 one of the options, which may contain slots and choices
    {0.7::a|b}            the same, with a sampling weight; the default weight is 1
    {2$$ and $$a|b|c}     two different options in their order, joined by " and "; the default joiner is ", "
    \\< \\> \\{ \\}           the literal character; the same for | $ : _ and the backslash

Spaces matter: ``{a | b}`` offers ``"a "`` and ``" b"``. Outside braces, ``|``, ``::`` and ``$$`` are plain text. Values
in word lists are always plain text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from synthaug.errors import TemplateError

ESCAPABLE = "<>{}|$:_\\"
SLOT = re.compile(r"<([^\W\d][\w-]*)>")
RANGE = re.compile(r"<([^\W\d][\w-]*):([^<>{}|\n]*)>")
NUMBER = r"\s*([+-]?\d{1,12}(?:\.\d{1,12})?)\s*"  # at most 24 digits, which decimal's 28 represent exactly
BOUNDS = re.compile(rf"{NUMBER}\.\.{NUMBER}(?::{NUMBER})?", re.ASCII)
WILDCARD = re.compile(r"__([^\W_]+(?:[_-][^\W_]+)*)__")
HOW_MANY = re.compile(r"([^|{}$<>\\]*)\$\$")
JOINER = re.compile(r"((?:\\.|[^|{}$<>\\])*)\$\$")
WEIGHT = re.compile(r"([^|{}:<>\\]*)::")
DEFAULT_JOINER = ", "
PLAIN = re.compile(r"[^<>{}|$:_\\]+")
MOST_VALUES = 10**15
MOST_CHARACTERS = 100_000
MOST_DEPTH = 40  # levels of nested braces
MOST_OPTIONS = 100_000  # limit of options times chosen, summed over all choices: the work of counting
MOST_APART = 200.0  # limit of log10(largest / smallest weight) times chosen, so that floats do not overflow


@dataclass(frozen=True, slots=True)
class NumberRange:
    """The exact decimals ``first``, ``first + step`` ... up to ``last`` inclusive."""

    first: Decimal
    last: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True)
class SlotNode:
    """``<NAME>`` or ``<NAME:first..last:step>`` at offset ``position``."""

    name: str
    position: int
    numbers: NumberRange | None = None


@dataclass(frozen=True, slots=True)
class WildcardNode:
    """``__name__`` at offset ``position``."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class OptionNode:
    """One option of a choice and its weight (> 0)."""

    weight: float
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ChoiceNode:
    """``{...}``: ``chosen`` of the ``options``, in their order, joined by ``joiner``."""

    options: tuple[OptionNode, ...]
    chosen: int
    joiner: str
    position: int


Node = str | SlotNode | WildcardNode | ChoiceNode


def error_at(message: str, text: str, position: int) -> TemplateError:
    """A TemplateError whose last two lines show the template and a caret under ``position``."""
    start = max(text.rfind("\n", 0, position) + 1, position - 60)
    end = text.find("\n", position)
    line = text[start : min(len(text) if end < 0 else end, position + 40)]
    caret = " " * (position - start) + "^"
    return TemplateError(f"{message} (character {position + 1})\n  {line}\n  {caret}", position)


def parse(text: str) -> tuple[Node, ...]:
    """The syntax tree of a template. Raises TemplateError for a syntax error."""
    if len(text) > MOST_CHARACTERS:
        raise TemplateError(
            f"the template has {len(text):,} characters, more than the limit of {MOST_CHARACTERS:,}; "
            "move long lists into word lists and refer to them as <SLOT>"
        )
    parser = _Parser(text)
    body = parser.body(inside=False)
    if parser.at < len(text):
        raise parser.error(r"'}' without a matching '{'; write \} for the character itself")
    return body


class _Parser:
    """Recursive-descent parser of ``text``; ``at`` is the offset of the next unread character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.work = 0  # work of counting all choices so far; see MOST_OPTIONS

    def error(self, message: str, position: int | None = None) -> TemplateError:
        """The error for a mistake at ``position``, by default here."""
        return error_at(message, self.text, self.at if position is None else position)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match ``pattern`` here and advance past it."""
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def body(self, inside: bool) -> tuple[Node, ...]:
        """Everything up to the end, an unmatched ``}`` or, ``inside`` a choice, the next ``|``."""
        nodes: list[Node] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "}" or (inside and character == "|"):
                break
            node = self.node(character, inside)
            if isinstance(node, str) and nodes and isinstance(nodes[-1], str):
                nodes[-1] += node
            else:
                nodes.append(node)
        return tuple(nodes)

    def node(self, character: str, inside: bool) -> Node:
        """The slot, wildcard, choice or plain text that starts here."""
        plain = self.take(PLAIN)
        if plain:
            return plain[0]
        if character == "<":
            return self.slot()
        if character == "{":
            return self.choice()
        if character == ">":
            raise self.error(r"'>' without a matching '<'; write \> for the character itself")
        if character == "_":
            position = self.at
            match = self.take(WILDCARD)
            if match:
                return WildcardNode(match[1], position)
        if inside and self.text.startswith(("::", "$$"), self.at):
            mark = self.text[self.at : self.at + 2]
            raise self.error(
                rf"unexpected {mark!r} in a choice; write \{mark[0]}\{mark[0]} for the text itself"
            )
        if character == "\\" and self.text[self.at + 1 : self.at + 2] in tuple(ESCAPABLE):
            self.at += 1
            character = self.text[self.at]
        self.at += 1
        return character

    def slot(self) -> SlotNode:
        """``<NAME>`` or ``<NAME:first..last:step>``."""
        position = self.at
        match = self.take(SLOT)
        if match:
            return SlotNode(match[1], position)
        match = self.take(RANGE)
        if match:
            return SlotNode(match[1], position, self.numbers(match[2], match.start(2)))
        hint = r"write a slot as <NAME> or <NAME:first..last:step>, or \< for the character itself"
        closed = re.compile(r"<[^<\n]*>").match(self.text, position)
        problem = f"{closed[0]!r} is not a slot" if closed else "'<' without a matching '>'"
        raise self.error(f"{problem}; {hint}")

    def numbers(self, written: str, position: int) -> NumberRange:
        """A range such as ``60..120:0.5``."""
        match = BOUNDS.fullmatch(written)
        if not match:
            hint = "write first..last or first..last:step, with at most 12 digits before and after the point"
            raise self.error(f"{written!r} is not a range; {hint}", position)
        first, last, step = Decimal(match[1]), Decimal(match[2]), Decimal(match[3] or 1)
        if step <= 0:
            raise self.error(f"the step of a range must be above 0, not {step}", position)
        if last < first:
            raise self.error(f"the range {written!r} is descending; write {last}..{first}", position)
        if (last - first) / step > MOST_VALUES:
            raise self.error(f"the range {written!r} has more than {MOST_VALUES:,} values", position)
        return NumberRange(first, last, step)

    def choice(self) -> ChoiceNode:
        """``{options}``, optionally preceded by the number of options to choose and the joiner."""
        position = self.at
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise self.error(f"braces are nested more than {MOST_DEPTH} levels deep; use fewer levels")
        self.at += 1
        chosen, joiner, counted_at = self.how_many()
        options = [self.option()]
        while self.text.startswith("|", self.at):
            self.at += 1
            options.append(self.option())
        if self.at >= len(self.text):
            raise self.error(r"'{' without a matching '}'; write \{ for the character itself", position)
        self.at += 1
        if chosen > len(options):
            raise self.error(f"cannot choose {chosen} out of {len(options)} options", counted_at)
        self.depth -= 1
        self.check_work(options, chosen, counted_at)
        return ChoiceNode(tuple(options), chosen, joiner, position)

    def check_work(self, options: list[OptionNode], chosen: int, position: int) -> None:
        """Raises TemplateError for a choice that would take more than about a second to count or to sample."""
        self.work += len(options) * chosen
        if self.work > MOST_OPTIONS:
            raise self.error(
                f"choosing {chosen} out of {len(options):,} options takes too long to count; over the whole template, "
                f"options times chosen must not exceed {MOST_OPTIONS:,}",
                position,
            )
        weights = [option.weight for option in options]
        if chosen * (math.log10(max(weights)) - math.log10(min(weights))) > MOST_APART:
            raise self.error(
                f"the weights {min(weights):g} and {max(weights):g} are too far apart to choose {chosen}; "
                "bring them closer together",
                position,
            )

    def how_many(self) -> tuple[int, str, int]:
        """The number of options to choose, the joiner, and the offset of the number."""
        counted_at = self.at
        counted = self.take(HOW_MANY)
        if not counted:
            return 1, DEFAULT_JOINER, counted_at
        number = counted[1].strip()
        if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number) > 0):
            hint = r"write an integer of at least 1, or \$\$ for the text itself"
            raise self.error(f"{number!r} is not a number of options to choose; {hint}", counted_at)
        joiner = self.take(JOINER)
        return int(number), re.sub(r"\\(.)", r"\1", joiner[1]) if joiner else DEFAULT_JOINER, counted_at

    def option(self) -> OptionNode:
        """One option and its weight."""
        position = self.at
        written = self.take(WEIGHT)
        return OptionNode(self.weight(written[1], position) if written else 1.0, self.body(inside=True))

    def weight(self, written: str, position: int) -> float:
        """A finite weight above 0."""
        try:
            weight = float(written)
        except ValueError:
            weight = math.nan
        if not (math.isfinite(weight) and weight > 0):
            hint = r"write a number above 0, or \:\: for the text itself"
            raise self.error(f"{written.strip()!r} is not a weight; {hint}", position)
        return weight
