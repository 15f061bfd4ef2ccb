"""Numbers of a load, for summaries. Bounded, whatever the number of requests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

_GROWTH = 1.2
_BUCKETS = 64
_FIRST_MS = 1.0


@dataclass(slots=True)
class Latencies:
    """How long requests took, in 64 buckets from 1 ms to about 100 s, each 1.2 times as wide as the last."""

    counts: list[int] = field(default_factory=lambda: [0] * _BUCKETS)

    def add(self, milliseconds: float) -> None:
        """Count one request."""
        place = 0 if milliseconds <= _FIRST_MS else math.ceil(math.log(milliseconds / _FIRST_MS, _GROWTH))
        self.counts[min(place, _BUCKETS - 1)] += 1

    def quantile(self, share: float) -> float | None:
        """Return the milliseconds within which this share (0 to 1) of the requests ended, at most a fifth too high."""
        wanted = share * sum(self.counts)
        seen = 0
        for place, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return float(_FIRST_MS * _GROWTH**place)
        return None


@dataclass(slots=True)
class Stats:
    """What was sent so far. `requests` counts every try."""

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    latencies: Latencies = field(default_factory=Latencies)

    def copy(self) -> Stats:
        """Return a copy that changes no more."""
        return replace(self, latencies=Latencies(list(self.latencies.counts)))
