"""Templates, slots and guidance as a person types them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from hypothesis import strategies as st

from synthaug.stages.guidance import check_guidance, read_guidance, read_slot_guidance
from synthaug.templates import Template, slot_option
from synthaug.templates.wordlists import read_word_list
from tests.fuzz.harness import fuzz

MARKS = r"<X> <Y> <N:1..3> <N:0..1:0.1> <Z:-5..99999> __x__ { } | 2$$ 0.5:: 1e300:: \ :: $$ _ < > a ab é"
PIECES = st.sampled_from([*MARKS.split(), "3$$ and $$", " ", "\n", "\0", "\ud800"])
LEAVES = PIECES | st.text(max_size=6)


def choice(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Well-formed choices, which random pieces hardly ever make."""
    option = st.tuples(st.sampled_from(["", "2::", "0.001::"]), inner).map("".join)
    head = st.sampled_from(["", "1$$", "2$$", "3$$-$$"])
    return st.tuples(head, st.lists(option, min_size=1, max_size=6)).map(
        lambda c: "{" + c[0] + "|".join(c[1]) + "}"
    )


BODIES = st.recursive(
    LEAVES, lambda inner: choice(inner) | st.lists(inner, max_size=6).map("".join), max_leaves=30
)
TEXTS = st.tuples(BODIES, st.integers(1, 60)).map(lambda drawn: drawn[0] * drawn[1])
SEEDS = st.integers(-(2**70), 2**70)


def template(text: str, seed: int, slot: str) -> None:
    values = {"X": ["a", "b", "ab"], "y": ["", "c", "c"]}
    parsed = Template.parse(text, values)
    assert parsed.count >= 1
    assert parsed.unique_count is None or 1 <= parsed.unique_count <= parsed.count
    assert parsed.prompt(parsed.count - 1).index == parsed.count - 1
    for name, shown in islice(parsed.slots.items(), 20):
        assert name
        assert len(shown) == 0 or isinstance(shown[0], str)
    assert len(list(parsed.sample(1, seed))) == 1
    list(parsed.sample(min(20, parsed.count), seed, "keep"))
    list(parsed.stratified(4, slot, seed, "keep"))


def test_templates() -> None:
    fuzz(template, text=TEXTS | st.text(), seed=SEEDS, slot=st.sampled_from(["X", "N", "choice1", "y", ""]))


def slot(text: str) -> None:
    name, values = slot_option(text)
    assert name
    assert all(values)
    Template.parse("<A>", {"A": values})


def test_slots() -> None:
    fuzz(slot, text=st.text() | st.tuples(st.text(max_size=5), st.text()).map("=".join))


def test_word_lists(tmp_path: Path) -> None:
    def word_list(content: bytes) -> None:
        (tmp_path / "words.txt").write_bytes(content)
        assert read_word_list(tmp_path / "words.txt")

    fuzz(word_list, content=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))


def guidance(text: str) -> None:
    check_guidance(read_guidance(text))
    read_slot_guidance([text])


def test_guidance() -> None:
    figures = st.sampled_from(["1", "..", "nan", "inf", "1e999", "-", "=", ":", ",", "5"])
    fuzz(guidance, text=st.text() | st.lists(figures, max_size=6).map("".join))
