"""One rate for all, by a clock that the test moves."""

from __future__ import annotations

import itertools
import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.load.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def grants(throttle, clock, seconds):
    """Take every token there is for so long; return when each was granted."""
    end, found = clock.now + seconds, []
    while clock.now <= end:
        wait = throttle.try_acquire()
        if wait == 0.0:
            found.append(clock.now)
        clock.now += wait
    return found


def test_a_rate_is_kept():
    clock = Clock()
    assert 990 <= len(grants(Throttle(50, clock), clock, 20)) <= 1003


def test_a_rate_below_one_a_second_works():
    clock = Clock()
    assert len(grants(Throttle(0.5, clock), clock, 20)) == pytest.approx(11, abs=1)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "move", "suspend", "throttled", "success", "pause"]),
        st.floats(0, 2, allow_nan=False),
    ),
    max_size=300,
)


@given(st.floats(0.1, 5000), _STEPS)
def test_no_window_holds_more_than_rate_and_burst(rate, steps):
    clock = Clock()
    throttle = Throttle(rate, clock)
    granted, paused_until = [], 0.0
    for what, amount in steps:
        if what == "ask":
            wait = throttle.try_acquire()
            while wait == 0.0 and len(granted) < 3000:
                assert clock.now >= paused_until
                granted.append(clock.now)
                wait = throttle.try_acquire()
        elif what == "throttled":
            throttle.on_throttled(clock.now - amount)
        elif what == "success":
            throttle.on_success(clock.now - amount / 100)
        elif what == "pause":
            throttle.pause_until(clock.now + amount)
            paused_until = max(paused_until, clock.now + amount)
        else:
            clock.now += amount * (10_000 if what == "suspend" else 0.1)
        assert min(rate, 1.0) <= throttle.rate <= rate
    for first in range(0, len(granted), 7):
        for last in range(first, len(granted), 11):
            window = granted[last] - granted[first]
            assert last - first + 1 <= rate * window + throttle.burst + 1e-3


def test_after_a_suspend_there_is_no_burst():
    clock = Clock()
    throttle = Throttle(100, clock)
    clock.now += 8 * 3600
    assert len(grants(throttle, clock, 0.0)) <= throttle.burst


def test_a_pause_holds_for_all_and_ends_without_a_burst():
    clock = Clock()
    throttle = Throttle(100, clock)
    throttle.pause_until(clock.now + 30)
    throttle.pause_until(clock.now + 10)
    found = grants(throttle, clock, 31)
    assert found[0] >= 1030
    assert len(found) <= 101


def test_a_429_cuts_the_rate_once_per_round_trip():
    clock = Clock()
    throttle = Throttle(50, clock)
    sent = clock.now
    clock.now += 0.2
    for _ in range(16):
        throttle.on_throttled(sent)
    assert throttle.rate == pytest.approx(35)
    clock.now += 0.6
    for _ in range(16):
        throttle.on_throttled(clock.now - 0.01)
    assert throttle.rate == pytest.approx(24.5)


def test_the_rate_never_falls_below_one_a_second():
    clock = Clock()
    throttle = Throttle(50, clock)
    for _ in range(100):
        clock.now += 1
        throttle.on_throttled(clock.now)
    assert throttle.rate == 1.0


def successes(throttle, clock, seconds):
    rates = []
    for _ in range(round(seconds / 0.1)):
        sent = clock.now
        clock.now += 0.11
        throttle.on_success(sent + 0.01)
        rates.append(throttle.rate)
    return rates


def test_until_the_first_cut_the_rate_doubles_up_to_the_one_set():
    clock = Clock()
    rates = successes(Throttle(500, clock), clock, 1.5)
    assert [rate for rate, _ in itertools.groupby(rates)] == [50, 100, 200, 400, 500]


def test_after_a_cut_the_rate_comes_back_within_seconds_lingers_and_then_tries_for_more():
    clock = Clock()
    throttle = Throttle(500, clock)
    successes(throttle, clock, 2)
    for _ in range(500):
        throttle.on_success(clock.now)
    throttle.on_throttled(clock.now)
    assert throttle.rate == pytest.approx(350)
    rates = successes(throttle, clock, 9)
    assert rates[20] > 0.9 * 500
    assert rates[40] == pytest.approx(500, rel=0.01)


class Limited:
    """Takes so many requests a second, and `burst` seconds' worth at once after a quiet while."""

    def __init__(self, per_second, burst=1.0):
        self.per_second, self.most = per_second, max(1.0, per_second * burst)
        self.tokens, self.at = self.most, 1000.0

    def __call__(self, now):
        self.tokens = min(self.most, self.tokens + (now - self.at) * self.per_second)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def play(rate, takes, seconds, latency=0.05):
    """Send all that the throttle lets go; return how many were taken, how many refused."""
    clock = Clock()
    throttle = Throttle(rate, clock)
    answers, refused, delivered = deque(), 0, 0
    end = clock.now + seconds
    while clock.now < end:
        while answers and answers[0][0] <= clock.now:
            _, sent, taken = answers.popleft()
            (throttle.on_success if taken else throttle.on_throttled)(sent)
        wait = throttle.try_acquire()
        if wait == 0.0:
            taken = takes(clock.now)
            delivered, refused = delivered + taken, refused + (not taken)
            answers.append((clock.now + latency, clock.now, taken))
        else:
            clock.now = min([clock.now + wait, *(at for at, _, _ in itertools.islice(answers, 1))])
    return delivered, refused


@pytest.mark.parametrize("per_second", [50, 200, 800])
@pytest.mark.parametrize("burst", [0.2, 1.0])
@pytest.mark.parametrize("latency", [0.005, 0.05])
@pytest.mark.parametrize("rate", [1_000, 10_000])
def test_an_endpoint_that_takes_less_than_the_set_rate_is_used_to_nine_tenths_and_refuses_under_two_percent(
    rate, per_second, burst, latency
):
    delivered, refused = play(rate, Limited(per_second, burst), 60, latency)
    assert delivered >= 0.9 * per_second * 60
    assert refused < 0.02 * (delivered + refused)


def test_an_endpoint_that_takes_next_to_nothing_is_used_to_the_full():
    delivered, refused = play(1_000, Limited(5), 60, 0.02)
    assert delivered >= 0.9 * 5 * 60
    assert refused < 40


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.02, 0.05])
def test_429s_at_random_do_not_make_it_crawl(share, seed):
    chance = random.Random(seed)
    delivered, _ = play(50, lambda _: chance.random() >= share, 120)
    assert delivered / 120 >= 15


def test_429s_at_random_cost_a_third_on_the_average():
    found = []
    for seed in range(12):
        chance = random.Random(seed)
        found.append(play(50, lambda _, chance=chance: chance.random() >= 0.05, 120)[0] / 120)
    assert sum(found) / len(found) >= 30


def test_an_answer_from_before_the_cut_speeds_nothing_up():
    clock = Clock()
    throttle = Throttle(50, clock)
    sent = clock.now
    clock.now += 1
    throttle.on_throttled(clock.now)
    clock.now += 1
    throttle.on_success(sent)
    assert throttle.rate == pytest.approx(35)
