"""The workflow as a strip of six steps: finished steps have a tick, the next step has a button."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.reading.guide import Step

from ..markup import Markup, joined, markup

TICK = Markup(
    '<svg width="12" height="12" viewBox="0 0 12 12" fill="none" aria-hidden="true"><path d="M2 6.4l2.8 2.8L10 3.4" '
    'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
WORDS = {"done": "done", "next": "next", "open": "possible now", "blocked": "not possible yet"}


def guide(steps: Sequence[Step]) -> Markup:
    """The list of steps, each with its number or a tick, its title, its count and a link to its page."""
    return markup(
        '<ol class="sa-guide" aria-label="Workflow">{}</ol>',
        joined(_step(number, step) for number, step in enumerate(steps, start=1)),
    )


def _step(number: int, step: Step) -> Markup:
    return markup(
        '<li class="sa-guide-step" data-step="{key}" data-state="{state}"{current}><i>{mark}</i>'
        '<div><b>{title}<span class="sa-visually-hidden"> ({word})</span></b><span>{note}</span></div>{action}</li>',
        key=step.key,
        state=step.state,
        current=Markup(' aria-current="step"') if step.state == "next" else "",
        mark=TICK if step.state == "done" else number,
        title=step.title,
        word=WORDS[step.state],
        note=step.note,
        action=_action(step),
    )


def _action(step: Step) -> Markup:
    if not step.action:
        return Markup("")
    look = "sa-button small primary" if step.state == "next" else "sa-guide-link"
    return markup('<a class="{}" href="{}" data-needs="{}">{}</a>', look, step.href, step.role, step.action)
