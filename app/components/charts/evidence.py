"""The evidence of a comparison as markup: the verdict in words, then everything it is based on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..jobs import ACTIVE
from ..markup import Markup, joined, markup
from . import (
    SIDES,
    VERDICTS,
    ClassPair,
    Epoch,
    class_bars,
    confusion,
    interval,
    learning_curve,
    points_of,
    runs_strip,
    view_counts,
)

if TYPE_CHECKING:
    from synthaug.reading.overview import Export
    from synthaug.records import Job
    from synthaug.stages.compare import Comparison

TONES = {
    "helped": "good",
    "harmed": "bad",
    "did not help": "bad",
    "no worthwhile difference": "",
    "not enough evidence": "warn",
}


def report(comparisons: Sequence[Comparison]) -> Markup:
    """The newest comparison: verdict, control, figures, classes, training counts, confusion matrices."""
    comparison = comparisons[0]
    control = control_of(comparisons)
    return markup(
        '<div class="sa-evidence">{}{}{}{}<div class="sa-two">{}{}</div>{}{}</div>',
        STALE,
        verdict(comparison),
        figures(comparison),
        against_control(control) if control is not None else "",
        _card(
            "Accuracy by class",
            "On the real test images, mean over seeds. * marks a change that is significant after correction for "
            "the number of classes.",
            class_bars(class_pairs(comparison)),
        ),
        _card(
            "Training images by class",
            "What each side was trained on.",
            view_counts(
                list(comparison.baseline.counts), comparison.baseline.counts, comparison.augmented.counts
            ),
        ),
        _card(
            "Confusion matrices",
            "Rows: the true class. Columns: the prediction. Figures are percent of the row, summed over all seeds.",
            markup('<div class="sa-two flat">{}{}</div>', *_matrices(comparison)),
        ),
        HONEST_NOTES,
    )


def control_of(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The control of the newest comparison: the same augmented view against the oversampled baseline."""
    newest = comparisons[0]
    wanted = f"{newest.baseline.view}-oversampled", newest.augmented.view
    return next((each for each in comparisons if (each.baseline.view, each.augmented.view) == wanted), None)


def verdict(comparison: Comparison) -> Markup:
    """The verdict in large type, a sentence that explains it, and the interval."""
    return markup(
        '<section class="sa-verdict" data-verdict="{}"><div><span class="sa-eyebrow">Did the synthetic images '
        "help?</span><h2>{}</h2><p>{}</p></div><div>{}</div></section>",
        comparison.verdict,
        VERDICTS[comparison.verdict],
        comparison.verdict_text,
        _interval(comparison),
    )


def against_control(control: Comparison) -> Markup:
    """The comparison with a baseline whose real images are repeated until all classes are equally large."""
    return markup(
        '<section class="sa-card sa-control" data-verdict="{}"><div><h2>Compared with repeated real images {}</h2>'
        "<p>{}</p><p>The view {} repeats the real images of small classes until all classes are equally large. This "
        "costs nothing, so synthetic images should be better than that.</p></div><div>{}</div></section>",
        control.verdict,
        _chip(control),
        control.verdict_text,
        control.baseline.view,
        _interval(control),
    )


def _interval(comparison: Comparison) -> Markup:
    pairs = zip(comparison.baseline.accuracies, comparison.augmented.accuracies, strict=True)
    seeds = [after - before for before, after in pairs]
    return interval(comparison.difference, comparison.ci, seeds, comparison.confidence)


def _chip(comparison: Comparison) -> Markup:
    return markup(
        '<span class="sa-chip {}">{}</span>', TONES[comparison.verdict], VERDICTS[comparison.verdict]
    )


def figures(comparison: Comparison) -> Markup:
    """The comparison in figures."""
    entries = [
        ("Baseline", f"{points_of(comparison.baseline.accuracy)}%", comparison.baseline.view),
        ("With synthetic images", f"{points_of(comparison.augmented.accuracy)}%", comparison.augmented.view),
        ("Difference", points_of(comparison.difference, signed=True), "points"),
        ("Seeds per side", str(len(comparison.seeds)), comparison.recipe),
        ("Real test images", f"{comparison.test_images:,}", f"set {comparison.test_fingerprint[:12]}"),
    ]
    for name, each in (("Prior-matched", comparison.matched_accuracy), ("AUC", comparison.macro_auc)):
        if each is not None:
            before, after = points_of(each.baseline_mean), points_of(each.augmented_mean)
            entries.append((name, points_of(each.difference, signed=True), f"{before}% to {after}%"))
    cells = joined(
        markup("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", name, value, note)
        for name, value, note in entries
    )
    return markup('<dl class="sa-figures">{}</dl>', cells)


def class_pairs(comparison: Comparison) -> list[ClassPair]:
    """Per-class accuracies of both sides, in the order of the classes."""
    sides = zip(
        comparison.per_class_difference,
        comparison.baseline.per_class,
        comparison.augmented.per_class,
        strict=True,
    )
    return [
        ClassPair(change.class_name, before, after, change.significant) for change, before, after in sides
    ]


def earlier(comparisons: Sequence[Comparison]) -> Markup:
    """The table of comparisons before the newest one and its control; nothing if there are none."""
    shown = [comparisons[0], control_of(comparisons)] if comparisons else []
    before = [each for each in comparisons if each not in shown]
    if not before:
        return Markup("")
    rows = joined(_row(each) for each in before)
    return _card(
        "Earlier comparisons",
        "Newest first. Compare figures only within the same test set.",
        markup(
            '<div class="sa-table-holder"><table class="sa-table"><thead><tr><th>When</th><th>Verdict</th>'
            '<th>Baseline</th><th>Augmented</th><th class="sa-num">Before</th><th class="sa-num">After</th>'
            '<th class="sa-num">Difference</th><th class="sa-num">Interval</th><th class="sa-num">Seeds</th>'
            "<th>Test set</th></tr></thead><tbody>{}</tbody></table></div>",
            rows,
        ),
    )


def _row(each: Comparison) -> Markup:
    return markup(
        '<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class="sa-num">{}%</td>'
        '<td class="sa-num">{}%</td><td class="sa-num">{}</td><td class="sa-num">{} to {}</td>'
        '<td class="sa-num">{}</td><td class="sa-mono">{}</td></tr>',
        when(each.created_at),
        _chip(each),
        each.baseline.view,
        each.augmented.view,
        points_of(each.baseline.accuracy),
        points_of(each.augmented.accuracy),
        points_of(each.difference, signed=True),
        points_of(each.ci[0], signed=True),
        points_of(each.ci[1], signed=True),
        len(each.seeds),
        each.test_fingerprint[:12],
    )


def exported(exports: Sequence[Export]) -> Markup:
    """The folder of the newest export and how to read it; nothing if there is no export."""
    if not exports:
        return Markup("")
    newest = exports[0]
    reader = (
        "from synthaug.exporters.torchvision_reader import SynthaugCIFAR10\n\n"
        f"train = SynthaugCIFAR10({newest.path!r}, train=True)\n"
        f"test = SynthaugCIFAR10({newest.path!r}, train=False)\n"
        "image, label = train[0]"
    )
    code = markup("<pre><code>{}</code></pre>", reader) if newest.format == "cifar10" else ""
    return _card(
        "The newest export",
        f"{newest.images:,} images of the view {newest.view}, written on {when(newest.created_at)} "
        f"as {newest.format}. The file manifest.json lists every image with its label and its origin.",
        markup('<p class="sa-path sa-mono">{}</p>{}', newest.path, code),
    )


def live(job: Job | None) -> Markup:
    """The running job: its state, progress and curves, or why it stopped; nothing once it is done."""
    if job is None or job.state == "done":
        return Markup("")
    history: list[Epoch] = list(job.result.get("history", []))
    title, text = _state_text(job)
    share = 100 * job.done / job.total if job.total else 0
    meter = markup('<div class="sa-meter"><i style="width:{:.1f}%"></i></div>', share)
    return markup(
        '<section class="sa-card sa-live" data-state="{}" role="status"><header><h2>{}</h2><span>{}</span></header>'
        "{}{}</section>",
        job.state,
        title,
        text,
        meter if job.state in ACTIVE else "",
        _live_curves(job, history) if history else "",
    )


def _state_text(job: Job) -> tuple[str, str]:
    """A title for the state of the job, and a sentence."""
    texts = {
        "queued": (
            "Waiting",
            "Another job is running. This one starts when that one has ended; you can close the page.",
        ),
        "running": ("Retraining", job.note or "starting"),
        "cancelled": ("Stopped", "Finished runs are kept. Press Continue to go on from there."),
        "failed": ("Retraining failed", job.error),
    }
    return texts[job.state]


def _live_curves(job: Job, history: Sequence[Epoch]) -> Markup:
    sides = [
        side for side in SIDES if side != "oversampled" or any(side in entry["run"] for entry in history)
    ]
    return markup(
        '<div class="sa-two flat"><div class="sa-live-runs">{}{}</div>{}</div>',
        runs_strip(history, int(job.params.get("seeds", 0)), sides),
        _live_figures(job, history, len(sides)),
        learning_curve(history),
    )


def _live_figures(job: Job, history: Sequence[Epoch], sides: int) -> Markup:
    """The state of the training, the time so far, and the estimated time left."""
    newest = history[-1]
    runs = sides * int(job.params["seeds"])
    entries = [
        ("Run", f"{len({entry['run'] for entry in history})} of {runs}"),
        ("Training accuracy", f"{100 * newest['train_accuracy']:.1f}%"),
        ("Loss", f"{newest['loss']:.3f}"),
    ]
    if job.state == "running" and job.started_at is not None:
        spent = (datetime.now(UTC) - datetime.fromisoformat(job.started_at)).total_seconds()
        trained = len({(entry["run"], entry["epoch"]) for entry in history})
        left = spent * (runs * int(newest["epochs"]) / trained - 1)
        entries += [("Time so far", _duration(spent)), ("Time left, about", _duration(left))]
    cells = joined(markup("<div><dt>{}</dt><dd>{}</dd></div>", name, value) for name, value in entries)
    return markup('<dl class="sa-live-figures">{}</dl>', cells)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest:02} s"


def when(stamp: str) -> str:
    """An ISO 8601 time as the tables show it, to the minute."""
    return stamp[:16].replace("T", " ")


def _matrices(comparison: Comparison) -> tuple[Markup, Markup]:
    classes = [change.class_name for change in comparison.per_class_difference]
    before, after = comparison.baseline, comparison.augmented
    return (
        confusion(before.confusion, classes, f"Baseline: {before.view}"),
        confusion(after.confusion, classes, f"Augmented: {after.view}"),
    )


def _card(title: str, note: str, body: Markup) -> Markup:
    return markup('<section class="sa-card"><h2>{}</h2><p>{}</p>{}</section>', title, note, body)


STALE = Markup(
    '<p class="sa-stale" role="status">A new comparison is running; '
    "until it is done, the previous one is shown.</p>"
)
"""Shown above the greyed evidence while a retraining runs: see charts.css."""

HONEST_NOTES = Markup("""
<section class="sa-card sa-honest"><h2>What this does and does not show</h2><ul>
<li><b>Same test images.</b> Both sides are measured on the same real images. No training view contains
them, and they cannot be relabeled on the Explore page.</li>
<li><b>Same seeds.</b> Run <i>s</i> of both sides starts from the same seed, and the interval is that of the
paired differences. It covers the variation between runs, not between test sets. A further comparison with more
seeds is another look at the same question, and its interval is widened for that reason.</li>
<li><b>Knowledge or prior.</b> A classifier can gain accuracy merely because it predicts a class more often.
<i>Prior-matched</i> is the accuracy if every class is predicted as often as it occurs. <i>AUC</i> measures how well
each class is separated from the others, as the mean over classes.</li>
<li><b>Equal recipe.</b> The number of epochs is equal, so the larger set takes more optimizer steps.
<code>synthaug compare --equal-steps</code> gives both sides the same number of steps.</li>
<li><b>What the generator saw.</b> A generator may have been trained on images that the baseline lacks: the one
included in synthaug was trained on the whole training split of the digits, including images that a view leaves
out. A gain then shows that the generator passed on what those images contain. No test image was used.</li>
</ul></section>
""")
