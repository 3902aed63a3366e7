"""The selected images as tiles, and what can be done to all of them at once."""

from __future__ import annotations

import gradio as gr

from ...modules import mounting

TEMPLATE = """
<section class="sa-grid" data-state="empty" data-busy="false">
  <div class="sa-grid-head">
    <b data-part="title">Images</b><span data-part="summary"></span>
  </div>
  <div class="sa-grid-marks">
    <b data-part="marked"></b>
    <span>Mark</span>
    <button type="button" class="sa-scatter-link" data-do="all">all</button>
    <button type="button" class="sa-scatter-link" data-do="none">none</button>
    <button type="button" class="sa-scatter-link" data-do="synthetic">synthetic</button>
    <button type="button" class="sa-scatter-link" data-do="disputed"
      title="Only images whose prediction is not the class they were made for">disputed</button>
    <label class="sa-scatter-mode"><span class="sa-visually-hidden">Sort</span>
    <select class="sa-select" data-part="sort">
      <option value="given" hidden disabled>As listed</option>
      <option value="suspicious" selected>Suspicious first</option>
      <option value="newest">Newest first</option>
      <option value="unsure">Least confident first</option>
      <option value="sure">Most confident first</option>
      <option value="far_real">Farthest from real first</option>
      <option value="far_synthetic">Farthest from synthetic first</option>
    </select></label>
  </div>
  <div class="sa-grid-scroller" data-part="scroller">
    <div class="sa-grid-canvas" data-part="canvas" role="listbox" aria-multiselectable="true" aria-label="Images"
      aria-description="Arrow keys, Home and End move, Enter opens an image, Space marks it, with Shift all up to it">
    </div>
  </div>
  <div class="sa-grid-empty">
    <svg width="72" height="56" viewBox="0 0 72 56" fill="none" aria-hidden="true">
      <path d="M12 30C6 12 30 2 46 7s22 24 8 34-36 8-42-11z" stroke="var(--sa-accent)" stroke-width="1.6"
        stroke-dasharray="4 4"/>
      <circle cx="28" cy="22" r="3" fill="var(--sa-real)"/><circle cx="40" cy="30" r="3" fill="var(--sa-real)"/>
      <path d="M42 15l4 4-4 4-4-4zM30 31l4 4-4 4-4-4z" fill="var(--sa-synthetic)"/>
      <path d="M64 46a3 3 0 1 0 .1 0zM7 45a3 3 0 1 0 .1 0z" fill="var(--sa-line-strong)"/>
    </svg>
    <b>No images here</b>
    <span>The most suspicious of the images that the plot shows appear here, or those inside your loop.</span>
  </div>
  <div class="sa-grid-actions">
    <div class="sa-grid-row"><span class="sa-grid-lead">Label as</span>
      <div class="sa-grid-classes" data-part="classes"></div></div>
    <div class="sa-grid-row">
      <button type="button" class="sa-button small" data-do="prompted"
        title="Record for each image the class it was made for">Keep prompted class</button>
      <button type="button" class="sa-button small" data-do="reject">Reject</button>
      <button type="button" class="sa-button small" data-do="unsure">Unsure</button>
      <button type="button" class="sa-button small primary" data-do="review">Review on the Label page</button>
    </div>
    <div class="sa-grid-row"><span class="sa-grid-lead">Tag</span>
      <input type="text" class="sa-input" data-part="tag" maxlength="60" list="sa-grid-tags" aria-label="Tag"
        placeholder="e.g. artefact" autocomplete="off"><datalist id="sa-grid-tags"></datalist>
      <button type="button" class="sa-button small" data-do="tag">Tag</button>
      <button type="button" class="sa-button small" data-do="untag">Take off</button>
    </div>
    <div class="sa-grid-row sa-grid-report">
      <span data-part="status" role="status"></span>
      <button type="button" class="sa-scatter-link" data-do="undo" hidden></button>
    </div>
  </div>
</section>
"""


def grid() -> gr.HTML:
    """The images that the scatter selected, else the most suspicious that it shows; only what is seen is fetched."""
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load=mounting("components/grid/grid.js"),
        apply_default_css=False,
    )
