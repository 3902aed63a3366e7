"""Grid review: a page of 100 images by predicted class; mark the wrong ones, and accept the others with one key."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from ...modules import mounting
from ..label_desk import class_keys

TEMPLATE = """
<section class="gr" aria-label="Grid review" hidden>
  <div class="gr-head">
    <div><h2>Grid review</h2><p data-part="summary"></p></div>
    <span data-part="status" role="status"></span>
    <button type="button" class="sa-button" data-do="previous" aria-label="Previous page">&larr;</button>
    <button type="button" class="sa-button" data-do="next" aria-label="Next page">&rarr;</button>
    <button type="button" class="sa-button" data-do="close">One by one <kbd class="sa-kbd">Esc</kbd></button>
  </div>
  <div class="gr-scroller" data-part="scroller">
    <div class="sa-grid-canvas" data-part="canvas" role="listbox" aria-multiselectable="true" aria-label="Images"
      aria-description="Arrow keys, Home and End move, Space marks an image as wrong, Enter accepts the others"></div>
  </div>
  <div class="gr-actions">
    <button type="button" class="sa-button primary" data-do="accept"><span data-part="accept"></span>
      <kbd class="sa-kbd">Enter</kbd></button>
    <span data-part="marked"></span>
    <div class="gr-classes" data-part="classes"></div>
    <button type="button" class="sa-button" data-do="reject" data-on-marked>Reject <kbd class="sa-kbd">X</kbd></button>
    <button type="button" class="sa-button" data-do="undo"><span data-part="undo">Undo</span>
      <kbd class="sa-kbd">Z</kbd></button>
    <button type="button" class="sa-button" data-do="left"><span data-part="left"></span></button>
  </div>
</section>
"""


def grid_review(classes: Sequence[str]) -> gr.HTML:
    """The grid of the desk's queue, hidden until the desk opens it."""
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load=mounting("components/grid_review/grid_review.js"),
        apply_default_css=False,
        classes=[{"name": name, "key": key} for name, key in zip(classes, class_keys(classes), strict=True)],
    )
