"""Train: one click from the curated set to an honest answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from synthaug.classifiers.recipes import RECIPES
from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import UserError
from synthaug.reading.overview import Overview, overview
from synthaug.stages import compare, retrain, train
from synthaug.workspace import Workspace

from ..components.changes import when_changed
from ..components.charts.evidence import earlier, exported, live, report
from ..components.events import QUIET, panel, problem
from ..components.first_model import first_model_card
from ..components.jobs import ACTIVE
from ..components.markup import Markup, Panel, markup
from ..context import AppContext
from ..shell import empty_state, heading

SEEDS = (3, 20)


@dataclass(frozen=True, slots=True)
class Form:
    """What a comparison is run with, and the buttons of the job."""

    plan: Panel
    seeds: gr.Slider
    recipe: gr.Dropdown
    accept: gr.Checkbox
    threshold: gr.Slider
    start: gr.Button
    stop: gr.Button
    resume: gr.Button
    message: Panel


def page(context: AppContext) -> None:
    """The form, the running job, and the evidence."""
    heading(
        "Train",
        "Train with and without the synthetic images, and learn on real test images whether they helped.",
    )
    first_model_card(context)
    with gr.Column(elem_classes="sa-card sa-train-form sa-for-owner"):
        form = _form(train.default_recipe(context.workspace))
    running = Panel(visible=False)
    evidence = Panel()
    export = Panel(visible=False)
    before = Panel(visible=False)
    _wire(context, form, [running, form.stop, form.resume, form.start, form.plan, evidence, export, before])


def _form(default_recipe: str) -> Form:
    plan = Panel(elem_classes="sa-train-plan")
    with gr.Row(elem_classes="sa-train-fields"):
        seeds = gr.Slider(
            *SEEDS, value=5, step=1, label="Seeds", info="Runs a side. More runs narrow the interval."
        )
        recipe = gr.Dropdown(
            list(RECIPES), value=default_recipe, label="Recipe", info="The network and how it learns."
        )
        with gr.Column():
            accept = gr.Checkbox(
                False,
                label="Accept confident predictions",
                info="Takes unreviewed images too, where the model agrees with the prompt.",
            )
            threshold = gr.Slider(
                0.5, 1.0, value=AUTOMATIC_THRESHOLD, step=0.01, label="From this confidence", visible=False
            )
    with gr.Row(elem_classes="sa-train-actions"):
        start = gr.Button(
            "Export the curated set and retrain",
            variant="primary",
            scale=0,
            min_width=340,
            interactive=False,
        )
        stop = gr.Button("Stop", scale=0, min_width=110, visible=False)
        resume = gr.Button("Continue", scale=0, min_width=110, visible=False)
    return Form(plan, seeds, recipe, accept, threshold, start, stop, resume, Panel(visible=False))


def _wire(context: AppContext, form: Form, panels: list[Any]) -> None:
    seen = gr.State(None)
    watched = [*panels, seen]

    def refresh(known: dict[str, str] | None, automatic: bool) -> list[Any]:
        return _refresh(context, known or {}, automatic)

    def submit(count: float, name: str, above: float, automatic: bool) -> list[Any]:
        try:
            chosen = above if automatic else None
            retrain.submit(context.workspace, seeds=int(count), recipe=name, accept_above=chosen)
        except UserError as error:
            return [panel(problem(error)), *[gr.skip()] * len(watched)]
        return [panel(Markup("")), *_refresh(context, {}, automatic)]

    def ask(action: str, automatic: bool) -> list[Any]:
        job = context.jobs.latest(retrain.KIND)
        if job is not None:
            (context.jobs.cancel if action == "stop" else context.jobs.resume)(job.id)
        return _refresh(context, {}, automatic)

    automatic = gr.State(form.accept.value)
    accept, asked = form.accept, [form.seeds, form.recipe, form.threshold, form.accept]
    accept.change(
        lambda on: [gr.Slider(visible=on), on],
        accept,
        [form.threshold, automatic],
        api_name="train_threshold",
        **QUIET,
    ).then(refresh, [seen, automatic], watched, **QUIET)
    when_changed(refresh, [seen, automatic], watched, api_name="train_changed")
    form.start.click(submit, asked, [form.message, *watched], **QUIET)
    form.stop.click(lambda automatic: ask("stop", automatic), accept, watched, **QUIET)
    form.resume.click(lambda automatic: ask("resume", automatic), accept, watched, **QUIET)


def _refresh(context: AppContext, known: dict[str, str], automatic: bool) -> list[Any]:
    """Only what changed since the last look: the job often, the evidence when a job ends."""
    job = context.jobs.latest(retrain.KIND)
    state = "none" if job is None else f"{job.id} {job.state}"
    step = "" if job is None else f"{state} {job.done} {job.note} {job.cancel_requested}"
    step += f" {automatic}"
    unchanged = gr.skip()
    outputs = [unchanged] * 8
    if step != known.get("step"):
        active = job is not None and job.state in ACTIVE
        stopping = active and job is not None and job.cancel_requested
        outputs[:4] = [
            panel(live(job)),
            gr.Button("Stopping" if stopping else "Stop", visible=active, interactive=not stopping),
            gr.Button(visible=job is not None and job.state in ("failed", "cancelled")),
            gr.Button(interactive=not active and _ready(overview(context.workspace), automatic)),
        ]
    if state != known.get("state"):
        outputs[4:] = _results(context.workspace)
    now = {"state": state, "step": step}
    return [*outputs, unchanged if now == known else now]


def _results(workspace: Workspace) -> list[Any]:
    """The plan, the newest evidence, the newest export, and the comparisons before."""
    figures = overview(workspace)
    found = compare.all_comparisons(workspace)
    newest = report(found) if found else _nothing_yet(figures)
    return [_plan(figures), newest, panel(exported(figures.exports)), panel(earlier(found))]


def _plan(figures: Overview) -> Markup:
    real = sum(row.train_real for row in figures.classes)
    accepted = sum(row.accepted for row in figures.classes)
    waiting = sum(row.unreviewed for row in figures.classes)
    if not _comparable(figures):
        return Markup(
            '<h2 class="sa-h2">Compare with and without</h2><p class="sa-note">The comparison needs real images to '
            "train on, and others to test on; this workspace lacks them. "
            '<a href="/">Bring them in on the Data page</a>.</p>'
        )
    text = markup(
        "Trains on the real images alone, then on the same plus <b>{} accepted synthetic images</b>, with the same "
        "seeds. Both are tested on {} real images that no training touches. {} real training images are here; "
        "the newest view without synthetic images is the baseline. Where its classes are uneven, the same "
        "images oversampled are trained as a control.",
        f"{accepted:,}",
        f"{sum(row.test_real for row in figures.classes):,}",
        f"{real:,}",
    )
    if waiting:
        text += markup(' <span class="sa-warn">{} synthetic images wait for review.</span>', f"{waiting:,}")
    return markup('<h2 class="sa-h2">Compare with and without</h2><p class="sa-note">{}</p>', text)


def _comparable(figures: Overview) -> bool:
    """Whether there are real images to train on, and others to test on."""
    return any(row.train_real for row in figures.classes) and any(row.test_real for row in figures.classes)


def _ready(figures: Overview, automatic: bool) -> bool:
    """Whether there is something to compare: synthetic images with a class, or that may get one by themselves."""
    some = any(row.accepted or (automatic and row.unreviewed) for row in figures.classes)
    return some and _comparable(figures)


def _nothing_yet(figures: Overview) -> Markup:
    if not figures.synthetic:
        return empty_state(
            "No synthetic images yet",
            "There is nothing to compare with. Generate some first.",
            ("Generate images", "/generate"),
        )
    if not _comparable(figures):
        return empty_state(
            "No evidence yet",
            "Whether synthetic images help is measured on real ones, and there are none here.",
            ("Bring in real images", "/"),
        )
    return empty_state(
        "No evidence yet",
        "One click above exports the curated set, trains both sides and weighs the difference.",
        ("Review images first", "/label"),
    )
