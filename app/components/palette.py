"""Class colours: ten hues that differ on light and dark, and a letter for people who cannot see hue."""

from __future__ import annotations

CLASS_COLORS = (
    "#4269d0",
    "#e8a413",
    "#f2604a",
    "#4fb3a0",
    "#3ca951",
    "#f274a8",
    "#a463f2",
    "#7fa8ec",
    "#9c6b4e",
    "#868d96",
)
"""Hex colours of the classes 0..9; they repeat after ten classes."""


def class_color(index: int) -> str:
    """The hex colour of a class index (0-based; colours repeat after ten)."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def class_letter(index: int) -> str:
    """A letter for a class, so that a class is never shown by colour alone (``A``..``Z``, then ``A2``...)."""
    round_, letter = divmod(index, 26)
    return chr(ord("A") + letter) + (str(round_ + 1) if round_ else "")


def css_variables() -> str:
    """The ``--sa-class-0`` .. ``--sa-class-9`` declarations of the style sheet."""
    return "".join(f"--sa-class-{index}:{color};" for index, color in enumerate(CLASS_COLORS))
