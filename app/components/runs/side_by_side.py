"""One training run, or two side by side, as markup: what each was trained on, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..charts import ClassPair, class_bars, confusion, points_of
from ..charts.evidence import when
from ..markup import Markup, joined, markup

if TYPE_CHECKING:
    from synthaug.reading.runs import Side

OTHER_TEST_SET = Markup(
    '<p class="sa-warn">These two were measured on different test sets, so their figures cannot be compared.</p>'
)


def side_by_side(sides: Sequence[Side], classes: Sequence[str]) -> Markup:
    """Facts, accuracy by class if there are two, and confusion matrices, whose cells are buttons."""
    return markup(
        '<section class="sa-card"><h2>{}</h2>{}<div class="sa-two flat">{}</div></section>{}{}',
        " and ".join(side.title for side in sides),
        _difference(sides) if len(sides) == 2 else "",
        joined(_facts(side) for side in sides),
        _by_class(sides, classes) if len(sides) == 2 else "",
        _matrices(sides, classes),
    )


def _difference(sides: Sequence[Side]) -> Markup:
    if sides[0].verdict_text and sides[0].key.rpartition(":")[0] == sides[1].key.rpartition(":")[0]:
        return markup("<p>{}</p>", sides[0].verdict_text)
    if sides[0].test_fingerprint != sides[1].test_fingerprint:
        return OTHER_TEST_SET
    change = sides[1].accuracy - sides[0].accuracy
    return markup(
        "<p>The accuracy on the right differs by {} points from that on the left. There is no interval, so this is "
        "not a verdict; a comparison on the Train page gives one.</p>",
        points_of(change, signed=True),
    )


def _facts(side: Side) -> Markup:
    held = side.contents
    each = ", ".join(f"{points_of(accuracy)}%" for accuracy in side.accuracies)
    entries = [
        (
            "Accuracy",
            f"{points_of(side.accuracy)}%" + (f" (mean of {each})" if len(side.accuracies) > 1 else ""),
        ),
        ("View", held.name if held else "not known"),
        ("Arm", held.arm if held else "not known"),
        ("Training images", f"{sum(held.counts.values()):,} of {held.class_set}" if held else "not known"),
        ("Generators", (", ".join(held.generators) or "none") if held else "not known"),
        ("Recipe", side.recipe),
        ("Seeds", ", ".join(map(str, side.seeds))),
        ("Test images", f"{side.test_images:,}, set {side.test_fingerprint[:12] or 'not known'}"),
        ("When", when(side.created_at)),
    ]
    rows = joined(markup("<div><dt>{}</dt><dd>{}</dd></div>", name, value) for name, value in entries)
    return markup('<div class="sa-runs-side"><h3>{}</h3><dl>{}</dl></div>', side.title, rows)


def _by_class(sides: Sequence[Side], classes: Sequence[str]) -> Markup:
    left, right = sides
    if not len(left.per_class) == len(right.per_class) == len(classes):
        return Markup("")
    pairs = [
        ClassPair(name, before, after, False)
        for name, before, after in zip(classes, left.per_class, right.per_class, strict=True)
    ]
    return markup(
        '<section class="sa-card"><h2>Accuracy by class</h2>{}</section>',
        class_bars(pairs, ("left", "right")),
    )


def _matrices(sides: Sequence[Side], classes: Sequence[str]) -> Markup:
    shown = [side for side in sides if len(side.confusion) == len(classes)]
    if not shown:
        return Markup("")
    matrices = joined(confusion(side.confusion, classes, side.title, side.key) for side in shown)
    return markup(
        '<section class="sa-card"><h2>Confusion matrices</h2><p>Rows: the true class. Columns: the prediction. '
        "Figures are percent of the row, over all seeds. Click a figure to see its images.</p>"
        '<div class="sa-two flat">{}</div>'
        '<div class="sa-runs-cell" data-part="cell" aria-live="polite"></div></section>',
        matrices,
    )
