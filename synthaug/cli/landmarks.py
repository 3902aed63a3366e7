"""Commands about landmarks: which scheme a workspace uses, and files of what was placed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthaug.cli import cli
from synthaug.cli.support import NamedPath, Result, command, open_workspace, workspace_option
from synthaug.errors import UserError

if TYPE_CHECKING:
    from synthaug.landmarks.scheme import Scheme

SHOWN = 5


@cli.group("landmarks")
def landmarks_group() -> None:
    """Choose what is placed on the Label page and which angles follow; export and import landmarks."""


@command(landmarks_group, "use")
@click.argument("scheme", metavar="NAME|FILE.toml")
@click.option(
    "--classes", metavar="A,B", help="Classes that the angles make, the one of the smallest angles first."
)
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    type=float,
    metavar="DEGREES",
    help="Where one class ends and the next begins; repeat it for more classes.",
)
@click.option("--no-class", is_flag=True, help="The angles make no class.")
@workspace_option
def use(
    scheme: str,
    classes: str | None,
    thresholds: tuple[float, ...],
    no_class: bool,
    workspace_path: Path | None,
) -> Result:
    """Use a landmark scheme: hip, cephalometry, or one of your own in a TOML file.

    \b
      $ synthaug landmarks use hip
      $ synthaug landmarks use hip --classes dysplastic,normal --threshold 105
    """
    from synthaug.stages.landmark_scheme import use_scheme

    used = use_scheme(
        open_workspace(workspace_path),
        scheme,
        classes=None if classes is None else [each.strip() for each in classes.split(",")],
        thresholds=thresholds or None,
        no_class=no_class,
    )
    return _described(used)


@command(landmarks_group, "show")
@workspace_option
def show(workspace_path: Path | None) -> Result:
    """Show the scheme in use, and those that come with synthaug.

    \b
      $ synthaug landmarks show
    """
    from synthaug.landmarks.scheme import shipped
    from synthaug.stages.landmark_scheme import current_scheme

    scheme = current_scheme(open_workspace(workspace_path))
    if scheme is None:
        none = f"No landmarks are placed in this workspace; there are the schemes {', '.join(shipped())}"
        return {"scheme": None, "shipped": list(shipped()), "message": none}
    return {**_described(scheme), "shipped": list(shipped())}


def _described(scheme: Scheme) -> Result:
    angles = ", ".join(angle.title for angle in scheme.angles)
    message = (
        f"{scheme.title}: {', '.join(each.title for each in scheme.landmarks)}; angles: {angles or 'none'}"
    )
    classes = scheme.classes
    if classes is not None:
        limits = ", ".join(f"{each:g}" for each in classes.thresholds)
        message += f"; classes {', '.join(classes.names)}, parted at {limits} degrees ({classes.by})"
    return {
        "scheme": scheme.name,
        "revision": scheme.revision,
        "landmarks": list(scheme.names),
        "angles": [angle.name for angle in scheme.angles],
        "classes": None if classes is None else list(classes.names),
        "thresholds": None if classes is None else list(classes.thresholds),
        "message": message,
    }


@command(landmarks_group, "stop")
@workspace_option
def stop(workspace_path: Path | None) -> Result:
    """Use no scheme; what was placed stays in the label log.

    \b
      $ synthaug landmarks stop
    """
    from synthaug.stages.landmark_scheme import stop_using

    stop_using(open_workspace(workspace_path))
    return {"scheme": None, "message": "The Label page asks for no landmarks now; what was placed is kept"}


@command(landmarks_group, "export")
@click.argument("file", metavar="FILE", type=NamedPath())
@workspace_option
def export(file: Path, workspace_path: Path | None) -> Result:
    """Write the landmarks that count to FILE.json (COCO keypoints) or FILE.csv.

    Points are in pixels of the full image, angles in degrees.

    \b
      $ synthaug landmarks export landmarks.csv
    """
    from synthaug.stages.landmark_files import export_landmarks

    count = export_landmarks(open_workspace(workspace_path), file)
    return {"images": count, "file": str(file), "message": f"Landmarks of {count} images written to {file}"}


@command(landmarks_group, "import")
@click.argument("file", metavar="FILE", required=False, type=click.Path(path_type=Path))
@click.option("--captions", is_flag=True, help="Read the angles that the captions of imported images say.")
@click.option("--annotator", required=True, metavar="NAME", help="Name of the person who placed them.")
@workspace_option
def import_(file: Path | None, captions: bool, annotator: str, workspace_path: Path | None) -> Result:
    """Record landmarks from FILE.json (COCO keypoints) or FILE.csv, or angles from captions.

    An image is named by its SHA-256, its id, or the file it was imported from.

    \b
      $ synthaug landmarks import landmarks.csv --annotator ann
      $ synthaug landmarks import --captions --annotator ann
    """
    from synthaug.stages.landmark_files import import_captions, import_landmarks

    if (file is None) != captions:
        raise UserError("give either FILE.json or FILE.csv, or --captions")
    workspace = open_workspace(workspace_path)
    done = (
        import_captions(workspace, annotator)
        if file is None
        else import_landmarks(workspace, file, annotator)
    )
    message = [f"{done.recorded} images recorded, {done.unchanged} unchanged, {len(done.skipped)} skipped"]
    message += [f"  {key}: {reason}" for key, reason in done.skipped[:SHOWN]]
    if len(done.skipped) > SHOWN:
        message.append(f"  and {len(done.skipped) - SHOWN} more")
    if done.swapped:
        message.append(
            f"  left and right look exchanged in {len(done.swapped)}, the first: {done.swapped[0]}"
        )
    return {
        "recorded": done.recorded,
        "unchanged": done.unchanged,
        "skipped": [{"image": key, "reason": reason} for key, reason in done.skipped],
        "swapped": list(done.swapped),
        "message": "\n".join(message),
    }
