"""The suspects of the workspace, one card per kind, and the saved selections; both open in the grid."""

from __future__ import annotations

import gradio as gr

from ...modules import mounting

KINDS = (
    (
        "duplicates",
        "Near-duplicates",
        "Images that are almost the same as another one; keep the best of each group.",
    ),
    (
        "label-errors",
        "Likely label errors",
        "Real training images that look like a class other than their label.",
    ),
    (
        "disagreements",
        "Disagreements",
        "Images whose prediction differs from the label or the prompted class.",
    ),
)
CARD = """
<button type="button" class="sa-suspects-card" data-kind="{kind}" aria-pressed="false" disabled>
  <b>{title}</b><em data-part="count">&hellip;</em><span>{hint}</span>
</button>
"""


SAVED = """
<div class="sa-suspects-saved">
  <b>Saved selections</b>
  <select class="sa-select" data-part="saved" aria-label="Open a saved selection" disabled></select>
  <form data-part="save"><input type="text" maxlength="60" placeholder="Name of this selection"
    aria-label="Name of this selection" autocomplete="off" disabled>
    <button type="submit" class="sa-button small" disabled>Save</button></form>
  <span data-part="status" role="status"></span>
</div>
"""


def suspects() -> gr.HTML:
    """The cards; they count the suspects once the map is drawn, and open a queue in the map and the grid."""
    cards = "".join(CARD.format(kind=kind, title=title, hint=hint) for kind, title, hint in KINDS)
    label = "Suspects and saved selections"
    return gr.HTML(
        html_template=f'<section class="sa-suspects" aria-label="{label}">{cards}{SAVED}</section>',
        js_on_load=mounting("components/suspects/suspects.js"),
        apply_default_css=False,
    )
