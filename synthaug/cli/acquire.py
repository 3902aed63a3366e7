"""The acquire command, which selects synthetic images in rounds of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, open_workspace, workspace_option
from synthaug.running.progress_bar import progress_bar


@command(cli, "acquire")
@click.argument("name", metavar="NAME")
@click.option("--base", "--view", required=True, metavar="VIEW", help="View to add images to.")
@click.option("--label", required=True, metavar="CLASS", help="Class to add images of.")
@click.option("--add", required=True, type=int, metavar="N", help="Number of images to add over all rounds.")
@click.option(
    "--per-round",
    type=int,
    default=50,
    show_default=True,
    metavar="N",
    help="Number of images to add per round.",
)
@click.option(
    "--function",
    default="entropy",
    show_default=True,
    metavar="F",
    help="Acquisition function that ranks images: mean-posterior, entropy, bald, epig, variation-ratio, margin, "
    "least-confidence or random.",
)
@click.option(
    "--passes",
    type=int,
    default=20,
    show_default=True,
    metavar="T",
    help="Monte Carlo dropout passes per image.",
)
@click.option(
    "--dropout",
    type=float,
    default=0.2,
    show_default=True,
    metavar="P",
    help="Dropout rate of these passes, 0 to 1.",
)
@click.option(
    "--recipe",
    metavar="R",
    help="Training recipe: digits, small-cnn, resnet18-100 ... [default: by the preset or the images]",
)
@click.option(
    "--epochs-first",
    type=int,
    metavar="N",
    help="Training epochs of the first round. [default: the recipe's]",
)
@click.option(
    "--epochs-a-round",
    type=int,
    default=2,
    show_default=True,
    metavar="N",
    help="Training epochs of each later round, which starts from the weights of the previous one.",
)
@click.option(
    "--ood-guard",
    type=float,
    default=0.99,
    show_default=True,
    metavar="Q",
    help="Exclude images that are more out-of-distribution than the share Q of the real images, 0 to 1.",
)
@click.option("--no-ood-guard", is_flag=True, help="Do not exclude out-of-distribution images.")
@click.option(
    "--job",
    "jobs",
    type=int,
    multiple=True,
    metavar="ID",
    help="Use only images of this generation job; may be repeated.",
)
@click.option(
    "--agreement-sample",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="In each round, also score N images with dropout in the whole network and report the rank correlation.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed; the same seed makes the same choice.",
)
@workspace_option
def acquire(
    name: str,
    base: str,
    recipe: str | None,
    ood_guard: float,
    no_ood_guard: bool,
    workspace_path: Path | None,
    **options: Any,
) -> Result:
    """Add synthetic images to a view in rounds of training and ranking.

    In each round a classifier is trained on the view, and the images that it ranks highest are added; by default these
    are the images of which it is least certain. The result is a new view called NAME.

    \b
      $ synthaug acquire chosen --base imbalanced --label 8 --add 100 --per-round 20
    """
    from dataclasses import asdict

    from synthaug.stages.acquire import Search
    from synthaug.stages.acquire import acquire as stage
    from synthaug.stages.train import resolve_recipe

    workspace = open_workspace(workspace_path)
    search = Search(ood_guard=None if no_ood_guard else ood_guard, **options)
    with progress_bar() as report:
        found = stage(workspace, name, base, search, resolve_recipe(workspace, recipe), report)
    agreements = [each.rank_agreement for each in found.rounds if each.rank_agreement is not None]
    correlation = sum(agreements) / len(agreements) if agreements else None
    left_out = sum(each.left_out for each in found.rounds)
    message = (
        f"View {found.view!r}: {search.add} images of {search.label!r} were added in {len(found.rounds)} rounds; "
        f"{left_out} out-of-distribution images were excluded, counted in each round"
    )
    if correlation is not None:
        message += f"; the rank correlation with dropout in the whole network is {correlation:.3f}"
    return {
        "view": found.view,
        "rounds": [asdict(each) for each in found.rounds],
        "rank_correlation": correlation,
        "message": message,
    }
