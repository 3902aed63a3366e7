"""Display of gray images of up to 16 bits by window and level (DICOM PS3.3 C.11).

A table of 65,536 entries maps every stored value to its displayed gray level, here and in the browser
(``components/viewer/levels.js``). It is exact and takes one lookup per pixel, whatever the function.
"""

from __future__ import annotations

import base64
import json
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Display, GrayImage, Pixels, Window

VALUES = 65_536
FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def full_range(bits: int) -> Window:
    """The window from black at 0 to white at the largest value of ``bits``."""
    return Window((2**bits - 1) / 2, 2**bits - 1, "LINEAR_EXACT")


def is_valid(window: Window) -> bool:
    """Whether DICOM allows the window: a width of at least 1 for LINEAR, and above 0 for the other functions."""
    least_ok = window.width >= 1 if window.function == "LINEAR" else window.width > 0
    return window.function in FUNCTIONS and least_ok and isfinite(window.center) and isfinite(window.width)


def shares(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Map rescaled values to 0 (black) .. 1 (white) (PS3.3 C.11.2.1.2.1 and C.11.2.1.3)."""
    center, width = window.center, window.width
    if window.function == "SIGMOID":
        with np.errstate(over="ignore"):  # far below the window, 1 / (1 + infinity) is 0, as it should be
            sigmoid: NDArray[np.float64] = 1 / (1 + np.exp(-4 * (values - center) / width))
        return sigmoid
    if window.function == "LINEAR":
        center, width = center - 0.5, width - 1
    if width == 0:
        return (values > center).astype(np.float64)
    return np.clip((values - center) / width + 0.5, 0, 1)


def lookup_table(display: Display) -> NDArray[np.uint8]:
    """The displayed gray level (65536,) uint8 of each stored value by default, 0 black .. 255 white."""
    if display.table:
        shown = np.frombuffer(display.table, np.uint8)
        table = np.concatenate([shown, np.full(VALUES - len(shown), shown[-1])])
    else:
        rescaled = display.slope * np.arange(VALUES, dtype=np.float64) + display.intercept
        table = np.floor(255 * shares(rescaled, display.windows[0]) + 0.5).astype(np.uint8)
    return 255 - table if display.inverted else table


def level_table(display: Display) -> NDArray[np.uint16]:
    """The displayed gray level (65536,) uint16 of each stored value, in 65,536 levels instead of 256.

    A table of the file, which has 256 levels, is interpolated linearly between the middles of its steps.
    """
    if display.table:
        steps = np.frombuffer(display.table, np.uint8)
        heights = np.unique(steps)
        middle = np.array([np.flatnonzero(steps == each).mean() for each in heights])
        order = np.argsort(middle)
        share = np.interp(np.arange(VALUES), middle[order], heights[order] / 255)
    else:
        rescaled = display.slope * np.arange(VALUES, dtype=np.float64) + display.intercept
        share = shares(rescaled, display.windows[0])
    levels = np.floor((VALUES - 1) * share + 0.5).astype(np.uint16)
    return VALUES - 1 - levels if display.inverted else levels


def as_levels(image: GrayImage) -> NDArray[np.uint16]:
    """The image as it is displayed by default, at full depth: (H, W) uint16, 0 black .. 65535 white."""
    levels: NDArray[np.uint16] = level_table(image.display)[image.values]
    return levels


def as_picture(image: Pixels | GrayImage) -> Pixels:
    """The image as it is displayed by default, (H, W, 3) uint8."""
    if not isinstance(image, GrayImage):
        return image
    return np.repeat(lookup_table(image.display)[image.values][:, :, None], 3, axis=2)


def display_text(bits: int, display: Display) -> str:
    """The depth and the display as JSON, for a PNG text chunk."""
    return json.dumps(
        {
            "bits": bits,
            "windows": [[each.center, each.width, each.function] for each in display.windows],
            "slope": display.slope,
            "intercept": display.intercept,
            "inverted": display.inverted,
            "table": base64.b64encode(display.table).decode(),
        },
        sort_keys=True,
    )


def display_from_text(text: str) -> tuple[int, Display] | None:
    """The depth and display that :func:`display_text` wrote; None for any other text, as foreign files may have."""
    try:
        fields = json.loads(text)
        windows = tuple(Window(float(c), float(w), function) for c, w, function in fields["windows"])
        rescale = float(fields["slope"]), float(fields["intercept"])
        table = base64.b64decode(fields["table"], validate=True)
        bits = int(fields["bits"])
    except (ValueError, KeyError, TypeError):
        return None
    valid = windows and all(map(is_valid, windows)) and all(map(isfinite, rescale))
    if not valid or not 1 <= bits <= 16 or len(table) > VALUES:
        return None
    return bits, Display(windows, *rescale, fields.get("inverted") is True, table)
