"""One rate for all workers: a token bucket that slows down when the endpoint says so. Takes its clock, never sleeps."""

from __future__ import annotations

import threading
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


class Throttle:
    """Grants requests: in any window of w seconds at most rate * w + burst. `clock`: monotonic seconds.

    The rate begins at 50/s (or at the set rate, if that is lower) and doubles once per round trip up to the set rate.
    A 429 cuts it to 0.7, or to what was delivered in the last second if that is less (to a tenth at most), once per
    round trip and never below 1/s (or the set rate); where nearly everything is still taken, once in half a second, so
    that a stray 429 costs little. From then on it grows as TCP's CUBIC does: within four seconds
    back to what the endpoint took, there it lingers, and only then it tries for more. So an endpoint that takes far
    less than the set rate refuses little, and is used to the full.
    """

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        if rate <= 0:
            raise AssertionError(f"BUG: a rate of {rate}")
        self._lock = threading.Lock()
        self._clock = clock
        self._set_rate = rate
        self._rate = min(rate, START_PER_SECOND)
        self._floor = min(rate, FLOOR_PER_SECOND)
        self._tokens = 1.0
        self._filled_at = clock()
        self._paused_until = self._filled_at
        self._cut_at: float | None = None
        self._grown_at = self._filled_at
        self._low = self._peak = self._rate
        self._recovered = 0.0
        self._second_at = self._filled_at
        self._this_second = self._last_second = 0
        self._taken_since_cut = self._refused_since_cut = 0

    @property
    def rate(self) -> float:
        """Requests a second, now."""
        return self._rate

    @property
    def burst(self) -> float:
        """How many requests may go at once after a quiet while."""
        return max(1.0, self._set_rate * BURST_SECONDS)

    def try_acquire(self) -> float:
        """Take a token and return 0.0; else take none and return the seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            if now < self._paused_until:
                return self._paused_until - now
            self._fill(now)
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return 0.0
            # A hair more than needed: else rounding could leave 0.999... of a token and a wait of nothing.
            return (1.0 - self._tokens) / self._rate + 1e-6

    def pause_until(self, moment: float) -> None:
        """Grant nothing before `moment` (of the clock), and no burst then; an earlier one than set changes nothing."""
        with self._lock:
            if moment > self._paused_until:
                self._paused_until = moment
                self._tokens = 0.0
                self._filled_at = max(self._filled_at, moment)

    def on_throttled(self, sent_at: float) -> None:
        """Slow down, unless the request left (`sent_at`, of the clock) before the last cut could show."""
        with self._lock:
            if self._cut_at is not None and sent_at <= self._cut_at:
                return
            now = self._clock()
            self._fill(now)
            taken = self._delivered(now)
            self._refused_since_cut += 1
            light = self._refused_since_cut <= LIGHT_SHARE * (self._refused_since_cut + self._taken_since_cut)
            if light and self._cut_at is not None and now - self._cut_at < LIGHT_SECONDS:
                return
            taken = taken or self._rate
            cut = self._rate * CUT if light else min(self._rate * CUT, max(taken, self._rate * DEEPEST_CUT))
            self._low = max(self._floor, cut)
            # Below what the endpoint took before, it is rather a stray one: the mark is hardly lowered.
            kept = self._peak * PEAK_DECAY if light and self._cut_at is not None else 0.0
            self._peak = max(min(self._rate, taken), self._low / (1.0 - LEAST_DIP), kept)
            self._rate = self._low
            self._recovered = 0.0
            self._taken_since_cut = self._refused_since_cut = 0
            self._cut_at = self._grown_at = now

    def on_success(self, sent_at: float) -> None:
        """Speed up, if the request left after the rate was last changed."""
        with self._lock:
            now = self._clock()
            self._turn_second(now)
            self._this_second += 1
            self._taken_since_cut += self._cut_at is None or sent_at > self._cut_at
            elapsed = now - self._grown_at
            if self._rate >= self._set_rate or sent_at <= self._grown_at or elapsed < GROWTH_SECONDS:
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

    def _turn_second(self, now: float) -> None:
        elapsed = now - self._second_at
        if elapsed >= 1.0:
            self._last_second = self._this_second if elapsed < 2.0 else 0
            self._this_second, self._second_at = 0, now

    def _delivered(self, now: float) -> float:
        """Return about how many requests succeeded in the second before `now`."""
        self._turn_second(now)
        return self._this_second + self._last_second * (1.0 - min(now - self._second_at, 1.0))

    def _fill(self, now: float) -> None:
        if now > self._filled_at:
            most = max(1.0, self._rate * BURST_SECONDS)
            self._tokens = min(most, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
