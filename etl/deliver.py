"""The second pass: read again, send what is valid, and write down what became of every row.

A chunk's lines are complete when each of its deliveries has a receipt; complete chunks are written in file order. How
many chunks are open is bounded, so memory does not grow with the file, even where the first row of all waits long.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.earlier import Earlier
from etl.errors import SourceError, impersonal
from etl.guards import Stop
from etl.issues import IssueBatch
from etl.job import BoundTable, Job
from etl.load.loader import Loader
from etl.load.stopping import Stopped
from etl.mapping.model import ColumnSource, RecordSpec
from etl.outcomes import Lines, in_order, lines_of
from etl.pipeline import Prepared, prepare
from etl.progress import Progress
from etl.records import STATUSES, Counts, Delivery, Receipt, Status, Unit
from etl.reports.issues_csv import IssuesCsv
from etl.reports.results_csv import ResultsCsv
from etl.survey import Survey, mark_known, place_of

ROWS_PER_CHUNK = 2_000
"""Smaller than the survey's: what is sent is slower than what is read, and an open chunk holds its bodies."""
MAX_OPEN_CHUNKS = 16
"""Chunks at most that wait for a receipt; the reader waits then."""
LIVE_LINES = 8
LIVE_SECONDS = 0.1
"""Receipts are shown as they come; where they come fast, by so many or after so long: a write costs as ten lines."""
_PLANNED = STATUSES.index(Status.PLANNED)


@dataclass(slots=True)
class _Open:
    """A chunk on its way. `first`: the position of its first row; `pending`: deliveries without a receipt."""

    first: int
    lines: tuple[Lines, ...]
    pending: int


class Ledger:
    """Gathers receipts from the loader's threads, and writes chunks in order as they are complete.

    `unwritten`: numbers of the rows that were sent, but whose outcome could not be written down.
    """

    def __init__(self, results: ResultsCsv, progress: Progress) -> None:
        self._results = results
        self._progress = progress
        self._lock = threading.Lock()
        self._completed = threading.Condition(self._lock)
        self._open: deque[_Open] = deque()
        self._broken = False
        self._unshown: list[tuple[Lines, int]] = []
        self._shown_at = time.monotonic()
        self._reasons: Counter[tuple[Status, str]] = Counter()
        self._said: dict[tuple[Status, str], str] = {}
        self.counts = Counts()
        self.unwritten: list[int] = []

    def open(self, lines: tuple[Lines, ...], pending: int) -> None:
        """Take a chunk whose deliveries are about to be sent; waits while too many are open. Raises OSError."""
        columns = in_order(lines)
        needs_no_receipt = pc.not_equal(columns["status"], Status.PLANNED.value)
        with self._lock:
            while len(self._open) >= MAX_OPEN_CHUNKS:
                self._completed.wait()
            self._open.append(_Open(int(lines[0].positions[0]), lines, pending))
            self.counts.rows += len(lines[0].status)
            for one in lines:
                for status, count in one.counts().items():
                    self.counts.add(status, count if status is not Status.PLANNED else 0)
            self._results.write_live({name: values.filter(needs_no_receipt) for name, values in columns.items()})
            self._write_complete()

    def settle(self, receipt: Receipt) -> None:
        """Write down a receipt; called from the loader's threads. Raises OSError, but counts it all the same."""
        with self._lock:
            chunk = self._chunk_of(receipt.delivery)
            lines = chunk.lines[receipt.delivery.record - 1]
            place = lines.settle(receipt)
            self.counts.add(receipt.status)
            self._note(receipt)
            chunk.pending -= 1
            # On a full disk there is no room but for what was sent.
            if receipt.attempts or not self._broken:
                self._unshown.append((lines, place))
            try:
                if len(self._unshown) >= LIVE_LINES or time.monotonic() - self._shown_at >= LIVE_SECONDS:
                    self._show()
            finally:
                self._write_complete()

    def show(self) -> None:
        """Write down the receipts that are not yet in results.csv; raises OSError."""
        with self._lock:
            self._show()

    def take_over(self, receipts: Sequence[Receipt]) -> None:
        """Note what had ended in an earlier sitting; the lines hold it already."""
        for receipt in receipts:
            self._note(receipt)

    @property
    def outcomes(self) -> tuple[tuple[str, str, str, int], ...]:
        """What was sent and not delivered: (status, code, example of the message, count), the most frequent first."""
        found = [(str(status), code, self._said[status, code], n) for (status, code), n in self._reasons.most_common()]
        return tuple(found)

    def _note(self, receipt: Receipt) -> None:
        if receipt.status not in {Status.REJECTED, Status.FAILED, Status.UNKNOWN}:
            return
        reason = receipt.status, receipt.code
        self._reasons[reason] += 1
        if reason not in self._said:
            self._said[reason] = impersonal(receipt.message)

    def _chunk_of(self, delivery: Delivery) -> _Open:
        return next(chunk for chunk in reversed(self._open) if chunk.first <= delivery.position)

    def _show(self) -> None:
        shown, self._unshown = self._unshown, []
        self._shown_at = time.monotonic()
        try:
            self._results.write_live_lines([lines.line(place) for lines, place in shown])
        except OSError:
            self._broken = True
            self._results.make_room()
            self.unwritten += [int(lines.rows[place]) for lines, place in shown if lines.receipts[place].attempts]
            raise
        self._progress.advance(0, self.counts.by_name)

    def _write_complete(self) -> None:
        while self._open and self._open[0].pending == 0:
            chunk = self._open.popleft()
            self._completed.notify()
            if not self._broken:
                try:
                    self._results.write_ordered(in_order(chunk.lines))
                except OSError:
                    self._broken = True
                    self._results.make_room()
                    raise
            self._progress.advance(len(chunk.lines[0].status), self.counts.by_name)


def deliver(
    job: Job,
    found: Survey,
    loader: Loader,
    ledger: Ledger,
    issues: IssuesCsv,
    *,
    earlier: Earlier | None = None,
    after: Callable[[Callable[[Unit], None]], None] | None = None,
    rows_per_chunk: int = ROWS_PER_CHUNK,
) -> bool:
    """Send every planned record, and return once each has its receipt: whether all rows that were checked were read.

    `earlier`: what earlier sittings of this run know; what has ended there is not sent again. `after`: called once all
    rows were handed over, with what takes more units.

    A file that changed, or can no longer be read, stops the sending. Raises OSError where results cannot be written;
    what was handed over is drained first.
    """
    try:
        for bound, prepared in _reread(job, loader, rows_per_chunk):
            lines = lines_of(prepared)
            mark_losers(job, found, lines, issues)
            if earlier is not None:
                ledger.take_over(earlier.settle(lines, job.plan.mapping.records))
            mark_known(found, lines)
            if not bound.file.is_untouched():
                loader.stop(CHANGED.code, CHANGED.message)
            if loader.stopped is not None:
                _call_off(lines, loader.stopped)
            units = list(_units(prepared, lines, earlier.attempts if earlier is not None else {}))
            ledger.open(lines, sum(len(unit.deliveries) for unit in units))
            for unit in units:
                loader.submit(unit)
        all_read = ledger.counts.rows == found.counts.rows
        if not all_read and not all(file.is_untouched() for file in job.files):
            loader.stop(CHANGED.code, CHANGED.message)
        if after is not None:
            after(loader.submit)
    except BaseException:
        loader.stop("interrupted", "the run ended before it was sent")
        raise
    finally:
        try:
            loader.drain()
        finally:
            ledger.show()
    return all_read


CHANGED = Stop(
    "file-changed",
    "the file changed after it was checked; nothing more was sent",
    hint="run it again when nothing writes to it",
)


def _reread(job: Job, loader: Loader, rows_per_chunk: int) -> Iterator[tuple[BoundTable, Prepared]]:
    """Yield the chunks, judged anew. A file that can no longer be read stops the loader, and ends the chunks."""
    chunks = job.chunks(rows_per_chunk)
    while True:
        try:
            bound, chunk = next(chunks)
            prepared = prepare(chunk, bound.plan, bound.binding)
        except StopIteration:
            return
        except Exception as error:
            if not all(file.is_untouched() for file in job.files):
                loader.stop(CHANGED.code, CHANGED.message)
            elif isinstance(error, SourceError):
                loader.stop(error.code, f"{error.message}; nothing more was sent")
            else:
                raise
            return
        yield bound, prepared


def _call_off(lines: tuple[Lines, ...], stopped: Stopped) -> None:
    """Mark all that is planned as the stop says: at once, where the loader would take each by itself."""
    for one in lines:
        planned = one.status == _PLANNED
        mask = pa.array(planned)
        told = pc.binary_join_element_wise(stopped.message, one.messages, "; ")
        told = pc.if_else(pc.equal(pc.coalesce(one.messages, ""), ""), stopped.message, told)
        one.status[planned] = STATUSES.index(stopped.status)
        one.codes = pc.if_else(mask, stopped.code, one.codes)
        one.messages = pc.if_else(mask, told, one.messages)


def mark_losers(job: Job, found: Survey, lines: Sequence[Lines], issues: IssuesCsv) -> None:
    """Mark the rows that another row of their key stands for; with the policy `error` each gets its issue."""
    first = lines[0]
    bound = job.tables[first.source.index]
    placed: list[IssueBatch] = []
    for one, record, losers in zip(lines, job.plan.mapping.records, found.losers, strict=True):
        batch = one.lose(record, losers, job.locate)
        if batch is not None:
            placed.append(replace(batch, columns=_columns_of(bound, record, batch.field)))
    found.note_issues(placed, place_of(job, bound, first.rows))
    # All records at once: what is appended here is in the order of the rows, too.
    issues.write(first.source, first.rows, bound.table.header, placed, bound.table.sheet_columns)


def _columns_of(bound: BoundTable, record: RecordSpec, path: str) -> tuple[int, ...]:
    """Return the column that feeds the field, none where several do or none does."""
    sources = [spec.source for spec in record.fields if spec.path == path]
    if len(sources) != 1 or not isinstance(sources[0], ColumnSource):
        return ()
    position = bound.binding.choose(sources[0].names)
    return () if position is None else (position,)


def _units(prepared: Prepared, lines: Sequence[Lines], before: Mapping[tuple[int, int], int]) -> Iterator[Unit]:
    """Yield the deliveries of the rows that are still planned, a unit a row, in file order.

    `before`: requests of earlier sittings by (position, record).
    """
    per_row: dict[int, list[Delivery]] = {}
    positions = prepared.chunk.positions
    for record, own in zip(prepared.records, lines, strict=True):
        planned = own.status[record.places] == _PLANNED
        lanes, bodies, keys = record.lanes.to_pylist(), record.bodies.to_pylist(), record.identities.to_pylist()
        repeat = record.spec.unknown.value == "retry"
        for at in np.flatnonzero(planned).tolist():
            place = int(record.places[at])
            delivery = Delivery(
                position=(position := int(positions[place])),
                record=record.spec.number,
                endpoint=record.spec.action.endpoint,
                body=bodies[at].encode(),
                lane=lanes[at],
                repeat_unknown=repeat,
                action=record.spec.action.name,
                key=keys[at],
                before=before.get((position, record.spec.number), 0),
            )
            per_row.setdefault(place, []).append(delivery)
    for place in sorted(per_row):
        yield Unit(tuple(per_row[place]))
