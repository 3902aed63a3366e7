"""Parts of pages that are plain functions: keys, colours, markup, panels."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from synthaug_app.components.generate.preview import data_uri
from synthaug_app.components.generate.template_panel import template_panel
from synthaug_app.components.label_desk import RESERVED_KEYS, class_keys
from synthaug_app.components.markup import Markup, joined, markup
from synthaug_app.components.palette import DARK, LIGHT, class_colour, class_letter
from synthaug_app.pages.data import balance_panel, figures_panel, outcome_panel, views_panel
from synthaug_app.shell import PAGES, header
from synthaug_app.theme import head

from synthaug.reading.overview import ClassCounts, Overview, ViewSummary
from synthaug.records import Job

EVIL = '<script>alert("1")</script>'


def test_ten_classes_take_the_number_row() -> None:
    assert class_keys([f"class {i}" for i in range(10)]) == list("1234567890")


def test_a_class_called_by_one_key_is_reached_by_it() -> None:
    assert class_keys(list("0123456789")) == list("0123456789")
    assert class_keys(["dog", "1", "B"]) == ["2", "1", "b"]


def test_no_two_classes_share_a_key_and_none_takes_a_reserved_one() -> None:
    for names in (["x", "u", "z"], ["a", "A"], [f"c{i}" for i in range(60)], ["1", *"abcdefg"]):
        keys = [key for key in class_keys(names) if key]
        assert len(keys) == len(set(keys))
        assert not RESERVED_KEYS & set(keys)


def test_colours_repeat_after_ten_and_letters_do_not() -> None:
    assert class_colour(3) == class_colour(13)
    assert len(set(LIGHT)) == len(set(DARK)) == 10
    assert len({class_letter(i) for i in range(100)}) == 100


def test_markup_escapes_values_and_not_itself() -> None:
    assert markup("<b>{}</b>{x}", EVIL, x=Markup("<i>")) == f"<b>{Markup.escape(EVIL)}</b><i>"
    assert joined([markup("<p>{}</p>", "&")]) == "<p>&amp;</p>"


def test_a_header_marks_the_page_and_escapes_the_workspace() -> None:
    bar = str(header(EVIL, "label").value)
    assert EVIL not in bar
    assert bar.count("aria-current") == 1
    assert 'href="/label" data-needs="annotator" aria-current="page"' in bar
    assert all(f'href="/{path}"' in bar for _, path in PAGES)


def test_the_head_holds_every_style_and_asks_nobody() -> None:
    assert "--sa-class-9" in head()
    assert ".ld-frame" in head()
    assert "@import" not in head()
    assert "https://" not in head()


def held(**changes: Any) -> Overview:
    """An overview of one class with an evil name."""
    row = ClassCounts(
        0, EVIL, train_real=5, test_real=2, synthetic=4, accepted=1, rejected=1, unsure=0, unreviewed=2
    )
    plain: dict[str, Any] = {
        "classes": (row,), "images": 11, "synthetic": 4, "labeled": 2, "models": (), "views": (), "exports": ()
    }  # fmt: skip
    return Overview(**{**plain, **changes})


def test_bars_are_shares_of_the_largest_class() -> None:
    panel = balance_panel(held())
    assert EVIL not in panel
    for kind, width in (("real", "62.50"), ("curated", "12.50"), ("unreviewed", "25.00"), ("test", "25.00")):
        assert f'<i class="{kind}" style="width:{width}%">' in panel


def test_an_empty_workspace_has_figures_too() -> None:
    empty = ClassCounts(0, "a", 0, 0, 0, 0, 0, 0, 0)
    nothing = held(classes=(empty,), images=0, synthetic=0, labeled=0)
    assert "<dd>0<small></small></dd>" in figures_panel(nothing)
    assert "width:0.00%" in balance_panel(nothing)


def test_views_are_listed_with_their_counts() -> None:
    view = ViewSummary(EVIL, 7, {"a": 5, "b": 0, "c": 2}, "2026-11-21T01:02:03.000Z")
    panel = views_panel(held(views=(view,)))
    assert EVIL not in panel
    assert "a:\N{NO-BREAK SPACE}5, c:\N{NO-BREAK SPACE}2" in panel
    assert "2026-11-21 01:02" in panel


def import_job(rejected: list[list[str]]) -> Job:
    """An import that has ended."""
    when = "2026-11-21T01:02:03.000Z"
    return Job(
        1,
        "import",
        "done",
        {},
        0,
        0,
        "",
        "",
        {"rejected": rejected, "notes": [] if not rejected else [EVIL]},
        when,
        when,
        when,
        False,
    )


def test_refused_files_are_listed_and_counted() -> None:
    assert outcome_panel(None) == outcome_panel(import_job([])) == ""
    panel = outcome_panel(import_job([[EVIL, "not an image"]] * 203))
    assert EVIL not in panel
    assert "203 files were not imported" in panel
    assert "and 3 more" in panel
    assert 'href="/data/imports/1/rejected"' in panel


@pytest.mark.parametrize("text", ["", "<b>{a", "a {0.5::x|y"])
def test_a_template_that_cannot_be_read_never_breaks_the_page(text: str) -> None:
    panel = template_panel(text)
    assert "<b>{a" not in panel


def test_a_small_image_travels_exactly() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    data = base64.b64decode(data_uri(pixels).partition(",")[2])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), pixels)
