"""When an endpoint is asked, and when it is given up, by a clock that the test moves."""

from __future__ import annotations

import math

from etl.load.breaker import Breaker


def opened(patience=60.0, now=0.0):
    breaker = Breaker(patience)
    for _ in range(10):
        breaker.begin()
        breaker.on_failure(now, was_probe=False)
    return breaker


def probe(breaker, now):
    assert breaker.begin()
    return breaker.on_failure(now, was_probe=True)


def test_nine_failures_in_a_row_leave_it_closed_and_a_tenth_opens_it():
    breaker = Breaker(60.0)
    for _ in range(9):
        assert not breaker.on_failure(0.0, was_probe=False)
    assert breaker.is_closed
    breaker.on_failure(0.0, was_probe=False)
    assert (breaker.is_closed, breaker.wait(0.0), breaker.openings) == (False, 1.0, 1)


def test_a_delivery_ends_the_count_and_a_rejection_does_not():
    breaker = Breaker(60.0)
    for _ in range(9):
        breaker.on_failure(0.0, was_probe=False)
    breaker.on_rejected()
    breaker.on_failure(0.0, was_probe=False)
    assert not breaker.is_closed
    breaker = Breaker(60.0)
    for _ in range(9):
        breaker.on_failure(0.0, was_probe=False)
    breaker.on_delivered()
    breaker.on_failure(0.0, was_probe=False)
    assert breaker.is_closed


def test_a_probe_goes_alone():
    breaker = opened()
    assert breaker.wait(1.0) == 0.0
    assert breaker.begin()
    assert breaker.wait(1.0) == math.inf
    breaker.on_delivered()
    assert (breaker.wait(1.0), breaker.begin()) == (0.0, False)


def test_it_stays_open_for_longer_each_time_and_tries_once_more_when_patience_ends():
    breaker, now, moments = opened(), 0.0, []
    while True:
        now += breaker.wait(now)
        moments.append(now)
        if probe(breaker, now):
            break
    assert moments == [1.0, 3.0, 7.0, 15.0, 31.0, 60.0]


def test_open_times_grow_to_thirty_seconds():
    breaker, now, waits = opened(patience=3600.0), 0.0, []
    for _ in range(7):
        waits.append(breaker.wait(now))
        now += waits[-1]
        probe(breaker, now)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_without_patience_it_is_hopeless_when_it_opens():
    breaker = Breaker(0.0)
    assert [breaker.on_failure(0.0, was_probe=False) for _ in range(10)] == [False] * 9 + [True]


def test_a_rejected_probe_closes_it_but_the_time_that_it_was_down_goes_on_until_a_delivery():
    breaker = opened()
    breaker.begin()
    breaker.on_rejected()
    assert breaker.is_closed
    assert [breaker.on_failure(61.0, was_probe=False) for _ in range(10)][-1]


def test_a_throttled_probe_says_nothing_and_another_one_may_go():
    breaker = opened()
    breaker.begin()
    breaker.on_nothing(was_probe=True)
    assert (breaker.is_closed, breaker.wait(1.0)) == (False, 0.0)


def test_what_left_before_it_opened_says_nothing_new():
    breaker = opened()
    assert not breaker.on_failure(500.0, was_probe=False)
    assert breaker.wait(0.5) == 0.5
