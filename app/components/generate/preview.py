"""Previews: images of a template with one setting, or with two settings side by side on the same seeds."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from synthaug.records import Pixels
from synthaug.stages.generate import PREVIEWS, Drawn

from ..markup import Markup, joined, markup

NOTHING_DRAWN = Markup(
    f'<p class="sa-wait">Press Preview {PREVIEWS} to generate {PREVIEWS} images here, each above its prompt.</p>'
)
BLANK = Markup('<div class="sa-blank"></div>')


@dataclass(slots=True)
class Side:
    """One setting of a preview: its caption, and the images generated so far."""

    caption: str
    drawn: list[Drawn] = field(default_factory=list)


def preview_panel(sides: Sequence[Side], wanted: int, note: str = "", *, busy: bool = False) -> Markup:
    """The images so far, blanks for the others, and a line on the progress, the end, or prompts that were cut."""
    done = sum(len(side.drawn) for side in sides)
    cells = joined(_cell(sides, position) for position in range(wanted))
    kind = "sa-previews" if len(sides) == 1 else "sa-previews sa-pairs-grid"
    return markup(
        '<div{}>{}{}<div class="{}">{}</div>{}</div>',
        Markup(' aria-busy="true"') if busy else "",
        _progress(sides, done, wanted * len(sides)) if busy else "",
        _legend(sides) if len(sides) > 1 else "",
        kind,
        cells,
        markup('<p class="sa-preview-note" role="status">{}</p>', note) if note else _cut(sides),
    )


def data_uri(pixels: Pixels) -> str:
    """An RGB image as a ``data:`` URL, at most 256 px wide and high."""
    image = Image.fromarray(pixels)
    image.thumbnail((256, 256), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", lossless=max(image.size) <= 64, quality=85)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def _cell(sides: Sequence[Side], position: int) -> Markup:
    pictures = joined(_picture(side, position) for side in sides)
    prompt = next((side.drawn[position].prompt.text for side in sides if position < len(side.drawn)), "")
    if len(sides) > 1:
        pictures = markup('<div class="sa-pair-images">{}</div>', pictures)
    return markup(
        '<figure>{}<figcaption title="{text}">{text}</figcaption></figure>',
        pictures,
        text=prompt,
    )


def _picture(side: Side, position: int) -> Markup:
    if position >= len(side.drawn):
        return BLANK
    drawn = side.drawn[position]
    scale = drawn.image.details.get("guidance_scale")
    title = side.caption if scale is None else f"{side.caption}; this image: guidance {scale:g}"
    return markup(
        '<img src="{}" alt="{}" title="{}">', data_uri(drawn.image.pixels), drawn.prompt.text, title
    )


def _legend(sides: Sequence[Side]) -> Markup:
    heads = joined(
        markup("<li><b>{}</b>{}</li>", side_name, side.caption)
        for side_name, side in zip(("Left", "Right"), sides, strict=True)
    )
    return markup(
        '<ul class="sa-compare-legend">{}<li class="sa-muted">The prompts and the seeds are the same.</li></ul>',
        heads,
    )


def _progress(sides: Sequence[Side], done: int, total: int) -> Markup:
    now = next((side for side in sides if len(side.drawn) * len(sides) < total), sides[-1])
    return markup(
        '<div class="sa-preview-progress" role="status"><span>{} of {} · {}</span><div class="sa-meter">'
        '<i style="width:{:.0f}%"></i></div></div>',
        done,
        total,
        now.caption,
        100 * done / total,
    )


def _cut(sides: Sequence[Side]) -> Markup:
    """How many prompts the text encoder did not read to the end, with an example."""
    cuts = {drawn.prompt.text: drawn.image.cut for side in sides for drawn in side.drawn if drawn.image.cut}
    if not cuts:
        return Markup("")
    return markup(
        '<p class="sa-preview-note sa-warn" role="status">{} different {} longer than the text encoder reads. '
        "Not read, for example: <q>{}</q></p>",
        len(cuts),
        "prompt is" if len(cuts) == 1 else "prompts are",
        next(iter(cuts.values())),
    )
