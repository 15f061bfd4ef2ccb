"""Who is asked again, how long after, and how it ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.load.health import Health
from etl.load.retry import Again, End, RetryBudget, RetryPolicy, Tries, decide, ended_early
from etl.records import Status
from etl.targets.answers import Kind, Verdict

POLICY = RetryPolicy()


def decided(kind, tries=1, *, repeat=True, tokens=500, random=lambda: 1.0, throttled=0, corrected=False, **verdict):
    found = Verdict(kind, "code", **verdict)
    so_far = Tries(tries, throttled, corrected)
    return decide(POLICY, found, so_far, repeat_unknown=repeat, tokens=tokens, random=random)


TABLE = {
    "delivered": (Kind.DELIVERED, True, End(Status.DELIVERED)),
    "rejected": (Kind.REJECTED, True, End(Status.REJECTED)),
    "forbidden": (Kind.FORBIDDEN, True, End(Status.REJECTED)),
    "redirect": (Kind.FAILED, True, End(Status.FAILED)),
    "stop": (Kind.STOP, True, End(Status.FAILED, stop=True)),
    "not arrived": (Kind.NOT_ARRIVED, True, Again(0.5, 5)),
    "event, not arrived": (Kind.NOT_ARRIVED, False, Again(0.5, 5)),
    "ambiguous": (Kind.AMBIGUOUS, True, Again(0.5, 5)),
    "event, ambiguous": (Kind.AMBIGUOUS, False, End(Status.UNKNOWN)),
    "clock, without a date": (Kind.CLOCK, True, End(Status.FAILED, stop=True)),
}


@pytest.mark.parametrize(("kind", "repeat", "expected"), TABLE.values(), ids=TABLE)
def test_the_first_answer_decides(kind, repeat, expected):
    assert decided(kind, repeat=repeat) == expected


@pytest.mark.parametrize("kind", [Kind.NOT_ARRIVED, Kind.AMBIGUOUS])
def test_out_of_tries_it_has_failed(kind):
    assert [decided(kind, tries) for tries in (1, 2, 3, 4, 5)] == [
        Again(0.5, 5), Again(1.0, 5), Again(2.0, 5), Again(4.0, 5), End(Status.FAILED),
    ]  # fmt: skip


def test_an_event_that_never_arrived_has_failed_when_tries_run_out():
    assert decided(Kind.NOT_ARRIVED, 5, repeat=False) == End(Status.FAILED)


def test_out_of_budget_it_has_failed_at_once():
    assert decided(Kind.AMBIGUOUS, tokens=4) == End(Status.FAILED)
    assert decided(Kind.AMBIGUOUS, tokens=9, timed_out=True) == End(Status.FAILED)
    assert decided(Kind.AMBIGUOUS, tokens=10, timed_out=True) == Again(0.5, 10)


def test_a_429_uses_up_neither_tries_nor_budget():
    assert decided(Kind.THROTTLED, 0, throttled=10_000, tokens=0, repeat=False) == Again(20.0)


def test_waits_for_429_begin_at_a_second_and_end_at_twenty():
    waits = [decided(Kind.THROTTLED, 0, throttled=n).wait_seconds for n in range(1, 8)]
    assert waits == [1, 2, 4, 8, 16, 20, 20]


@pytest.mark.parametrize("kind", [Kind.THROTTLED, Kind.NOT_ARRIVED])
def test_a_wait_is_never_shorter_than_the_endpoint_asks(kind):
    assert decided(kind, throttled=1, retry_after=120.0).wait_seconds == 120.0


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 4))
def test_the_jitter_is_full(chance, tries):
    assert decided(Kind.NOT_ARRIVED, tries, random=lambda: chance).wait_seconds == pytest.approx(
        chance * 0.5 * 2 ** (tries - 1)
    )


def test_a_wrong_clock_is_corrected_once():
    assert decided(Kind.CLOCK, server_time=5.0) == Again(0.0, correct_clock=True)
    assert decided(Kind.CLOCK, server_time=5.0, corrected=True) == End(Status.FAILED, stop=True)


def test_a_try_called_off_is_unknown_where_the_request_may_have_arrived_and_may_not_be_repeated():
    ambiguous, not_arrived = Verdict(Kind.AMBIGUOUS, "c"), Verdict(Kind.NOT_ARRIVED, "c")
    assert ended_early(ambiguous, repeat_unknown=False) is Status.UNKNOWN
    assert ended_early(ambiguous, repeat_unknown=True) is Status.FAILED
    assert ended_early(not_arrived, repeat_unknown=False) is Status.FAILED


def test_a_success_gives_back_what_its_retry_cost_and_never_more_than_there_was():
    budget = RetryBudget(POLICY)
    budget.spend(30)
    budget.refund(10)
    assert budget.tokens == 480
    budget.refund(0)
    assert budget.tokens == 481
    budget.refund(100)
    assert budget.tokens == 500


FORBIDDEN, DELIVERED, REJECTED = (Verdict(kind, "c") for kind in (Kind.FORBIDDEN, Kind.DELIVERED, Kind.REJECTED))


def test_a_403_as_the_first_answer_is_for_everybody():
    assert Health().is_closed_to_all(FORBIDDEN)


def test_a_lone_403_among_answers_is_for_its_row():
    health = Health()
    row = [DELIVERED, FORBIDDEN, REJECTED, FORBIDDEN, FORBIDDEN, DELIVERED]
    assert not any(health.is_closed_to_all(verdict) for verdict in row)


def test_three_403_in_a_row_are_for_everybody():
    health = Health()
    seen = [health.is_closed_to_all(verdict) for verdict in [DELIVERED, FORBIDDEN, FORBIDDEN, FORBIDDEN]]
    assert seen == [False, False, False, True]


def test_ten_minutes_of_nothing_but_throttling_mean_down():
    throttled = Verdict(Kind.THROTTLED, "c")
    health = Health()
    assert [health.is_only_throttling(throttled, now) for now in (0, 599)] == [False, False]
    assert not health.is_only_throttling(DELIVERED, 599.5)
    assert [health.is_only_throttling(throttled, now) for now in (600, 1199, 1200)] == [False, False, True]
