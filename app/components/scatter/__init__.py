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
      <button type="button" data-to="ood" aria-pressed="false"
        title="Synthetic images by their distance to real and to other synthetic ones">Two distances</button>
    </div>
    <button type="button" class="sa-scatter-filter" data-part="filter" aria-expanded="false"
      aria-pressed="false">Filter</button>
    <label class="sa-scatter-mode">Colour by <select class="sa-select" data-part="mode"></select></label>
    <div class="sa-segments" role="group" aria-label="Tool">@tools</div>
  </div>
  <div class="sa-scatter-main">
  <div class="sa-scatter-filters" data-part="filters" role="group" aria-label="Filters" hidden>
    <label class="sa-visually-hidden" for="sa-scatter-search">Search in prompts</label>
    <input type="search" id="sa-scatter-search" placeholder="Search in prompts" autocomplete="off">
    <p><span data-part="found"></span>
      <button type="button" class="sa-scatter-link" data-part="clear-filters">Clear filters</button></p>
    <div data-part="facets"></div>
  </div>
  <div class="sa-scatter-stage" data-part="stage" data-tool="lasso">
    <canvas data-part="points"></canvas>
    <canvas data-part="overlay" aria-label="Scatter plot of the images"></canvas>
    <span class="sa-visually-hidden" data-part="spoken" role="status"></span>
    <div class="sa-segments sa-scatter-zoom" role="group" aria-label="View">
      <button type="button" data-zoom="1.5" aria-label="Zoom in">+</button>
      <button type="button" data-zoom="0.667" aria-label="Zoom out">&minus;</button>
      <button type="button" data-zoom="0">Fit</button>
      <button type="button" data-part="fill" aria-pressed="false"
        title="The plot over the whole window (F); Escape leaves">Fill window</button>
    </div>
    <div class="sa-scatter-tip" data-part="tip" hidden></div>
    <div class="sa-scatter-empty"><b>Nothing to show yet</b><span data-part="reason"></span></div>
    <div class="sa-scatter-loading">Fetching the points</div>
  </div>
  </div>
  <div class="sa-scatter-foot">
    <div class="sa-scatter-status">
      <span data-part="shown"></span><b data-part="selected" aria-live="polite"></b>
      <button type="button" class="sa-scatter-link" data-part="everything">Select all shown</button>
      <button type="button" class="sa-scatter-link" data-part="clear" hidden>Clear (Esc)</button>
      <span class="sa-scatter-facts" data-part="facts"></span>
    </div>
    <div class="sa-scatter-plane" data-part="plane" hidden>
      <div class="sa-scatter-keys" data-part="quadrants" role="group" aria-label="Select a quadrant"></div>
      <label>far from real &ge;
        <input type="number" min="0" max="1" step="0.01" data-threshold="far"></label>
      <label>far from synthetic &ge;
        <input type="number" min="0" max="1" step="0.01" data-threshold="sparse"></label>
      <p>Only synthetic images have both distances. Drag the two lines, or type where far begins; a click on a
        name selects its images.</p>
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
