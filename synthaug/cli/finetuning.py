"""The finetune command, which fine-tunes text-to-image models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, open_workspace, run_job, workspace_option

if TYPE_CHECKING:
    from synthaug.generator_training.finetuning_config import Method


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
