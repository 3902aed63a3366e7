"""The card of a generator: what it is, what it was trained on, the words it knows, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthaug.generators.base import ModelCard
from synthaug.reading.generator_choice import GeneratorChoice

from ..markup import Markup, joined, markup

MOST_FIGURES = 6
MOST_WORDS = 40
KINDS = {
    "shipped": "included in synthaug",
    "fine-tuned": "fine-tuned here",
    "trained": "trained here",
    "folder": "your folder",
    "hub": "from the Hugging Face Hub",
}
FAMILIES = {
    "diffusion": "text to image",
    "ddpm": "class-conditional diffusion (DDPM)",
    "gan": "generative adversarial network (DCGAN)",
    "context": "subjects on new backgrounds",
    "augmentation": "augments real images",
}
NAMES = {"images": "images measured"}
EXPLAINED = {
    "agreement": "Share of the images for which a classifier predicts the prompted class",
    "judge": "Accuracy of that classifier on real test images",
    "fid": "Fréchet distance between the features of generated and real images; 0 means equal distributions",
    "vendi": "Effective number of different images; higher means more varied",
}
RATES = ("images_per_second", "images/s", "images_per_s", "speed")
SHARES = ("agreement", "accuracy", "precision", "recall", "density", "coverage", "share")


def card(about: GeneratorChoice) -> Markup:
    """What to know before generating with it."""
    if about.size is None:
        return _not_here(about)
    held = about.card
    return markup(
        '<div class="sa-gen"><div class="sa-gen-what"><p class="sa-gen-name"><b>{}</b>{}</p><p>{}</p>{}</div>'
        '<div class="sa-gen-words">{}{}</div>{}</div>',
        held.name or about.label,
        joined(markup('<span class="sa-chip">{}</span>', each) for each in _chips(about)),
        f"Trained on {held.trained_on}." if held.trained_on else "The training data is not recorded.",
        _hint(held),
        _words(
            "Classes", held.classes, "sa-gen-class", "The classes are not recorded; any prompt is accepted."
        ),
        _words("Other known words", _others(held), "sa-gen-word", ""),
        _figures(held.figures),
    )


def _not_here(about: GeneratorChoice) -> Markup:
    return markup(
        '<div class="sa-gen"><div class="sa-gen-what"><p class="sa-gen-name"><b>{}</b>'
        '<span class="sa-chip warn">not on this machine yet</span></p><p>It is downloaded from the Hugging Face Hub '
        "when it is first used. The size is not known in advance; models of this kind take 2 to 30 GB and need a "
        "GPU. The words that it knows are not recorded, so unknown words are not marked.</p></div></div>",
        about.name,
    )


def card_error(text: str) -> Markup:
    """The reason why there is no card."""
    return markup('<p class="sa-error" role="status">{}</p>', text)


def size_text(size: int) -> str:
    """A number of bytes as text: ``5.4 MB``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def figure_text(name: str, value: Any) -> str:
    """A measured figure as text: shares as percent, a mapping by its ``value`` or ``mean``."""
    if isinstance(value, Mapping):
        value = value.get("value", value.get("mean"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, float) and 0 <= value <= 1 and any(share in name for share in SHARES):
        return f"{100 * value:.1f}%"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def _chips(about: GeneratorChoice) -> list[str]:
    held = about.card
    chips = [KINDS[about.kind], FAMILIES.get(held.family, held.family)]
    if about.size is not None:
        chips.append(size_text(about.size))
    return chips


def _hint(held: ModelCard) -> Markup:
    """The default settings, the speed, and the generator that it was fine-tuned from, if known."""
    parts = []
    if held.num_inference_steps is not None:
        parts.append(f"{held.num_inference_steps} steps")
    if held.guidance_scale is not None:
        parts.append(f"guidance {held.guidance_scale:g}")
    if held.guidance_interval is not None:
        parts.append("guided from {:.0%} to {:.0%} of the steps".format(*held.guidance_interval))
    text = f"Default: {', '.join(parts)}." if parts else ""
    rate = next((held.figures[key] for key in RATES if isinstance(held.figures.get(key), int | float)), None)
    if rate is not None:
        text += f" Generates about {rate:.3g} images per second."
    if held.base:
        text = f"Fine-tuned from {held.base}. {text}"
    return markup('<p class="sa-gen-hint">{}</p>', text.strip()) if text else Markup("")


def _others(held: ModelCard) -> tuple[str, ...]:
    classes = {each.casefold() for each in held.classes}
    return tuple(word for word in held.words if word.casefold() not in classes)


def _words(title: str, words: tuple[str, ...], kind: str, otherwise: str) -> Markup:
    if not words:
        return markup("<h3>{}</h3><p>{}</p>", title, otherwise) if otherwise else Markup("")
    more = len(words) - MOST_WORDS
    return markup(
        '<h3>{}</h3><p class="{}">{}{}</p>',
        title,
        kind,
        joined(markup("<span>{}</span>", word) for word in words[:MOST_WORDS]),
        markup("<em>and {} more</em>", more) if more > 0 else "",
    )


def _figures(figures: Mapping[str, Any]) -> Markup:
    shown = [
        (name, figure_text(name, value))
        for name, value in figures.items()
        if isinstance(value, int | float | str)
        or (isinstance(value, Mapping) and {"value", "mean"} & set(value))
    ][:MOST_FIGURES]
    if not shown:
        return Markup(
            '<div class="sa-gen-figures"><h3>Measured</h3><p>Nothing was measured for this generator. Preview '
            "some images to judge it.</p></div>"
        )
    rows = joined(
        markup(
            '<div title="{}"><dt>{}</dt><dd>{}</dd></div>',
            next((text for word, text in EXPLAINED.items() if word in name.casefold()), ""),
            NAMES.get(name, name.replace("_", " ")),
            text,
        )
        for name, text in shown
    )
    return markup('<div class="sa-gen-figures"><h3>Measured</h3><dl>{}</dl></div>', rows)
