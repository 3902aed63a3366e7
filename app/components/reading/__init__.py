"""Several readers: the guideline of the owner, the settings of reading, and the agreement of the readers."""

from __future__ import annotations

import gradio as gr

from ...modules import mounting

TEMPLATE = """
<section class="rd">
  <dialog class="rd-guideline" data-part="guideline-panel" aria-labelledby="rd-guideline-title">
    <div class="rd-head"><h2 id="rd-guideline-title">Guideline</h2>
      <button type="button" class="sa-button small" data-do="edit" data-needs="owner">Edit</button>
      <button type="button" class="sa-icon-button" data-do="close-guideline" aria-label="Close">&times;</button></div>
    <article data-part="guideline"></article>
    <form data-part="editor" hidden>
      <textarea class="sa-input" data-part="text" aria-label="Guideline in Markdown" maxlength="20000"
        placeholder="# What to look at&#10;- **Big**: ..."></textarea>
      <div class="sa-actions"><button type="submit" class="sa-button primary">Save</button>
        <button type="button" class="sa-button" data-do="cancel">Cancel</button></div>
    </form>
  </dialog>
  <dialog class="rd-readers" data-part="readers" aria-labelledby="rd-readers-title">
    <div class="rd-head"><h2 id="rd-readers-title">Readers</h2>
      <button type="button" class="sa-icon-button" data-do="close-readers" aria-label="Close">&times;</button></div>
    <form class="rd-settings" data-part="settings" data-needs="owner">
      <label class="rd-check"><input type="checkbox" name="blind"><span><b>Blind reading</b>
        Labels, predictions and prompts are hidden until the reader has answered.</span></label>
      <label><span><b>Second readings</b> The share of the images that a second person reads, blind.</span>
        <span class="rd-number"><input class="sa-input" name="second_share" type="number" min="0" max="100" step="1"
          required> %</span></label>
      <label><span><b>Train while labeling</b>
        The number of answers after which the model is trained again; 0 turns this off.</span>
        <span class="rd-number"><input class="sa-input" name="refit_every" type="number" min="0" step="1"
          required></span></label>
      <div class="sa-actions"><button type="submit" class="sa-button primary">Save</button>
        <span data-part="status" role="status"></span></div>
    </form>
    <h3>Agreement</h3>
    <div data-part="agreement" aria-live="polite"></div>
  </dialog>
</section>
"""


def reading_panels() -> gr.HTML:
    """Two dialogs that buttons of the desk open; JavaScript inserts all other text."""
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load=mounting("components/reading/reading.js"),
        apply_default_css=False,
    )
