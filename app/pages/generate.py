"""Generate: from a prompt template to images, made on this machine."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from synthaug.errors import TemplateError, UserError
from synthaug.records import Pixels, Prompt
from synthaug.stages import catalog, generate, queue
from synthaug.templates import Template, shipped_template, shipped_template_names

from ..components.jobs import job_strip
from ..components.markup import Markup, Panel, joined, markup
from ..context import AppContext
from ..shell import POLL_JOBS, heading

POLL_SECONDS = 1.5
SAMPLES = 5
PREVIEWS = 8
FRESH = 24
FIRST_TEMPLATE = {"digits": "eight"}
FIRST_CLASS = {"digits": "8"}

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

NO_HINT = Markup("")
NO_CLASSIFIER = Markup(' <a href="/train">Open the Train page</a>')
JOBS_HEAD = Markup(
    "<h2 class='sa-h2'>Jobs</h2><p class='sa-note'>They go on when this page is closed, and after a restart of "
    "the app.</p>"
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
    """The template on the left; what it gives, the running jobs and the fresh images on the right."""
    heading(
        "Generate",
        "Describe the images with a template. Every prompt, its slot values and its seed are stored with the "
        "image, so that each can be made again and a bad word can be found later.",
    )
    with gr.Row(elem_classes="sa-split"):
        with gr.Column(scale=4, min_width=400, elem_classes="sa-card sa-form"):
            form = _form(context)
        with gr.Column(scale=5, min_width=460):
            shown = Panel(PREVIEW_EMPTY)
            with gr.Column(elem_classes="sa-card"):
                Panel(JOBS_HEAD)
                job_strip(("generate", "predict"), "Nothing has run yet. Start makes the first job.")
            with gr.Column(elem_classes="sa-card"):
                fresh = Panel(fresh_panel(context))
                _next_steps(context)
    _wire(context, form, shown, fresh)


class Form(NamedTuple):
    """The components of the form; ``fields`` in the order of :func:`_asked`."""

    template: gr.Textbox
    fields: list[gr.components.Component]
    live: Panel
    said: Panel
    preview: gr.Button
    start: gr.Button


def _form(context: AppContext) -> Form:
    values = last_values(context)
    template = gr.Textbox(values["template"], label="Template", lines=3, max_lines=8, elem_id="template")
    live = Panel(template_panel(values["template"]))
    Panel(SYNTAX)
    with gr.Row():
        classes = list(context.workspace.classes)
        label = gr.Dropdown(
            classes, value=values["label"], label="Class", info="What they show", min_width=140
        )
        count = gr.Number(
            values["count"], label="Images", info="How many", precision=0, minimum=1, min_width=120
        )
    generator = gr.Dropdown(
        ["embedded"],
        value=values["generator"],
        label="Generator",
        info="embedded, a diffusers folder, or a hub id (owner/model)",
        allow_custom_value=True,
    )
    with gr.Row():
        steps = gr.Number(values["steps"], label="Steps", info="Empty: its own", precision=0, min_width=90)
        guidance = gr.Number(values["guidance"], label="Guidance", info="Empty: its own", min_width=90)
        seed = gr.Number(
            values["seed"], label="Seed", info="Same seed, same images", precision=0, min_width=90
        )
    said = Panel(visible=False)
    with gr.Row():
        preview = gr.Button(f"Preview {PREVIEWS}", min_width=120, interactive=False)
        start = gr.Button("Start", variant="primary", min_width=120, elem_id="start", interactive=False)
    return Form(
        template, [template, label, count, generator, steps, guidance, seed], live, said, preview, start
    )


def _next_steps(context: AppContext) -> None:
    with gr.Row(elem_classes="sa-next"):
        predict = gr.Button("Predict what is new", min_width=180, scale=0)
        Panel(Markup('<a class="sa-button" href="/label">Review on the Label page</a>'))
    said = Panel(visible=False)
    predict.click(
        lambda: _message(lambda: catalog.submit_predict(context.workspace), NO_CLASSIFIER),
        None,
        said,
        **QUIET,
    ).then(None, js=POLL_JOBS)


def _wire(context: AppContext, form: Form, shown: Panel, fresh: Panel) -> None:
    workspace = context.workspace
    seen = gr.State(None)

    def opened() -> list[Any]:
        values = last_values(context)
        ready = gr.update(interactive=True)
        return [*values.values(), template_panel(values["template"]), fresh_panel(context), ready, ready]

    def refresh(before: str | None) -> list[Any]:
        jobs = context.jobs.list(1, kinds=(generate.KIND,))
        now = " ".join(f"{job.id} {job.done} {job.state}" for job in jobs)
        return [gr.skip(), gr.skip()] if now == before else [fresh_panel(context), now]

    gr.on(None, opened, None, [*form.fields, form.live, fresh, form.preview, form.start], **QUIET)
    form.template.change(template_panel, form.template, form.live, trigger_mode="always_last", **QUIET)
    form.preview.click(lambda: PREVIEW_BUSY, None, shown, **QUIET).then(
        lambda *values: _saying(
            lambda: preview_panel(generate.preview(workspace, **_asked(values, PREVIEWS)))
        ),
        form.fields,
        shown,
        **QUIET,
    ).failure(lambda: PREVIEW_EMPTY, None, shown, **QUIET)
    form.start.click(
        lambda *values: _message(lambda: generate.submit(workspace, **_asked(values, None))),
        form.fields,
        form.said,
        **QUIET,
    ).then(None, js=POLL_JOBS)
    gr.Timer(POLL_SECONDS).tick(refresh, seen, [fresh, seen], concurrency_limit=None, **QUIET)


def last_values(context: AppContext) -> dict[str, Any]:
    """The form as the latest job had it, in the order of its fields; what suits the workspace before the first."""
    preset = context.workspace.preset
    template = shipped_template(FIRST_TEMPLATE.get(preset, shipped_template_names()[0]))
    label = FIRST_CLASS.get(preset, context.workspace.classes[0])
    values = {"template": template, "label": label, "count": 100, "generator": "embedded"}
    values |= {"steps": None, "guidance": None, "seed": 0}
    jobs = context.jobs.list(1, kinds=(generate.KIND,))
    last = jobs[0].params if jobs else {}
    return {name: last.get(name, otherwise) for name, otherwise in values.items()}


def _asked(values: tuple[Any, ...], count: int | None) -> dict[str, Any]:
    """The form's values as the arguments of generate.submit and generate.preview. Raises UserError."""
    template, label, number, generator, steps, guidance, seed = values
    if count is None and number is None:
        raise UserError("say how many images to make")
    return {
        "template": template,
        "label": label,
        "count": count or int(number),
        "generator": (generator or "").strip() or "embedded",
        "steps": None if steps is None else int(steps),
        "guidance": None if guidance is None else float(guidance),
        "seed": int(seed or 0),
    }


def _saying(make: Callable[[], Markup]) -> Markup:
    """What ``make`` gives, or the person's mistake in words."""
    try:
        return make()
    except UserError as error:
        return markup(
            '<section class="sa-card"><h2>Preview</h2><p class="sa-error">{}</p></section>',
            _first_line(error),
        )


def _message(act: Callable[[], Any], hint: Markup = NO_HINT) -> Any:
    """Do it; show nothing if it worked, and the reason and what to do if it did not."""
    try:
        act()
    except UserError as error:
        return gr.update(value=markup('<p class="sa-error">{}{}</p>', _first_line(error), hint), visible=True)
    return gr.update(visible=False)


def _first_line(error: UserError) -> str:
    """The message without the template that some errors quote below it: the page shows that itself."""
    return str(error).partition("\n")[0]


def template_panel(text: str) -> Markup:
    """How many prompts a template gives, with some of them; or where it cannot be read."""
    try:
        template = Template.parse(text)
        unique = template.unique_count
        wanted = min(SAMPLES, template.count if unique is None else unique)
        samples = list(template.sample(wanted, seed=0))
    except TemplateError as error:
        return template_error(text, error)
    different = "" if unique is None or unique == template.count else f", {unique:,} different"
    return markup(
        '<div class="sa-prompts"><p><b>{count}</b> {noun}{different}</p><ul>{samples}</ul></div>',
        count=f"{template.count:,}",
        noun="prompt" if template.count == 1 else "prompts",
        different=different,
        samples=joined(markup("<li>{}</li>", prompt.text) for prompt in samples),
    )


def template_error(text: str, error: TemplateError) -> Markup:
    """The message, and the template with the place marked."""
    first_line = _first_line(error)
    where = Markup("")
    if error.position is not None:
        at = min(error.position, len(text))
        first_line = first_line.removesuffix(f" (character {error.position + 1})")
        where = markup("<pre>{}<mark>{}</mark>{}</pre>", text[:at], text[at : at + 1] or " ", text[at + 1 :])
    return markup(
        '<div class="sa-prompts sa-prompts-error" role="status"><p>{}</p>{}</div>', first_line, where
    )


PREVIEW_HEAD = Markup(
    "<h2>Preview</h2><p>The first eight images that Start would make. Nothing is stored.</p>"
)


def _blank_preview(state: str) -> Markup:
    blank = Markup('<figure><div class="sa-blank"></div><figcaption></figcaption></figure>')
    return markup(
        '<section class="sa-card"{}>{}<div class="sa-previews">{}</div></section>',
        Markup(state),
        PREVIEW_HEAD,
        blank * PREVIEWS,
    )


PREVIEW_EMPTY = _blank_preview("")
PREVIEW_BUSY = _blank_preview(' aria-busy="true"')


def preview_panel(images: list[tuple[Prompt, Pixels]]) -> Markup:
    """Images with the prompts they were made from."""
    figures = joined(
        markup(
            '<figure><img src="{}" alt=""><figcaption title="{text}">{text}</figcaption></figure>',
            data_uri(pixels),
            text=prompt.text,
        )
        for prompt, pixels in images
    )
    return markup(
        '<section class="sa-card">{}<div class="sa-previews">{}</div></section>',
        PREVIEW_HEAD,
        figures,
    )


def data_uri(pixels: Pixels) -> str:
    """An RGB image as a ``data:`` address, at most 256 px."""
    image = Image.fromarray(pixels)
    image.thumbnail((256, 256), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", lossless=max(image.size) <= 64, quality=85)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


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
