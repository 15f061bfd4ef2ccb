"""Numbers of a load, for summaries. Bounded, whatever the number of requests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from etl.latencies import Latencies


@dataclass(slots=True)
class Stats:
    """What was sent so far. `requests` counts every try."""

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    latencies: Latencies = field(default_factory=Latencies)

    def copy(self) -> Stats:
        """Return a copy that changes no more."""
        return replace(self, latencies=Latencies(dict(self.latencies.counts)))
