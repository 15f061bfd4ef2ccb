"""Whether an endpoint refuses everybody, or does nothing but slow us down. Pure, takes the time as an argument."""

from __future__ import annotations

from dataclasses import dataclass

from etl.targets.answers import Kind, Verdict

THROTTLED_SECONDS = 600.0
FORBIDDEN_IN_A_ROW = 3


@dataclass(slots=True)
class Health:
    """What the answers so far say about the endpoint, in the order in which they came."""

    forbidden: int = 0
    has_answered: bool = False
    throttled_since: float | None = None

    def is_closed_to_all(self, verdict: Verdict) -> bool:
        """Note a verdict; tell whether it is a refusal of everybody: the first answer, or the third in a row."""
        if verdict.kind is Kind.FORBIDDEN:
            self.forbidden += 1
            return not self.has_answered or self.forbidden >= FORBIDDEN_IN_A_ROW
        if verdict.kind in {Kind.DELIVERED, Kind.REJECTED}:
            self.has_answered = True
            self.forbidden = 0
        return False

    def is_only_throttling(self, verdict: Verdict, now: float) -> bool:
        """Note a verdict; tell whether there has been nothing but throttling for ten minutes (`now`: monotonic)."""
        if verdict.kind is not Kind.THROTTLED:
            self.throttled_since = None
            return False
        if self.throttled_since is None:
            self.throttled_since = now
        return now - self.throttled_since >= THROTTLED_SECONDS
