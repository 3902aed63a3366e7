"""The dialog in which an owner corrects a locked test image: what is new, and why. See ``correction.js``."""

from __future__ import annotations


def correction_dialog(kind: str, note: str, fields: str = "") -> str:
    """The dialog for the ``kind`` of answer that is corrected; the names of its fields are those of the request."""
    return f"""
  <dialog class="ld-dialog sa-correction" data-correction="{kind}" aria-labelledby="correct-{kind}">
    <h2 id="correct-{kind}">Correct a test image</h2>
    <p>{note}</p>
    <form method="dialog">
      {fields}<label>Reason<input class="sa-input" name="reason" maxlength="2000" required autocomplete="off"></label>
      <p class="sa-error" role="alert" data-correction-problem hidden></p>
      <div class="sa-actions"><button class="sa-button primary">Save the correction</button>
        <button class="sa-button" type="button" data-correction-cancel>Cancel</button></div>
    </form>
  </dialog>"""
