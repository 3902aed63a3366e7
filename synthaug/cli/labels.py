"""Commands for labels: label, labels export, labels import and correct-test-label."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from synthaug.cli import cli
from synthaug.cli.support import (
    NamedPath,
    Result,
    command,
    fingerprint_change,
    open_workspace,
    reason_option,
    workspace_option,
)
from synthaug.errors import UserError


@command(cli, "label")
@click.argument("file", metavar="FILE.csv", required=False, type=click.Path(path_type=Path))
@click.option(
    "--annotator",
    metavar="NAME",
    help="Name of the person who labeled; required with FILE.csv unless its column annotator says it.",
)
@click.option(
    "--overwrite", is_flag=True, help="Also replace labels of other people, which are kept otherwise."
)
@click.option(
    "--accept-above",
    type=float,
    metavar="P",
    help="Accept, as automatic labels, predictions that agree with the prompt and are at least P confident.",
)
@workspace_option
def label(
    file: Path | None,
    annotator: str | None,
    overwrite: bool,
    accept_above: float | None,
    workspace_path: Path | None,
) -> Result:
    """Record labels from a CSV file, or accept confident predictions.

    The columns of the file are image (id or SHA-256), label and, optionally, annotator.

    An image that another person labeled keeps that label, and is counted, unless --overwrite is given. Imported and
    automatic labels are replaced.

    \b
      $ synthaug label labels.csv --annotator ann
      $ synthaug label --accept-above 0.9
    """
    from synthaug.stages.bulk_labels import from_csv
    from synthaug.stages.label import accept_confident

    workspace = open_workspace(workspace_path)
    if (file is None) == (accept_above is None):
        raise UserError("give either FILE.csv with --annotator NAME, or --accept-above P")
    if accept_above is not None:
        recorded = accept_confident(workspace, accept_above)
        return {"recorded": recorded, "message": f"{recorded} labels recorded"}
    if file is None:
        raise UserError("name a CSV file")
    result = from_csv(workspace, file, annotator, overwrite=overwrite)
    message = f"{result.recorded} labels recorded, {result.unchanged} unchanged"
    if result.repeated:
        message += f"; {result.repeated} rows overridden by a later row of the same image"
    if result.overwritten:
        message += f"; {result.overwritten} of them replace another person's label"
    if result.kept:
        message += (
            f"; {result.kept} images keep the different label of another person (replace it with --overwrite)"
        )
    return {**asdict(result), "message": message}


@command(cli, "tag")
@click.argument("name", metavar="TAG", required=False)
@click.option("--image", "images", multiple=True, metavar="ID|SHA256", help="Image to tag; may be repeated.")
@click.option("--selection", metavar="NAME", help="Tag every image of this saved selection.")
@click.option("--remove", is_flag=True, help="Remove the tag instead.")
@click.option("--annotator", metavar="NAME", help="Name of the person who tags; required with TAG.")
@workspace_option
def tag(
    name: str | None,
    images: tuple[str, ...],
    selection: str | None,
    remove: bool,
    annotator: str | None,
    workspace_path: Path | None,
) -> Result:
    """Add a tag to images or remove it; without TAG, list the tags.

    \b
      $ synthaug tag artefact --image 17 --image 21 --annotator ann
      $ synthaug tag keep --selection "good clocks" --annotator ann
    """
    from synthaug.reading.inspection import find
    from synthaug.stages import tag as stage

    workspace = open_workspace(workspace_path)
    changed = 0
    if name is not None:
        ids = [find(workspace, each).id for each in images]
        ids += stage.images_of_selection(workspace, selection) if selection is not None else []
        changed = stage.tag(workspace, ids, name, annotator or "", remove=remove)
    counts = stage.counts(workspace)
    lines = [] if name is None else [f"{changed} images changed"]
    lines += [f"{each}: {count} images" for each, count in counts.items()] or ["No image has a tag."]
    return {"changed": changed, "tags": counts, "message": "\n".join(lines)}


@cli.group("labels")
def labels_group() -> None:
    """Export or import the label log with its history."""


@command(labels_group, "export")
@click.argument("file", metavar="FILE", type=NamedPath())
@workspace_option
def export(file: Path, workspace_path: Path | None) -> Result:
    """Write all labels, including corrected and undone ones, to FILE.jsonl or FILE.csv.

    Only a .jsonl file can be imported again; .csv is for reading.

    \b
      $ synthaug labels export labels.jsonl
    """
    from synthaug.stages.label_history import export_history

    count = export_history(open_workspace(workspace_path), file)
    return {"entries": count, "file": str(file), "message": f"{count} entries written to {file}"}


@command(labels_group, "import")
@click.argument("file", metavar="FILE.jsonl", type=click.Path(path_type=Path))
@workspace_option
def import_(file: Path, workspace_path: Path | None) -> Result:
    """Import an exported label log, with its annotators, times and undone labels.

    Every image in the log must be in the workspace.

    \b
      $ synthaug labels import labels.jsonl
    """
    from synthaug.stages.label_history import import_history

    result = import_history(open_workspace(workspace_path), file)
    return {
        "recorded": result.recorded,
        "unchanged": result.unchanged,
        "message": f"{result.recorded} entries recorded, {result.unchanged} already present",
    }


@command(cli, "correct-test-label")
@click.argument("image", metavar="IMAGE")
@click.argument("label", metavar="LABEL")
@click.option("--annotator", required=True, metavar="NAME", help="Name of the person who corrects the label.")
@reason_option
@workspace_option
def correct(image: str, label: str, annotator: str, reason: str, workspace_path: Path | None) -> Result:
    """Correct the label of a real test image, which is otherwise frozen.

    IMAGE is an id or a SHA-256. The correction changes the fingerprint of the test set: earlier models are no longer
    compared with later ones.

    \b
      $ synthaug correct-test-label 1298 3 --annotator ann --reason "misread"
    """
    from synthaug.stages.test_split import correct_test_label

    found = correct_test_label(open_workspace(workspace_path), image, label, annotator, reason)
    return {
        "image": found.image_id,
        "label": found.label,
        "fingerprint_before": found.before,
        "fingerprint": found.after,
        "message": f"Image {found.image_id} is now labeled {found.label!r}; "
        + fingerprint_change(found.before, found.after),
    }
