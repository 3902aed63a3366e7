"""Results in a notebook: well-formed markup, escaped text, pictures that are the pixels, a plot that is true."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from synthaug.api import results

EVIL = '<img src=x onerror="alert(1)">&{0}'
TAGS = {
    *("div", "strong", "b", "table", "thead", "tbody", "tr", "th", "td", "img"),
    *("svg", "title", "line", "circle", "text"),
}
PIXELS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)

VERDICT = results.Verdict(
    verdict="helped",
    text=EVIL,
    difference=0.02,
    ci=(0.01, 0.03),
    confidence=0.95,
    baseline=(0.90, 0.91),
    augmented=(0.92, 0.93),
    test_images=500,
)
SHOWN: list[Any] = [
    results.Imported(2, 1, ((EVIL, EVIL),)),
    results.Imported(2, 1, ()),
    results.Generated(1, EVIL, ("a" * 64,), (EVIL,), (PIXELS,), 0.5),
    results.Previewed((EVIL,), (PIXELS,)),
    results.Predicted(EVIL, 3),
    results.Scored(EVIL, 3),
    results.Labeled(1, 2, 3),
    results.Viewed(EVIL, {EVIL: 4}),
    results.Exported(5, Path(EVIL), Path(EVIL)),
    results.Trained(EVIL, EVIL, 0.5, {EVIL: 0.25, "none": None}, 10),
    results.LandmarkModel(EVIL, EVIL, None, {EVIL: 3.5}, 4, {}),
    VERDICT,
]


def parsed(shown: Any) -> ElementTree.Element:
    """The markup of a result; fails where it is not well formed."""
    return ElementTree.fromstring(re.sub(r"(<img [^>]*)>", r"\1/>", shown._repr_html_()))  # noqa: S314


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: type(shown).__name__)
def test_a_result_shows_hostile_text_as_text(shown: Any) -> None:
    root = parsed(shown)
    assert {each.tag for each in root.iter()} <= TAGS
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]
    assert all(each.get("src", "data:").startswith("data:") for each in root.iter())
    texts = ["".join(root.itertext()), *(each.get("alt", "") for each in root.iter())]
    if EVIL in repr(shown) or isinstance(shown, results.Generated | results.Previewed):
        assert any(EVIL in text for text in texts)


def test_thumbnails_are_the_pixels() -> None:
    (image,) = parsed(results.Previewed(("p",), (PIXELS,))).iter("img")
    data = base64.b64decode(image.attrib["src"].partition("base64,")[2])
    with Image.open(io.BytesIO(data)) as png:
        assert png.format == "PNG"
        assert np.array_equal(np.array(png), PIXELS)


def test_the_plot_stands_where_its_numbers_say() -> None:
    svg = next(parsed(VERDICT).iter("svg"))
    zero, interval = [each.attrib for each in svg.iter("line")]
    middle, *seeds = [float(each.attrib["cx"]) for each in svg.iter("circle")]
    low, high, at_zero = float(interval["x1"]), float(interval["x2"]), float(zero["x1"])
    assert at_zero < low < middle < high
    point = middle - at_zero  # two percentage points
    assert high - at_zero == pytest.approx(1.5 * point, abs=0.2)
    assert low - at_zero == pytest.approx(0.5 * point, abs=0.2)
    assert seeds == pytest.approx([middle, middle], abs=0.2)
    assert 0 < low < high < float(svg.attrib["width"])
    assert "+2.00 points, interval +1.00 to +3.00, 2 seeds" in "".join(svg.itertext())
