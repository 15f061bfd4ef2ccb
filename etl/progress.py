"""How far a run is, told to whoever shows it: a bar, log lines, a page, or nobody."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol


class Progress(Protocol):
    """Told by the run as it goes; called from one thread at a time."""

    def expect(self, records: int) -> None:
        """Take note of how many records a row has, so that counts can be read as rows."""

    def begin(self, stage: str, total: int | None) -> None:
        """Start a stage of `total` rows, None if not known."""

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Count `rows` more as done; `counts` is records by status so far."""

    def end(self) -> None:
        """End the stage."""


class Silent:
    """Shows nothing."""

    def expect(self, records: int) -> None:
        """Do nothing."""

    def begin(self, stage: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class Stage:
    """Rows and counts of a stage under way; `records`: of each row; `clock`: monotonic seconds.

    Rows are those accounted for, which the counts know first: a run tells of rows by whole chunks, in file order.
    """

    def __init__(self, name: str, total: int | None, records: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.total, self._records, self._clock = name, total, records, clock
        self.counts: Mapping[str, int] = {}
        self._rows = 0
        self.started = clock()

    def add(self, rows: int, counts: Mapping[str, int]) -> None:
        """Count `rows` more as done; `counts`: records by status so far, or none."""
        self._rows += rows
        self.counts = counts or self.counts

    @property
    def rows(self) -> int:
        """Rows done, `total` at most."""
        rows = max(self._rows, sum(self.counts.values()) // self._records)
        return rows if self.total is None else min(rows, self.total)

    @property
    def seconds(self) -> float:
        """Since it began; never 0."""
        return max(self._clock() - self.started, 1e-9)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this rate, None where that cannot be told."""
        if self.total is None or not self.rows or self.rows >= self.total:
            return None
        return (self.total - self.rows) / self.rate
