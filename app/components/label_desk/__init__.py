"""The label desk: one image, one key. Its JavaScript holds the queue; see ``desk.js``."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from ...modules import mounting
from .. import landmarks
from ..correction import correction_dialog
from ..palette import class_colour
from ..viewer import frames, toolbar

RESERVED_KEYS = frozenset("xuz")  # reject, unsure, undo
NUMBER_ROW = "1234567890"
LETTERS = "qwertyasdfghjkopilcvbnm"

ORDERS = (
    ("newest", "Newest first"),
    ("least-confident", "Least confident first"),
    ("disagreement", "Disagreement first"),
    ("random", "Random"),
)
SCOPES = (
    ("unreviewed", "Unreviewed"),
    ("unlabeled", "Unlabeled real"),
    ("synthetic", "All synthetic"),
    ("real", "Real"),
    ("all", "Everything"),
    ("flagged", "Flagged"),
    ("conflicts", "Conflicts"),
)


CORRECTION = correction_dialog(
    "label",
    "Test images measure every model, so their labels are locked. A correction keeps the earlier label in the log, "
    "with your name and the reason. Earlier models are measured anew.",
    '<label>New label<select class="sa-select" name="label"></select></label>',
)

TEMPLATE = """
<section class="ld" tabindex="-1" aria-label="Label desk">
  <div class="ld-bar">
    <div class="ld-title"><h1>Label</h1>
      <p>One image, one key; every answer is saved at once.</p></div>
    <label class="ld-field">Show<select class="sa-select" data-scope></select></label>
    <label class="ld-field">Order<select class="sa-select" data-order></select></label>
    <div class="ld-field">Annotator<b class="ld-annotator" data-annotator></b></div>
    FILTER
    <button class="sa-button ld-help-button" type="button" data-do="grid" title="A hundred at a time">Grid</button>
    <button class="sa-button ld-help-button" type="button" data-do="guideline">Guideline</button>
    <button class="sa-button ld-help-button" type="button" data-do="readers" data-needs="reviewer">Readers</button>
    <button class="sa-button ld-help-button" type="button" data-do="help">Keys <kbd class="sa-kbd">?</kbd></button>
  </div>
  <div class="ld-progress">
    <div class="sa-meter" role="progressbar" aria-label="Images with an answer" aria-valuemin="0"
      aria-valuemax="100" data-meter><i></i></div>
    <span data-reviewed title="Images with an answer"></span><span data-place></span>
    <input class="sa-input ld-jump" data-jump inputmode="numeric" placeholder="Go to" title="Go to a number (Ctrl+G)"
      aria-label="Go to a number in the queue" autocomplete="off"><span data-rate></span><span data-refit></span>
    <span class="ld-saved" data-saved data-state="saved"><i class="sa-dot"></i><b></b></span>
  </div>
  <div class="ld-main" data-main>
    <figure class="ld-stage">
      TOOLBAR
      FRAMES
      <figcaption class="ld-caption">
        <span class="sa-chip" data-origin></span><span class="sa-chip" data-split></span><span data-size></span>
        <button class="lm-small ld-beside" type="button" data-do="beside" title="Another image side by side (/)">Side
          by side</button>
        <label class="ld-check"><input type="checkbox" data-smooth> Smooth</label>SETUP
      </figcaption>
    </figure>
    <div class="ld-side">
      <div class="ld-block ld-prompt"><h2 data-context>Prompt</h2><p data-prompt></p><dl data-slots></dl></div>
      <div class="ld-block ld-suggestion">
        <h2>Suggestion <span class="sa-chip warn" data-disagree>Model and prompt disagree</span></h2>
        <button class="ld-accept" type="button" data-do="accept">
          <span class="sa-swatch"></span><b data-suggested></b>
          <span class="ld-confidence"><span class="sa-meter"><i></i></span><span data-confidence></span></span>
          <kbd class="sa-kbd">Enter</kbd>
        </button>
        <p data-why></p>
      </div>LANDMARKS
      <form class="ld-block ld-note" data-note-form>
        <input class="sa-input" data-note maxlength="2000" placeholder="Note on this image"
          aria-label="Note on this image" autocomplete="off">
        <button class="sa-button small" type="button" data-do="flag" data-flag aria-pressed="false"
          title="Flag this image for others to look at">&#9873; Flag <kbd class="sa-kbd">!</kbd></button>
        <p data-notes></p>
      </form>
      <div class="ld-block ld-answer">
        <h2>Your answer <span class="ld-current" data-current></span></h2>
        <p class="ld-lock" data-lock hidden><span></span><button class="sa-button small" type="button"
          data-needs="owner">Correct</button></p>
        <div class="ld-classes" data-classes role="group" aria-label="Classes"></div>
        <div class="ld-actions">
          <button class="sa-button" type="button" data-do="reject">Reject <kbd class="sa-kbd">X</kbd></button>
          <button class="sa-button" type="button" data-do="unsure">Unsure <kbd class="sa-kbd">U</kbd></button>
          <button class="sa-button" type="button" data-do="undo">Undo <kbd class="sa-kbd">Z</kbd></button>
          <button class="sa-button" type="button" data-do="redo">Redo <kbd class="sa-kbd">&#8679;Z</kbd></button>
          <button class="sa-button" type="button" data-do="back">Back <kbd class="sa-kbd">&larr;</kbd></button>
          <button class="sa-button" type="button" data-do="skip">Skip <kbd class="sa-kbd">&rarr;</kbd></button>
        </div>
      </div>
    </div>
  </div>
  <div class="ld-empty sa-empty" data-empty hidden><b data-empty-title></b><span data-empty-hint></span>
    <div class="sa-actions">
      <button class="sa-button" type="button" data-do="reload">Look again</button>
      <a class="sa-button" href="/generate" data-needs="owner">Generate images</a>
      <a class="sa-button" href="/explore" data-needs="reviewer">Explore</a>
    </div>
  </div>
  <ol class="ld-strip" data-strip aria-label="Last labeled"></ol>
  <p class="sa-visually-hidden" aria-live="polite" data-live></p>
  <p class="ld-problem" role="alert" data-problem hidden></p>
  <section class="ld-refused" role="alert" data-refused hidden>
    <h2>The app does not take these answers</h2><ul data-refusals></ul>
  </section>
  <dialog class="ld-dialog ld-keys-dialog" data-dialog aria-labelledby="ld-dialog-title">
    <h2 id="ld-dialog-title">Keys</h2>
    <p>Press a key on the left to replace it. The keys on the right always stay as they are.</p>
    <p class="ld-keys-said" role="status" data-keys-said></p>
    <div class="ld-keys-lists"><dl data-own-keys></dl><dl data-keys></dl></div>
    <p>Keys do nothing while you type in a field. An answer belongs to the image it was given for, however fast
      you type; what the app could not save yet is kept in this browser and sent again.</p>
    <form method="dialog"><button class="sa-button primary" autofocus>Close</button>
      <button class="sa-button" type="button" data-keys-reset>Reset all keys</button></form>
  </dialog>DIALOG
</section>
"""


FILTER = """<details class="ld-filter" data-filter>
      <summary class="sa-button ld-help-button" data-filter-title>Filter</summary>
      <form data-filter-form>
        <label>Class<select class="sa-select" name="class_index"><option value="">Any</option></select></label>
        <label>Confidence of the model<span><input class="sa-input" name="from" type="number" min="0" max="100"
          aria-label="From, in percent" placeholder="0"> to <input class="sa-input" name="to" type="number" min="0"
          max="100" aria-label="To, in percent" placeholder="100"> %</span></label>
        <label>Annotator<select class="sa-select" name="annotator"><option value="">Anybody</option></select></label>
        <label>Source of the label<select class="sa-select" name="source"><option value="">Any</option>
          <option value="human">Chosen by a person</option><option value="accepted">Accepted suggestion</option>
          <option value="imported">Imported</option><option value="automatic">Automatic</option></select></label>
        <div class="sa-actions"><button class="sa-button primary" type="submit">Close</button>
          <button class="sa-button" type="reset">Show all</button></div>
      </form>
    </details>"""


def class_keys(names: Sequence[str]) -> list[str]:
    """The key of every class ("" where keys ran out).

    A class called by a single free character is reached by it: pressing 8 says "8". The others take
    1..9, 0 and then letters, in order.
    """
    own = {
        name.lower()
        for name in names
        if len(name) == 1 and name.lower() in NUMBER_ROW + LETTERS and name.lower() not in RESERVED_KEYS
    }
    if len(own) < sum(name.lower() in own for name in names):  # "A" and "a": one key cannot say both
        own = set()
    free = iter([key for key in NUMBER_ROW + LETTERS if key not in own])
    return [name.lower() if name.lower() in own else next(free, "") for name in names]


def filled(template: str) -> str:
    """The desk's markup with that of the widgets in it."""
    parts = {
        "TOOLBAR": toolbar(),
        "FRAMES": frames(),
        "FILTER": FILTER,
        "LANDMARKS": landmarks.PANEL,
        "SETUP": landmarks.BUTTON,
        "DIALOG": landmarks.DIALOG + landmarks.CORRECTION + CORRECTION,
    }
    for place, part in parts.items():
        template = template.replace(place, part)
    return template


def label_desk(workspace: str, classes: Sequence[str]) -> gr.HTML:
    """The desk over one workspace's classes. The markup is fixed and all text is set from JavaScript."""
    keys = class_keys(classes)
    return gr.HTML(
        html_template=filled(TEMPLATE),
        js_on_load=mounting("components/label_desk/desk.js"),
        apply_default_css=False,
        workspace=workspace,
        classes=[
            {"name": name, "key": key, "color": class_colour(index)}
            for index, (name, key) in enumerate(zip(classes, keys, strict=True))
        ],
        orders=[list(order) for order in ORDERS],
        scopes=[list(scope) for scope in SCOPES],
    )
