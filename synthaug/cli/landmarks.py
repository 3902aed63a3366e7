"""Commands for landmarks: the landmark scheme of a workspace, and files of placed landmarks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from synthaug.landmarks.scheme import Scheme
    from synthaug.stages.landmark_files import LandmarkImport

SHOWN = 5  # skipped images that are listed


@cli.group("landmarks")
def landmarks_group() -> None:
    """Place landmarks on images and measure the angles between them.

    A landmark scheme says which points and circles are placed on the Label page, which angles are measured between
    them, and which class follows from the angles.
    """


@command(landmarks_group, "use")
@click.argument("scheme", metavar="NAME|FILE.toml")
@click.option(
    "--classes",
    metavar="A,B",
    help="Classes by angle, in ascending order of the angle. [default: the scheme's]",
)
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    type=float,
    metavar="DEGREES",
    help="Angle at which the second class begins; repeat it for each further class. [default: the scheme's]",
)
@click.option("--no-class", is_flag=True, help="Measure angles without deriving a class from them.")
@workspace_option
def use(
    scheme: str,
    classes: str | None,
    thresholds: tuple[float, ...],
    no_class: bool,
    workspace_path: Path | None,
) -> Result:
    """Choose the landmark scheme: hip, cephalometry, or your own TOML file.

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
    """Show the scheme of the workspace and those that come with synthaug.

    \b
      $ synthaug landmarks show
    """
    from synthaug.landmarks.scheme import shipped
    from synthaug.stages.landmark_scheme import current_scheme

    scheme = current_scheme(open_workspace(workspace_path))
    if scheme is None:
        none = (
            f"This workspace has no landmark scheme. Choose one: synthaug landmarks use {'|'.join(shipped())}"
        )
        return {"scheme": None, "shipped": list(shipped()), "message": none}
    return {**_described(scheme), "shipped": list(shipped())}


def _described(scheme: Scheme) -> Result:
    from synthaug.landmarks.scheme import GREATEST, LEAST

    landmarks = ", ".join(each.title for each in scheme.landmarks)
    angles = ", ".join(angle.title for angle in scheme.angles)
    message = f"{scheme.title}. Landmarks: {landmarks}. Angles: {angles or 'none'}."
    classes = scheme.classes
    if classes is not None:
        limits = ", ".join(f"{each:g}" for each in classes.thresholds)
        which = f"the {classes.by} angle" if classes.by in (LEAST, GREATEST) else classes.by
        message += f" Classes: {', '.join(classes.names)}, separated at {limits} degrees of {which}."
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
    """Stop using the landmark scheme; placed landmarks are kept.

    \b
      $ synthaug landmarks stop
    """
    from synthaug.stages.landmark_scheme import stop_using

    stop_using(open_workspace(workspace_path))
    return {
        "scheme": None,
        "message": "The Label page no longer asks for landmarks; those that were placed are kept",
    }


@command(landmarks_group, "export")
@click.argument("file", metavar="FILE", type=NamedPath())
@workspace_option
def export(file: Path, workspace_path: Path | None) -> Result:
    """Write the current landmarks to FILE.json (COCO keypoints) or FILE.csv.

    Points are in pixels of the full-size image, angles in degrees.

    \b
      $ synthaug landmarks export landmarks.csv
    """
    from synthaug.stages.landmark_files import export_landmarks

    count = export_landmarks(open_workspace(workspace_path), file)
    return {"images": count, "file": str(file), "message": f"Landmarks of {count} images written to {file}"}


@command(landmarks_group, "import")
@click.argument("file", metavar="FILE", required=False, type=click.Path(path_type=Path))
@click.option(
    "--captions", is_flag=True, help="Read angles from the captions of the imported images instead of a file."
)
@click.option("--annotator", required=True, metavar="NAME", help="Name of the person who placed them.")
@workspace_option
def import_(file: Path | None, captions: bool, annotator: str, workspace_path: Path | None) -> Result:
    """Record landmarks from a file, or angles from captions.

    FILE.json has COCO keypoints; FILE.csv has the columns that export writes. An image is identified by its SHA-256,
    its id, or the path from which it was imported.

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
    return _outcome(done, f"{done.recorded} images recorded")


@command(landmarks_group, "correct")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--annotator", required=True, metavar="NAME", help="Name of the person who corrects the landmarks."
)
@reason_option
@workspace_option
def correct(file: Path, annotator: str, reason: str, workspace_path: Path | None) -> Result:
    """Correct the landmarks of real test images, which are otherwise frozen.

    FILE.json or FILE.csv is as for import; rows of other images are skipped. The class follows from the angles. If a
    class changes, so does the fingerprint of the test set: earlier models are no longer compared with later ones.

    \b
      $ synthaug landmarks correct landmarks.csv --annotator ann --reason "left rim missed"
    """
    from synthaug.stages.landmark_correction import correct_from_file

    found = correct_from_file(open_workspace(workspace_path), file, annotator, reason)
    result = _outcome(found.rows, f"{found.rows.recorded} test images corrected")
    if found.after != found.before:
        result["message"] += "\n" + fingerprint_change(found.before, found.after)
    return {**result, "fingerprint_before": found.before, "fingerprint": found.after}


def _outcome(done: LandmarkImport, recorded: str) -> dict[str, Any]:
    """What became of the rows of a file, with the first ones that were skipped in the message."""
    message = [f"{recorded}, {done.unchanged} unchanged, {len(done.skipped)} skipped"]
    message += [f"  {key}: {reason}" for key, reason in done.skipped[:SHOWN]]
    if len(done.skipped) > SHOWN:
        message.append(f"  and {len(done.skipped) - SHOWN} more")
    if done.swapped:
        message.append(
            f"  left and right seem to be swapped in {len(done.swapped)} images, such as {done.swapped[0]}"
        )
    return {
        "recorded": done.recorded,
        "unchanged": done.unchanged,
        "skipped": [{"image": key, "reason": reason} for key, reason in done.skipped],
        "swapped": list(done.swapped),
        "message": "\n".join(message),
    }
