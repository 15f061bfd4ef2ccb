"""What stands before one endpoint (a path): its queue, and all that may hold it back. Not locked: one owner."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from etl.load.breaker import Breaker
from etl.load.health import Health
from etl.load.journey import Journey
from etl.load.limit import AdaptiveLimit
from etl.load.retry import RetryBudget, RetryPolicy
from etl.load.stopping import Stopped
from etl.load.throttle import Throttle
from etl.targets.answers import Kind, Verdict

_PROPER = {Kind.DELIVERED, Kind.REJECTED}
_LOST = {Kind.NOT_ARRIVED, Kind.AMBIGUOUS}
_FAILED = {Kind.NOT_ARRIVED, Kind.AMBIGUOUS, Kind.FAILED}


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about one endpoint. `concurrency`: requests at once; `rate`: requests a second."""

    concurrency: int
    rate: float
    openings: int
    given_up: str


class Gate:
    """The queue of one endpoint: its rate, its limit, its breaker, its health and its budget for retries.

    `set_rate`: requests a second at most; `patience`: seconds that it may stay down.
    """

    def __init__(
        self, path: str, set_rate: float, clock: Callable[[], float], policy: RetryPolicy, most: int, patience: float
    ) -> None:
        self.path = path
        self.throttle = Throttle(set_rate, clock)
        self.limit = AdaptiveLimit(most)
        self.breaker = Breaker(patience)
        self.health = Health()
        self.budget = RetryBudget(policy)
        self.in_flight = 0
        self.given_up: Stopped | None = None
        self._ready: deque[Journey] = deque()
        # Apart, so that a canary that is to be sent again never stands behind one that waits for it.
        self._canaries: deque[Journey] = deque()

    def __len__(self) -> int:
        return len(self._ready) + len(self._canaries)

    def __iter__(self) -> Iterator[Journey]:
        yield from self._canaries
        yield from self._ready

    @property
    def found(self) -> Found:
        """What was found out until now."""
        code = self.given_up.code if self.given_up else ""
        return Found(self.limit.value, round(self.throttle.rate, 1), self.breaker.openings, code)

    def put(self, journey: Journey) -> None:
        """Queue a journey that comes for the first time."""
        self._ready.append(journey)

    def put_first(self, journey: Journey) -> None:
        """Queue a journey that goes on, or is to be sent again, before those that come for the first time."""
        (self._canaries if journey.is_canary else self._ready).appendleft(journey)

    def put_all(self, journeys: Iterable[Journey]) -> None:
        """Queue journeys as they are; those that stand there already, once."""
        there = set(self)
        self._ready.extend(journey for journey in journeys if journey not in there)

    def head(self) -> Journey:
        """Return the one whose turn it is; IndexError where there is none."""
        return self._canaries[0] if self._canaries else self._ready[0]

    def pop(self) -> Journey:
        """Take away the one whose turn it is."""
        return (self._canaries or self._ready).popleft()

    def wait(self, now: float) -> float:
        """Return the seconds until a request may go; infinite where an answer decides."""
        if self.in_flight >= self.limit.value:
            return math.inf
        return self.breaker.wait(now) or self.throttle.wait()

    def begin(self, journey: Journey) -> None:
        """Count a journey that goes."""
        self.in_flight += 1
        if self.in_flight >= self.limit.value:
            self.limit.note_reached()
        journey.is_flying = True
        journey.is_probe = self.breaker.begin()
        self.throttle.try_acquire()

    def end(self, journey: Journey) -> None:
        """Count it no more; once is enough."""
        if journey.is_flying:
            journey.is_flying = False
            self.in_flight -= 1

    def note(self, verdict: Verdict, *, sent_at: float, now: float, latency: float | None, was_probe: bool) -> bool:
        """Note an answer, in rate, limit and breaker; tell whether the endpoint has been down for too long.

        `sent_at`, `now`: monotonic seconds; `latency`: seconds, None where it says nothing.
        """
        kind = verdict.kind
        if kind is Kind.THROTTLED:
            self.throttle.on_throttled(sent_at)
        elif kind in _PROPER:
            self.throttle.on_success(sent_at)
        if verdict.retry_after and (kind is Kind.THROTTLED or verdict.http_status == 503):
            self.throttle.pause_until(now + verdict.retry_after)
        if kind is Kind.THROTTLED or kind in _LOST:
            self.limit.on_loss(sent_at, now)
        else:
            self.limit.on_answer(sent_at, now, latency if kind is Kind.DELIVERED else None)
        return self._note_breaker(kind, now, was_probe=was_probe)

    def _note_breaker(self, kind: Kind, now: float, *, was_probe: bool) -> bool:
        if kind is Kind.DELIVERED:
            self.breaker.on_delivered()
        elif kind is Kind.REJECTED:
            self.breaker.on_rejected()
        elif kind in _FAILED:
            return self.breaker.on_failure(now, was_probe=was_probe)
        else:
            self.breaker.on_nothing(was_probe=was_probe)
        return False
