"""Commands that train generators, and that label images generated without a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synthaug.cli import cli
from synthaug.cli.support import (
    NamedPath,
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
    from synthaug.generator_training.summary import TextToImageSummary


@command(cli, "finetune")
@click.option(
    "--data", "view", required=True, metavar="VIEW", help="View whose training images the model learns."
)
@click.option(
    "--base",
    metavar="NAME|PATH|HUB-ID",
    help="Model to start from. [default: the shipped one that fits the preset]",
)
@click.option(
    "--method",
    type=click.Choice(["lora", "dreambooth", "full"]),
    default="lora",
    show_default=True,
    help="lora: low-rank adapters. dreambooth: one subject, named by a rare word. full: every weight of the U-Net.",
)
@click.option(
    "--caption", metavar="TEXT", help="Caption of images that have none, e.g. 'a photo of a {class}'."
)
@click.option(
    "--instance-prompt", metavar="TEXT", help="DreamBooth: the subject, e.g. 'a photo of a zwx cat'."
)
@click.option(
    "--class-prompt",
    metavar="TEXT",
    help="DreamBooth: the class of the subject. [default: 'a photo of a CLASS', if the view has one class]",
)
@click.option("--steps", type=int, default=500, show_default=True, metavar="N", help="Optimizer steps.")
@click.option("--rank", type=int, default=16, show_default=True, metavar="R", help="Rank of the adapters.")
@click.option(
    "--lr",
    "learning_rate",
    type=float,
    metavar="RATE",
    help="Learning rate. [default: by method and size of the model]",
)
@click.option("--batch-size", type=int, default=4, show_default=True, metavar="N", help="Images per batch.")
@click.option(
    "--accumulate",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Batches whose gradients are accumulated for one step.",
)
@click.option(
    "--resolution",
    type=int,
    metavar="PX",
    help="Size of the training images. [default: the native size of the base]",
)
@click.option("--text-encoder", is_flag=True, help="Train the text encoder as well.")
@click.option(
    "--all-weights", is_flag=True, help="DreamBooth: train every weight of the U-Net instead of adapters."
)
@click.option("--gradient-checkpointing", is_flag=True, help="Use less memory, at about a third less speed.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "no", "bf16", "fp16"]),
    default="auto",
    show_default=True,
    help="Mixed precision; auto chooses the fastest that the device supports.",
)
@click.option("--flip", is_flag=True, help="Mirror images at random; refused if captions say left or right.")
@click.option("--force-flip", is_flag=True, help="Mirror images even if captions say left or right.")
@click.option(
    "--validate-every",
    type=int,
    metavar="K",
    help="Steps between validation images. [default: a tenth of all steps]",
)
@click.option(
    "--validation-prompt",
    "validation_prompts",
    multiple=True,
    metavar="P",
    help="Prompt of a validation image; may be repeated. [default: some of the captions]",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed; the same seed gives the same weights.",
)
@click.option("--name", metavar="NAME", help="Name of the new generator. [default: VIEW-METHOD]")
@workspace_option
def finetune(
    workspace_path: Path | None, view: str, base: str | None, method: Method, **settings: Any
) -> Result:
    """Fine-tune a text-to-image model on the captioned images of a view.

    An interrupted run resumes when the same command is run again.

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
    message = f"Created {found['model']}. Use it with: synthaug generate --generator {found['path']} ..."
    return {**found, "job": job.id, "message": message}


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

    summary: Mapping[str, object]
    kept, name = checkpoints or output.with_name(output.name + ".checkpoints"), str(output)
    with progress_bar() as report:

        def progress(phase: str, done: int, total: int, loss: float) -> None:
            report(done, total, f"{phase}: loss {loss:.4f}")

        if family == "text":
            if view is not None or label is not None or unconditional or flip:
                raise UserError(
                    "--view, --class, --unconditional and --flip are for --family ddpm or gan; --family text "
                    "trains on --data"
                )
            summary = _train_text(output, kept, data, steps, seed, progress, base, export)
        else:
            from synthaug.stages.train_generator import train_on_view

            if base is not None or export:
                raise UserError("--base and --export are for text-to-image models trained on CIFAR-10")

            if view is None:
                raise UserError(f"a {family} is trained on a view; give one with --view")
            workspace = open_workspace(workspace_path)
            summary = train_on_view(
                workspace,
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
            name = remember(workspace, output)
    return {
        **summary,
        "model": str(output),
        "message": f"Trained {output}. Use it with: synthaug generate --generator {name} ...",
    }


def _train_text(
    output: Path,
    checkpoints: Path,
    data: str,
    steps: int | None,
    seed: int,
    progress: Any,
    base: str | None,
    export: bool,
) -> TextToImageSummary:
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
