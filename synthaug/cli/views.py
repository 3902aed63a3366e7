"""Commands for dataset views: view and leakage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, count_pairs, open_workspace, workspace_option
from synthaug.errors import UserError


@command(cli, "view")
@click.argument("name", metavar="NAME")
@click.option(
    "--base", metavar="VIEW", help="Start from this view. [default: all labeled real training images]"
)
@click.option(
    "--exclude-test-duplicates",
    is_flag=True,
    help="Leave out near-duplicates of test images (see: synthaug leakage).",
)
@click.option(
    "--keep", multiple=True, metavar="CLASS=N", help="Keep N real images of a class; may be repeated."
)
@click.option("--fraction", type=float, metavar="F", help="Keep this share of every class, 0 to 1.")
@click.option(
    "--long-tail",
    type=float,
    metavar="R",
    help="Keep int(n * R ** (i / (K - 1))) images of class i of K, where n is the size of the largest class.",
)
@click.option(
    "--replace",
    type=float,
    metavar="F",
    help="Replace this share of every class by synthetic images, 0 to 1.",
)
@click.option(
    "--add-synthetic",
    multiple=True,
    metavar="CLASS=N",
    help="Add N synthetic images of a class; may be repeated.",
)
@click.option(
    "--order",
    default="random",
    show_default=True,
    metavar="ORDER",
    help="Order in which synthetic images are added: random, confident, least-confident, entropy or margin.",
)
@click.option("--curated", is_flag=True, help="Add only synthetic images whose class a label confirms.")
@click.option(
    "--job",
    "jobs",
    type=int,
    multiple=True,
    metavar="ID",
    help="Add only synthetic images of this generation job; may be repeated.",
)
@click.option(
    "--min-confidence",
    type=float,
    metavar="P",
    help="Add only synthetic images that are predicted as their class with a confidence of at least P.",
)
@click.option(
    "--max-ood",
    type=float,
    metavar="Q",
    help="Add only synthetic images whose out-of-distribution rank is at most Q, 0 to 1.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="TAG",
    help="Add only synthetic images with this tag; if repeated, with any of the tags.",
)
@click.option(
    "--without-tag",
    "without_tags",
    multiple=True,
    metavar="TAG",
    help="Leave out every image with this tag, real or synthetic; may be repeated.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="SHA256",
    help="Add this image, real or synthetic, with its current class; may be repeated.",
)
@click.option(
    "--oversample", is_flag=True, help="Repeat images until every class is as large as the largest."
)
@click.option(
    "--oversample-class",
    "oversample_classes",
    multiple=True,
    metavar="CLASS",
    help="Repeat only the images of this class; may be repeated.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed; the same seed makes the same choice.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the view, new or existing, as a manifest.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Create the view that this manifest describes.",
)
@workspace_option
def view(
    name: str,
    keep: tuple[str, ...],
    add_synthetic: tuple[str, ...],
    to: Path | None,
    source: Path | None,
    workspace_path: Path | None,
    **options: Any,
) -> Result:
    """Save a selection of training images as a view called NAME.

    A view never changes. The options apply in the order in which they are listed here.

    \b
      $ synthaug view imbalanced --keep 8=5
      $ synthaug view augmented --base imbalanced --add-synthetic 8=100
      $ synthaug view augmented --to augmented.json
    """
    from synthaug.stages.view import ViewSpec, make_view
    from synthaug.stages.view_manifest import read_view, write_view
    from synthaug.store import views

    workspace = open_workspace(workspace_path)
    spec = ViewSpec(
        keep=count_pairs("--keep", keep),
        add_synthetic=count_pairs("--add-synthetic", add_synthetic),
        **options,
    )
    asked = spec != ViewSpec()
    if source is not None and (asked or to is not None):
        raise UserError("--from creates the view that the manifest describes; leave out the other options")
    if source is not None:
        made = read_view(workspace, name, source)
    elif to is not None and not asked:
        made = views.by_name(workspace.db, name)
    else:
        made = make_view(workspace, name, spec)
    written = {} if to is None else {"manifest": str(write_view(workspace, name, to))}
    counts = views.counts(workspace.db, made.id)
    listed = ", ".join(f"{each} {count}" for each, count in counts.items())
    return {
        "name": name,
        "counts": counts,
        **written,
        "message": f"View {name!r}: {sum(counts.values())} images ({listed})",
    }


@command(cli, "leakage")
@click.option(
    "--view",
    "name",
    required=True,
    metavar="VIEW",
    help="View whose images, real and synthetic, are checked.",
)
@click.option(
    "--threshold",
    type=float,
    metavar="D",
    help="Report pairs at a distance of at most D; identical images have a distance of 0. [default: 0.4]",
)
@workspace_option
def leakage(name: str, threshold: float | None, workspace_path: Path | None) -> Result:
    """Find duplicates and near-duplicates of real test images in a view.

    \b
      $ synthaug leakage --view augmented
    """
    from synthaug.stages.leakage import THRESHOLD, check_leakage

    workspace = open_workspace(workspace_path)
    found = check_leakage(workspace, name, THRESHOLD if threshold is None else threshold)
    near = [
        {"image": each.sha256, "test_image": each.test_sha256, "distance": each.distance}
        for each in found.near
    ]
    lines = [
        f"{found.checked} images of {name!r} were checked: {len(found.exact)} are test images themselves, {len(near)} "
        "are near-duplicates of a test image"
    ]
    lines += [
        f"  {each.sha256} is near {each.test_sha256} (distance {each.distance:.3f})"
        for each in found.near[:10]
    ]
    return {"exact": found.exact, "near": near, "checked": found.checked, "message": "\n".join(lines)}
