"""The template-health table: which slot values give images that are rejected, corrected or out of distribution."""

from __future__ import annotations

import gradio as gr

from ...modules import mounting

TEMPLATE = """
<section class="sa-card sa-health" data-state="loading">
  <h2>Template health</h2>
  <p>How many images of each slot value were rejected or corrected. Retire a value whose images fail, instead of
    rejecting them one by one: no job uses it until you restore it. The line through a bar is the 95% interval
    (Wilson), which is wide if there are few images.</p>
  <ul class="sa-health-notes" data-part="notes"></ul>
  <p class="sa-health-retired" data-part="retired" role="status"></p>
  <p class="sa-bad" data-part="problem" role="alert"></p>
  <div class="sa-health-empty"><b>Nothing to show yet</b><span data-part="why"></span></div>
  <div class="sa-table-holder"><table class="sa-table"><thead><tr data-part="head"></tr></thead>
  <tbody data-part="rows"></tbody></table></div>
  <p class="sa-chart-note" data-part="more"></p>
  <p class="sa-chart-note sa-health-unscored" data-part="unscored" hidden>To see how many images lie far from the real
    images, compute features on the Explore page.</p>
</section>
"""


def health_table() -> gr.HTML:
    """The table; it loads its figures when the page opens and when a job ends, and is sorted in the browser."""
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load=mounting("components/health/health.js"),
        apply_default_css=False,
    )
