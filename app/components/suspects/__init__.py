"""The suspects of the workspace, a card a kind with a count, and the saved selections: both open in the grid."""

from __future__ import annotations

import gradio as gr

from ...modules import mounting

KINDS = (
    ("duplicates", "Near-duplicates", "Images that nearly repeat another one; keep the best of each group."),
    (
        "label-errors",
        "Likely label errors",
        "Real training images that look like another class than their label.",
    ),
    ("disagreements", "Disagreements", "The prediction is not the label, or not what the prompt asked for."),
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
  <span data-part="said" role="status"></span>
</div>
"""


def suspects() -> gr.HTML:
    """Asks the app for the queues once the plot stands; hands an opened one to plot and grid."""
    cards = "".join(CARD.format(kind=kind, title=title, hint=hint) for kind, title, hint in KINDS)
    label = "Suspects and saved selections"
    return gr.HTML(
        html_template=f'<section class="sa-suspects" aria-label="{label}">{cards}{SAVED}</section>',
        js_on_load=mounting("components/suspects/suspects.js"),
        apply_default_css=False,
    )
