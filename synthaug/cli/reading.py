"""Commands about several readers: agreement, reading."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, open_workspace, workspace_option
from synthaug.errors import UserError

if TYPE_CHECKING:
    from synthaug.reading.agreement import Coefficient, ReaderAgreement


@command(cli, "agreement")
@workspace_option
def agreement(workspace_path: Path | None) -> Result:
    """Measure how far people who read the same images agree.

    Krippendorff's alpha and Fleiss' kappa of all readers, Cohen's kappa of each pair and class, with 95% intervals.

    \b
      $ synthaug agreement
    """
    from synthaug.reading.agreement import agreement_of_readers

    found = agreement_of_readers(open_workspace(workspace_path))
    return {**asdict(found), "message": "\n".join(_lines(found))}


@command(cli, "reading")
@click.option(
    "--blind/--not-blind", default=None, help="Hide labels and predictions until a reader has answered."
)
@click.option(
    "--second-share",
    type=float,
    metavar="P",
    help="Share of the images that a second person reads, blind (0 .. 1).",
)
@click.option(
    "--guideline",
    type=click.Path(path_type=Path),
    metavar="FILE.md",
    help="Markdown that readers can open beside the image.",
)
@click.option(
    "--refit-every", type=int, metavar="N", help="Fit the model again after every N answers; 0 turns it off."
)
@workspace_option
def reading(
    blind: bool | None,
    second_share: float | None,
    guideline: Path | None,
    refit_every: int | None,
    workspace_path: Path | None,
) -> Result:
    """Show how people read in this workspace, or change it.

    \b
      $ synthaug reading --blind --second-share 0.2
    """
    from synthaug.stages.reading_settings import change, settings

    workspace = open_workspace(workspace_path)
    text = None if guideline is None else _text(guideline)
    given = {"blind": blind, "second_share": second_share, "guideline": text, "refit_every": refit_every}
    changes = {name: value for name, value in given.items() if value is not None}
    now = change(workspace, **changes) if changes else settings(workspace)
    said = [
        f"Blind: {'yes' if now.blind else 'no'}",
        f"Read by a second person: {now.second_share:.0%} of the images",
        f"Guideline: {len(now.guideline)} characters" if now.guideline else "Guideline: none",
        f"Fit the model again: after every {now.refit_every} answers"
        if now.refit_every
        else "Fit the model again: no",
    ]
    return {**asdict(now), "message": "\n".join(said)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as text; name a Markdown file in UTF-8") from error


def _lines(found: ReaderAgreement) -> list[str]:
    if not found.images:
        return ["No image was read by two people yet; set a share with: synthaug reading --second-share 0.2"]
    lines = [
        f"{found.images} images read by two people or more; answers differ on {found.differing}, "
        f"{found.conflicts} of them not settled",
        f"Krippendorff's alpha {_words(found.alpha)}",
        f"Fleiss' kappa (images with two readings) {_words(found.kappa)}",
    ]
    lines += [f"  {name}: alpha {_words(each)}" for name, each in found.classes.items()]
    for pair in found.pairs:
        lines.append(
            f"{pair.first} and {pair.second}: {pair.same} of {pair.images} the same, Cohen's kappa {_words(pair.kappa)}"
        )
        lines += [f"  {name}: kappa {_words(each)}" for name, each in pair.classes.items()]
        lines += [
            f"  {name}: ICC(2,1) {_words(each.icc)}, mean difference {each.difference:+.1f} degrees "
            f"({each.mean_absolute_difference:.1f} apart) on {each.images} images"
            for name, each in pair.angles.items()
        ]
    return lines


def _words(found: Coefficient) -> str:
    if found.value is None:
        return "not defined (one answer only)"
    return f"{found.value:.2f} (95% interval {found.low:.2f} to {found.high:.2f})"
