"""The list of all training runs and comparisons with filters, and two of them side by side."""

from __future__ import annotations

import gradio as gr

from ...modules import mounting

FILTERS = (
    ("kind", "Kind"),
    ("classes", "Class set"),
    ("recipe", "Recipe"),
    ("arm", "Arm"),
    ("generator", "Generator"),
)
COLUMNS = ("When", "What", "Class set", "Recipe", "Arm", "Generator", "Seeds", "Accuracy", "Verdict", "Show")
NUMBERS = ("Seeds", "Accuracy")

TEMPLATE = """
<section class="sa-runs-page" data-state="loading" aria-label="Training runs">
  <div class="sa-card sa-runs-list">
    <div class="sa-runs-filters" role="group" aria-label="Filters">@filters
      <span data-part="shown" role="status"></span>
      <button type="button" class="sa-button small" data-part="clear">Clear filters</button>
    </div>
    <div class="sa-table-holder" tabindex="0" role="region" aria-label="List of runs">
      <table class="sa-table"><thead><tr>@columns</tr></thead>
      <tbody data-part="rows"></tbody></table></div>
    <p class="sa-runs-none" data-part="none" hidden></p>
    <div data-part="more"></div>
  </div>
  <div class="sa-runs-sides" data-part="sides" aria-live="polite"></div>
</section>
"""


def runs() -> gr.HTML:
    """The list; it is loaded again whenever a job ends. Filters and selection are kept in the address."""
    filters = "".join(
        f'<label>{title}<select class="sa-select" data-filter="{name}" aria-label="{title}"></select></label>'
        for name, title in FILTERS
    )
    columns = "".join(
        f'<th scope="col"{" class=sa-num" if title in NUMBERS else ""}>{title}</th>' for title in COLUMNS
    )
    return gr.HTML(
        html_template=TEMPLATE.replace("@filters", filters).replace("@columns", columns),
        js_on_load=mounting("components/runs/runs.js"),
        apply_default_css=False,
    )
