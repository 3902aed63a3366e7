"""Dark backgrounds (long-tail paper): how bright the borders of generated images are beside those of real ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthaug.classifiers.base import Images
from synthaug.experiments.base import Panel
from synthaug.experiments.figures import luminance_histogram
from synthaug.measures.border import border_luminance, dark_share

DARK = 0.25
"""Mean luminance of the border, 0..1, below which a background is called dark."""


def border_panel(groups: Mapping[str, Images]) -> Panel:
    """Border luminance by group of images (N, H, W, 3): histogram and table."""
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
        "Mean luminance of each image's border, 0 (black) to 1 (white): images drawn without a class looked darker "
        "to the authors of the paper."
    )
    columns = ("images", "count", "mean", "median", f"share below {DARK:g}")
    return Panel("Border luminance", text, luminance_histogram(values), columns, rows)
