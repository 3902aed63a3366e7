"""Who does which task next, with times that the test makes up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.errors import UserError
from synthaug.executors.dispatch import AHEAD, MOST_FAILURES, Dispatch


def with_workers(dispatch: Dispatch, count: int) -> Dispatch:
    for worker in range(count):
        dispatch.joined(worker)
    return dispatch


def test_a_worker_holds_one_task_ahead_in_their_order() -> None:
    dispatch = with_workers(Dispatch(5, done=[1]), 2)
    assert [dispatch.next(0, 0.0) for _ in range(3)] == [0, 2, None]
    assert [dispatch.next(1, 0.0) for _ in range(3)] == [3, 4, None]
    assert AHEAD == 2


def test_the_task_of_a_dead_worker_is_the_next_one_given() -> None:
    dispatch = with_workers(Dispatch(9), 2)
    held = [dispatch.next(0, 0.0), dispatch.next(0, 0.0)]
    assert dispatch.lost(0, "killed", 1.0)
    assert [dispatch.next(1, 1.0), dispatch.next(1, 1.0)] == held == [0, 1]


def test_a_task_that_waits_behind_a_slow_one_goes_to_whoever_is_idle() -> None:
    dispatch = with_workers(Dispatch(3), 2)
    assert [dispatch.next(0, 0.0), dispatch.next(0, 0.0)] == [0, 1]
    assert dispatch.next(1, 0.0) == 2
    assert dispatch.next(1, 0.0) is None
    dispatch.finished(1, 2, 5.0)
    assert dispatch.next(1, 5.0) == 1  # worker 0 has not begun it
    assert dispatch.next(1, 5.0) is None


def test_a_straggler_is_begun_again_elsewhere_only_when_it_takes_twice_the_median() -> None:
    dispatch = with_workers(Dispatch(3), 2)
    assert [dispatch.next(0, 0.0), dispatch.next(1, 0.0), dispatch.next(1, 0.0)] == [0, 1, 2]
    dispatch.finished(1, 1, 10.0)
    dispatch.finished(1, 2, 20.0)
    assert dispatch.next(1, 20.0) is None
    assert dispatch.next(1, 20.1) == 0
    dispatch.finished(1, 0, 30.0)
    dispatch.finished(0, 0, 31.0)
    assert dispatch.done == {0, 1, 2}


def test_a_task_that_kills_every_worker_ends_the_job() -> None:
    dispatch = with_workers(Dispatch(1), 9)
    for worker in range(MOST_FAILURES - 1):
        assert dispatch.next(worker, 0.0) == 0
        assert dispatch.lost(worker, "killed", 0.0)
    assert dispatch.next(8, 0.0) == 0
    with pytest.raises(UserError, match=f"task 0 failed {MOST_FAILURES} times, the last time: oom"):
        dispatch.lost(8, "oom", 0.0)


def test_a_worker_that_only_fails_is_not_replaced_and_its_tasks_are_not_blamed() -> None:
    dispatch = with_workers(Dispatch(9), 2)
    for number in range(MOST_FAILURES):
        task = dispatch.next(0, 0.0)
        assert task == 0
        again = dispatch.failed(0, task, "the disk is full", 0.0, by_machine=True)
        assert again == (number < MOST_FAILURES - 1)
    dispatch.dismissed(0, "the disk is full")
    assert dispatch.reasons() == ["the disk is full"]
    assert dispatch.next(1, 0.0) == 0


def test_a_success_resets_the_count_of_failures() -> None:
    dispatch = with_workers(Dispatch(99), 1)
    for _ in range(20):
        task = dispatch.next(0, 0.0)
        assert task is not None
        assert dispatch.failed(0, task, "a hiccup", 0.0, by_machine=False)
        task = dispatch.next(0, 0.0)
        assert task is not None
        dispatch.finished(0, task, 0.0)


def test_a_damaged_shard_is_made_again_and_not_for_ever() -> None:
    dispatch = with_workers(Dispatch(1, done=[0]), 1)
    for _ in range(MOST_FAILURES - 1):
        dispatch.again(0)
        assert dispatch.next(0, 0.0) == 0
        dispatch.finished(0, 0, 0.0)
    with pytest.raises(UserError, match="its shard is damaged each time it is read"):
        dispatch.again(0)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["done", "lost", "full", "unfit"])), max_size=200)
)
def test_no_sequence_of_events_loses_a_task(events: list[tuple[int, str]]) -> None:
    """A task is finished, waits once, or is held by a worker, once by each; none is lost between them."""
    dispatch = with_workers(Dispatch(12), 4)
    held: dict[int, list[int]] = {each: [] for each in range(4)}
    try:
        for now, (worker, event) in enumerate(events):
            while (task := dispatch.next(worker, float(now))) is not None:
                held[worker].append(task)
            if event in ("lost", "unfit"):
                if event == "lost":
                    dispatch.lost(worker, "killed", float(now))
                else:
                    dispatch.dismissed(worker, "it cannot")
                held[worker].clear()
            elif held[worker]:
                task = held[worker].pop(0)
                if event == "done":
                    dispatch.finished(worker, task, float(now))
                else:
                    dispatch.failed(worker, task, "full", float(now), by_machine=True)
            somewhere = {
                *dispatch.done,
                *dispatch._waiting,
                *(each for mine in held.values() for each in mine),
            }
            assert somewhere == set(range(12))
            for places in (dispatch._waiting, *held.values()):
                assert len(set(places)) == len(places)
    except UserError:
        assert [event for _, event in events].count("lost") >= MOST_FAILURES
