"""Generate: from a prompt template to images, made on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gradio as gr

from synthaug.errors import Cancelled, TemplateError, UserError
from synthaug.stages import catalog, generate, generator_choice, queue
from synthaug.stages.generation_params import usual_generator
from synthaug.stages.generator_choice import Vocabulary
from synthaug.store import views
from synthaug.templates import Template, shipped_template, shipped_template_names

from ..components.generator_card import card, card_error
from ..components.health import health_table
from ..components.jobs import job_strip
from ..components.markup import Markup, Panel, joined, markup
from ..components.preview import Side, preview_error, preview_panel
from ..components.words import legend, marked
from ..context import AppContext
from ..settings import guidance_text, read_guidance
from ..shell import POLL_JOBS, heading

POLL_SECONDS = 1.5
SAMPLES = 5
PREVIEWS = 8
FRESH = 24
FIRST_TEMPLATE = {"digits": "eight"}
FIRST_CLASS = {"digits": "8"}
ALL_REAL = ("The real training images", "")
STARTS = [
    ("Text alone", "text"),
    ("An image, redrawn as a whole", "image"),
    ("An image, but for its subject (inpaint)", "inpaint"),
    ("Its subject on a new background (context)", "context"),
]

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

NO_HINT = Markup("")
NO_CLASSIFIER = Markup(' <a href="/train">Open the Train page</a>')
JOBS_HEAD = Markup(
    "<h2 class='sa-h2'>Jobs</h2><p class='sa-note'>They go on when this page is closed, and after a restart of "
    "the app.</p>"
)
PREVIEW_HEAD = Markup(
    "<h2 class='sa-h2'>Preview</h2><p class='sa-note'>The first eight images that Start would make. "
    "Nothing is stored.</p>"
)
GUIDANCE_HINT = Markup(
    '<p class="sa-hint">Guidance: how closely an image follows its prompt. A range such as <code>1..5</code> gives '
    "each image a value of its own: for training, diversity beats fidelity.</p>"
)
START_HINT = Markup(
    '<p class="sa-hint">Starting from real images of the class keeps their poses and scenes. Strength: 0 keeps '
    "the image, 1 draws it anew. On a new background, the template describes the background.</p>"
)
SYNTAX = Markup("""
<details class="sa-syntax"><summary>How to write a template</summary><dl>
<dt>&lt;BREED&gt;</dt><dd>a slot: one word of the list of that name</dd>
<dt>{sitting|standing}</dt><dd>one of these</dd>
<dt>{0.7::day|night}</dt><dd>one of these, the first more often</dd>
<dt>{2$$ and $$red|green|blue}</dt><dd>two of these, joined by "and"</dd>
<dt>&lt;ANGLE:60..120:0.5&gt;</dt><dd>numbers from 60 to 120 in steps of 0.5</dd>
</dl></details>
""")


def page(context: AppContext) -> None:
    """The generator on top; the template on the left; on the right what it gives, the jobs and the fresh images."""
    heading(
        "Generate",
        "Describe the images with a template. Every prompt, its slot values and its seed are stored with the "
        "image, so that each can be made again and a bad word can be found later.",
    )
    with gr.Row(elem_classes="sa-card sa-gen-row"):
        generator, about = _generator(context)
    with gr.Row(elem_classes="sa-split"):
        with gr.Column(scale=4, min_width=400, elem_classes="sa-card sa-form"):
            form = _form(context, generator)
        with gr.Column(scale=5, min_width=460):
            with gr.Column(elem_classes="sa-card sa-preview-card"):
                trial = _trial()
            with gr.Column(elem_classes="sa-card"):
                Panel(JOBS_HEAD)
                job_strip(("generate", "predict"), "Nothing has run yet. Start makes the first job.")
            with gr.Column(elem_classes="sa-card"):
                fresh = Panel(fresh_panel(context))
                _next_steps(context)
    health_table()
    _wire_form(context, form, about, fresh)
    _wire_preview(context, form, trial)


class Form(NamedTuple):
    """The components of the form; ``fields`` in the order of :func:`asked`."""

    template: gr.Textbox
    generator: gr.Dropdown
    fields: list[gr.components.Component]
    views: gr.Dropdown
    live: Panel
    said: Panel
    preview: gr.Button
    start: gr.Button


class Trial(NamedTuple):
    """The preview and what it is compared with."""

    compare: gr.Checkbox
    row: gr.Row
    generator: gr.Dropdown
    guidance: gr.Textbox
    both: gr.Button
    stop: gr.Button
    shown: Panel


def _generator(context: AppContext) -> tuple[gr.Dropdown, Panel]:
    name = last_values(context)["generator"]
    with gr.Column(scale=0, min_width=300):
        generator = gr.Dropdown(
            generator_names(context),
            value=name,
            label="Generator",
            info="Or type a folder, or a hub id (owner/model)",
            allow_custom_value=True,
            elem_id="generator",
        )
    return generator, Panel(card_panel(context, name), elem_classes="sa-gen-holder")


def _form(context: AppContext, generator: gr.Dropdown) -> Form:
    values = last_values(context)
    template = gr.Textbox(values["template"], label="Template", lines=3, max_lines=8, elem_id="template")
    live = Panel(live_panel(context, values["template"], values["generator"]))
    Panel(SYNTAX)
    with gr.Row():
        classes = list(context.workspace.classes)
        label = gr.Dropdown(
            classes, value=values["label"], label="Class", info="What they show", min_width=140
        )
        count = gr.Number(
            values["count"], label="Images", info="How many", precision=0, minimum=1, min_width=120
        )
    with gr.Row():
        steps = gr.Number(values["steps"], label="Steps", info="Empty: its own", precision=0, min_width=90)
        guidance = gr.Textbox(
            values["guidance"],
            label="Guidance",
            info="A number or a range",
            placeholder="its own",
            max_lines=1,
            min_width=90,
            elem_id="guidance",
        )
        seed = gr.Number(
            values["seed"], label="Seed", info="Same seed, same images", precision=0, min_width=90
        )
    Panel(GUIDANCE_HINT)
    with gr.Accordion("Advanced: start from images", open=values["start"] != "text", elem_classes="sa-more"):
        start_from = gr.Dropdown(STARTS, value=values["start"], label="Start from", elem_id="start-from")
        images = values["start"] != "text"
        with gr.Row(visible=images) as more:
            strength = gr.Number(
                values["strength"],
                label="Strength",
                info="Empty: its own",
                minimum=0,
                maximum=1,
                step=0.05,
                min_width=110,
            )
            sources = gr.Dropdown(
                [ALL_REAL], value="", label="Images from", info="A dataset view", min_width=180
            )
        Panel(START_HINT)
    start_from.change(lambda chosen: gr.Row(visible=chosen != "text"), start_from, more, **QUIET)
    said = Panel(visible=False)
    with gr.Row(elem_classes="sa-form-actions"):
        preview = gr.Button(f"Preview {PREVIEWS}", min_width=120, interactive=False)
        start = gr.Button("Start", variant="primary", min_width=120, elem_id="start", interactive=False)
    fields = [template, label, count, generator, steps, guidance, seed, start_from, strength, sources]
    return Form(template, generator, fields, sources, live, said, preview, start)


def _trial() -> Trial:
    Panel(PREVIEW_HEAD)
    compare = gr.Checkbox(False, label="Compare with a second setting", elem_id="compare")
    with gr.Row(visible=False, elem_classes="sa-compare") as row:
        generator = gr.Dropdown(
            [("The same", "")],
            value="",
            label="Second generator",
            allow_custom_value=True,
            min_width=170,
            elem_id="second-generator",
        )
        guidance = gr.Textbox(
            label="Second guidance",
            placeholder="the same",
            max_lines=1,
            min_width=110,
            elem_id="second-guidance",
        )
        both = gr.Button("Draw both", min_width=110, scale=0)
    shown = Panel(preview_panel([Side("")], PREVIEWS), elem_id="preview")
    stop = gr.Button("Stop drawing", size="sm", visible=False, elem_id="stop-preview")
    compare.change(lambda on: gr.Row(visible=on), compare, row, **QUIET)
    return Trial(compare, row, generator, guidance, both, stop, shown)


def _next_steps(context: AppContext) -> None:
    with gr.Row(elem_classes="sa-next"):
        predict = gr.Button("Predict what is new", min_width=190, scale=0)
        Panel(Markup('<a class="sa-button" href="/label">Review on the Label page</a>'))
    said = Panel(visible=False)
    predict.click(
        lambda: _message(lambda: catalog.submit_predict(context.workspace), NO_CLASSIFIER),
        None,
        said,
        **QUIET,
    ).then(None, js=POLL_JOBS)


def _wire_form(context: AppContext, form: Form, about: Panel, fresh: Panel) -> None:
    workspace = context.workspace
    seen = gr.State(None)

    def opened(request: gr.Request) -> list[Any]:
        values = last_values(context)
        values["generator"] = request.query_params.get("generator") or values["generator"]
        names = generator_names(context)
        values["generator"] = gr.Dropdown(names, value=values["generator"])
        kept = [ALL_REAL, *((view.name, view.name) for view in views.all_views(workspace.db))]
        values["sources"] = gr.Dropdown(kept, value=values["sources"])
        ready = gr.update(interactive=True)
        return [*values.values(), fresh_panel(context), ready, ready]

    def refresh(before: str | None) -> list[Any]:
        jobs = context.jobs.list(1, kinds=(generate.KIND,))
        now = " ".join(f"{job.id} {job.done} {job.state}" for job in jobs)
        return [gr.skip(), gr.skip()] if now == before else [fresh_panel(context), now]

    def described(name: str | None, template: str) -> list[Markup]:
        chosen = (name or "").strip() or usual_generator(context.workspace)
        return [card_panel(context, chosen), live_panel(context, template, chosen)]

    gr.on(None, opened, None, [*form.fields, fresh, form.preview, form.start], **QUIET).then(
        described, [form.generator, form.template], [about, form.live], **QUIET
    )
    form.template.change(
        lambda text, name: live_panel(
            context, text, (name or "").strip() or usual_generator(context.workspace)
        ),
        [form.template, form.generator],
        form.live,
        trigger_mode="always_last",
        **QUIET,
    )
    form.generator.change(
        described,
        [form.generator, form.template],
        [about, form.live],
        trigger_mode="always_last",
        **QUIET,
    )
    form.start.click(
        lambda *values: _message(lambda: generate.submit(workspace, **asked(values))),
        form.fields,
        form.said,
        **QUIET,
    ).then(None, js=POLL_JOBS)
    gr.Timer(POLL_SECONDS).tick(refresh, seen, [fresh, seen], concurrency_limit=None, **QUIET)


def _wire_preview(context: AppContext, form: Form, trial: Trial) -> None:
    running: dict[str | None, threading.Event] = {}

    def draw(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        """The preview as it grows. A second one, or Stop, ends the first within a step."""
        stop_running(request)
        stop = running[request.session_hash] = threading.Event()
        compared, other, guidance = values[-3:]
        hidden, visible = gr.update(visible=False), gr.update(visible=True)
        try:
            sides = settings_of(values[:-3], compared, other, guidance)
        except UserError as error:
            yield [preview_error(first_line(error)), hidden]
            return
        for panel in previews(context, sides, stop):
            yield [panel, hidden if stop.is_set() else visible]
        yield [gr.skip(), hidden]

    def stop_running(request: gr.Request) -> None:
        stop = running.pop(request.session_hash, None)
        if stop is not None:
            stop.set()

    gr.on(
        [form.preview.click, trial.both.click],
        draw,
        [*form.fields, trial.compare, trial.generator, trial.guidance],
        [trial.shown, trial.stop],
        **QUIET,
    )
    gr.on(
        None,
        lambda: gr.Dropdown([("The same", ""), *generator_names(context)], value=""),
        None,
        trial.generator,
        **QUIET,
    )
    trial.stop.click(stop_running, None, None, concurrency_limit=None, **QUIET)


def settings_of(
    values: tuple[Any, ...], compared: bool, generator: str | None, guidance: str | None
) -> list[tuple[str, dict[str, Any]]]:
    """(caption, arguments) of the setting in the form, and of the second one where it is compared. UserError."""
    first = asked((*values[:2], PREVIEWS, *values[3:]))
    if not compared:
        return [(_caption(first), first)]
    second = dict(first)
    if (generator or "").strip():
        second["generator"] = (generator or "").strip()
    if (guidance or "").strip():
        second["guidance"] = read_guidance(guidance)
    if second == first:
        raise UserError("both settings are the same; choose a second generator or a second guidance")
    return [(_caption(first), first), (_caption(second), second)]


def previews(
    context: AppContext, settings: list[tuple[str, dict[str, Any]]], stop: threading.Event
) -> Iterator[Markup]:
    """The panel each time images arrive, the sides one after the other; an end in words if it ends early."""
    sides = [Side(caption) for caption, _ in settings]
    yield preview_panel(sides, PREVIEWS, busy=True)
    try:
        for side, (_, arguments) in zip(sides, settings, strict=True):
            for batch in generator_choice.try_out(context.workspace, arguments, PREVIEWS, stop.is_set):
                side.drawn += batch
                yield preview_panel(sides, PREVIEWS, busy=True)
    except Cancelled:
        yield preview_panel(sides, PREVIEWS, "Stopped.")
    except UserError as error:
        yield preview_error(first_line(error))
    else:
        yield preview_panel(sides, PREVIEWS)


def _caption(arguments: dict[str, Any]) -> str:
    guidance = arguments["guidance"]
    said = "its own guidance" if guidance is None else f"guidance {guidance_text(guidance)}"
    return f"{arguments['generator'].rpartition('/')[2]}, {said}"


def last_values(context: AppContext) -> dict[str, Any]:
    """The form as the latest job had it, in the order of its fields; what suits the workspace before the first."""
    preset = context.workspace.preset
    template = shipped_template(FIRST_TEMPLATE.get(preset, shipped_template_names()[0]))
    label = FIRST_CLASS.get(preset, context.workspace.classes[0])
    values = {
        "template": template,
        "label": label,
        "count": 100,
        "generator": usual_generator(context.workspace),
    }
    values |= {"steps": None, "guidance": None, "seed": 0, "start": "text", "strength": None}
    jobs = context.jobs.list(1, kinds=(generate.KIND,))
    last = jobs[0].params if jobs else {}
    values = {name: last.get(name, otherwise) for name, otherwise in values.items()}
    return {**values, "guidance": guidance_text(values["guidance"]), "sources": ""}


def generator_names(context: AppContext) -> list[tuple[str, str]]:
    """(label, name) of what needs no download."""
    return [(each.label, each.name) for each in generator_choice.choices(context.workspace)]


def asked(values: tuple[Any, ...]) -> dict[str, Any]:
    """The form's values as the arguments of generate.submit. Raises UserError."""
    template, label, number, generator, steps, guidance, seed, start, strength, sources = values
    if number is None:
        raise UserError("say how many images to make")
    images = start != "text"
    return {
        "template": template,
        "label": label,
        "count": int(number),
        "generator": (generator or "").strip() or None,
        "steps": None if steps is None else int(steps),
        "guidance": read_guidance(guidance),
        "seed": int(seed or 0),
        "start": start,
        "strength": float(strength) if images and strength is not None else None,
        "sources": (sources or None) if images else None,
    }


def _message(act: Callable[[], Any], hint: Markup = NO_HINT) -> Any:
    """Do it; show nothing if it worked, and the reason and what to do if it did not."""
    try:
        act()
    except UserError as error:
        return gr.update(value=markup('<p class="sa-error">{}{}</p>', first_line(error), hint), visible=True)
    return gr.update(visible=False)


def first_line(error: UserError) -> str:
    """The message without the template that some errors quote below it: the page shows that itself."""
    return str(error).partition("\n")[0]


def card_panel(context: AppContext, name: str) -> Markup:
    """The card of a generator, or why it has none."""
    try:
        return card(generator_choice.choice(context.workspace, name))
    except UserError as error:
        return card_error(first_line(error))


def live_panel(context: AppContext, text: str, generator: str) -> Markup:
    """The template's prompts, their words marked where the generator's are known."""
    try:
        vocabulary = generator_choice.vocabulary(context.workspace, generator)
    except UserError:  # the card says what is wrong with the generator
        vocabulary = None
    return template_panel(text, vocabulary)


def template_panel(text: str, vocabulary: Vocabulary | None = None) -> Markup:
    """How many prompts a template gives, with some of them; or where it cannot be read."""
    try:
        template = Template.parse(text)
        unique = template.unique_count
        wanted = min(SAMPLES, template.count if unique is None else unique)
        samples = [prompt.text for prompt in template.sample(wanted, seed=0)]
    except TemplateError as error:
        return template_error(text, error)
    different = "" if unique is None or unique == template.count else f", {unique:,} different"
    return markup(
        '<div class="sa-prompts"><p><b>{count}</b> {noun}{different}</p><ul>{samples}</ul>{legend}</div>',
        count=f"{template.count:,}",
        noun="prompt" if template.count == 1 else "prompts",
        different=different,
        samples=joined(markup("<li>{}</li>", marked(sample, vocabulary)) for sample in samples),
        legend=legend(samples, vocabulary),
    )


def template_error(text: str, error: TemplateError) -> Markup:
    """The message, and the template with the place marked."""
    said = first_line(error)
    where = Markup("")
    if error.position is not None:
        at = min(error.position, len(text))
        said = said.removesuffix(f" (character {error.position + 1})")
        where = markup("<pre>{}<mark>{}</mark>{}</pre>", text[:at], text[at : at + 1] or " ", text[at + 1 :])
    return markup('<div class="sa-prompts sa-prompts-error" role="status"><p>{}</p>{}</div>', said, where)


def fresh_panel(context: AppContext) -> Markup:
    """The newest synthetic images, newest first."""
    newest = queue.newest_ids(context.workspace, FRESH)
    head = Markup("<h2 class='sa-h2'>Fresh images</h2>")
    if not newest:
        return head + Markup("<p class='sa-note'>None yet. They appear here while a job runs.</p>")
    tiles = joined(
        markup(
            '<img src="/media/{}.webp?size=64" alt="" title="{}" loading="lazy" width="56" height="56">',
            item.sha256,
            item.prompt or "",
        )
        for item in queue.items(context.workspace, newest)
    )
    return head + markup('<div class="sa-fresh">{}</div>', tiles)
