"""Commands that train generators, and that label images generated without a class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from synthaug.cli import cli
from synthaug.cli.support import NamedPath, Result, command, open_workspace, workspace_option
from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import UserError
from synthaug.running.progress_bar import by_step, progress_bar

if TYPE_CHECKING:
    from synthaug.generator_training.summary import DiffusionSummary, GANSummary, TextToImageSummary
    from synthaug.progress import StepProgress
    from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The options of train-generator, each of which is for some families only."""

    data: str
    view: str | None
    label: str | None
    unconditional: bool
    flip: bool
    size: str
    steps: int | None
    base: str | None
    export: bool
    seed: int

    def check_for_text(self) -> None:
        """Raises UserError for options that only the other families have."""
        if self.view is not None or self.label is not None or self.unconditional or self.flip:
            raise UserError(
                "--view, --class, --unconditional and --flip are for --family ddpm or gan; --family text "
                "trains on --data"
            )

    def refuse_base(self, instead: str = "") -> None:
        """Raises UserError for options that only a text-to-image model trained on CIFAR-10 has."""
        if self.base is not None or self.export:
            raise UserError(f"--base and --export are for text-to-image models trained on CIFAR-10{instead}")


@command(cli, "train-generator")
@click.argument("output", metavar="DIR", type=NamedPath())
@click.option(
    "--family",
    type=click.Choice(["text", "ddpm", "gan"]),
    default="text",
    show_default=True,
    help="text: a text-to-image model trained on digits or CIFAR-10. ddpm, gan: a model trained on a view.",
)
@click.option(
    "--data",
    default="digits",
    show_default=True,
    metavar="digits|SOURCE",
    help="text: digits, or CIFAR-10 in any format that import reads.",
)
@click.option("--view", metavar="VIEW", help="ddpm, gan: view to train on.")
@click.option("--class", "label", metavar="CLASS", help="ddpm, gan: train on the images of this class only.")
@click.option("--unconditional", is_flag=True, help="ddpm: train without classes.")
@click.option(
    "--flip", is_flag=True, help="ddpm: mirror half of the images; do not use it if left and right differ."
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "small", "paper"]),
    default="small",
    show_default=True,
    help="Size of the ddpm network; tiny also makes a small gan.",
)
@click.option(
    "--checkpoints",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for checkpoints, from which an interrupted run resumes. [default: DIR.checkpoints]",
)
@click.option(
    "--steps", type=int, metavar="N", help="Training steps; for a gan, epochs. [default: by family]"
)
@click.option(
    "--base", metavar="NAME", help="text, on CIFAR-10: model to train further: embedded, or a folder."
)
@click.option(
    "--export",
    is_flag=True,
    help="text, on CIFAR-10: write the model of the newest checkpoint, without training.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed; the same seed gives the same result.",
)
@workspace_option
def train_generator(
    output: Path,
    family: Literal["text", "ddpm", "gan"],
    checkpoints: Path | None,
    workspace_path: Path | None,
    **settings: Any,
) -> Result:
    """Train an image generator and write it to the folder DIR.

    An interrupted training resumes when the same command is run again.

    \b
      $ synthaug train-generator model/ --data digits
      $ synthaug train-generator model/ --data cifar10/
      $ synthaug train-generator better/ --data cifar10/ --base embedded
      $ synthaug train-generator model/ --family ddpm --view balanced --unconditional
      $ synthaug train-generator model/ --family gan --view balanced --class cat
    """
    from synthaug.stages.generator_names import remember

    options = TrainingOptions(**settings)
    kept, name = checkpoints or output.with_name(output.name + ".checkpoints"), str(output)
    summary: TextToImageSummary | DiffusionSummary | GANSummary
    with progress_bar() as report:
        if family == "text":
            summary = _train_text(output, kept, options, by_step(report))
        else:
            view = _required_view(family, options)
            workspace = open_workspace(workspace_path)
            summary = _train_on_view(workspace, output, kept, family, view, options, by_step(report))
            name = remember(workspace, output)
    return {
        **summary,
        "model": str(output),
        "message": f"Trained {output}. Use it with: synthaug generate --generator {name} ...",
    }


def _train_text(
    output: Path, checkpoints: Path, options: TrainingOptions, progress: StepProgress
) -> TextToImageSummary:
    """Train on digits or on CIFAR-10. Raises UserError for options of the other families."""
    from synthaug.stages.train_generator import check_output, train_digits_generator

    options.check_for_text()
    if options.data == "digits":
        options.refuse_base(instead="; give --data")
        return train_digits_generator(
            output, checkpoints, steps=options.steps, seed=options.seed, progress=progress
        )
    from synthaug.stages.train_photos import train_photo_generator

    check_output(output, options.steps)
    return train_photo_generator(
        output,
        checkpoints,
        Path(options.data),
        steps=options.steps,
        seed=options.seed,
        base=options.base,
        export=options.export,
        progress=progress,
    )


def _required_view(family: str, options: TrainingOptions) -> str:
    """The view to train on. Raises UserError if there is none, and for options of the family "text"."""
    options.refuse_base()
    if options.view is None:
        raise UserError(f"a {family} is trained on a view; give one with --view")
    return options.view


def _train_on_view(
    workspace: Workspace,
    output: Path,
    checkpoints: Path,
    family: Literal["ddpm", "gan"],
    view: str,
    options: TrainingOptions,
    progress: StepProgress,
) -> DiffusionSummary | GANSummary:
    from synthaug.stages.train_generator import train_on_view

    return train_on_view(
        workspace,
        output,
        checkpoints,
        family,
        view,
        classes=not options.unconditional,
        label=options.label,
        size=options.size,
        steps=options.steps,
        flip=options.flip,
        seed=options.seed,
        progress=progress,
    )


@command(cli, "pseudo-label")
@click.option(
    "--model",
    metavar="NAME",
    help="Classifier to use. [default: the newest, or a shipped one that knows the classes]",
)
@click.option(
    "--threshold",
    type=float,
    default=AUTOMATIC_THRESHOLD,
    show_default=True,
    metavar="P",
    help="Smallest confidence at which an image is labeled, 0 to 1.",
)
@workspace_option
def pseudo_label(model: str | None, threshold: float, workspace_path: Path | None) -> Result:
    """Label images that were generated without a class.

    A classifier labels every image of whose class it is confident enough.

    \b
      $ synthaug pseudo-label --threshold 0.9
    """
    from synthaug.stages.pseudo_label import pseudo_label as stage

    workspace = open_workspace(workspace_path)
    with progress_bar() as report:
        found = stage(workspace, model, threshold, report)
    total = sum(found.labeled.values())
    message = (
        f"{found.model} labeled {total} images; it was not confident enough about the other {found.below}"
    )
    return {"labeled": found.labeled, "below": found.below, "model": found.model, "message": message}
