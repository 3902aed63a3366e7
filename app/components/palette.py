"""Class colours: ten hues for a light and for a dark surface, with a letter for people who cannot see hue."""

from __future__ import annotations

LIGHT = (
    "#3358c4",
    "#9a6700",
    "#cf3a24",
    "#0f7d70",
    "#2a7d2e",
    "#c2347c",
    "#8a3fe0",
    "#2f78d0",
    "#7d5138",
    "#646b75",
)
DARK = (
    "#7f9cf5",
    "#e8a413",
    "#f47a66",
    "#4fb3a0",
    "#4fbf66",
    "#f58bb8",
    "#b98af5",
    "#8fb8f5",
    "#c79a7d",
    "#a3abb5",
)
"""Hex colours of the classes 0..9; they repeat after ten classes."""


def class_colour(index: int) -> str:
    """The CSS colour of a class index (0-based; colours repeat after ten), which follows the theme."""
    return f"var(--sa-class-{index % len(LIGHT)})"


def class_letter(index: int) -> str:
    """A letter for a class, so that a class is never shown by colour alone (``A``..``Z``, then ``A2``...)."""
    round_, letter = divmod(index, 26)
    return chr(ord("A") + letter) + (str(round_ + 1) if round_ else "")


def css_rules() -> str:
    """The ``--sa-class-0`` .. ``--sa-class-9`` declarations of both themes, for the page's stylesheet."""
    themes = ((":root", LIGHT), ("body.dark", DARK))
    return "".join(f"{selector}{{{_declarations(colours)}}}" for selector, colours in themes)


def _declarations(colours: tuple[str, ...]) -> str:
    return "".join(f"--sa-class-{index}:{colour};" for index, colour in enumerate(colours))
