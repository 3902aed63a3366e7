"""Dark backgrounds (long-tail paper): border luminance of generated images compared with that of real ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthaug.classifiers.base import Images
from synthaug.experiments.base import Panel
from synthaug.experiments.figures import luminance_histogram
from synthaug.measures.border import border_luminance, dark_share

DARK = 0.25
"""Mean luminance of the border, 0..1, below which a background counts as dark."""


def border_panel(groups: Mapping[str, Images]) -> Panel:
    """Histogram and table of the border luminance of each group of images (N, H, W, 3) uint8."""
    values = {name: border_luminance(images) for name, images in groups.items()}
    rows = tuple(
        (
            name,
            len(each),
            round(float(each.mean()), 3),
            round(float(np.median(each)), 3),
            round(dark_share(each, DARK), 3),
        )
        for name, each in values.items()
    )
    text = (
        "Mean luminance of each image's border, from 0 (black) to 1 (white). The authors of the paper found that "
        "images generated without a class looked darker."
    )
    columns = ("images", "count", "mean", "median", f"share below {DARK:g}")
    return Panel("Border luminance", text, luminance_histogram(values), columns, rows)
