"""Commands for data: init, import, prompts and export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthaug.cli import cli
from synthaug.cli.support import (
    Result,
    command,
    open_workspace,
    template_options,
    workspace_option,
)
from synthaug.errors import UserError
from synthaug.running.progress_bar import progress_bar

if TYPE_CHECKING:
    from synthaug.records import Origin, Split
    from synthaug.stages.class_map import ClassMap
    from synthaug.templates import Duplicates


@command(cli, "init")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--classes", metavar="A,B,...", help="Class names, in the order of their indices.")
@click.option("--preset", metavar="NAME", help="Use the classes of a known dataset: digits, cifar10 or hip.")
@click.option(
    "--images",
    metavar="URL",
    default="",
    help="Keep the images in an object store, such as s3://bucket/folder, instead of in DIR.",
)
def init(directory: Path, classes: str | None, preset: str | None, images: str) -> Result:
    """Create a workspace for these classes.

    \b
      $ synthaug init work --classes cat,dog
      $ synthaug init work --preset cifar10 --images s3://bucket/work
    """
    from synthaug.workspace import Workspace

    if (classes is None) == (preset is None):
        raise UserError("give either --classes A,B,... or --preset digits, cifar10 or hip")
    names = [name.strip() for name in classes.split(",")] if classes is not None else []
    workspace = Workspace.create(directory, names, preset, images=images)
    message = f"Created {directory} with {len(workspace.classes)} classes: {', '.join(workspace.classes)}"
    return {"workspace": str(directory), "classes": list(workspace.classes), "message": message}


@command(cli, "import")
@click.argument("source", metavar="SRC")
@click.option(
    "--format",
    "file_format",
    default="auto",
    show_default=True,
    metavar="FORMAT",
    help="Format of the source: auto, digits, hip-phantom, cifar10, image, folder or parquet.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "test"]),
    help="Split of all images, whatever the source says.",
)
@click.option(
    "--origin",
    type=click.Choice(["real", "synthetic"]),
    default="real",
    show_default=True,
    help="Whether the images are real or synthetic.",
)
@click.option(
    "--hold-out",
    type=float,
    default=0.0,
    metavar="SHARE",
    help="Share of the images without a split to hold out for testing, 0 to 0.9.",
)
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="FOLDER=CLASS",
    help="Import the images that the source has under FOLDER, or under a class number, as CLASS; FOLDER= imports them "
    "without a class; may be repeated.",
)
@click.option(
    "--skip", multiple=True, metavar="FOLDER", help="Do not import the images under FOLDER; may be repeated."
)
@click.option(
    "--add-class",
    multiple=True,
    metavar="CLASS",
    help="Add this class to the workspace first, if it is missing; may be repeated.",
)
@workspace_option
def import_(
    source: str,
    file_format: str,
    split: Split | None,
    origin: Origin,
    hold_out: float,
    mapped: tuple[str, ...],
    skip: tuple[str, ...],
    add_class: tuple[str, ...],
    workspace_path: Path | None,
) -> Result:
    """Import images, with their classes and captions, into the workspace.

    SRC is an image, a folder of images, CIFAR batches, parquet files, or the word digits or hip-phantom.

    \b
      $ synthaug import digits
      $ synthaug import photos/ --split train
      $ synthaug import films/ --map unlabeled= --map 0=Big --hold-out 0.2
    """
    from synthaug.stages.importing import import_images

    workspace = open_workspace(workspace_path)
    class_map = _class_map(mapped, skip, add_class)
    with progress_bar() as report:
        result = import_images(
            workspace, source, file_format, split, origin, report, class_map=class_map, hold_out=hold_out
        )
    rejected = [{"path": path, "reason": reason} for path, reason in result.rejected]
    lines = [
        f"{result.added} images added, {result.duplicates} already present, {len(rejected)} rejected; "
        f"{result.labels} labels recorded"
    ]
    if result.skipped:
        lines.append(f"{result.skipped} images skipped because of --skip")
    lines += result.notes
    lines += [f"  {each['path']}: {each['reason']}" for each in rejected]
    return {
        "added": result.added,
        "duplicates": result.duplicates,
        "rejected": rejected,
        "skipped": result.skipped,
        "labels": result.labels,
        "notes": list(result.notes),
        "message": "\n".join(lines),
    }


def _class_map(mapped: tuple[str, ...], skip: tuple[str, ...], add: tuple[str, ...]) -> ClassMap | None:
    """The options as a map of classes; None if there are none. Raises UserError."""
    from synthaug.stages.class_map import ClassMap

    wrong = next((each for each in mapped if "=" not in each), None)
    if wrong is not None:
        raise UserError(
            f"--map {wrong!r} contains no '='; write FOLDER=CLASS, or FOLDER= to import images without a class"
        )
    pairs = [each.rpartition("=") for each in mapped]
    if not (pairs or skip or add):
        return None
    return ClassMap({folder: name or None for folder, _, name in pairs}, skip, add)


@command(cli, "prompts")
@click.argument("template", metavar="TEMPLATE")
@click.option("--sample", type=int, metavar="N", help="Show N random prompts, drawn without replacement.")
@click.option("--at", type=click.IntRange(min=0), metavar="I", help="Show only prompt number I.")
@template_options
def prompts(
    template: str,
    sample: int | None,
    at: int | None,
    slot: tuple[str, ...],
    duplicates: Duplicates,
    stratify: str | None,
    seed: int,
) -> Result:
    """Count the prompts of a template and show some of them.

    \b
      $ synthaug prompts '<BREED> cat <PREPOSITION> the <FURNITURE>'
      $ synthaug prompts 'a <SIZE> {cat|dog}' --slot SIZE=big,small --sample 2
    """
    from itertools import islice

    from synthaug.templates import Template, slot_option

    parsed = Template.parse(template, dict(slot_option(each) for each in slot))
    if at is not None:
        drawn = iter([parsed.prompt(at)])
    elif sample is None:
        drawn = islice(parsed, 10)
    elif stratify is None:
        drawn = parsed.sample(sample, seed, duplicates)
    else:
        drawn = parsed.stratified(sample, stratify, seed, duplicates)
    shown = [prompt.text for prompt in drawn]
    unique = "an unknown number" if parsed.unique_count is None else f"{parsed.unique_count}"
    lines = [f"{parsed.count} prompts, {unique} of them distinct", *(f"  {text}" for text in shown)]
    return {
        "count": parsed.count,
        "unique": parsed.unique_count,
        "prompts": shown,
        "message": "\n".join(lines),
    }


@command(cli, "export")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "file_format",
    default="cifar10",
    show_default=True,
    metavar="FORMAT",
    help="Format to write: cifar10, cifar10-binary, folder, parquet or webdataset.",
)
@click.option(
    "--view", "view_name", metavar="VIEW", help="View to export; the real test images are exported with it."
)
@click.option(
    "--manifest",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Rebuild the export that this manifest.json describes, byte for byte.",
)
@click.option(
    "--depth",
    type=click.Choice(["8", "16"]),
    help="Bits per pixel of gray films with more than 8 bits: 16 keeps their full depth, 8 writes them as displayed. "
    "[default: 16; for CIFAR 8]",
)
@click.option("--full-size", is_flag=True, help="Write the larger original of each image that has one.")
@workspace_option
def export(
    directory: Path,
    file_format: str,
    view_name: str | None,
    manifest: Path | None,
    depth: str | None,
    full_size: bool,
    workspace_path: Path | None,
) -> Result:
    """Write a view and the real test images to files, with a manifest.

    \b
      $ synthaug export out --format cifar10 --view augmented
      $ synthaug export again --manifest out/manifest.json
    """
    from synthaug.stages import export as stage

    workspace = open_workspace(workspace_path)
    if (view_name is None) == (manifest is None):
        raise UserError("give either --view VIEW or --manifest FILE")
    if manifest is not None:
        result = stage.rebuild(workspace, manifest, directory)
    else:
        result = stage.export(
            workspace,
            directory,
            file_format,
            str(view_name),
            depth=None if depth is None else int(depth),
            full_size=full_size,
        )
    message = f"{result.images} images written to {directory}; {result.manifest.name} describes them"
    message += f"\n{result.films} of them are films at 16 bits" if result.films else ""
    message += f"\n{result.note}" if result.note else ""
    return {
        "images": result.images,
        "manifest": str(result.manifest),
        "films": result.films,
        "note": result.note,
        "message": message,
    }
