"""A fine-tuning job: its figures, its loss curve, and the validation images of the same prompts over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlencode

from synthaug.records import Job
from synthaug.stages.finetune import FinetunedModel

from ..jobs import ACTIVE
from ..markup import Markup, joined, markup

STATES = {
    "queued": "waiting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "stopped",
}
METHODS = {"lora": "LoRA", "dreambooth": "DreamBooth", "full": "full fine-tuning"}
WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 26
LEVELS = 4


class Step(TypedDict):
    """What the job reports after a step."""

    step: int
    loss: float


class Validation(TypedDict):
    """The images of the validation prompts after a step; ``images`` are SHA-256."""

    step: int
    images: Sequence[str]
    prompts: Sequence[str]


def live(job: Job) -> Markup:
    """The card of one fine-tuning job."""
    return markup(
        '<section class="sa-card sa-live sa-tuning" data-state="{state}"><header><h2>{name}</h2>'
        "<span>{method} of {base}, trained on {view}</span></header>{error}{meter}{end}"
        '<div class="sa-tuning-two"><div><h3>Loss</h3>{curve}</div><dl class="sa-live-figures">{figures}</dl></div>'
        "<div><h3>Validation images</h3><p>The prompts and the seeds are the same in each row; the changes down a "
        "column show what was learned.</p>{strip}</div></section>",
        state=job.state,
        name=job.params["name"],
        method=METHODS[job.params["config"]["method"]],
        base=_short(job.params["base"]),
        view=job.params["view"],
        error=markup('<p class="sa-error" role="alert">{}</p>', job.error) if job.error else "",
        meter=_meter(job),
        end=_end(job),
        curve=loss_curve(job.result.get("history", ()), job.total),
        figures=_figures(job),
        strip=filmstrip(job.result.get("validation", ()), job),
    )


def loss_curve(history: Sequence[Step], steps: int) -> Markup:
    """Training loss by step: a faint line, and a strong one for the running mean."""
    points = [(each["step"], each["loss"]) for each in history if math.isfinite(each["loss"])]
    if not points:
        return Markup('<p class="sa-wait">The curve starts with the first step.</p>')
    low, high = _levels([loss for _, loss in points])
    smooth = _running_mean([loss for _, loss in points])

    def place(step: int, loss: float) -> str:
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / max(steps, points[-1][0], 1)
        y = TOP + (HEIGHT - TOP - BOTTOM) * (high - loss) / ((high - low) or 1.0)
        return f"{x:.1f},{y:.1f}"

    raw = " ".join(place(step, loss) for step, loss in points)
    mean = " ".join(place(step, loss) for (step, _), loss in zip(points, smooth, strict=True))
    return markup(
        '<div class="sa-curve sa-loss"><svg viewBox="0 0 {} {}" role="img" aria-label="Loss by step, now {:.4f}">{}'
        '<g class="raw"><polyline points="{}"/></g><g class="newest"><polyline points="{}"/></g></svg>'
        '<p class="sa-chart-note">Error of the predicted noise by step (lower is better); the strong line is '
        "the running mean. The loss is noisy: judge the generator by its images.</p></div>",
        WIDTH,
        HEIGHT,
        smooth[-1],
        _axes(low, high, max(steps, points[-1][0])),
        raw,
        mean,
    )


def filmstrip(rows: Sequence[Validation], job: Job | None = None) -> Markup:
    """One row per validation, one column per prompt."""
    if not rows:
        waits = job is None or job.state in ACTIVE
        return markup(
            '<p class="sa-wait">{}</p>',
            "The first row, from before the first step, appears when the model is loaded."
            if waits
            else "There are no validation images.",
        )
    prompts = rows[0]["prompts"]
    head = joined(markup('<th scope="col" title="{0}"><span>{0}</span></th>', prompt) for prompt in prompts)
    return markup(
        '<div class="sa-table-holder"><table class="sa-film"><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody>'
        "</table></div>",
        head,
        joined(_film_row(row, prompts) for row in rows),
    )


def _film_row(row: Validation, prompts: Sequence[str]) -> Markup:
    cells = joined(
        markup(
            '<td><img src="/media/{}.png" alt="{prompt}" title="{prompt}, step {step}"></td>',
            sha256,
            prompt=prompt,
            step=row["step"],
        )
        for sha256, prompt in zip(row["images"], prompts, strict=False)
    )
    return markup(
        '<tr data-step="{}"><th scope="row">{}</th>{}</tr>',
        row["step"],
        "before" if row["step"] == 0 else f"step {row['step']:,}",
        cells,
    )


def finished(models: Sequence[FinetunedModel]) -> Markup:
    """The fine-tuned generators of the workspace, each with a link to the Generate page."""
    if not models:
        return Markup("")
    rows = joined(
        markup(
            '<tr><td><b>{}</b></td><td>{}</td><td>{}</td><td class="sa-num">{}</td><td class="sa-num">{}</td>'
            '<td class="sa-muted">{}</td><td class="sa-num"><a class="sa-button small" href="{}">Generate with it</a>'
            "</td></tr>",
            model.name,
            METHODS[model.method],
            _short(model.base),
            f"{model.images:,}",
            f"{model.steps:,}",
            model.created_at[:16].replace("T", " "),
            generate_link(model.path),
        )
        for model in models
    )
    return markup(
        '<section class="sa-card"><h2>Fine-tuned generators</h2><p>Choose one on the Generate page, or give '
        'its path on the command line.</p><div class="sa-table-holder"><table class="sa-table sa-tuned"><thead>'
        '<tr><th>Name</th><th>Method</th><th>Base</th><th class="sa-num">Images</th>'
        '<th class="sa-num">Steps</th><th>Made (UTC)</th><th></th></tr></thead><tbody>{}</tbody></table></div>'
        "</section>",
        rows,
    )


def generate_link(path: Path | str) -> str:
    """The URL path of the Generate page with this generator selected."""
    return f"/generate?{urlencode({'generator': str(path)})}"


def _meter(job: Job) -> Markup:
    share = 1.0 if job.state == "done" else job.done / job.total if job.total else 0.0
    note = job.note if job.state == "running" else STATES[job.state]
    if job.cancel_requested and job.state in ACTIVE:
        note = "stopping"
    return markup(
        '<div class="sa-tuning-progress"><div class="sa-meter"><i style="width:{:.1f}%"></i></div>'
        "<span>{} of {} steps</span><span>{}</span></div>",
        100 * share,
        f"{job.done:,}",
        f"{job.total:,}",
        note,
    )


def _end(job: Job) -> Markup:
    if job.state != "done":
        return Markup("")
    return markup(
        '<p class="sa-ok">The new generator is ready. <a href="{}">Generate with it</a></p>',
        generate_link(job.result["path"]),
    )


def _figures(job: Job) -> Markup:
    config, result = job.params["config"], job.result
    rate = config.get("learning_rate")
    entries = [
        ("Method", METHODS[config["method"]]),
        ("Steps", f"{config['steps']:,}"),
        ("Batch", f"{config['batch_size']}"),
        ("Learning rate", "default" if rate is None else f"{rate:g}"),
    ]
    if "images" in result:
        entries.append(("Images", f"{result['images']:,}"))
    if "seconds" in result:
        entries.append(("Time", f"{result['seconds']:,.0f} s"))
    return joined(markup("<div><dt>{}</dt><dd>{}</dd></div>", name, text) for name, text in entries)


def _short(name: str) -> str:
    return Path(name).name if Path(name).is_absolute() else name


def _levels(losses: Sequence[float]) -> tuple[float, float]:
    """From zero to just above the 98th percentile, so that a spike does not flatten the curve."""
    ordered = sorted(losses)
    high = ordered[min(len(ordered) - 1, int(0.98 * len(ordered)))]
    return 0.0, (1.1 * high) or 1.0


def _running_mean(losses: Sequence[float]) -> list[float]:
    """Exponential mean over about a tenth of the curve, with bias correction at the start."""
    weight = 1 - 1 / max(2, len(losses) // 10)
    mean, total, out = 0.0, 0.0, []
    for loss in losses:
        mean, total = weight * mean + (1 - weight) * loss, weight * total + (1 - weight)
        out.append(mean / total)
    return out


def _axes(low: float, high: float, steps: int) -> Markup:
    lines = joined(
        markup(
            '<line x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/><text x="{}" y="{text:.1f}" text-anchor="end">{}</text>',
            LEFT,
            WIDTH - RIGHT,
            LEFT - 8,
            f"{low + (high - low) * index / LEVELS:.3g}",
            y=HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * index / LEVELS,
            text=HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * index / LEVELS + 4,
        )
        for index in range(LEVELS + 1)
    )
    ends = joined(
        markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>', x, HEIGHT - 8, anchor, text)
        for x, anchor, text in (
            (LEFT, "start", "0"),
            ((LEFT + WIDTH - RIGHT) / 2, "middle", f"{steps // 2:,}"),
            (WIDTH - RIGHT, "end", f"{steps:,} steps"),
        )
    )
    return markup('<g class="axes">{}{}</g>', lines, ends)
