"""Ratios and verdicts of the benchmarks beside peers, the page made of them, and that the page is up to date."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.peers.common import page
from benchmarks.peers.common.claim import Claim, Row, Side
from benchmarks.peers.common.environments import called
from benchmarks.peers.common.results import compare, load, rounded
from benchmarks.peers.common.turns import in_turn, refuse_other_work

ROW = {"figure": "seconds", "title": "work", "unit": "s", "higher_is_better": False, "why": "", "least": 0.0}


def side(name: str, role: str, values: list[float], failed: str = "", **more: float) -> dict[str, Any]:
    rounds = [{"seconds": value, **more} for value in values]
    return {"name": name, "role": role, "rounds": rounds, "failed": failed, "versions": {name: "1.0"}}


def result(*sides: dict[str, Any], **row: Any) -> dict[str, Any]:
    machine = {
        "processor": "P",
        "cores": 2,
        "memory_gb": 25,
        "system": "Linux",
        "python": "3.11",
        "versions": {"numpy": "2"},
        "date": "2026-11-25",
    }
    return {
        "name": "work",
        "title": "Work",
        "command": "python -m benchmarks.peers.templates",
        "machine": machine,
        "load": {"before": 0.1, "after": 0.2},
        "rounds": 3,
        "floor": "nothing at all",
        "notes": "",
        "rows": [ROW | row],
        "sides": list(sides),
    }


def test_a_row_takes_medians_and_the_best_peer_that_ran() -> None:
    row = compare(
        result(
            side("synthaug", "ours", [1.0, 9.0, 2.0]),
            side("slow", "peer", [7.0]),
            side("quick", "peer", [5.0, 5.0]),
            side("broken", "peer", [0.1], failed="it broke"),
            side("floor", "floor", [0.5]),
        )
    )[0]
    assert (row.ours, row.best, row.best_name, row.floor) == (2.0, 5.0, "quick", 0.5)
    assert row.times_faster == 2.5
    assert row.times_floor == 4


def test_a_rate_is_better_where_it_is_higher() -> None:
    sides = side("synthaug", "ours", [30.0]), side("a", "peer", [10.0]), side("b", "peer", [20.0])
    row = compare(result(*sides, side("floor", "floor", [60.0]), higher_is_better=True))[0]
    assert (row.best_name, row.times_faster, row.times_floor) == ("b", 1.5, 2)


def test_a_peer_with_too_little_recall_does_not_count() -> None:
    sides = side("synthaug", "ours", [4.0], recall=1.0), side("rough", "peer", [1.0], recall=0.5)
    row = compare(result(*sides, side("exact", "peer", [8.0], recall=0.95), least=0.95))[0]
    assert (row.best_name, row.times_faster) == ("exact", 2)


@pytest.mark.parametrize(
    ("ours", "peer", "floor", "verdict"),
    [
        (1.0, 2.0, 0.1, "met: at least twice as fast"),
        (1.0, 1.5, 0.5, "met: as fast, and within twice the floor"),
        (1.0, 1.5, 0.25, "missed: at least as fast, but not by twice, and 4.0 times the floor"),
        (1.0, 1.5, None, "missed: at least as fast, but not by twice"),
        (3.0, 2.0, 2.9, "missed: takes 1.50 times as long"),
        (1.0, None, 0.9, "no peer could be run; within twice the floor"),
        (None, 1.0, 0.9, "not measured"),
    ],
)
def test_verdicts(ours: float | None, peer: float | None, floor: float | None, verdict: str) -> None:
    given = [("synthaug", "ours", ours), ("peer", "peer", peer), ("floor", "floor", floor)]
    sides = [side(name, role, [] if value is None else [value]) for name, role, value in given]
    assert compare(result(*sides))[0].verdict == verdict


def test_less_memory_is_said_in_words_of_memory() -> None:
    sides = side("synthaug", "ours", [300.0]), side("peer", "peer", [200.0]), side("floor", "floor", [1.0])
    row = compare(result(*sides, unit="MB"))[0]
    assert (row.verdict, row.floor) == ("missed: needs 1.50 times as much", None)


def test_a_side_that_did_other_work_fails() -> None:
    sides = [
        side("synthaug", "ours", [1], prompts=9),
        side("a", "peer", [1], prompts=1),
        side("b", "peer", [1]),
    ]
    refuse_other_work(sides, "prompts")
    assert [each["failed"] for each in sides] == ["", "did other work: prompts [1], ours [9]", ""]


def test_the_page_says_what_missed_and_what_did_not_run() -> None:
    text = page.render(
        {
            "work": result(
                side("synthaug", "ours", [3.0]),
                side("quick", "peer", [2.0]),
                side("broken", "peer", [], failed="needs <CUDA> | more"),
                why="the reason",
            )
        }
    )
    assert "0 of 1 rows reach the goal" in text
    assert "| work | 3.00 s | 2.00 s (quick) | 0.67 × | – | – | missed: takes 1.50 times as long |" in text
    assert "| broken 1.0 | not run: needs &lt;CUDA> \\| more |\n" in text
    assert "work: the reason" in text
    assert "Not measured yet: `map_points`, `labeling`, `neighbors`" in text
    assert "Load 0.1 before, 0.2 after." in text


def test_the_page_names_results_that_other_work_disturbed() -> None:
    quiet, busy = (result(side("synthaug", "ours", [1.0])) for _ in range(2))
    assert "Not reliable" not in page.render({"a": quiet})
    busy |= {"rounds": 1, "title": "Busy", "load": {"before": 9.5, "after": 9.9}}
    text = page.render({"a": quiet, "b": busy})
    assert "again on a quiet machine**: Busy (load 9.5 to 9.9, rounds: 1).\n" in text


def test_sides_take_turns_in_processes_of_their_own_and_one_that_fails_stops_no_other(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHAUG_PEERS", str(tmp_path / "peers"))
    from tests import claim_of_two as module

    found = in_turn(module.CLAIM, module.CLAIM.sides, "tests.claim_of_two", tmp_path, 3)
    good, bad = found
    assert [each["number"] for each in good["rounds"]] == [2, 3, 4]  # the first was the warm-up
    assert all(each["seconds"] >= 0 and each["peak_mb"] > 1 for each in good["rounds"])
    assert (bad["rounds"], bad["failed"]) == ([], "ValueError: no such thing")


def test_an_environment_is_named_after_all_its_packages() -> None:
    assert called(("a[image]==1.0", "b==2")).startswith("a-image-1.0-")
    assert called(("a==1", "b==2")) != called(("a==1", "b==3"))


def test_stored_figures_have_five_digits() -> None:
    assert rounded({"a": [1.23456789, 1234567.0], "n": 3, "s": "x"}) == {
        "a": [1.2346, 1234600.0],
        "n": 3,
        "s": "x",
    }


def test_the_page_is_the_one_that_the_stored_results_give() -> None:
    assert page.FILE.read_text(encoding="utf-8") == page.render(load())


def test_a_claim_finds_its_sides() -> None:
    claim = Claim("c", "C", (Side("x", lambda _: lambda: None),), (Row("seconds", "t"),))
    assert claim.side("x").role == "peer"
