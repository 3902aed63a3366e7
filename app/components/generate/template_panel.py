"""The prompts of a template while it is being written: how many there are, some of them, or the error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthaug.errors import TemplateError
from synthaug.reading.generator_choice import Vocabulary
from synthaug.templates import Template

from ..events import first_line
from ..markup import Markup, joined, markup
from .words import legend, marked

SAMPLES = 5
SYNTAX = Markup("""
<details class="sa-syntax"><summary>How to write a template</summary><dl>
<dt>&lt;BREED&gt;</dt><dd>a slot: one word from the word list with that name</dd>
<dt>{sitting|standing}</dt><dd>one of the two</dd>
<dt>{0.7::day|night}</dt><dd>one of the two, the first with probability 0.7</dd>
<dt>{2$$ and $$red|green|blue}</dt><dd>two of the three, joined by "and"</dd>
<dt>&lt;ANGLE:60..120:0.5&gt;</dt><dd>a number from 60 to 120 in steps of 0.5</dd>
</dl></details>
""")


def template_panel(
    text: str, vocabulary: Vocabulary | None = None, retired: Mapping[str, Sequence[str]] | None = None
) -> Markup:
    """How many prompts a template has without the retired values, with some of them; or the error in it."""
    try:
        template = Template.parse(text, retired=retired)
        unique = template.unique_count
        wanted = min(SAMPLES, template.count if unique is None else unique)
        samples = [prompt.text for prompt in template.sample(wanted, seed=0)]
    except TemplateError as error:
        return template_error(text, error)
    different = "" if unique is None or unique == template.count else f", {unique:,} different"
    return markup(
        '<div class="sa-prompts"><p><b>{count}</b> {noun}{different}</p>{left_out}<ul>{samples}</ul>{legend}</div>',
        count=f"{template.count:,}",
        noun="prompt" if template.count == 1 else "prompts",
        different=different,
        left_out=_left_out(retired or {}),
        samples=joined(markup("<li>{}</li>", marked(sample, vocabulary)) for sample in samples),
        legend=legend(samples, vocabulary),
    )


def _left_out(retired: Mapping[str, Sequence[str]]) -> Markup:
    """The retired values that the next job leaves out; nothing if there are none."""
    words = "; ".join(f"{slot}: {', '.join(values)}" for slot, values in retired.items())
    return (
        markup('<p class="sa-left-out">The next job leaves out the retired values {}</p>', words)
        if words
        else Markup("")
    )


def template_error(text: str, error: TemplateError) -> Markup:
    """The message, and the template with the position of the error marked."""
    message = first_line(error)
    where = Markup("")
    if error.position is not None:
        at = min(error.position, len(text))
        message = message.removesuffix(f" (character {error.position + 1})")
        where = markup("<pre>{}<mark>{}</mark>{}</pre>", text[:at], text[at : at + 1] or " ", text[at + 1 :])
    return markup('<div class="sa-prompts sa-prompts-error" role="status"><p>{}</p>{}</div>', message, where)
