"""The scatter plot of the embedding: a 2D canvas that fetches its coordinates once, as binary."""

from __future__ import annotations

import gradio as gr

from ...modules import mounting

TOOLS = (
    ("lasso", "Lasso", "Draw a loop around points. Ctrl adds to what is selected."),
    ("box", "Box", "Drag a rectangle. Shift while dragging does the same with the lasso."),
    ("move", "Move", "Drag the plot. The middle button does the same with any tool; the wheel zooms."),
)

TEMPLATE = """
<section class="sa-scatter" data-state="loading">
  <div class="sa-scatter-bar">
    <div class="sa-segments" role="group" aria-label="Projection">
      <button type="button" data-to="pca" aria-pressed="true">PCA</button>
      <button type="button" data-to="umap" aria-pressed="false">UMAP</button>
    </div>
    <label class="sa-scatter-mode">Colour by <select class="sa-select" data-part="mode"></select></label>
    <div class="sa-segments" role="group" aria-label="Tool">@tools</div>
    <div class="sa-segments" role="group" aria-label="Zoom">
      <button type="button" data-zoom="1.5" aria-label="Zoom in">+</button>
      <button type="button" data-zoom="0.667" aria-label="Zoom out">&minus;</button>
      <button type="button" data-zoom="0">Fit</button>
    </div>
  </div>
  <div class="sa-scatter-stage" data-part="stage" data-tool="lasso">
    <canvas data-part="points"></canvas>
    <canvas data-part="overlay" role="img" aria-label="Scatter plot of the images"></canvas>
    <div class="sa-scatter-tip" data-part="tip" hidden></div>
    <div class="sa-scatter-empty"><b>Nothing to show yet</b><span data-part="reason"></span></div>
    <div class="sa-scatter-loading">Fetching the points</div>
  </div>
  <div class="sa-scatter-foot">
    <div class="sa-scatter-status">
      <span data-part="shown"></span><b data-part="selected" aria-live="polite"></b>
      <button type="button" class="sa-scatter-link" data-part="everything">Select all shown</button>
      <button type="button" class="sa-scatter-link" data-part="clear" hidden>Clear (Esc)</button>
      <span class="sa-scatter-facts" data-part="facts"></span>
    </div>
    <div class="sa-scatter-keys" data-part="origins" role="group" aria-label="Show or hide by origin"></div>
    <b class="sa-scatter-title" data-part="legend-title" hidden></b>
    <div class="sa-scatter-keys" data-part="legend" role="group" aria-label="Show or hide by colour"></div>
  </div>
</section>
"""


def scatter(images: int) -> gr.HTML:
    """Every scored image as a point, with lasso selection; talks to the grid through document events.

    ``images``: how many the workspace has; what exceeds the points was added since they were computed.
    """
    tools = "".join(
        f'<button type="button" data-tool="{value}" title="{hint}" aria-pressed="{str(not index).lower()}">'
        f"{label}</button>"
        for index, (value, label, hint) in enumerate(TOOLS)
    )
    return gr.HTML(
        value=images,
        html_template=TEMPLATE.replace("@tools", tools),
        js_on_load=mounting("components/scatter/scatter.js"),
        apply_default_css=False,
    )
