"""Templates: hand-computed cases, ``itertools`` as the independent truth, hypothesis for properties."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import combinations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.config import DIGIT_WORDS
from synthaug.errors import TemplateError, UnknownName
from synthaug.templates import (
    Template,
    read_word_list,
    shipped_lists,
    shipped_template,
    shipped_template_names,
    slot_option,
)

CAT = "<BREED> cat <PREPOSITION> the <FURNITURE>"
LISTS = {"A": ["a", "b", "ab"], "B": ["b", "", "a"], "C": ["x", "x", "y z"]}


def texts(template: str, **slots: list[str]) -> list[str]:
    """The full expansion."""
    return [prompt.text for prompt in Template.parse(template, slots)]


# --- what the language means


def test_the_shipped_cat_template_has_the_published_counts() -> None:
    template = Template.parse(CAT)
    assert (template.count, template.unique_count) == (101915, 92650)
    assert [len(shipped_lists()[name]) for name in ("breed", "preposition", "furniture")] == [109, 11, 85]
    assert [len(set(shipped_lists()[name])) for name in ("breed", "preposition", "furniture")] == [
        109,
        10,
        85,
    ]
    assert Counter(shipped_lists()["preposition"])["at"] == 2
    assert shipped_template("cat") == CAT


def test_expansion_is_the_product_of_the_lists_with_the_last_fastest() -> None:
    lists = shipped_lists()
    expected = [
        f"{breed} cat {preposition} the {furniture}"
        for breed, preposition, furniture in product(lists["breed"], lists["preposition"], lists["furniture"])
    ]
    assert texts(CAT) == expected
    assert len(set(expected)) == 92650


def test_every_prompt_carries_its_slot_values() -> None:
    prompt = Template.parse(
        "<SIZE> {cat|dog}, {2$$ and $$a|b|c} __SIZE__", {"size": ["big", "small"]}
    ).prompt(5)
    assert prompt.index == 5
    assert prompt.text == "big cat, b and c small"
    assert prompt.slots == {"SIZE": "big", "choice1": "cat", "choice2": "b and c", "SIZE2": "small"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{a|b}{1|2}", ["a1", "a2", "b1", "b2"]),
        ("{a|}", ["a", ""]),
        ("{0.7::a|b}", ["a", "b"]),
        ("{2$$a|b|c}", ["a, b", "a, c", "b, c"]),
        ("{2$$ and $$a|b|c}", ["a and b", "a and c", "b and c"]),
        ("{3$$$$a|b|c}", ["abc"]),
        ("{2$$-$$a|{b|c}|d}", ["a-b", "a-c", "a-d", "b-d", "c-d"]),
        ("{2$$-$$2::a|{b|c}|0.5::d}", ["a-b", "a-c", "a-d", "b-d", "c-d"]),
        ("{a {x|y}|b}", ["a x", "a y", "b"]),
        ("<N:1..3>", ["1", "2", "3"]),
        ("<N:0..1:0.25>", ["0", "0.25", "0.5", "0.75", "1"]),
        ("<N:-0.2..0.1:0.1>", ["-0.2", "-0.1", "0", "0.1"]),
        ("<N:1..2:0.7>", ["1", "1.7"]),
        ("<N:100..100>", ["100"]),
        ("<N:100..300:100>", ["100", "200", "300"]),
        ("<N:1..2> and <N>", ["1 and 1", "2 and 2"]),
        ("<n> then <N:1..2>", ["1 then 1", "2 then 2"]),
        (r"\<b\>\{\}\|\$\:\_\\ \n", [r"<b>{}|$:_\ \n"]),
        (r"{a\|b|\:\:|\$\$5}", ["a|b", "::", "$$5"]),
        ("a | b :: c $$ d __ e", ["a | b :: c $$ d __ e"]),
        (
            "snake_case \"quoted\" 'q' & 🐱 {é|🐶}",
            ["snake_case \"quoted\" 'q' & 🐱 é", "snake_case \"quoted\" 'q' & 🐱 🐶"],
        ),
    ],
)
def test_language(template: str, expected: list[str]) -> None:
    assert texts(template) == expected
    assert Template.parse(template).count == len(expected)
    assert Template.parse(template).unique_count == len(set(expected))


def test_values_are_plain_text() -> None:
    values = ["<b>bold</b>", "{a|b}", "2$$", "50% \\", "__x__"]
    assert texts("<V>!", V=values) == [f"{value}!" for value in values]


def test_the_same_slot_takes_the_same_value_wherever_it_stands() -> None:
    assert texts("<A> {<a>|-} <A>", A=["p", "q"]) == ["p p p", "p - p", "q q q", "q - q"]
    assert texts("{<A>|-} <A>", A=["p", "q"]) == ["p p", "q q", "- p", "- q"]
    assert texts("{the <A>|an <A>}", A=["p", "q"]) == ["the p", "the q", "an p", "an q"]


def test_a_wildcard_is_drawn_anew_each_time() -> None:
    assert texts("__a__ __a__", a=["p", "q"]) == ["p p", "p q", "q p", "q q"]
    assert texts("__a____my_list-2__", **{"a": ["p"], "my_list-2": ["r", "s"]}) == ["pr", "ps"]


def test_slots_lists_names_and_values() -> None:
    template = Template.parse("<A> {x <B>|<A>} __a__ <N:1..999999999999:0.5>", {"A": ["p", "q"], "B": ["r"]})
    slots = template.slots
    assert list(slots) == ["A", "choice1", "B", "a2", "N"]
    assert list(slots["choice1"]) == ["x r", "<A>"]
    assert slots["choice1"][1:] == ("<A>",)
    assert len(slots["N"]) == 1_999_999_999_997
    assert slots["N"][1] == "1.5"
    assert slots["N"][-2:] == ("999999999998.5", "999999999999")


# --- mistakes


@pytest.mark.parametrize(
    ("template", "position", "message"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("a <FOO> b", 2, "no word list for slot <FOO>; give it values, or use one of these lists: breed, "),
        ("a __foo__", 2, "no word list __foo__; give it values, or use one of these lists: breed, "),
        ("a <b", 2, "'<' without a matching '>'"),
        ("a </b>", 2, "'</b>' is not a slot"),
        ("a < b > c", 2, "'< b >' is not a slot"),
        ("a b>", 3, "'>' without a matching '<'"),
        ("a {b|c", 2, "'{' without a matching '}'"),
        ("{a|{b|c}", 0, "'{' without a matching '}'"),
        ("a}", 1, "'}' without a matching '{'"),
        ("{x::a|b}", 1, "'x' is not a weight"),
        ("{a|0::b}", 3, "'0' is not a weight"),
        ("{-1::a|b}", 1, "'-1' is not a weight"),
        ("{inf::a|b}", 1, "'inf' is not a weight"),
        ("{nan::a|b}", 1, "'nan' is not a weight"),
        ("{1::2::a|b}", 5, "unexpected '::'"),
        ("{4$$a|b}", 1, "cannot choose 4 out of 2"),
        ("{0$$a|b}", 1, "'0' is not a number of options"),
        ("{1.5$$a|b}", 1, "'1.5' is not a number of options"),
        ("{a|b$$c}", 4, "unexpected '$$'"),
        ("<N:3..1>", 3, "is descending"),
        ("<N:1..3:0>", 3, "step of a range must be above 0, not 0"),
        ("<N:1..3:-1>", 3, "must be above 0, not -1"),
        ("<N:a..b>", 3, "'a..b' is not a range"),
        ("<N:1..3> <N:1..4>", 9, "two different ranges"),
        ("<N:0..999999999999:0.0000001>", 3, "more than"),
        ("{<BREED>|a} {<breed>|b}", 13, "two choices"),
        ("{2$$<BREED>|a|x <BREED>}", 16, "two choices"),
    ],
)
def test_mistakes_are_placed(template: str, position: int, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(template)
    assert caught.value.position == position
    assert message in str(caught.value)


def test_the_caret_points_at_the_mistake() -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse("first line\nsecond {a|b")
    shown, caret = str(caught.value).splitlines()[1:]
    assert shown == "  second {a|b"
    assert shown[caret.index("^")] == "{"


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ({"A": []}, "the list of slot 'A' is empty"),
        ({"A": "abc"}, "a single string, 'abc'"),
        ({"A": ["x"], "a": ["y"]}, "given twice"),
    ],
)
def test_bad_lists(slots: dict[str, list[str]], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        Template.parse("<A>", slots)


def test_a_range_and_a_list_for_one_slot_are_refused() -> None:
    with pytest.raises(TemplateError, match="both a range and a list of values"):
        Template.parse("<N:1..2>", {"n": ["1"]})


@pytest.mark.parametrize("index", [-1, 4])
def test_prompt_out_of_range(index: int) -> None:
    with pytest.raises(TemplateError, match=f"no prompt {index}; the template has the prompts 0 to 3"):
        Template.parse("{a|b}{c|d}").prompt(index)


# --- counting


AMBIGUOUS = [
    "{a|ab}{bc|c}",
    "<A><B>",
    "<A> <B> <C>",
    "<C>;<C> <A>",
    "<A><A><B>",
    "<C><A>,<B>{<A>|b}",
    "{2$$$$<A>|b|<B>}<C>",
    "{3$$,$$a|b|a|,}{a|,}",
    "<B>{a<A>|<A>|<C>}<B>",
    "{a|b {a|b} {2$$ $$a|b|}}",
    "<N:1..12>{1|2|}",
    "<N:1..12>.<A>",
    "<N:0..2:0.5>{.|;}<N>",
]


@pytest.mark.parametrize("template", AMBIGUOUS)
def test_counts_are_those_of_the_expansion(template: str) -> None:
    parsed = Template.parse(template, LISTS)
    expanded = [prompt.text for prompt in parsed]
    assert len(expanded) == parsed.count
    assert len(set(expanded)) == parsed.unique_count


def test_huge_templates_are_counted_at_once() -> None:
    huge = Template.parse(
        "<N:0..1000000:0.001> degrees, " + ", ".join(f"{{{'|'.join('abcd')}}}" for _ in range(40))
    )
    assert huge.count == huge.unique_count == 1_000_000_001 * 4**40
    assert huge.prompt(huge.count - 1).text == "1000000 degrees, " + ", ".join("d" * 40)
    assert len({prompt.text for prompt in huge.sample(100, seed=1)}) == 100


def test_a_long_text_is_counted() -> None:
    assert Template.parse("{a|ab}{bc|c}" + "x" * 50_000).unique_count == 3


def test_counts_that_take_too_long_are_unknown() -> None:
    template = Template.parse("<N:1..100000000>{1|2|}")
    assert template.count == 300_000_000
    assert template.unique_count is None
    assert len(list(template.sample(5, seed=0))) == 5


@st.composite
def templates(draw: st.DrawFn) -> str:
    """Small templates of every construct over the letters a, b."""
    leaf = st.sampled_from(["a", "b", "ab", " ", "", "<A>", "<B>", "__C__", "<N:0..1:0.5>"])
    tree = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda options: "{" + "|".join(options) + "}"),
            st.lists(inner, min_size=2, max_size=3).map(lambda options: "{2$$,$$" + "|".join(options) + "}"),
            st.lists(inner, min_size=1, max_size=2).map(lambda options: "{2::" + "|".join(options) + "}"),
        ),
        max_leaves=5,
    )
    return "<A>|<B>|<N:0..1:0.5>" * draw(st.booleans()) + "t" + "".join(draw(st.lists(tree, max_size=3)))


def parsed_or_none(text: str) -> Template | None:
    """The template, or None where it uses a slot in two choices that exclude each other."""
    try:
        return Template.parse(text, LISTS)
    except TemplateError as error:
        assert "two choices" in str(error)  # noqa: PT017 - anything else would be a bug of the parser
        return None


@given(templates())
def test_counts_and_random_access_agree_with_the_expansion(text: str) -> None:
    template = parsed_or_none(text)
    if template is None or template.count > 3000:
        return
    expanded = list(template)
    assert len(expanded) == template.count
    assert len({prompt.text for prompt in expanded}) == template.unique_count
    assert [template.prompt(prompt.index) for prompt in reversed(expanded)] == expanded[::-1]
    assert {prompt.index for prompt in template.sample(template.count, 5, "keep")} == set(
        range(template.count)
    )


@given(st.lists(st.lists(st.text("ab ", max_size=3), min_size=1, max_size=4), min_size=1, max_size=4))
def test_slots_expand_as_itertools_product(lists: list[list[str]]) -> None:
    slots = {f"S{place}": values for place, values in enumerate(lists)}
    template = Template.parse("^".join(f"<{name}>" for name in slots) + "^", slots)
    expected = list(product(*lists))
    assert [prompt.text for prompt in template] == ["^".join(row) + "^" for row in expected]
    assert [tuple(prompt.slots.values()) for prompt in template] == expected
    assert template.unique_count == len(set(expected))


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6), st.data())
def test_choosing_k_expands_as_itertools_combinations(options: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.integers(1, len(options)))
    expected = ["+".join(row) for row in combinations(options, chosen)]
    assert texts(f"{{{chosen}$$+$${'|'.join(options)}}}") == expected


@given(st.integers(-50, 50), st.integers(0, 60), st.sampled_from(["1", "0.5", "0.1", "0.25", "7", "0.003"]))
def test_ranges_are_exact(first: int, span: int, step: str) -> None:
    values = [Decimal(text) for text in texts(f"<N:{first}..{first + span}:{step}>")]
    assert values == [first + place * Decimal(step) for place in range(len(values))]
    assert values[-1] <= first + span < values[-1] + Decimal(step)


# --- sampling


def test_a_sample_repeats_under_its_seed_and_differs_under_another() -> None:
    template = Template.parse(CAT)
    assert list(template.sample(50, 3)) == list(template.sample(50, 3))
    assert list(template.sample(50, 3)) != list(template.sample(50, 4))
    assert list(template.sample(10, 3)) == list(template.sample(50, 3))[:10]


@given(st.integers(0, 2**63 - 1), st.integers(0, 12), st.sampled_from([1.0, 5.0]))
def test_sampling_is_without_replacement(seed: int, n: int, weight: float) -> None:
    template = Template.parse(f"{{{weight}::a|b}}<C><N:1..3>", LISTS)
    assert (template.count, template.unique_count) == (18, 12)
    skipped = list(template.sample(n, seed))
    assert len({prompt.text for prompt in skipped}) == n
    kept = list(template.sample(n + 6, seed, "keep"))
    assert len({prompt.index for prompt in kept}) == n + 6


def test_every_prompt_comes_when_all_are_asked_for() -> None:
    template = Template.parse("{9::a|b|c}<C>{x|y}", LISTS)
    assert sorted(prompt.index for prompt in template.sample(18, 1, "keep")) == list(range(18))
    assert {prompt.text for prompt in template.sample(12, 1)} == {prompt.text for prompt in template}


@pytest.mark.parametrize(
    ("n", "duplicates", "there_are"), [(13, "skip", 12), (19, "keep", 18), (-1, "skip", 12)]
)
def test_more_than_there_are_is_refused(n: int, duplicates: str, there_are: int) -> None:
    with pytest.raises(TemplateError, match=f"cannot draw {n} .*prompts; the template has {there_are}"):
        Template.parse("{a|b|c}<C>{x|y}", LISTS).sample(n, 1, duplicates)  # type: ignore[arg-type]


def test_uniform_draws_are_uniform() -> None:
    template = Template.parse("<N:0..999>")
    drawn = Counter(int(prompt.text) // 250 for seed in range(200) for prompt in template.sample(20, seed))
    assert all(900 < drawn[quarter] < 1100 for quarter in range(4))  # 1000 expected, sd 27


@pytest.mark.parametrize("filler", ["<N:1..2>", "<N:1..1000000>"], ids=["by keys", "by retrying"])
def test_weights_are_honoured(filler: str) -> None:
    template = Template.parse(f"{{7::a|3::b {{x|y}}}} {filler}")
    firsts = Counter(next(template.sample(1, seed)).slots["choice1"] for seed in range(3000))
    assert abs(firsts["a"] / 3000 - 0.7) < 0.04  # sd 0.0084
    assert abs(firsts["b x"] / 3000 - 0.15) < 0.03


@pytest.mark.parametrize("filler", ["", "<N:1..1000000>"], ids=["by keys", "by retrying"])
def test_a_pair_is_drawn_by_the_product_of_its_weights(filler: str) -> None:
    template = Template.parse("{2$$$$4::a|2::b|1::c}" + filler)
    drawn = Counter(next(template.sample(1, seed)).slots["choice1"] for seed in range(3000))
    for pair, weight in {"ab": 8, "ac": 4, "bc": 2}.items():
        assert abs(drawn[pair] / 3000 - weight / 14) < 0.04


def test_options_without_weights_are_equally_likely_whatever_they_hold() -> None:
    template = Template.parse("{<N:1..99>|none}")
    drawn = sum(next(template.sample(1, seed)).text == "none" for seed in range(2000))
    assert abs(drawn / 2000 - 0.5) < 0.05


def test_stratified_gives_every_value_its_equal_share() -> None:
    template = Template.parse(CAT)
    prompts = list(template.stratified(1000, "preposition", seed=7))
    shares = Counter(prompt.slots["PREPOSITION"] for prompt in prompts)
    assert set(shares.values()) == {100}
    assert len(shares) == 10
    assert len({prompt.text for prompt in prompts}) == 1000
    assert set(Counter(prompt.slots["PREPOSITION"] for prompt in prompts[:30]).values()) == {3}
    assert all(template.prompt(prompt.index) == prompt for prompt in prompts)


@given(st.integers(0, 27), st.integers(0, 100))
def test_stratified_shares_differ_by_one_at_most(n: int, seed: int) -> None:
    template = Template.parse("<A> {5::u|v|w} <C>", {**LISTS, "C": ["x", "y", "z"]})
    for slot in ("A", "choice1", "c"):
        shares = Counter(
            prompt.slots[slot.upper() if slot == "c" else slot]
            for prompt in template.stratified(n, slot, seed)
        )
        assert sum(shares.values()) == n
        assert max(shares.values(), default=0) - (min(shares.values()) if len(shares) == 3 else 0) <= 1


def test_stratified_refusals() -> None:
    template = Template.parse("<A> {<B>|v}", LISTS)
    with pytest.raises(
        TemplateError, match="cannot stratify by 'B'; the slots that every prompt has are: A, choice1"
    ):
        template.stratified(3, "B", 1)
    with pytest.raises(
        TemplateError, match=r"A = 'ab': cannot draw|A = 'a': cannot draw|A = 'b': cannot draw"
    ):
        template.stratified(100, "A", 1)
    with pytest.raises(TemplateError, match="more than the limit"):
        Template.parse("<N:1..2000000>").stratified(3, "N", 1)


# --- word lists


def test_word_list_files(tmp_path: Path) -> None:
    path = tmp_path / "sizes.txt"
    path.write_bytes("\ufeff# sizes\r\n big \r\n\r\nsmall\n#no\nbig\nné 🐱\n".encode())
    assert read_word_list(path) == ("big", "small", "big", "né 🐱")
    assert slot_option(f"SIZE={path}") == ("SIZE", ("big", "small", "big", "né 🐱"))
    assert slot_option("SIZE= big, small ") == ("SIZE", ("big", "small"))
    assert slot_option("SIZE=big") == ("SIZE", ("big",))


def test_word_list_mistakes(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    for option, message in {
        f"A={tmp_path / 'missing.txt'}": "cannot be read: No such file",
        f"A={tmp_path / 'latin.txt'}": "is not UTF-8",
        f"A={tmp_path / 'empty.txt'}": "is empty",
        "A": "write NAME=FILE or NAME=a,b,c",
        "=a": "write NAME=FILE or NAME=a,b,c",
        "A=": "write NAME=FILE or NAME=a,b,c",
        "A=a,,b": "empty value",
    }.items():
        with pytest.raises(TemplateError, match=message):
            slot_option(option)


def test_shipped_templates_parse_and_say_what_the_digits_captions_say() -> None:
    for name in shipped_template_names():
        assert Template.parse(shipped_template(name)).count > 0
    assert shipped_lists()["digit"] == DIGIT_WORDS
    eight = [prompt.text for prompt in Template.parse(shipped_template("eight"))]
    assert "a bold handwritten digit eight slanted left" in eight
    assert len(eight) == 6
    with pytest.raises(UnknownName, match="no template called 'dog'; available: 'cat', 'digit', 'eight'"):
        shipped_template("dog")


def test_a_choice_of_one_counts_through_its_options() -> None:
    template = Template.parse("{a|{b|c|d}|<X>|e}", {"X": ["f", "g"]})
    assert [each.text for each in template] == ["a", "b", "c", "d", "f", "g", "e"]
