"""A prompt with its words marked: those in the training captions, those not in them, those that are cut off."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from synthaug.reading.generator_choice import Span, Vocabulary

from ..markup import Markup, joined, markup

UNKNOWN = "This word is not in the captions that the generator was trained on. It has no effect, or an unintended one."
UNREAD = "The text encoder does not read this part"


def marked(text: str, vocabulary: Vocabulary | None) -> Markup:
    """One prompt; without marks if the generator's words are not known."""
    if vocabulary is None:
        return markup("{}", text)
    read = vocabulary.read(text)
    parts = joined(_span(each) for each in _until(vocabulary.spans(text), read))
    if read < len(text):
        parts += markup('<span class="sa-word-unread" title="{}">{}</span>', UNREAD, text[read:])
    return parts


def legend(texts: Sequence[str], vocabulary: Vocabulary | None) -> Markup:
    """A sentence on what the marks in these prompts mean; nothing if the generator's words are not known."""
    if vocabulary is None:
        return Markup("")
    cut = [text for text in texts if vocabulary.read(text) < len(text)]
    spans = [span for text in texts for span in _until(vocabulary.spans(text), vocabulary.read(text))]
    unknown = list(dict.fromkeys(span.text for span in spans if span.state == "unknown"))
    legend = Markup("")
    if unknown:
        legend = markup(
            "<strong>Struck through</strong>: not in the captions that this generator was trained on ({}{}). Such "
            "words have no effect, or an unintended one.",
            ", ".join(unknown[:5]),
            "" if len(unknown) <= 5 else f" and {len(unknown) - 5} more",
        )
    elif spans:
        legend = Markup("Every word is in the captions that this generator was trained on.")
    if cut:
        legend += Markup(
            " <strong>Faded, in brackets</strong>: not read, because the prompt is longer than the text encoder allows."
        )
    return markup('<div class="sa-words-legend">{}</div>', legend) if legend else Markup("")


def _until(spans: Sequence[Span], read: int) -> list[Span]:
    """The spans within the first ``read`` characters; the last one is shortened."""
    ends = accumulate(len(span.text) for span in spans)
    kept = []
    for span, end in zip(spans, ends, strict=True):
        text = span.text if end <= read else span.text[: max(0, len(span.text) - (end - read))]
        if text:
            kept.append(Span(text, span.state))
    return kept


def _span(span: Span) -> Markup:
    if span.state == "known":
        return markup('<span class="sa-word-known">{}</span>', span.text)
    if span.state == "unknown":
        return markup('<s class="sa-word-unknown" title="{}">{}</s>', UNKNOWN, span.text)
    return markup("{}", span.text)
