"""Landmarks on the Label page: the panel beside the picture, and the owner's choice. See ``landmarks.js``."""

from __future__ import annotations

PANEL = """
      <div class="ld-block lm-panel" data-landmarks hidden>
        <h2><span data-lm-title></span><span class="lm-sides" data-lm-sides></span>
          <span class="sa-chip" data-lm-origin></span></h2>
        <div class="lm-angles" data-lm-angles></div>
        <button class="ld-accept" type="button" data-do="accept">
          <span class="sa-swatch"></span><b data-lm-class></b><span class="lm-why" data-lm-why></span>
          <kbd class="sa-kbd">Enter</kbd>
        </button>
        <div class="lm-foot"><p data-lm-hint></p>
          <button class="lm-small" type="button" data-lm-hide aria-pressed="false"
            title="Hide or show (;)">Hide</button>
          <button class="lm-small" type="button" data-lm-reset title="Back to where they began">Reset</button></div>
      </div>
"""

BUTTON = '<button class="lm-small" type="button" data-lm-setup data-needs="owner">Landmarks</button>'

DIALOG = """
  <dialog class="ld-dialog" data-lm-dialog aria-labelledby="lm-dialog-title">
    <h2 id="lm-dialog-title">Landmarks</h2>
    <p>What everybody places on each picture of this workspace, and which class the angles make.</p>
    <form method="dialog">
      <label class="lm-row">Scheme<select class="sa-select" data-lm-scheme></select></label>
      <div data-lm-rows></div>
      <p class="lm-problem" role="alert" data-lm-problem></p>
      <div class="sa-actions"><button class="sa-button primary">Use</button>
        <button class="sa-button" type="button" data-lm-cancel>Cancel</button></div>
    </form>
  </dialog>
"""
