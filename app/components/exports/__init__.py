"""The table of exports, with a download for those in the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthaug.stages.export_download import in_workspace
from synthaug.workspace import Workspace

from ..charts.evidence import when
from ..markup import Markup, joined, markup

if TYPE_CHECKING:
    from synthaug.reading.overview import Export


def exports_table(exports: Sequence[Export], workspace: Workspace) -> Markup:
    """The exports, newest first; a note if there are none."""
    if not exports:
        return Markup('<p class="sa-note">Nothing has been exported yet.</p>')
    rows = joined(
        markup(
            '<tr><td class="sa-when">{}</td><td>{}</td><td>{}</td><td class="sa-num">{:,}</td>'
            '<td class="sa-mono">{}</td><td>{}</td></tr>',
            when(each.created_at),
            each.view,
            each.format,
            each.images,
            each.path,
            _link(each, workspace),
        )
        for each in exports
    )
    return markup(
        '<div class="sa-table-holder"><table class="sa-table"><thead><tr><th>When</th><th>View</th><th>Format</th>'
        '<th class="sa-num">Images</th><th>Folder</th><th>Download</th></tr></thead><tbody>{}</tbody></table></div>',
        rows,
    )


def _link(export: Export, workspace: Workspace) -> Markup | str:
    folder = Path(export.path)
    if not in_workspace(workspace, folder):
        return "outside the workspace"
    if not (folder / "manifest.json").is_file():
        return "deleted"
    return markup('<a href="/data/exports/{}/download" download>ZIP</a>', export.id)
