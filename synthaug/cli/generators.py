"""Commands that make generators, and label what they drew without a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synthaug.cli import cli
from synthaug.cli.support import (
    NUMBER,
    SEED,
    Result,
    command,
    open_workspace,
    run_job,
    workspace_option,
)
from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import UserError
from synthaug.running.progress_bar import progress_bar

if TYPE_CHECKING:
    from synthaug.generator_training.finetuning_config import Method


@command(cli, "finetune")
@click.option("--data", "view", required=True, metavar="VIEW", help="The view whose train images it learns.")
@click.option("--base", metavar="NAME|PATH|HUB-ID", help="[default: the shipped one that fits the preset]")
@click.option(
    "--method",
    type=click.Choice(["lora", "dreambooth", "full"]),
    default="lora",
    show_default=True,
    help="Low-rank adapters; one subject by its own word; every weight of the U-Net.",
)
@click.option("--caption", metavar="TEXT", help="For images without a caption, e.g. 'a photo of a {class}'.")
@click.option(
    "--instance-prompt", metavar="TEXT", help="DreamBooth: the subject, e.g. 'a photo of a zwx cat'."
)
@click.option(
    "--class-prompt",
    metavar="TEXT",
    help="DreamBooth: what the subject is one of. [default: a photo of a CLASS, where the view has one]",
)
@click.option("--steps", type=NUMBER, default=500, show_default=True, metavar="N")
@click.option("--rank", type=NUMBER, default=16, show_default=True, metavar="R", help="Of the adapters.")
@click.option(
    "--lr", "learning_rate", type=float, metavar="RATE", help="[default: by method and size of the model]"
)
@click.option("--batch-size", type=NUMBER, default=4, show_default=True, metavar="N", help="Images.")
@click.option(
    "--accumulate", type=NUMBER, default=1, show_default=True, metavar="N", help="Batches that make one step."
)
@click.option("--resolution", type=NUMBER, metavar="PX", help="[default: what the base draws]")
@click.option("--text-encoder", is_flag=True, help="Train the text encoder as well.")
@click.option("--all-weights", is_flag=True, help="DreamBooth without adapters.")
@click.option("--gradient-checkpointing", is_flag=True, help="Less memory, a third slower.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "no", "bf16", "fp16"]),
    default="auto",
    show_default=True,
    help="Mixed precision; auto: what the device multiplies fast.",
)
@click.option("--flip", is_flag=True, help="Mirror images at random; refused where captions have sides.")
@click.option("--force-flip", is_flag=True, help="Mirror although captions have sides.")
@click.option(
    "--validate-every", type=NUMBER, metavar="K", help="Steps between validation images. [default: a tenth]"
)
@click.option(
    "--validation-prompt",
    "validation_prompts",
    multiple=True,
    metavar="P",
    help="What they show. [default: some of the captions]",
)
@click.option("--seed", type=SEED, default=0, show_default=True, metavar="S", help="Same seed, same weights.")
@click.option("--name", metavar="NAME", help="Of the generator. [default: VIEW-METHOD]")
@workspace_option
def finetune(
    workspace_path: Path | None, view: str, base: str | None, method: Method, **settings: Any
) -> Result:
    """Teach a text-to-image model a view's captioned images. Killed, it goes on.

    \b
      $ synthaug finetune --data hips --base owner/model --steps 1000 --validate-every 100
      $ synthaug finetune --data tail --caption 'a photo of a {class}' --name tail-lora
    """
    from synthaug.stages.finetune import submit

    workspace = open_workspace(workspace_path)
    if settings["force_flip"]:
        settings["flip"] = True
    job = run_job(workspace, submit(workspace, view, base, method, **settings))
    found = {
        key: job.result[key] for key in ("model", "path", "images", "steps", "seconds") if key in job.result
    }
    message = f"{found['model']} is made. Draw with it: synthaug generate --generator {found['path']} ..."
    return {**found, "job": job.id, "message": message}


@command(cli, "train-generator")
@click.argument("output", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--family",
    type=click.Choice(["text", "ddpm", "gan"]),
    default="text",
    show_default=True,
    help="text: a shipped text-to-image model; ddpm and gan: on a view of a workspace.",
)
@click.option(
    "--data",
    default="digits",
    show_default=True,
    metavar="digits|SOURCE",
    help="text: the digits, or CIFAR-10 in any form that import reads.",
)
@click.option("--view", metavar="VIEW", help="ddpm, gan: what to train on.")
@click.option("--class", "label", metavar="CLASS", help="ddpm, gan: only the images of this class.")
@click.option("--unconditional", is_flag=True, help="ddpm: draw without being asked for a class.")
@click.option(
    "--flip", is_flag=True, help="ddpm: show half of the images mirrored; not where left and right differ."
)
@click.option(
    "--size",
    type=click.Choice(["tiny", "small", "paper"]),
    default="small",
    show_default=True,
    help="ddpm: of the network; tiny also makes a small gan.",
)
@click.option(
    "--checkpoints",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to keep checkpoints; the same command goes on from there. [default: DIR.checkpoints]",
)
@click.option("--steps", type=NUMBER, metavar="N", help="Steps; for a gan epochs. [default: by family]")
@click.option(
    "--base", metavar="NAME", help="text, on CIFAR-10: train this model further (embedded, a folder)."
)
@click.option("--export", is_flag=True, help="text, on CIFAR-10: write the model as the checkpoint has it.")
@click.option("--seed", type=SEED, default=0, show_default=True, metavar="S", help="Same seed, same result.")
@workspace_option
def train_generator(
    output: Path,
    family: str,
    data: str,
    view: str | None,
    label: str | None,
    unconditional: bool,
    flip: bool,
    size: str,
    checkpoints: Path | None,
    steps: int | None,
    base: str | None,
    export: bool,
    seed: int,
    workspace_path: Path | None,
) -> Result:
    """Train a generator. Killed and run again, it goes on.

    \b
      $ synthaug train-generator model/ --data digits
      $ synthaug train-generator model/ --data cifar10/
      $ synthaug train-generator better/ --data cifar10/ --base embedded
      $ synthaug train-generator model/ --family ddpm --view balanced --unconditional
      $ synthaug train-generator model/ --family gan --view balanced --class cat
    """
    kept = checkpoints or output.with_name(output.name + ".checkpoints")
    with progress_bar() as report:

        def progress(phase: str, done: int, total: int, loss: float) -> None:
            report(done, total, f"{phase}: loss {loss:.4f}")

        if family == "text":
            if view is not None or label is not None or unconditional or flip:
                raise UserError(
                    "--view, --class, --unconditional and --flip are for --family ddpm or gan; this would "
                    "train a text-to-image model on --data"
                )
            figures = _train_text(output, kept, data, steps, seed, progress, base, export)
        else:
            from synthaug.stages.train_generator import train_on_view

            if base is not None or export:
                raise UserError("--base and --export are for text-to-image models trained on CIFAR-10")

            if view is None:
                raise UserError(f"a {family} is trained on a view; name one with --view")
            figures = train_on_view(
                open_workspace(workspace_path),
                output,
                kept,
                "gan" if family == "gan" else "ddpm",
                view,
                classes=not unconditional,
                label=label,
                size=size,
                steps=steps,
                flip=flip,
                seed=seed,
                progress=progress,
            )
    return {**figures, "model": str(output), "message": f"Trained {output}: use it with --generator {output}"}


def _train_text(
    output: Path,
    checkpoints: Path,
    data: str,
    steps: int | None,
    seed: int,
    progress: Any,
    base: str | None,
    export: bool,
) -> dict[str, Any]:
    from synthaug.stages.train_generator import check_output, train_digits_generator

    if data == "digits":
        if base is not None or export:
            raise UserError(
                "--base and --export are for text-to-image models trained on CIFAR-10; give --data"
            )
        return train_digits_generator(output, checkpoints, steps=steps, seed=seed, progress=progress)
    from synthaug.stages.train_photos import train_photo_generator

    check_output(output, steps)
    return train_photo_generator(
        output,
        checkpoints,
        Path(data),
        steps=steps,
        seed=seed,
        base=base,
        export=export,
        progress=progress,
    )


@command(cli, "pseudo-label")
@click.option(
    "--model", metavar="NAME", help="[default: the newest, or a shipped one that knows the classes]"
)
@click.option(
    "--threshold",
    type=float,
    default=AUTOMATIC_THRESHOLD,
    show_default=True,
    metavar="P",
    help="How sure the classifier must be.",
)
@workspace_option
def pseudo_label(model: str | None, threshold: float, workspace_path: Path | None) -> Result:
    """Give images drawn without a class the class that a classifier sees in them.

    \b
      $ synthaug pseudo-label --threshold 0.9
    """
    from synthaug.stages.pseudo_label import pseudo_label as stage

    workspace = open_workspace(workspace_path)
    with progress_bar() as report:
        found = stage(workspace, model, threshold, report)
    total = sum(found.labeled.values())
    message = f"{total} images labeled by {found.model}, {found.below} left because it is less sure"
    return {"labeled": found.labeled, "below": found.below, "model": found.model, "message": message}
