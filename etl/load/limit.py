"""How many requests may be under way at once, found by measuring. Pure: takes times as arguments, never sleeps.

Sources: Vector's adaptive request concurrency (src/sinks/util/adaptive_concurrency/controller.rs: judge once per round
trip, grow only where the limit was reached, compare with a moving mean and 2.5 deviations), Netflix's
concurrency-limits (Gradient2: shrink by the ratio of the usual latency to the present one), and TCP's slow start (RFC
5681: double once per round trip until the first sign of trouble) with its first deviation (RFC 6298: half the mean).
"""

from __future__ import annotations

import math

START = 4
LEAST_ANSWERS = 4
"""Answers that a round has at least: fewer say nothing about a mean."""
DEVIATIONS = 2.5
SLOWER = 1.25
"""Rounds slower than this, compared with the usual mean, are a sign that requests wait for one another."""
SLACK_SECONDS = 0.002
"""What threads of our own cost, and no endpoint."""
HEADROOM = 0.9
DEEPEST_CUT = 0.5
CUTS_IN_VAIN = 2
"""The first round after a change is mixed, so one alone proves nothing."""
LOSS_SHARE = 0.2
LOSS_CUT = 0.75
FALL, RISE, SPREAD = 0.4, 0.02, 0.25
"""How quickly the usual mean follows a quicker round, a slower one, and the deviation either."""


class AdaptiveLimit:
    """The number of requests that may be under way: between 1 and `most`, starting at 4, judged once per round trip.

    A round has the answers to requests that left after it began, half as many as the limit and four at least. It is in
    trouble where more than a fifth of it was lost (throttled, timed out, 5xx, not connected), or its mean latency is
    above both 1.25 times the usual one and that plus 2.5 deviations. Without trouble the limit doubles until the first
    trouble, and grows by one (or a thirty-second) from then on, if it was reached. In trouble it shrinks to 0.75, or by
    as much as the latency has grown, to half at most. Where the latency stays though the limit was cut twice, it is
    not our doing, and becomes the usual one; so does a share of losses that stays.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise AssertionError(f"BUG: {most} requests at once")
        self._most = most
        self._limit = float(min(most, START))
        self._doubles = True
        self._usual: float | None = None
        self._spread = 0.0
        self._last: float | None = None
        self._slow_before: float | None = None
        self._in_vain = self._losses_in_vain = 0
        self._usual_loss = 0.0
        self._begin_round(0.0)

    @property
    def value(self) -> int:
        """Requests that may be under way, now."""
        return int(self._limit)

    def note_reached(self) -> None:
        """Note that the limit is all that holds a request back, or nearly."""
        self._reached = True

    def on_answer(self, sent_at: float, now: float, latency: float | None) -> None:
        """Note an answer. `latency`: seconds, None where it says nothing (a rejection, a fresh connection)."""
        if sent_at < self._round_at:
            return
        if latency is not None:
            self._measured += 1
            self._seconds += latency
        self._count(now)

    def on_loss(self, sent_at: float, now: float) -> None:
        """Note a request that was throttled, or had no proper answer."""
        if sent_at < self._round_at:
            return
        self._losses += 1
        self._count(now)

    def _begin_round(self, now: float) -> None:
        self._round_at = now
        self._reached = False
        self._answers = self._losses = self._measured = 0
        self._seconds = 0.0

    def _count(self, now: float) -> None:
        self._answers += 1
        if self._answers < max(LEAST_ANSWERS, self._limit / 2):
            return
        mean = self._seconds / self._measured if self._measured else None
        if self._is_lossy(self._losses / self._answers):
            self._shrink(LOSS_CUT)
        elif mean is None or not self._is_slow(mean):
            self._learn(mean)
            self._grow()
        self._begin_round(now)

    def _is_lossy(self, share: float) -> bool:
        """Tell whether a round lost more than usual, and that can be our doing."""
        if share < self._usual_loss:
            self._usual_loss += FALL * (share - self._usual_loss)
        usual = self._usual_loss
        stray = 2.0 * math.sqrt(usual * (1.0 - usual) / self._answers)
        if self._losses <= 1 or share <= LOSS_SHARE + usual + stray:
            self._losses_in_vain = 0
            return False
        self._losses_in_vain += 1
        if self._losses_in_vain > CUTS_IN_VAIN:
            self._usual_loss, self._losses_in_vain = share, 0
            return False
        return True

    def _is_slow(self, mean: float) -> bool:
        """Tell whether a round's mean is a sign of trouble, and shrink if so."""
        usual = self._usual
        if usual is None or mean <= max(SLOWER * usual, usual + DEVIATIONS * self._spread) + SLACK_SECONDS:
            self._slow_before, self._in_vain = None, 0
            return False
        before, self._slow_before, self._last = self._slow_before, mean, None
        self._in_vain = self._in_vain + 1 if before is not None and mean > HEADROOM * before else 0
        if self._in_vain >= CUTS_IN_VAIN:
            self._usual, self._slow_before, self._in_vain = mean, None, 0
            return False
        self._shrink(max(DEEPEST_CUT, HEADROOM * usual / mean))
        return True

    def _learn(self, mean: float | None) -> None:
        if mean is None:
            return
        if self._usual is None:
            self._usual = self._last = mean
            self._spread = mean / 2
            return
        if self._last is not None:
            self._spread += SPREAD * (abs(mean - self._last) - self._spread)
        self._last = mean
        self._usual += (FALL if mean < self._usual else RISE) * (mean - self._usual)

    def _grow(self) -> None:
        if not self._reached:
            return
        grown = self._limit * 2 if self._doubles else self._limit + max(1.0, self._limit / 32)
        self._limit = min(float(self._most), grown)

    def _shrink(self, factor: float) -> None:
        self._doubles = False
        self._limit = max(1.0, self._limit * factor)
