"""How sending went over time: what was delivered, how long answers took, and what had to be sent again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from etl.latencies import Latencies


@dataclass(frozen=True, slots=True)
class Moment:
    """One stretch of the time: `delivered` and `other` records (with another outcome), `requests`, of which `retries`.

    `p50_ms`, `p95_ms`: milliseconds within which half, and 95 %, of its answers came; None where none came.
    """

    delivered: int = 0
    other: int = 0
    requests: int = 0
    retries: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """`moments` of `seconds` each, one after the other, the first of which began at Unix time `started_at`."""

    started_at: float = 0.0
    seconds: float = 1.0
    moments: tuple[Moment, ...] = ()


MOST_MOMENTS = 240
"""Moments of a timeline at most; where there would be more, each two that belong together become one."""


class TimelineKeeper:
    """Gathers a Timeline from any number of threads; memory does not grow with how long it takes.

    Moments are cut by the clock (the n-th begins n times `seconds` after 1970), so that the order in which answers
    are told does not matter, and two of them can become one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = 1
        self._by_number: dict[int, _Tally] = {}
        self._first = self._last = 0

    def note(self, sent_at: float | None, *, delivered: bool, requests: int, answered_ms: float | None) -> None:
        """Note what became of one record.

        `sent_at`: Unix time of its last request, None: never sent, and not counted; `requests` for it, the first
        included; `answered_ms`: milliseconds that the last one took.
        """
        if sent_at is None or requests < 1:
            return
        with self._lock:
            number = int(sent_at // self._seconds)
            tally = self._by_number.get(number)
            if tally is None:
                number = self._made_room(number)
                tally = self._by_number.setdefault(number, _Tally())
            if delivered:
                tally.delivered += 1
            else:
                tally.other += 1
            tally.requests += requests
            tally.retries += requests - 1
            if answered_ms is not None:
                tally.answers.add(answered_ms)

    def timeline(self) -> Timeline:
        """Return what was noted so far; moments in which nothing was sent are there, and empty."""
        with self._lock:
            if not self._by_number:
                return Timeline()
            numbers = range(self._first, self._last + 1)
            moments = tuple(self._by_number.get(number, _NONE).moment() for number in numbers)
            return Timeline(float(self._first * self._seconds), float(self._seconds), moments)

    def _made_room(self, number: int) -> int:
        """Widen the moments until `number` and all others are few enough; return what it is called then."""
        if not self._by_number:
            self._first = self._last = number
        first, last = min(self._first, number), max(self._last, number)
        while last - first >= MOST_MOMENTS:
            self._seconds *= 2
            number, first, last = number // 2, first // 2, last // 2
            merged: dict[int, _Tally] = {}
            for old, tally in self._by_number.items():
                merged.setdefault(old // 2, _Tally()).add(tally)
            self._by_number = merged
        self._first, self._last = first, last
        return number


@dataclass(slots=True)
class _Tally:
    """A moment in the making."""

    delivered: int = 0
    other: int = 0
    requests: int = 0
    retries: int = 0
    answers: Latencies = field(default_factory=Latencies)

    def add(self, other: _Tally) -> None:
        self.delivered += other.delivered
        self.other += other.other
        self.requests += other.requests
        self.retries += other.retries
        self.answers.merge(other.answers)

    def moment(self) -> Moment:
        half, most = self.answers.quantile(0.5), self.answers.quantile(0.95)
        return Moment(self.delivered, self.other, self.requests, self.retries, half, most)


_NONE = _Tally()
