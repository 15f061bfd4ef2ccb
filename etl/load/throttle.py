"""One rate for all workers: a token bucket that slows down when the endpoint says so. Takes its clock, never sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable

CUT = 0.7
FLOOR_PER_SECOND = 1.0
START_PER_SECOND = 50.0
BURST_SECONDS = 0.05
GROWTH_SECONDS = 0.1
ADDITIVE_SHARE = 0.05


class Throttle:
    """Grants requests: in any window of w seconds at most rate * w + burst. `clock`: monotonic seconds.

    The rate begins at 50/s (or at the set rate, if that is lower) and doubles once per round trip up to the set rate;
    a 429 cuts it to 0.7, at most once per round trip and never below 1/s (or the set rate); from the first cut on it
    grows by a twentieth of the set rate a second, never above it.
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
            self._rate = max(self._floor, self._rate * CUT)
            self._cut_at = self._grown_at = now

    def on_success(self, sent_at: float) -> None:
        """Speed up, if the request left after the rate was last changed."""
        if self._rate >= self._set_rate or sent_at <= self._grown_at:
            return
        with self._lock:
            now = self._clock()
            elapsed = now - self._grown_at
            if sent_at <= self._grown_at or elapsed < GROWTH_SECONDS:
                return
            self._fill(now)
            if self._cut_at is None:
                grown = self._rate * 2
            else:
                # A success long after the last one is no reason to leap.
                grown = self._rate + self._set_rate * ADDITIVE_SHARE * min(elapsed, 1.0)
            self._rate = min(self._set_rate, grown)
            self._grown_at = now

    def _fill(self, now: float) -> None:
        if now > self._filled_at:
            self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
