"""docs/performance.md, written from the stored results: one table, then every claim with all its sides."""

from __future__ import annotations

from typing import Any

from .environments import ROOT
from .results import TWICE, Compared, Result, compare, load, median

FILE = ROOT / "docs" / "performance.md"
ORDER = (
    "map_points",
    "labeling",
    "templates",
    "neighbors",
    "duplicates",
    "fidelity",
    "acquisition",
    "importing",
    "exporting",
    "training",
    "generation",
)
"""The files of the claims, in the order of the page."""

FEWEST_ROUNDS = 3

INTRODUCTION = """\
# Performance beside peers

`make bench` measures every claim on this page again and writes the page. Each claim is one short file in
`benchmarks/peers/`. It installs its peers, in pinned versions, into environments of their own, gives all sides the
same data, lets them take turns within one run, and reports medians. The floor is the least that the work could take;
each claim says how it was found.

**The goal** for every row: at least as fast as the best peer, and either twice as fast or within twice the floor. Rows
that miss it say by how much. The load is the system's average number of busy processes: a figure well above the
number of cores means that other work disturbed the run.
"""


def write() -> None:
    """Write the page from the stored results."""
    FILE.write_text(render(load()), encoding="utf-8")


def render(stored: dict[str, Result]) -> str:
    """The page as Markdown."""
    results = dict(sorted(stored.items(), key=lambda each: ORDER.index(file_of(each[1]))))
    parts = [INTRODUCTION, summary(results), table(results), missing(results), doubtful(results)]
    return "\n".join([*(part for part in parts if part), *(section(result) for result in results.values())])


def file_of(result: Result) -> str:
    """The name of the file that measured a result."""
    return str(result["command"]).rpartition(".")[2]


def missing(results: dict[str, Result]) -> str:
    """Which claims have no result yet."""
    absent = [name for name in ORDER if name not in map(file_of, results.values())]
    return f"Not measured yet: {', '.join(f'`{name}`' for name in absent)}.\n" if absent else ""


def doubtful(results: dict[str, Result]) -> str:
    """Which results cannot be relied on: other work kept the machine busy, or there were fewer than three rounds."""
    found = []
    for result in results.values():
        before, after = result["load"]["before"], result["load"]["after"]
        cores = result["machine"]["cores"]
        busy = before > cores or after > 2 * cores  # at the end the load is also our own
        reasons = [f"load {before} to {after}"] if busy else []
        reasons += [f"rounds: {result['rounds']}"] * (result["rounds"] < FEWEST_ROUNDS)
        if reasons:
            found.append(f"{result['title']} ({', '.join(reasons)})")
    if not found:
        return ""
    return f"**Not reliable, to be measured again on a quiet machine**: {'; '.join(found)}.\n"


def summary(results: dict[str, Result]) -> str:
    """How many rows reach the goal."""
    rows = [row for result in results.values() for row in compare(result)]
    met = sum(row.verdict.startswith("met") for row in rows)
    twice = sum((row.times_faster or 0) >= TWICE for row in rows)
    return (
        f"{met} of {len(rows)} rows reach the goal; {twice} are at least twice as fast as the best peer; "
        f"{sum(row.missed for row in rows)} miss it.\n"
    )


def table(results: dict[str, Result]) -> str:
    """One line a row of all claims."""
    lines = [
        "| claim | ours | best peer | times as fast | floor | ours / floor | goal |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [table_line(row) for result in results.values() for row in compare(result)]
    return "\n".join(lines) + "\n"


def table_line(row: Compared) -> str:
    """One line of the table."""
    best = f"{shown(row.best, row.unit)} ({row.best_name})" if row.best is not None else "none could be run"
    cells = [
        row.title,
        shown(row.ours, row.unit),
        best,
        times(row.times_faster),
        shown(row.floor, row.unit),
        times(row.times_floor),
        row.verdict,
    ]
    return "| " + " | ".join(cells) + " |"


def section(result: Result) -> str:
    """A claim with every side's figures, and what was measured how."""
    rows = compare(result)
    lines = [f"## {result['title']}\n"]
    lines += [
        "| | " + " | ".join(f"{row.title} ({row.unit})" for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    lines += [side_line(side, result) for side in result["sides"]]
    lines.append("")
    if result["floor"]:
        lines.append(f"Floor: {result['floor']}.")
    if result["notes"]:
        lines.append(result["notes"])
    lines += [f"{row.title}: {row.why}" for row in rows if row.missed and row.why]
    lines.append("")
    lines.append(conditions(result))
    return "\n".join(lines) + "\n"


def side_line(side: dict[str, Any], result: Result) -> str:
    """A side's medians, or why it could not be run."""
    first = next(iter(side.get("versions", {}).values()), "")
    name = f"{side['name']} {first}".strip()
    if side["failed"]:
        return f"| {name} | not run: {escaped(side['failed'])}" + " |" * len(result["rows"])
    cells = [digits(median(side, row["figure"])) for row in result["rows"]]
    recall = median(side, "recall")
    if recall is not None:
        cells[0] += f" (recall {100 * recall:.1f}%)"
    return "| " + " | ".join([name, *cells]) + " |"


def conditions(result: Result) -> str:
    """The command, the machine, the versions and the load."""
    machine, load_ = result["machine"], result["load"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"`{result['command']}`, {result['rounds']} rounds, {machine['date']}: {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}, "
        f"{versions}. Load {load_['before']} before, {load_['after']} after."
    )


def shown(value: float | None, unit: str) -> str:
    """A figure with its unit."""
    return "–" if value is None else f"{digits(value)} {unit}"


def digits(value: float | None) -> str:
    """Three digits, without exponents."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def times(value: float | None) -> str:
    """A ratio."""
    return "–" if value is None else f"{value:.2f} ×"


def escaped(text: str) -> str:
    """Text that can stand in a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")
