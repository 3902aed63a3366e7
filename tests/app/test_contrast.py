"""Text and controls against what they stand on, as WCAG 2.2 AA asks: 4.5 to 1 for text, 3 to 1 for controls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import synthaug_app
from synthaug_app.components import palette

APP = Path(synthaug_app.__file__).parent
THEME = (APP / "static" / "theme.css").read_text(encoding="utf-8")
MAP = (APP / "components" / "scatter" / "scatter.css").read_text(encoding="utf-8")
PAINTER = (APP / "components" / "scatter" / "painter.js").read_text(encoding="utf-8")
SURFACES = ("bg", "surface", "raised", "sunken")
POINTS = ("real", "synthetic", "muted", "faint", "good", "warn", "bad", "ink")
"""What a point of the map may be coloured by, besides classes and the scale."""
TEXTS = ("ink", "muted", "faint", "accent", "good", "warn", "bad", "real", "synthetic")
DIFFERENT = {"light": ":root", "dark": "body.dark"}


def tokens(theme: str) -> dict[str, str]:
    """The hex colours of a theme by name."""
    block = re.search(re.escape(DIFFERENT[theme]) + r" \{(.*?)\}", THEME, re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--sa-([\w-]+): (#[0-9a-f]{6});", block[1]))


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """1 (equal) .. 21 (black on white)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # a grey known to fail


@pytest.mark.parametrize("theme", DIFFERENT)
@pytest.mark.parametrize("text", TEXTS)
def test_text_can_be_read_on_every_surface(theme: str, text: str) -> None:
    known = tokens(theme)
    ratios = {surface: round(contrast(known[text], known[surface]), 2) for surface in SURFACES}
    assert min(ratios.values()) >= 4.5, ratios


@pytest.mark.parametrize("theme", DIFFERENT)
def test_the_text_of_a_primary_button_can_be_read(theme: str) -> None:
    known = tokens(theme)
    assert contrast(known["accent-ink"], known["accent"]) >= 4.5
    assert contrast(known["accent-ink"], known["accent-hover"]) >= 4.5


@pytest.mark.parametrize("theme", DIFFERENT)
def test_the_outline_of_the_focus_can_be_seen(theme: str) -> None:
    known = tokens(theme)
    assert min(contrast(known["accent"], known[surface]) for surface in SURFACES) >= 3


def blended(colour: str, surface: str, opacity: float) -> str:
    """What is seen of a colour over a surface."""
    parts = [[int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in (colour, surface)]
    return "#" + "".join(
        f"{round(over * opacity + under * (1 - opacity)):02x}" for over, under in zip(*parts, strict=True)
    )


def scale(theme: str) -> list[str]:
    """The five colours of the continuous scale in a theme."""
    found = re.findall(r"--sa-ramp-\d: (#[0-9a-f]{6});", MAP)
    assert len(found) == 10
    return found[:5] if theme == "light" else found[5:]


@pytest.mark.parametrize("theme", DIFFERENT)
def test_a_single_point_of_the_map_can_be_seen(theme: str) -> None:
    """3 to 1 (WCAG 2.2, 1.4.11) at the opacity of a point among a million, on the plot's surface."""
    known = tokens(theme)
    opacity = re.search(r"LEAST_OPACITY = ([\d.]+);", PAINTER)
    assert opacity is not None
    classes = palette.LIGHT if theme == "light" else palette.DARK
    colours = [*classes, *scale(theme), *(known[name] for name in POINTS)]
    ratios = {
        each: round(contrast(blended(each, known["surface"], float(opacity[1])), known["surface"]), 2)
        for each in colours
    }
    assert min(ratios.values()) >= 3, ratios


@pytest.mark.parametrize("theme", DIFFERENT)
def test_the_scale_grows_towards_the_far_end(theme: str) -> None:
    surface = tokens(theme)["surface"]
    ratios = [contrast(each, surface) for each in scale(theme)]
    assert ratios == sorted(ratios)
