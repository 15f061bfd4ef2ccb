"""How long answers took: a histogram of bounded size, whatever the number of requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10

_STEPS = 24
"""Steps of a tenfold: a quantile is right to within five per cent."""
_FASTEST_MS = 0.01


@dataclass(slots=True)
class Latencies:
    """How many requests took how long, by logarithmic step; not for several threads at once."""

    counts: dict[int, int] = field(default_factory=dict)

    def add(self, milliseconds: float) -> None:
        """Count one request."""
        step = 0 if milliseconds <= _FASTEST_MS else int(_STEPS * log10(milliseconds / _FASTEST_MS)) + 1
        self.counts[step] = self.counts.get(step, 0) + 1

    def merge(self, other: Latencies) -> None:
        """Count the requests of another one as well."""
        for step, count in other.counts.items():
            self.counts[step] = self.counts.get(step, 0) + count

    def quantile(self, share: float) -> float | None:
        """Return the milliseconds within which this share (0 to 1) of the requests ended, None where there are none."""
        wanted = share * sum(self.counts.values())
        passed = 0
        for step in sorted(self.counts):
            passed += self.counts[step]
            if passed >= wanted:
                # The middle of the step, on its own scale.
                return float(f"{_FASTEST_MS * 10 ** ((step - 0.5) / _STEPS):.3g}")
        return None
