"""Commands that generate images, and that retire slot values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from synthaug.cli import cli
from synthaug.cli.support import (
    Result,
    command,
    executor_options,
    open_workspace,
    run_job,
    template_options,
    workspace_option,
)
from synthaug.errors import UserError
from synthaug.hardware import CPUFormat

if TYPE_CHECKING:
    from synthaug.executors.base import ExecutorSpec


@command(cli, "generate")
@click.option(
    "--template", required=True, metavar="T", help="Prompt template, e.g. 'a <STROKE> handwritten 8'."
)
@click.option(
    "--label",
    metavar="CLASS",
    help="Class of the images; required unless the generator is unconditional.",
)
@click.option("-n", "--number", "count", required=True, type=int, metavar="N", help="Number of images.")
@click.option(
    "--generator",
    metavar="NAME|PATH|HUB-ID",
    help="Generator: embedded, digits, a folder or a hub id. [default: the shipped one that fits the preset]",
)
@click.option("--steps", type=int, metavar="N", help="Denoising steps. [default: the generator's]")
@click.option(
    "--guidance",
    metavar="W|LOW..HIGH",
    help="Guidance scale, or a range to draw it from for each image. [default: the generator's]",
)
@click.option(
    "--guidance-interval",
    metavar="START..STOP",
    help="Shares of the denoising steps between which guidance applies, such as 0.2..1; the other steps take half "
    "the time. Stable Diffusion only. [default: the generator's, usually 0..1]",
)
@click.option(
    "--slot-guidance",
    multiple=True,
    metavar="SLOT=VALUE:W,...",
    help="Guidance scale for prompts with these slot values.",
)
@click.option(
    "--start",
    type=click.Choice(["text", "image", "inpaint", "context"]),
    default="text",
    show_default=True,
    help="text: start from noise. image: vary a real image. inpaint: replace its background. context: move its subject "
    "to another place and background. The template describes the new image or background.",
)
@click.option("--strength", type=float, metavar="S", help="How strongly a real image is changed, 0 to 1.")
@click.option(
    "--sources",
    metavar="VIEW",
    help="View whose images to start from. [default: the real training images of the class]",
)
@click.option("--with-retired", is_flag=True, help="Also use retired slot values (see: synthaug retire).")
@click.option(
    "--compile",
    is_flag=True,
    help="Compile the denoiser first; it takes about a minute and pays off in long jobs on a GPU.",
)
@click.option(
    "--cpu-format",
    type=click.Choice(get_args(CPUFormat)),
    help="Number format of a diffusion model on a CPU. [default: the faster one of this machine]",
)
@executor_options
@template_options
@workspace_option
def generate(
    template: str,
    label: str | None,
    count: int,
    guidance: str | None,
    guidance_interval: str | None,
    slot_guidance: tuple[str, ...],
    slot: tuple[str, ...],
    executor: ExecutorSpec,
    with_retired: bool,
    workspace_path: Path | None,
    **settings: Any,
) -> Result:
    """Generate images from a prompt template.

    An interrupted job resumes with "synthaug jobs --resume ID".

    \b
      $ synthaug generate --template 'a <STROKE> handwritten digit eight' --label 8 -n 100 --guidance 1..5
      $ synthaug generate --template 'a digit eight' --label 8 -n 10000 --executor processes --workers 2
    """
    from synthaug.stages.generate import submit
    from synthaug.stages.generation_result import GenerationResult
    from synthaug.stages.generation_spec import GenerationSpec
    from synthaug.stages.guidance import read_guidance, read_interval, read_slot_guidance
    from synthaug.templates import slot_option

    spec = GenerationSpec(
        template,
        label,
        count,
        guidance=read_guidance(guidance),
        guidance_interval=read_interval(guidance_interval),
        guidance_by_slot=read_slot_guidance(slot_guidance),
        slots=dict(slot_option(each) for each in slot),
        retired={} if with_retired else None,
        **settings,
    )
    workspace = open_workspace(workspace_path)
    job = run_job(workspace, submit(workspace, spec, executor))
    result = GenerationResult.from_json(job.result)
    message = f"Job {job.id}: {result.generated} images in {result.seconds:.1f} s"
    if result.seconds:
        message += f" ({result.generated / result.seconds:.1f} images/s)"
    if result.cut is not None:
        message += (
            f"\n{result.cut.images} prompts are too long for the generator, which ignores their end, such as: "
            f"{result.cut.example}"
        )
    return {"job": job.id, **result.to_json(), "message": message}


@command(cli, "retire")
@click.argument("values", metavar="[SLOT=VALUE]...", nargs=-1)
@click.option("--undo", is_flag=True, help="Use these values again.")
@click.option("--annotator", metavar="NAME", help="Name of the person who decides; required with SLOT=VALUE.")
@workspace_option
def retire(values: tuple[str, ...], undo: bool, annotator: str | None, workspace_path: Path | None) -> Result:
    """Exclude slot values from all future generation jobs.

    Without SLOT=VALUE, list the excluded values.

    \b
      $ synthaug retire FURNITURE=clock --annotator ann
      $ synthaug retire FURNITURE=clock --undo --annotator ann
    """
    from synthaug.stages import retire as stage

    workspace = open_workspace(workspace_path)
    if values and not annotator:
        raise UserError("give the name of the person who decides: --annotator NAME")
    for slot, value in _slot_values(values):
        (stage.take_back if undo else stage.retire)(workspace, slot, value, str(annotator))
    found = stage.retired(workspace)
    lines = [f"{each.slot}={each.value} (by {each.person}, {each.created_at[:10]})" for each in found]
    return {
        "retired": [{"slot": each.slot, "value": each.value} for each in found],
        "message": "\n".join(["Excluded from future jobs:", *lines]) if lines else "No value is retired.",
    }


def _slot_values(written: tuple[str, ...]) -> list[tuple[str, str]]:
    """Parse ``SLOT=VALUE``; a value may contain further equals signs. Raises UserError."""
    found = []
    for each in written:
        slot, equals, value = each.partition("=")
        if not (slot.strip() and equals):
            raise UserError(f"{each!r} is not a slot value; write SLOT=VALUE")
        found.append((slot, value))
    return found
