"""HTML of results in a notebook: escaped text, inline PNG and inline SVG, without scripts or external links."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO

from markupsafe import Markup
from PIL import Image

from synthaug.records import Pixels

NOTHING = Markup("")
THUMBNAIL = 96  # px, maximum of the longer side
CARD = "border:1px solid #8884;border-radius:6px;padding:10px 14px;margin:4px 0;max-width:760px"
COLOURS = {
    "helped": "#2a7f4f",
    "harmed": "#b3402e",
    "no worthwhile difference": "#5a6570",
    "not enough evidence": "#8a6d1a",
}
PLOT_WIDTH, PLOT_HEIGHT, MARGIN = 420, 74, 16  # px


def card(title: str, facts: Mapping[str, object], body: Markup = NOTHING) -> str:
    """A box with a title, a line of facts and an optional body."""
    line = Markup(" · ").join(Markup("{}: <b>{}</b>").format(name, value) for name, value in facts.items())
    return str(
        Markup('<div style="{}"><strong>{}</strong><div>{}</div>{}</div>').format(CARD, title, line, body)
    )


def thumbnails(images: Sequence[Pixels], captions: Sequence[str]) -> Markup:
    """Images (H, W, 3) uint8 side by side as inline PNG, with captions as tooltips."""
    cells = [
        Markup('<img src="{}" alt="{caption}" title="{caption}" height="64" style="margin:2px">').format(
            png_uri(pixels), caption=caption
        )
        for pixels, caption in zip(images, captions, strict=True)
    ]
    return Markup("<div>{}</div>").format(Markup("").join(cells))


def png_uri(pixels: Pixels) -> str:
    """An image (H, W, 3) uint8 as a ``data:`` URI, reduced to at most ``THUMBNAIL`` px per side."""
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    out = BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup:
    """A table of ``rows`` with the headings ``columns``."""
    head = Markup("").join(Markup("<th>{}</th>").format(each) for each in columns)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body)


def interval_plot(difference: float, ci: tuple[float, float], seeds: Sequence[float], colour: str) -> Markup:
    """A plot of an accuracy difference in percentage points, with its interval as a bar and a dot for each seed.

    All arguments are shares: 0.01 is one percentage point.
    """
    values = [100 * each for each in (difference, *ci, *seeds)]
    reach = 1.1 * max(1.0, *map(abs, values))

    def x(points: float) -> float:
        return PLOT_WIDTH / 2 + points / reach * (PLOT_WIDTH / 2 - MARGIN)

    dots = Markup("").join(
        Markup('<circle cx="{:.1f}" cy="52" r="3" fill="currentColor" fill-opacity="0.55"/>').format(
            x(100 * each)
        )
        for each in seeds
    )
    low, high = (100 * each for each in ci)
    return Markup(
        '<svg role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'style="font:12px sans-serif"><title>{title}</title>'
        '<line x1="{zero:.1f}" x2="{zero:.1f}" y1="6" y2="60" stroke="currentColor" stroke-dasharray="3 3"/>'
        '<line x1="{low:.1f}" x2="{high:.1f}" y1="30" y2="30" stroke="{colour}" stroke-width="6"/>'
        '<circle cx="{middle:.1f}" cy="30" r="7" fill="{colour}"/>{dots}'
        '<text x="{middle:.1f}" y="16" text-anchor="middle" fill="currentColor">{points}</text>'
        '<text x="{zero:.1f}" y="72" text-anchor="middle" fill="currentColor">0 points</text></svg>'
    ).format(
        width=PLOT_WIDTH,
        height=PLOT_HEIGHT,
        title=f"{100 * difference:+.2f} points, interval {low:+.2f} to {high:+.2f}, {len(seeds)} seeds",
        zero=x(0),
        low=x(low),
        high=x(high),
        middle=x(100 * difference),
        points=f"{100 * difference:+.2f}",
        colour=colour,
        dots=dots,
    )
