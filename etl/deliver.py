"""The second pass: read again, send what is valid, and write down what became of every row.

A chunk's lines are complete when each of its deliveries has a receipt; complete chunks are written in file order. How
many chunks are open is bounded by the loader's window, so memory does not grow with the file.
"""

from __future__ import annotations

import bisect
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from etl.guards import Stop
from etl.job import BoundTable, Job
from etl.load.loader import Loader
from etl.outcomes import Lines, in_order, lines_of
from etl.pipeline import Prepared, prepare
from etl.progress import Progress
from etl.records import STATUSES, Counts, Delivery, Receipt, Status, Unit
from etl.reports.issues_csv import IssuesCsv
from etl.reports.results_csv import ResultsCsv
from etl.sources import is_untouched
from etl.survey import Survey

ROWS_PER_CHUNK = 2_000
"""Smaller than the survey's: what is sent is slower than what is read, and an open chunk holds its bodies."""
_PLANNED = STATUSES.index(Status.PLANNED)


@dataclass(slots=True)
class _Open:
    """A chunk on its way. `pending`: deliveries without a receipt; `written`: rows that progress knows of."""

    first: int
    lines: tuple[Lines, ...]
    pending: int


class Ledger:
    """Gathers receipts from the loader's threads, and writes chunks in order as they are complete."""

    def __init__(self, results: ResultsCsv, progress: Progress) -> None:
        self._results = results
        self._progress = progress
        self._lock = threading.Lock()
        self._open: deque[_Open] = deque()
        self.counts = Counts()

    def open(self, lines: tuple[Lines, ...], pending: int) -> None:
        """Take a chunk whose deliveries are about to be sent."""
        columns = in_order(lines)
        done = pc.not_equal(columns["status"], Status.PLANNED.value)
        with self._lock:
            self._results.write_live({name: values.filter(done) for name, values in columns.items()})
            self._open.append(_Open(int(lines[0].positions[0]), lines, pending))
            self.counts.rows += len(lines[0].status)
            for one in lines:
                for status, count in one.counts().items():
                    self.counts.add(status, count if status is not Status.PLANNED else 0)
            self._write_complete()

    def settle(self, receipt: Receipt) -> None:
        """Write down a receipt; called from the loader's threads."""
        with self._lock:
            chunk = self._chunk_of(receipt.delivery)
            lines = chunk.lines[receipt.delivery.record - 1]
            place = lines.settle(receipt)
            self._results.write_live_line(lines.line(place))
            self.counts.add(receipt.status)
            chunk.pending -= 1
            self._progress.advance(0, self._shown())
            self._write_complete()

    def _chunk_of(self, delivery: Delivery) -> _Open:
        firsts = [chunk.first for chunk in self._open]
        return self._open[bisect.bisect_right(firsts, delivery.position) - 1]

    def _write_complete(self) -> None:
        while self._open and self._open[0].pending == 0:
            chunk = self._open.popleft()
            self._results.write_ordered(in_order(chunk.lines))
            self._progress.advance(len(chunk.lines[0].status), self._shown())

    def _shown(self) -> dict[str, int]:
        return {status.value: count for status, count in self.counts.by_status.items()}


def deliver(
    job: Job,
    found: Survey,
    loader: Loader,
    ledger: Ledger,
    issues: IssuesCsv,
    *,
    rows_per_chunk: int = ROWS_PER_CHUNK,
) -> None:
    """Send every planned record; returns when each has its receipt. A file that changed stops the sending.

    Raises SourceError where the file can no longer be read; what was handed over is drained first.
    """
    try:
        for bound, prepared, lines in _judged(job, found, issues, rows_per_chunk):
            if not _is_untouched(job, bound):
                loader.stop(CHANGED.code, CHANGED.message)
            units = list(_units(prepared, lines))
            ledger.open(lines, sum(len(unit.deliveries) for unit in units))
            for unit in units:
                loader.submit(unit)
    except BaseException:
        loader.stop("interrupted", "the run ended before it was sent")
        raise
    finally:
        loader.drain()


CHANGED = Stop(
    "file-changed",
    "the file changed after it was checked; nothing more was sent: run it again",
)


def _judged(
    job: Job, found: Survey, issues: IssuesCsv, rows_per_chunk: int
) -> Iterator[tuple[BoundTable, Prepared, tuple[Lines, ...]]]:
    for bound, chunk in job.chunks(rows_per_chunk):
        prepared = prepare(chunk, job.plan, bound.binding)
        lines = lines_of(prepared)
        mark_losers(job, found, lines, issues)
        yield bound, prepared, lines


def mark_losers(job: Job, found: Survey, lines: Sequence[Lines], issues: IssuesCsv) -> None:
    """Mark the rows that another row of their key stands for; with the policy `error` each gets its issue."""
    for one, record, losers in zip(lines, job.plan.mapping.records, found.losers, strict=True):
        batch = one.lose(record, losers, job.locate)
        if batch is not None:
            found.note_issues([batch])
            issues.write(one.source, one.rows, (), [batch])


def _units(prepared: Prepared, lines: Sequence[Lines]) -> Iterator[Unit]:
    """Yield the deliveries of the rows that are still planned, a unit a row, in file order."""
    per_row: dict[int, list[Delivery]] = {}
    positions = prepared.chunk.positions
    for record, own in zip(prepared.records, lines, strict=True):
        planned = own.status[record.places] == _PLANNED
        lanes, bodies = record.lanes.to_pylist(), record.bodies.to_pylist()
        repeat = record.spec.unknown.value == "retry"
        for at in np.flatnonzero(planned).tolist():
            place = int(record.places[at])
            delivery = Delivery(
                position=int(positions[place]),
                record=record.spec.number,
                endpoint=record.spec.action.endpoint,
                body=bodies[at].encode(),
                lane=lanes[at],
                repeat_unknown=repeat,
            )
            per_row.setdefault(place, []).append(delivery)
    for place in sorted(per_row):
        yield Unit(tuple(per_row[place]))


def _is_untouched(job: Job, bound: BoundTable) -> bool:
    for path, known in zip(job.files, job.fingerprints, strict=True):
        if str(path) == bound.table.ref.file:
            return is_untouched(path, known)
    raise AssertionError(f"BUG: no file of this run is called {bound.table.ref.file}")
