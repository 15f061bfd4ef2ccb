"""Concurrency found by measuring, against a server that gets slow beyond a knee, in virtual time (as Vector tests its)."""

from __future__ import annotations

import heapq
import random
import statistics

import pytest

from etl.load.limit import AdaptiveLimit


class Knee:
    """Takes `base` seconds up to `knee` requests at once, and in proportion longer beyond (it does no more at once)."""

    def __init__(self, knee, base=0.05, noise=0.0, seed=1):
        self.knee, self.base, self.noise = knee, base, noise
        self.chance = random.Random(seed)

    def latency(self, in_flight):
        jitter = self.chance.lognormvariate(0, self.noise) if self.noise else 1.0
        return self.base * max(1.0, in_flight / self.knee) * jitter


def play(limit, server, seconds, start=0.0, refuses=lambda in_flight: False):
    """Keep as many requests under way as the limit allows; return the limit at each answer, with its time."""
    now, flying, numbers, found = start, [], 0, []
    while now < start + seconds:
        while len(flying) < limit.value:
            numbers += 1
            in_flight = len(flying) + 1
            refused = refuses(in_flight)
            latency = 0.01 if refused else server.latency(in_flight)
            heapq.heappush(flying, (now + latency, numbers, now, refused))
        limit.note_reached()
        now, _, sent, refused = heapq.heappop(flying)
        if refused:
            limit.on_loss(sent, now)
        else:
            limit.on_answer(sent, now, now - sent)
        found.append((now, limit.value))
    return found


def mean_after(found, moment):
    return statistics.fmean(value for at, value in found if at >= moment)


@pytest.mark.parametrize("knee", [4, 10, 24, 64, 150])
@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("base", [0.03, 0.4])
def test_the_limit_settles_within_a_quarter_of_the_knee(knee, noise, base):
    found = play(AdaptiveLimit(256), Knee(knee, base, noise), 900 * base)
    # One more is a quarter of four: there it cannot be as exact.
    assert mean_after(found, 300 * base) == pytest.approx(knee, rel=0.25, abs=2.1)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_limit_follows_a_knee_that_moves_and_comes_back(noise):
    limit, server = AdaptiveLimit(256), Knee(40, noise=noise)
    play(limit, server, 20)
    server.knee = 10
    found = play(limit, server, 40, start=20)
    assert mean_after(found, 40) == pytest.approx(10, rel=0.35)
    server.knee = 40
    found = play(limit, server, 40, start=60)
    assert mean_after(found, 80) == pytest.approx(40, rel=0.25)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_an_endpoint_that_knows_no_knee_gets_all_that_is_allowed(noise):
    found = play(AdaptiveLimit(64), Knee(10_000, noise=noise), 40)
    assert mean_after(found, 10) >= 62


def test_an_endpoint_that_became_slow_by_itself_gets_all_that_is_allowed_soon_again():
    limit, server = AdaptiveLimit(64), Knee(10_000, noise=0.1)
    play(limit, server, 20)
    server.base = 0.2
    assert mean_after(play(limit, server, 30, start=20), 35) >= 60


def test_refusals_above_a_number_at_once_bring_it_down_to_that_number():
    found = play(AdaptiveLimit(256), Knee(10_000), 60, refuses=lambda in_flight: in_flight > 20)
    assert mean_after(found, 20) == pytest.approx(20, rel=0.35)


def test_losses_that_come_however_few_go_at_once_do_not_bring_it_down_for_good():
    chance = random.Random(5)
    found = play(AdaptiveLimit(32), Knee(10_000), 60, refuses=lambda _: chance.random() < 0.4)
    assert mean_after(found, 20) >= 16


def test_an_endpoint_that_lost_everything_for_a_while_is_used_to_the_full_again():
    limit, chance = AdaptiveLimit(32), random.Random(5)
    play(limit, Knee(10_000), 5, refuses=lambda _: True)
    assert mean_after(play(limit, Knee(10_000), 20, start=5, refuses=lambda _: chance.random() < 0.02), 10) >= 28
