"""The command that chooses synthetic images in rounds of training: acquire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synthaug.cli import cli
from synthaug.cli.support import NUMBER, SEED, Result, command, open_workspace, workspace_option
from synthaug.running.progress_bar import progress_bar


@command(cli, "acquire")
@click.argument("name", metavar="NAME")
@click.option("--base", "--view", required=True, metavar="VIEW", help="The view to add to.")
@click.option("--label", required=True, metavar="CLASS", help="The class whose images are added.")
@click.option("--add", required=True, type=NUMBER, metavar="N", help="How many images, over all rounds.")
@click.option(
    "--per-round", type=NUMBER, default=50, show_default=True, metavar="N", help="How many of them a round."
)
@click.option(
    "--function",
    default="entropy",
    show_default=True,
    metavar="F",
    help="Which images first: mean-posterior, entropy, bald, epig, variation-ratio, margin, least-confidence, random.",
)
@click.option("--passes", type=NUMBER, default=20, show_default=True, metavar="T", help="Monte Carlo passes.")
@click.option(
    "--dropout",
    type=float,
    default=0.2,
    show_default=True,
    metavar="P",
    help="Share of the features dropped.",
)
@click.option("--recipe", metavar="R", help="digits, small-cnn, resnet18-100 ... [default: by preset]")
@click.option("--epochs-first", type=NUMBER, metavar="N", help="Of the first round. [default: the recipe's]")
@click.option(
    "--epochs-a-round",
    type=NUMBER,
    default=2,
    show_default=True,
    metavar="N",
    help="Of every later round, which goes on from the weights of the one before.",
)
@click.option(
    "--ood-guard",
    type=float,
    default=0.99,
    show_default=True,
    metavar="Q",
    help="Leave out what is farther from the real images than this share of them.",
)
@click.option("--no-ood-guard", is_flag=True, help="Leave nothing out.")
@click.option(
    "--job", "jobs", type=NUMBER, multiple=True, metavar="ID", help="Only images of this generation job."
)
@click.option(
    "--agreement-sample",
    type=NUMBER,
    default=0,
    show_default=True,
    metavar="N",
    help="Score N images a round with dropout in the whole network as well, and report the rank correlation.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, metavar="S", help="Same seed, same choice.")
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
    """Choose synthetic images in rounds: those that a classifier is unsure of.

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
        f"View {found.view!r}: {search.add} images of {search.label!r} chosen in {len(found.rounds)} rounds; "
        f"{left_out} times one was left out as unlike the real images"
    )
    if correlation is not None:
        message += f"; rank correlation with the whole network's scores {correlation:.3f}"
    return {
        "view": found.view,
        "rounds": [asdict(each) for each in found.rounds],
        "rank_correlation": correlation,
        "message": message,
    }
