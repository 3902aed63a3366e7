from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from plotly.offline import get_plotlyjs

from synthaug.errors import UserError
from synthaug.experiments.base import Panel, Result, Row, Run
from synthaug.experiments.figures import curves
from synthaug.experiments.report import read, write
from synthaug.experiments.report.markdown import escaped
from synthaug.experiments.report.wording import verdict_sentence

NASTY = '<script>alert(1)</script> & "R|D" *x* `y` [z](#w) $m$'
CLASSES = ("cat", NASTY)
RECIPE = {"name": "plain", "epochs": 2, "lr": 0.1, "gradient_clip": None, "flip": True}
ENVIRONMENT = {
    "synthaug": "1.0",
    "torch": "2.9",
    "platform": "Linux",
    "cpus": 2,
    "gpu": "none",
    "command": "synthaug a|b",
}
FIGURE = curves([1, 2], {NASTY: ([1, 2], None, None)}, "x", NASTY)


def run(id: int, arm: str, seed: int, accuracy: float) -> Run:
    history = [{"epoch": epoch, "epochs": 2, "loss": 1 / epoch} for epoch in (1, 2)]
    confusion = [[1, 3], [2, 4]]
    metrics = {"accuracy": accuracy, "per_class": [0.25, None], "confusion": confusion, "seconds": 12.34}
    return Run(
        id,
        arm,
        seed,
        "2026-01-02T03:04:05+00:00",
        metrics | {"recipe": RECIPE, "history": history},
        ENVIRONMENT,
    )


BASELINE = Row(
    arm="few",
    title="Few cats",
    view="few",
    recipe="plain",
    images=1234,
    counts={"cat": 34, NASTY: 1200},
    generator_data="none",
    runs=(11, 12, 13),
    accuracies=(0.5, 0.51, 0.52),
    accuracy=0.51,
    interval=(0.4852, 0.5348),
    per_class={"cat": 0.25, NASTY: None},
    confusion=((1, 3), (2, 4)),
    measures={"correlation": (0.5, 0.25, 0.75)},
    published={"accuracy": 0.8569, "cat": 0.0},
    difference=None,
    difference_interval=None,
    difference_bootstrap=None,
    verdict=None,
    seeds_needed=None,
    class_changes={},
)
HELPED = replace(
    BASELINE,
    arm="more",
    title=NASTY,
    generator_data="full",
    runs=(14, 15, 16),
    accuracies=(0.6, 0.61, 0.62),
    accuracy=0.61,
    published={"accuracy": 0.8902},
    difference=0.1,
    difference_interval=(0.08, 0.12),
    difference_bootstrap=(0.09, 0.11),
    verdict="helped",
    class_changes={"cat": (0.125, 0.0004)},
)
SAME = replace(BASELINE, arm="same", title="The same", difference=0.0, verdict="did not help", published={})
ROWS = (BASELINE, HELPED, SAME)
RESULT = Result(
    name="cats",
    title=f"Cats {NASTY}",
    question="Do they help?",
    source="A paper",
    scale="cpu",
    reduction="a tenth of the data.",
    workspace="work",
    classes=CLASSES,
    focus=("cat",),
    baseline="few",
    rows=ROWS,
    runs=tuple(
        run(number, row.arm, seed, accuracy)
        for row in ROWS
        for seed, (number, accuracy) in enumerate(zip(row.runs, row.accuracies, strict=True))
    ),
    panels=(Panel("Curve", "It rises.", FIGURE, ("group", "value"), ((NASTY, 1.5), ("b", None))),),
    notes=(f"The generator leaks {NASTY}",),
    command="synthaug experiment run cats --scale cpu",
    created_at="2026-01-02T03:04:05+00:00",
)


class Page(HTMLParser):
    """What a browser would find: ids, links, outside addresses, figures, and the text of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._open.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        for name in ("href", "src"):
            (self.links if (given.get(name) or "#").startswith("#") else self.outside).extend(
                [given[name] or ""] if name in given else []
            )
        if tag == "script":
            self.scripts.append((given, ""))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["script"]:
            given, before = self.scripts[-1]
            self.scripts[-1] = given, before + data
        elif "style" not in self._open:
            self.text += data
            if {"td", "th"} & set(self._open):
                self.rows[-1][-1] += data

    @property
    def figures(self) -> list[dict]:
        return [json.loads(text) for given, text in self.scripts if given.get("type") == "application/json"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("reports")
    return {how: write(RESULT, root / how, how).html.read_text("utf-8") for how in ("inline", "cdn", "none")}  # type: ignore[arg-type]


def rendered(text: str) -> Page:
    return Page(MarkdownIt("commonmark").enable("table").enable("strikethrough").render(text))


def test_a_report_survives_json_unchanged(tmp_path: Path) -> None:
    first = write(RESULT, tmp_path / "a" / "deep", "none")
    known = read(first.json)
    assert known == RESULT
    second = write(known, tmp_path / "b", "none")
    for one, other in zip(
        (first.html, first.markdown, first.json), (second.html, second.markdown, second.json), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()


def test_json_is_strict_and_what_is_not_finite_comes_back_as_nan(tmp_path: Path) -> None:
    undefined = replace(
        RESULT, rows=(replace(BASELINE, measures={"correlation": (float("nan"), 0.25, 0.75)}),)
    )
    written = write(undefined, tmp_path, "none")
    json.loads(written.json.read_text(), parse_constant=pytest.fail)
    first, second, _ = read(written.json).rows[0].measures["correlation"]
    assert first != first
    assert second == 0.25


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "cats", "scale": "huge"}', '{"unknown": 1}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(UserError, match=r"is not the result\.json"):
        read(tmp_path / "result.json")
    with pytest.raises(UserError, match="there is no file"):
        read(tmp_path / "other.json")


def test_every_text_is_shown_as_it_is(pages: dict[str, str]) -> None:
    page = Page(pages["none"])
    assert len(page.scripts) == 1  # the page's own
    for where in (f"Cats {NASTY}", f"The generator leaks {NASTY}", f"{NASTY} helped: +10.00 points"):
        assert where in page.text
    assert [NASTY, "1.5"] in page.rows
    assert any(row[-1] == NASTY for row in page.rows)  # the heading of the class


def test_links_lead_somewhere_and_every_figure_has_its_runs(pages: dict[str, str]) -> None:
    page = Page(pages["none"])
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert {f"run-{each.id}" for each in RESULT.runs} <= set(page.ids)
    assert {f"#run-{each.id}" for each in RESULT.runs if each.arm != "same"} <= set(page.links)


def test_the_table_holds_what_was_measured(pages: dict[str, str]) -> None:
    page = Page(pages["none"])
    heads = page.rows[0]
    baseline, helped = page.rows[1:3]
    assert [head.split("accuracy")[0] for head in heads[:2]] == ["Training set", "Images"]
    assert "other data and network" in heads[3]
    assert baseline[1:5] == ["1,234", "51.00 ± 2.4850.00 · 51.00 · 52.00", "85.69", "25.00"]
    assert baseline[6] == "0.5000 ± 0.62100.5000 · 0.2500 · 0.7500"  # t(2) = 4.303, times 0.25 / sqrt(3)
    assert helped[-2:] == ["+10.00t +8.00 to +12.00bootstrap +9.00 to +11.00", "helped"]
    assert helped[0] == f"{NASTY}generator trained on all real images"
    assert any(row[1:] == ["25.00+12.50*p < 0.001", "–"] for row in page.rows)


def test_reductions_and_leaks_stand_above_the_table(pages: dict[str, str]) -> None:
    text = Page(pages["none"]).text
    table = text.index("Training set")
    assert text.index("Scale cpu, reduced: a tenth of the data.") < table
    assert text.index("The generator leaks") < table


def test_a_run_shows_everything_it_was_made_with(pages: dict[str, str]) -> None:
    text = Page(pages["none"]).text
    for said in (
        "gradient_clipnone",
        "fliptrue",
        "torch2.9",
        "platformLinux",
        "synthaug a|b",
        "seconds12.34",
        "2 epochs",
    ):
        assert said in text


def test_the_inline_page_needs_nothing_from_outside(pages: dict[str, str]) -> None:
    page = Page(pages["inline"])
    assert page.outside == []
    assert pages["inline"].count(get_plotlyjs()) == 1
    assert len(page.figures) == 4
    for figure in page.figures:
        go.Figure(figure)
    assert page.figures[-1] == json.loads(json.dumps(FIGURE))


def test_a_page_may_leave_plotly_out_or_fetch_exactly_it(pages: dict[str, str]) -> None:
    assert len(pages["none"]) < 100_000
    assert "This copy omits the figures" in Page(pages["none"]).text
    assert Page(pages["none"]).figures == []
    ((script, _),) = [each for each in Page(pages["cdn"]).scripts if "src" in each[0]]
    digest = base64.b64encode(hashlib.sha256(get_plotlyjs().encode()).digest()).decode()
    assert script["integrity"] == f"sha256-{digest}"


def test_markdown_has_the_same_tables_with_links(tmp_path: Path, pages: dict[str, str]) -> None:
    text = write(RESULT, tmp_path, "none").markdown.read_text("utf-8")
    page, same = rendered(text), Page(pages["none"])
    assert [row for row in page.rows if row[0].startswith(NASTY)][:2] == [
        row for row in same.rows if row[0].startswith(NASTY)
    ][:2]
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert {f"run-{each.id}" for each in RESULT.runs} <= set(page.ids)
    assert page.scripts == []


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\x00"), max_size=30)
)
def test_escaped_text_is_shown_literally_by_markdown(text: str) -> None:
    line = " ".join(text.split())
    assert " ".join(rendered(f"{escaped(text)}\n").text.split()) == line
    page = rendered(f"| a | b |\n| --- | --- |\n| {escaped(text)} | x |\n")
    assert [" ".join(cell.split()) for cell in page.rows[1]] == [line, "x"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (BASELINE, "Few cats: 51.00% over 3 seeds. The other rows are compared with it."),
        (
            replace(SAME, difference_interval=(-0.01, 0.002)),
            "did not help: +0.00 points of accuracy against Few cats, ",
        ),
        (
            replace(SAME, verdict="not enough evidence", seeds_needed=9),
            "About 9 seeds would probably settle it.",
        ),
        (replace(SAME, verdict="not enough evidence"), "Even 1,000 seeds are unlikely to settle it."),
        (
            replace(SAME, verdict="not enough evidence", accuracies=(0.5,)),
            "1 seed. A verdict needs at least 3 seeds.",
        ),
        (
            HELPED,
            "95% interval +8.00 to +12.00, 3 seeds. Its generator was trained on real images that the arm lacks",
        ),
        (HELPED, "The published difference, with other data and another network, is +3.33."),
    ],
)
def test_a_verdict_is_a_sentence(row: Row, said: str) -> None:
    assert said in verdict_sentence(row, RESULT)
