"""The result of a generation job adds up over batches and over the runs of a job that was killed."""

from __future__ import annotations

from synthaug.stages.generation_result import Cut, GenerationResult


def test_batches_add_up_and_the_first_cut_is_the_example() -> None:
    first = GenerationResult(skipped=3).after([""], 1.23456)
    assert first.to_json() == {"generated": 1, "skipped": 3, "seconds": 1.235}
    second = first.after(["end", "", "x"], 2.0).after(["end"], 3.0)
    assert second == GenerationResult(5, 3, 3.0, Cut(3, "end"))
    assert GenerationResult.from_json(second.to_json()) == second


def test_a_job_that_has_not_begun_has_made_nothing() -> None:
    assert GenerationResult.from_json({}) == GenerationResult()
