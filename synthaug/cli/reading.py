"""Commands for workspaces with several readers: agreement and reading."""

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

NO_ICC = "it needs two images with different angles"


@command(cli, "agreement")
@workspace_option
def agreement(workspace_path: Path | None) -> Result:
    """Measure the agreement of people who read the same images.

    The measures are Krippendorff's alpha and Fleiss' kappa of all readers, Cohen's kappa of each pair of readers, also
    by class, and the intraclass correlation of their angles, each with a 95% interval.

    \b
      $ synthaug agreement
    """
    from synthaug.reading.agreement import agreement_of_readers

    found = agreement_of_readers(open_workspace(workspace_path))
    return {**asdict(found), "message": "\n".join(_lines(found))}


@command(cli, "reading")
@click.option(
    "--blind/--not-blind",
    default=None,
    help="Hide the labels of other people and predictions until a reader has answered.",
)
@click.option(
    "--second-share",
    type=float,
    metavar="P",
    help="Share of the images that a second person also reads, without seeing the first answer, 0 to 1.",
)
@click.option(
    "--guideline",
    type=click.Path(path_type=Path),
    metavar="FILE.md",
    help="Guideline in Markdown that readers can open beside an image.",
)
@click.option(
    "--refit-every", type=int, metavar="N", help="Retrain the model after every N answers; 0: never."
)
@workspace_option
def reading(
    blind: bool | None,
    second_share: float | None,
    guideline: Path | None,
    refit_every: int | None,
    workspace_path: Path | None,
) -> Result:
    """Show or change how people read the images of the workspace.

    Without options, show the settings.

    \b
      $ synthaug reading --blind --second-share 0.2
    """
    from synthaug.stages.reading_settings import change, settings

    workspace = open_workspace(workspace_path)
    text = None if guideline is None else _text(guideline)
    given = {"blind": blind, "second_share": second_share, "guideline": text, "refit_every": refit_every}
    changes = {name: value for name, value in given.items() if value is not None}
    now = change(workspace, **changes) if changes else settings(workspace)
    lines = [
        f"Blind reading: {'yes' if now.blind else 'no'}",
        f"Second readings: {now.second_share:.0%} of the images",
        f"Guideline: {len(now.guideline)} characters" if now.guideline else "Guideline: none",
        f"Retraining: after every {now.refit_every} answers" if now.refit_every else "Retraining: never",
    ]
    return {**asdict(now), "message": "\n".join(lines)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as text; give a Markdown file in UTF-8") from error


def _lines(found: ReaderAgreement) -> list[str]:
    if not found.images:
        return [
            "No image has been read by two people yet; ask for second readings: synthaug reading --second-share 0.2"
        ]
    lines = [
        f"{found.images} images were read by at least two people, whose answers differ on {found.differing}; "
        f"{found.conflicts} of these conflicts are not settled",
        f"Krippendorff's alpha {_words(found.alpha)}",
        f"Fleiss' kappa {_words(found.kappa)}",
    ]
    lines += [
        f"  {name}: alpha {_words(each)}, kappa {_words(found.class_kappas[name])}"
        for name, each in found.classes.items()
    ]
    lines += [
        f"  {name}: ICC(2,1) {_words(each.icc, NO_ICC)}, on {each.images} images that all {each.readers} readers "
        "measured"
        for name, each in found.angles.items()
        if each.readers > 2  # of two, the pair below says it
    ]
    for pair in found.pairs:
        lines.append(
            f"{pair.first} and {pair.second}: {pair.same} of {pair.images} answers are equal, Cohen's kappa "
            f"{_words(pair.kappa)}"
        )
        lines += [f"  {name}: kappa {_words(each)}" for name, each in pair.classes.items()]
        lines += [
            f"  {name}: ICC(2,1) {_words(each.icc, NO_ICC)}, mean difference {each.difference:+.1f} degrees, mean "
            f"absolute difference {each.mean_absolute_difference:.1f} degrees, on {each.images} images"
            for name, each in pair.angles.items()
        ]
    return lines


def _words(found: Coefficient, undefined: str = "all answers are equal") -> str:
    if found.value is None:
        return f"not defined ({undefined})"
    return f"{found.value:.2f} (95% interval {found.low:.2f} to {found.high:.2f})"
