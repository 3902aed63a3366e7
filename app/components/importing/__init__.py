"""The import: drop files, check what was found, assign classes; nothing is stored before the last step."""

from __future__ import annotations

import gradio as gr

from synthaug.importers import IMPORTERS

from ...modules import mounting

TEMPLATE = """
<section class="im" id="import" aria-label="Import images">
  <div class="im-drop" data-drop>
    <div class="im-words"><h2>Import images</h2>
      <p>Drop files, folders or a zip here: PNG, JPEG, TIFF (also 16 bits), DICOM, CIFAR batches, Parquet.
        You see what was found before anything is imported.</p></div>
    <div class="sa-actions">
      <button class="sa-button primary" type="button" data-do="folder" disabled>Choose a folder</button>
      <button class="sa-button" type="button" data-do="files" disabled>Choose files</button>
      <button class="sa-button" type="button" data-do="path" aria-expanded="false" disabled>On this machine</button>
    </div>
    <input type="file" multiple hidden data-files aria-label="Files">
    <input type="file" webkitdirectory hidden data-folder aria-label="Folder">
  </div>
  <form class="im-path" data-path hidden>
    <label>A path on the machine that runs this app, or the word <code>digits</code>. The files are copied.
      <input class="sa-input" name="path" placeholder="/home/me/images" autocomplete="off" spellcheck="false"></label>
    <button class="sa-button" type="submit">Open</button>
  </form>
  <div class="im-waiting" data-waiting hidden></div>
  <div class="im-sending" data-sending hidden>
    <div class="im-line"><b data-sending-title></b><span data-sending-words role="status"></span>
      <button class="sa-button small" type="button" data-do="stop">Cancel</button></div>
    <div class="sa-meter" role="progressbar" aria-label="Upload" aria-valuemin="0" aria-valuemax="100"><i></i></div>
  </div>
  <div class="im-mapping" data-mapping hidden></div>
  <p class="sa-error" role="alert" data-problem hidden></p>
</section>
"""


def importing() -> gr.HTML:
    """The drop zone, the progress of an upload, and the mapping step; see ``importing.js``."""
    return gr.HTML(
        html_template=TEMPLATE,
        js_on_load=mounting("components/importing/importing.js"),
        apply_default_css=False,
        formats=list(IMPORTERS),
    )
