"""What the figures of a report share: plotly dicts without colours of the page, which follow its theme.

Names that a user gave are escaped, since plotly reads a little HTML in every text.
"""

from __future__ import annotations

import html
from typing import Any

Figure = dict[str, Any]

COLORS = (
    "#2b8f86",
    "#e0701f",
    "#4269d0",
    "#a463f2",
    "#3ca951",
    "#f274a8",
    "#e8a413",
    "#f2604a",
    "#7fa8ec",
    "#9c6b4e",
)
"""Ten hues told apart on light and on dark; the eleventh starts again."""
BASELINE = "#868d96"


def cycle(count: int) -> list[str]:
    """So many colours."""
    return [COLORS[index % len(COLORS)] for index in range(count)]


def text(name: object) -> str:
    """A user's name as plotly shows it literally."""
    return html.escape(str(name), quote=False)


def layout(height: int, **more: Any) -> Figure:
    """What all figures share."""
    return {
        "height": height,
        "margin": {"l": 56, "r": 16, "t": 16, "b": 48},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        **more,
    }


def axis(title: str = "", **more: Any) -> Figure:
    """One axis: its title, and room for long ticks."""
    return {"title": {"text": title, "standoff": 10}, "automargin": True, "zeroline": False, **more}


def heading(shown: str, x: float, y: float) -> Figure:
    """A heading over a small multiple, in paper coordinates."""
    place = {
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "xanchor": "center",
        "yanchor": "bottom",
        "yshift": 4,
    }
    return {"text": shown, "showarrow": False, "font": {"size": 13}, **place}
