"""Rates: one that was set, for all workers, and one per endpoint that slows down when it says so.

Both take their clock and never sleep. Not locked: one owner.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

CUT = 0.7
FLOOR_PER_SECOND = 1.0
START_PER_SECOND = 50.0
BURST_SECONDS = 0.05
GROWTH_SECONDS = 0.1
DEEPEST_CUT = 0.1
RECOVERY_SECONDS = 4.0
LEAST_GROWTH = 5.0
LEAST_DIP = 0.15
LIGHT_SECONDS = 0.5
LIGHT_SHARE = 0.1
PEAK_DECAY = 0.97
LOW_SHARE = 0.5
BELOW_SHARE = 0.8
PROVEN_DECAY = 0.98
LEAST_HEAVY = 2.0
START_SECONDS = 0.25
MEMORY_ANSWERS = 400
DOUBT = 20


class Bucket:
    """Grants requests: in any window of w seconds at most `rate` * w + `burst`. `clock`: monotonic seconds."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        if rate <= 0:
            raise AssertionError(f"BUG: a rate of {rate}")
        self._clock = clock
        self._rate = rate
        self._set_rate = rate
        self._tokens = 1.0
        self._filled_at = clock()

    @property
    def rate(self) -> float:
        """Requests a second, now."""
        return self._rate

    @property
    def set_rate(self) -> float:
        """Requests a second at most."""
        return self._set_rate

    @property
    def burst(self) -> float:
        """How many requests may go at once after a quiet while."""
        return max(1.0, self._set_rate * BURST_SECONDS)

    def wait(self) -> float:
        """Return the seconds until there is a token, 0.0 if there is one; takes none."""
        self._fill(self._clock())
        # A hair more than needed: else rounding could leave 0.999... of a token and a wait of nothing.
        return 0.0 if self._tokens >= 1.0 else (1.0 - self._tokens) / self._rate + 1e-6

    def try_acquire(self) -> float:
        """Take a token and return 0.0; else take none and return the seconds after which to ask again."""
        wait = self.wait()
        if wait == 0.0:
            self._tokens -= 1.0
        return wait

    def _fill(self, now: float) -> None:
        if now > self._filled_at:
            most = max(1.0, self._rate * BURST_SECONDS)
            self._tokens = min(most, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now


class Throttle(Bucket):
    """A bucket whose rate is found by what the endpoint answers, up to the one that is set.

    The rate begins at 50/s (or at the set rate, if that is lower) and doubles once per round trip, or quarter of a
    second, up to the set rate. A 429 cuts it to 0.7, or to what was delivered in the last second if that is less (to a
    tenth at most), once per round trip and never below 1/s (or the set rate); where nearly everything is still
    taken, once in half a second. From then on it grows as TCP's CUBIC does (RFC 9438): within four seconds back to what
    the endpoint took, there it lingers, and only then it tries for more. So an endpoint that takes far less than the
    set rate refuses little, and is used to the full.

    An endpoint that refuses one in twenty, whoever asks, is told apart by what it refuses at rates well below what it
    took before (half of its best second of late, or 0.8 of the last three cuts): an honest limit refuses nothing there.
    What it does refuse there is the usual share, a tenth at most, and only clearly more than that cuts the rate.
    """

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        super().__init__(rate, clock)
        self._rate = min(rate, START_PER_SECOND)
        self._floor = min(rate, FLOOR_PER_SECOND)
        self._paused_until = self._filled_at
        self._cut_at: float | None = None
        self._grown_at = self._filled_at
        self._low = self._peak = self._rate
        self._recovered = 0.0
        self._second_at = self._filled_at
        self._this_second = self._last_second = 0
        self._taken_since_cut = self._refused_since_cut = 0
        self._proven = 0.0
        self._cuts_at = deque((0.0,), 3)
        self._low_answers = self._low_refusals = 0.0

    def wait(self) -> float:
        """Return the seconds until a request may go, 0.0 if one may; takes no token."""
        now = self._clock()
        return self._paused_until - now if now < self._paused_until else super().wait()

    def pause_until(self, moment: float) -> None:
        """Grant nothing before `moment` (of the clock), and no burst then; an earlier one than set changes nothing."""
        if moment > self._paused_until:
            self._paused_until = moment
            self._tokens = 0.0
            self._filled_at = max(self._filled_at, moment)

    def on_throttled(self, sent_at: float) -> None:
        """Slow down, unless the request left (`sent_at`, of the clock) before the last cut could show."""
        if self._cut_at is not None and sent_at <= self._cut_at:
            return
        now = self._clock()
        self._fill(now)
        taken = self._delivered(now)
        self._refused_since_cut += 1
        self._note_low(1.0)
        answers = self._refused_since_cut + self._taken_since_cut
        light = self._refused_since_cut <= LIGHT_SHARE * answers
        stray = self._refused_since_cut <= max(LEAST_HEAVY, LIGHT_SHARE * answers)
        if self._cut_at is not None and stray and (now - self._cut_at < LIGHT_SECONDS or self._is_usual(answers)):
            return
        if not stray:
            self._low_answers = self._low_refusals = 0.0
        self._slow_down(taken or self._rate, light=light)
        self._cut_at = self._grown_at = now

    def _slow_down(self, taken: float, *, light: bool) -> None:
        cut = self._rate * CUT if light else min(self._rate * CUT, max(taken, self._rate * DEEPEST_CUT))
        self._low = max(self._floor, cut)
        # Below what the endpoint took before, it is rather a stray one: the mark is hardly lowered.
        kept = self._peak * PEAK_DECAY if light and self._cut_at is not None else 0.0
        self._peak = max(min(self._rate, taken), self._low / (1.0 - LEAST_DIP), kept)
        self._cuts_at.append(min(self._rate, taken))
        self._rate = self._low
        self._recovered = 0.0
        self._taken_since_cut = self._refused_since_cut = 0

    def on_success(self, sent_at: float) -> None:
        """Speed up, if the request left after the rate was last changed."""
        now = self._clock()
        self._turn_second(now)
        self._this_second += 1
        if self._cut_at is None or sent_at > self._cut_at:
            self._taken_since_cut += 1
            self._note_low(0.0)
        elapsed = now - self._grown_at
        least = START_SECONDS if self._cut_at is None else GROWTH_SECONDS
        if self._rate >= self._set_rate or sent_at <= self._grown_at or elapsed < least:
            return
        self._fill(now)
        if self._cut_at is None:
            grown = self._rate * 2
        else:
            # A success long after the last one is no reason to leap.
            self._recovered += min(elapsed, 1.0)
            cubic = self._peak + (self._peak - self._low) * (self._recovered / RECOVERY_SECONDS - 1.0) ** 3
            grown = max(cubic, self._low + min(LEAST_GROWTH, self._peak / 10) * self._recovered)
        self._rate = min(self._set_rate, max(self._rate, grown))
        self._grown_at = now

    def _note_low(self, refusal: float) -> None:
        """Note an answer to a request that left at a rate below what was taken before."""
        if self._rate > max(LOW_SHARE * self._proven, BELOW_SHARE * min(self._cuts_at)):
            return
        self._low_answers += 1.0
        self._low_refusals += refusal
        if self._low_answers >= MEMORY_ANSWERS:
            self._low_answers /= 2
            self._low_refusals /= 2

    def _is_usual(self, answers: int) -> bool:
        """Whether so many refusals since the last cut are no more than there are at a low rate as well."""
        share = min(LIGHT_SHARE, self._low_refusals / (self._low_answers + DOUBT))
        expected = share * answers
        return self._refused_since_cut <= expected * 1.5 + 2.0 * math.sqrt(expected)

    def _turn_second(self, now: float) -> None:
        elapsed = now - self._second_at
        if elapsed >= 1.0:
            self._last_second = self._this_second if elapsed < 2.0 else 0
            self._proven = max(self._this_second / elapsed, self._proven * PROVEN_DECAY)
            self._this_second, self._second_at = 0, now

    def _delivered(self, now: float) -> float:
        """Return about how many requests succeeded in the second before `now`."""
        self._turn_second(now)
        return self._this_second + self._last_second * (1.0 - min(now - self._second_at, 1.0))
