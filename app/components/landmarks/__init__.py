"""Landmarks on the Label page: the panel beside the picture, the owner's choice, the model. See ``landmarks.js``."""

from __future__ import annotations

from ..correction import correction_dialog

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
          <button class="lm-small" type="button" data-lm-correct data-needs="owner" hidden
            title="Change the landmarks of this test image, with a reason">Correct</button>
          <button class="lm-small" type="button" data-lm-hide aria-pressed="false"
            title="Hide or show (;)">Hide</button>
          <button class="lm-small" type="button" data-lm-reset title="Back to where they began">Reset</button></div>
        <div class="lm-model" data-lm-model data-needs="reviewer" hidden><p data-lm-model-words></p>
          <button class="lm-small" type="button" data-lm-train data-needs="owner" disabled>Train</button>
          <button class="lm-small" type="button" data-lm-report hidden>Report</button></div>
      </div>
"""

BUTTON = '<button class="lm-small" type="button" data-lm-setup data-needs="owner">Landmarks</button>'

DIALOG = """
  <dialog class="ld-dialog" data-lm-dialog aria-labelledby="lm-dialog-title">
    <h2 id="lm-dialog-title">Landmarks</h2>
    <p>The scheme says what everybody places on each picture of this workspace, and which class the angles make.</p>
    <form method="dialog">
      <div class="lm-row"><label>Scheme<select class="sa-select" data-lm-scheme></select></label>
        <label class="sa-button small lm-file">Open a TOML file<input type="file" accept=".toml" data-lm-toml></label>
      </div>
      <div data-lm-rows></div>
      <p class="lm-problem" role="alert" data-lm-problem></p>
      <div class="sa-actions"><button class="sa-button primary">Use this scheme</button>
        <button class="sa-button" type="button" data-lm-cancel>Cancel</button></div>
    </form>
    <section data-lm-files hidden>
      <h3>Landmarks and angles from a file</h3>
      <p>A CSV table or COCO keypoints (JSON). An image is named by the file it came from, its number or its
        SHA-256. A row without points may have angles alone.</p>
      <div class="lm-row"><label class="sa-button small lm-file">Read a file<input type="file" accept=".csv,.json"
        data-lm-read></label>
        <button class="sa-button small" type="button" data-lm-captions aria-describedby="lm-no-captions">Read the
          captions</button></div>
      <p id="lm-no-captions" data-lm-no-captions>This scheme has no caption format, so no angles can be read from
        captions.</p>
      <p role="status" data-lm-read-words></p><ul class="lm-skipped" data-lm-skipped></ul>
      <h3>Save what was placed</h3>
      <p>Every image with landmarks of this scheme: points in its pixels, angles in degrees.</p>
      <div class="lm-row"><a class="sa-button small" href="/data/landmarks/export?format=csv" download>Table (CSV)</a>
        <a class="sa-button small" href="/data/landmarks/export?format=coco" download>COCO keypoints (JSON)</a></div>
    </section>
  </dialog>
  <dialog class="ld-dialog lm-report" data-lm-report-dialog aria-labelledby="lm-report-title">
    <h2 id="lm-report-title">Landmark model</h2>
    <p>It learns from the landmarks that were placed on training images, and proposes them on every other image. Correct
      what it proposes, then train it again.</p>
    <div class="lm-training"><button class="sa-button primary" type="button" data-lm-train data-needs="owner"
      disabled>Train the landmark model</button><span role="status" data-lm-model-words></span>
      <div class="sa-meter" data-lm-meter hidden><i></i></div></div>
    <p class="lm-problem" role="alert" data-lm-model-problem></p>
    <div data-lm-figures></div>
    <form method="dialog"><button class="sa-button" autofocus>Close</button></form>
  </dialog>
"""

CORRECTION = correction_dialog(
    "landmarks",
    "Test images measure every model, so their landmarks are locked. A correction keeps the earlier landmarks in the "
    "log, with your name and the reason. If the class changes, earlier models are measured anew.",
)
