"""The viewer of large pictures and films: zoom, pan, turn, window and level. Its JavaScript is in ``viewer.js``."""

from __future__ import annotations

from ..markup import Markup, joined, markup

ICONS = {
    "fit": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    "out": "M5 12h14",
    "in": "M5 12h14M12 5v14",
    "left": "M4 5v5h5M4.6 10A8 8 0 1 1 4 14",
    "right": "M20 5v5h-5M19.4 10A8 8 0 1 0 20 14",
    "invert": "M12 4a8 8 0 1 1 0 16 8 8 0 1 1 0-16M12 4v16M9 6v12M6 8v8",
    "beside": "M4 5h7v14H4zM13 5h7v14h-7z",
    "fill": "M4 14v6h6M20 10V4h-6M4 20l7-7M20 4l-7 7",
    "magnify": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
}
"""The tools' drawings, as SVG paths in a box of 24."""


def _tool(name: str, title: str) -> Markup:
    icon = markup(
        '<svg width="16" height="16" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>', ICONS[name]
    )
    return markup(
        '<button type="button" data-tool="{}" title="{}" aria-label="{}">{}</button>',
        name,
        title,
        title,
        icon,
    )


def toolbar() -> Markup:
    """The thin row above the picture."""
    return markup(
        """<div class="vw-tools" data-tools role="toolbar" aria-label="Picture">
  {placing}<button type="button" data-tool="actual" title="One picture pixel a screen pixel (.)">1:1</button>
  {zooming}<output data-scale></output>
  <i></i>{turning}{looking}<i></i>
  <select data-preset aria-label="Window preset" title="Window preset"></select>
  <label title="Window center: right drag up and down">C<input data-center inputmode="decimal" size="6"></label>
  <label title="Window width: right drag sideways">W<input data-width inputmode="decimal" size="6"></label>
</div>""",
        placing=_tool("fit", "Fit (,)"),
        zooming=joined([_tool("out", "Smaller (-)"), _tool("in", "Larger (+)")]),
        turning=joined([_tool("left", "Turn left (Shift+Left)"), _tool("right", "Turn right (Shift+Right)")]),
        looking=joined(
            [
                _tool("invert", "Invert (*)"),
                _tool("magnify", "Magnifier (#)"),
                _tool("beside", "Side by side (/)"),
                _tool("fill", "Fill the window (%); Escape leaves"),
            ]
        ),
    )


def frames() -> Markup:
    """The frame of the picture, and beside it that of another image, which is hidden until it is asked for."""
    return Markup(
        """<div class="vw-frames"><div class="ld-frame" data-frame></div>
  <section class="vw-beside" data-beside aria-label="Image side by side" hidden>
    <div class="vw-beside-bar"><select data-beside-choice aria-label="Which image"></select>
      <input data-beside-number inputmode="numeric" placeholder="Image no." aria-label="Number of an image"
        autocomplete="off"><button type="button" data-beside-close aria-label="Close" title="Close (/)">&times;</button>
    </div>
    <div class="vw-beside-frame" data-beside-frame></div>
  </section></div>"""
    )
