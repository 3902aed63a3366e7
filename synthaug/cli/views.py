"""Commands about dataset views: view, leakage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synthaug.cli import cli
from synthaug.cli.support import NUMBER, SEED, Result, command, count_pairs, open_workspace, workspace_option
from synthaug.errors import UserError


@command(cli, "view")
@click.argument("name", metavar="NAME")
@click.option(
    "--base", metavar="VIEW", help="Start from this view. [default: all labeled real training images]"
)
@click.option(
    "--exclude-test-duplicates",
    is_flag=True,
    help="Leave out what nearly repeats a test image (see leakage).",
)
@click.option("--keep", multiple=True, metavar="CLASS=N", help="Keep N real images of a class.")
@click.option("--fraction", type=float, metavar="F", help="Keep this share of every class.")
@click.option(
    "--long-tail", type=float, metavar="R", help="Class i keeps int(max * R ** (i / (K - 1))) images."
)
@click.option(
    "--replace", type=float, metavar="F", help="Replace this share of every class by synthetic images."
)
@click.option("--add-synthetic", multiple=True, metavar="CLASS=N", help="Add N synthetic images of a class.")
@click.option(
    "--order",
    default="random",
    show_default=True,
    metavar="ORDER",
    help="Which synthetic images first: random, confident, least-confident, entropy, margin.",
)
@click.option("--curated", is_flag=True, help="Only synthetic images whose class was confirmed.")
@click.option(
    "--job",
    "jobs",
    type=NUMBER,
    multiple=True,
    metavar="ID",
    help="Only synthetic images of this generation job.",
)
@click.option(
    "--min-confidence",
    type=float,
    metavar="P",
    help="Only synthetic images predicted as their class at P or more.",
)
@click.option(
    "--max-ood", type=float, metavar="Q", help="Only synthetic images at most Q (0 .. 1) out of distribution."
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="SHA256",
    help="Add this image, synthetic or real, as its class.",
)
@click.option(
    "--oversample", is_flag=True, help="Repeat images until every class is as large as the largest."
)
@click.option(
    "--oversample-class",
    "oversample_classes",
    multiple=True,
    metavar="CLASS",
    help="Repeat only this class's.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, metavar="S", help="Same seed, same choice.")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the view, made before or now, as a manifest.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Make exactly the view that a manifest describes.",
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
    """Freeze a selection of training images under a name. Steps apply in the order of the options.

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
        raise UserError("--from makes the view that the manifest describes; leave out the other options")
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
    "--view", "name", required=True, metavar="VIEW", help="Its images, real and synthetic, are checked."
)
@click.option(
    "--threshold",
    type=float,
    metavar="D",
    help="Report distances up to D; 0 = the same picture. [default: 0.4]",
)
@workspace_option
def leakage(name: str, threshold: float | None, workspace_path: Path | None) -> Result:
    """Look for images of a view that are, or nearly repeat, real test images.

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
        f"{found.checked} images of {name!r} checked: {len(found.exact)} belong to the test split, "
        f"{len(near)} nearly repeat a test image"
    ]
    lines += [f"  {each.sha256} ~ {each.test_sha256} at {each.distance:.3f}" for each in found.near[:10]]
    return {"exact": found.exact, "near": near, "checked": found.checked, "message": "\n".join(lines)}
