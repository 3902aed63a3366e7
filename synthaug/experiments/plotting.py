"""Shared parts of the plotly figures in a report. Page colours are left out, so that they follow its theme.

Names given by users are escaped, because plotly interprets some HTML in texts.
"""

from __future__ import annotations

import html
from typing import Any

Figure = dict[str, Any]

COLOURS = (
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
"""Ten colours that can be told apart on light and dark backgrounds; they repeat from the eleventh on."""
BASELINE = "#868d96"


def cycle(count: int) -> list[str]:
    """``count`` colours, repeating after ten."""
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def text(name: object) -> str:
    """A name escaped so that plotly shows it literally."""
    return html.escape(str(name), quote=False)


def layout(height: int, **more: Any) -> Figure:
    """The layout that all figures share, with further settings."""
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
    """An axis with a title and automatic margins, with further settings."""
    return {"title": {"text": title, "standoff": 10}, "automargin": True, "zeroline": False, **more}


def heading(shown: str, x: float, y: float) -> Figure:
    """A heading above a subplot, in paper coordinates."""
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
