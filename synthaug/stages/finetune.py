"""Fine-tuning a text-to-image model on the captioned images of a view, as a resumable job.

Only training images are used, so that nothing is learned from the test set. The generator is written to
``models/finetuned/NAME`` in the workspace; the checkpoint beside it is removed when the job is done.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synthaug.errors import UserError, explain_os_error
from synthaug.generator_training.finetuning_config import FinetuneConfig, Method, Validation, check_config
from synthaug.generators.folders import HUB_ID, find_model
from synthaug.names import alternatives, first_free
from synthaug.parsing import as_json
from synthaug.records import Json, Pixels
from synthaug.running.jobs import JobContext
from synthaug.stages.finetune_captions import Captioned, captioned_images
from synthaug.stages.generation_params import usual_generator
from synthaug.stages.generator_names import FINETUNED, RECORD, check_free, locate
from synthaug.stages.job_records import (
    FinetuneParams,
    FinetuneProgress,
    FinetuneResult,
    LossPoint,
    ValidationImages,
)
from synthaug.stages.pixels import read_image
from synthaug.stages.seeds import check_seed
from synthaug.store import jobs
from synthaug.store.database import now
from synthaug.workspace import Workspace

KIND = "finetune"
VALIDATION_IMAGES = 4
HISTORY = 200  # maximum number of points on the loss curve
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


@dataclass(frozen=True, slots=True)
class FinetunedModel:
    """A generator fine-tuned in this workspace; ``path`` is its name for :func:`load_generator`."""

    name: str
    path: Path
    base: str
    method: Method
    images: int
    steps: int
    created_at: str


def submit(
    workspace: Workspace,
    view: str,
    base: str | None = None,
    method: Method = "lora",
    *,
    caption: str | None = None,
    instance_prompt: str | None = None,
    class_prompt: str | None = None,
    validation_prompts: Sequence[str] = (),
    validate_every: int | None = None,
    name: str | None = None,
    **settings: Any,
) -> int:
    """Check all settings, then queue the job; returns its id. Raises UserError for invalid settings.

    ``base`` defaults to the shipped generator for the workspace's preset. ``caption`` is used for images that have no
    caption and no prompt; ``{class}`` in it stands for their class. Validation images for ``validation_prompts``
    (default: some of the captions) are generated before the first step and then every ``validate_every`` steps
    (default: a tenth of all steps). ``name`` is that of the generator (default: VIEW-METHOD). ``settings`` are further
    fields of :class:`FinetuneConfig`.
    """
    base = base or usual_generator(workspace)
    config = _config({"method": method, **settings})
    check_seed(config.seed)
    found = captioned_images(workspace, view, _fallback(config, caption, instance_prompt))
    if method == "dreambooth" and class_prompt is None and len(found.classes) == 1:
        class_prompt = f"a photo of a {found.classes[0]}"
    config = _config({**asdict(config), "instance_prompt": instance_prompt, "class_prompt": class_prompt})
    check_config(config, found.captions)
    if not HUB_ID.fullmatch(base):  # the job looks up hub ids, since that may take a while
        find_model(locate(workspace, base))
    every = max(1, config.steps // 10) if validate_every is None else validate_every
    if every < 1:
        raise UserError(f"the number of steps between validation images is {every}; it must be at least 1")
    params = FinetuneParams(
        view=view,
        base=base,
        name=_free_name(workspace, name, f"{view}-{method}"),
        caption=caption,
        validation_prompts=_shown(validation_prompts, config, found.captions),
        validate_every=every,
        config=config,
    )
    return jobs.submit(workspace.db, KIND, params.to_json(), config.steps)


def run(context: JobContext) -> Json:
    """Run the job, from its last checkpoint if there is one; the result is updated during the run."""
    workspace, params = context.workspace, FinetuneParams.from_json(context.job.params)
    output = workspace.root / FINETUNED / params.name
    checkpoints = output.with_name(f".{output.name}.checkpoints")
    if not output.exists():
        context.progress(context.job.done, context.job.total, "loading the model")
        _make(context, params, output, checkpoints)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return FinetuneResult(params.name, str(output), find_model(output).revision).to_json()


def list_finetuned(workspace: Workspace) -> list[FinetunedModel]:
    """The fine-tuned generators of a workspace, newest first."""
    found = []
    for record in (workspace.root / FINETUNED).glob(f"[!.]*/{RECORD}"):
        kept = json.loads(record.read_text(encoding="utf-8"))
        found.append(FinetunedModel(name=record.parent.name, path=record.parent, **kept))
    return sorted(found, key=lambda each: (each.created_at, each.name), reverse=True)


def _make(context: JobContext, params: FinetuneParams, output: Path, checkpoints: Path) -> None:
    """Train, and create the folder of the generator completely or not at all."""
    from synthaug.generator_training.finetuning import finetune

    workspace, config = context.workspace, params.config
    found = captioned_images(
        workspace, params.view, _fallback(config, params.caption, config.instance_prompt)
    )
    partial = checkpoints / output.name
    shutil.rmtree(partial, ignore_errors=True)
    try:
        checkpoints.mkdir(parents=True, exist_ok=True)
        figures = finetune(
            _pixels(workspace, found),
            found.captions,
            locate(workspace, params.base),
            config,
            partial,
            checkpoints,
            progress=_LossCurve(context),
            validation=_validation(context, params),
            classes=found.classes,
        )
        record = {
            "base": params.base,
            "method": config.method,
            "images": len(found.captions),
            "steps": config.steps,
            "created_at": now(),
        }
        (partial / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        partial.rename(output)
    except OSError as error:
        raise explain_os_error(error, output) from error
    context.keep(**{key: figures[key] for key in ("images", "steps", "seconds", "precision")})


class _LossCurve:
    """A progress callback that also records the loss curve: mean losses over equal numbers of steps."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._history = list(FinetuneProgress.from_json(context.result).history)
        self._recent: list[float] = []
        self._began = time.monotonic()
        self._first: int | None = None

    def __call__(self, phase: str, done: int, total: int, loss: float) -> None:
        context, steps = self._context, self._context.job.total
        if phase != KIND:
            context.progress(0, steps, f"generating image {done} of {total} of the class")
            return
        if self._first is None:  # a killed run may have recorded steps beyond its checkpoint; drop these
            self._first = done - 1
            self._history = [each for each in self._history if each.step < done]
        self._recent.append(loss)
        if done % -(-steps // HISTORY) == 0 or done == steps:
            self._history.append(LossPoint(done, sum(self._recent) / len(self._recent)))
            self._recent.clear()
        rate = (done - self._first) / max(time.monotonic() - self._began, 1e-9)
        context.progress(done, steps, f"loss {loss:.4f}, {rate:.1f} steps/s", history=as_json(self._history))


def _validation(context: JobContext, params: FinetuneParams) -> Validation:
    """Validation with fixed prompts and seeds, whose images are stored for display in the app."""
    prompts = params.validation_prompts
    store = context.workspace.images

    def keep(step: int, images: list[Pixels]) -> None:
        text = {"Origin": "synthetic", "Source": f"validation of job {context.job.id}"}
        hashes = [
            store.put(pixels, {**text, "Description": prompt})
            for prompt, pixels in zip(prompts, images, strict=True)
        ]
        known = FinetuneProgress.from_json(context.result).validation
        earlier = [each for each in known if each.step != step]
        entry = ValidationImages(step, tuple(hashes), prompts)
        context.keep(validation=as_json(sorted([*earlier, entry], key=lambda each: each.step)))

    return Validation(prompts, tuple(range(len(prompts))), params.validate_every, keep)


def _shown(prompts: Sequence[str], config: FinetuneConfig, captions: Sequence[str]) -> tuple[str, ...]:
    """One prompt per validation image; if there are few prompts, each is used with several seeds."""
    chosen = [each for each in prompts if each.strip()]
    if not chosen and config.method == "dreambooth":
        chosen = [config.instance_prompt or "", *([config.class_prompt] if config.class_prompt else [])]
    if not chosen:
        different = list(dict.fromkeys(captions))
        chosen = different[:: max(1, len(different) // VALIDATION_IMAGES)][:VALIDATION_IMAGES]
    repeats = max(1, VALIDATION_IMAGES // len(chosen))
    return tuple(each for each in chosen for _ in range(repeats))


def _config(settings: Json) -> FinetuneConfig:
    try:
        return FinetuneConfig(**settings)
    except TypeError as error:
        raise UserError(f"unknown fine-tuning setting: {error}") from error


def _fallback(config: FinetuneConfig, caption: str | None, instance_prompt: str | None) -> str | None:
    """The caption for images without one; DreamBooth uses the same prompt for all images."""
    return instance_prompt or caption if config.method == "dreambooth" else caption


def _free_name(workspace: Workspace, name: str | None, usual: str) -> str:
    """A folder name that no generator and no unfinished job uses. Raises UserError."""
    taken = {each.name for each in list_finetuned(workspace)} | {
        job.params["name"]
        for job in jobs.latest(workspace.db, kinds=[KIND])
        if job.state in ("queued", "running")
    }
    if name is None:
        usual = re.sub(r"[^\w.-]+", "-", usual, flags=re.ASCII).strip("-.") or KIND
        name = first_free(alternatives(usual), taken.__contains__)
    check_free(name)
    if not NAME.fullmatch(name):
        raise UserError(
            f"the name {name!r} is not allowed; use at most 100 letters, digits, '.', '-' and '_'"
        )
    if name in taken:
        raise UserError(
            f"a fine-tuned generator {name!r} already exists or is being trained; choose another name"
        )
    return name


def _pixels(workspace: Workspace, found: Captioned) -> list[Pixels]:
    """The images, at full size where it was stored; an image that a view repeats is read once."""
    known: dict[str, Pixels] = {}
    for sha256 in found.hashes:
        if sha256 not in known:
            known[sha256] = read_image(workspace, sha256, full_size=True)
    return [known[sha256] for sha256 in found.hashes]
