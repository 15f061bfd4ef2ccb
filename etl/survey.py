"""The first pass: read and judge the whole file, send nothing, and keep on disk what only the whole file shows.

Duplicates, thresholds and clears need every row; memory must not grow with them. So keys go into an index on disk,
cleared rows into files of positions, and the lines of a dry run into a spool, until the last row has been read.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from etl.comparison import MEANING, Comparer, Comparison, Kind, Marks
from etl.damage.columns import Watch
from etl.digests import digests_of
from etl.duplicates import KeyIndex, Losers
from etl.fills import Fills
from etl.issues import IssueBatch
from etl.job import BoundTable, Job
from etl.mapping.model import Duplicates
from etl.missing import Gone, looks_for_missing
from etl.missing import Watch as WatchForMissing
from etl.outcomes import Lines, lines_of
from etl.pipeline import Prepared, prepare
from etl.problem_groups import Groups, Key, Place
from etl.progress import Progress
from etl.records import STATUSES, Chunk, Counts, Rows, Severity, Status
from etl.remedies.samples import Samples
from etl.report import Remedy
from etl.reports.issues_csv import IssuesCsv
from etl.sends import Sends
from etl.sources.base import ROWS_PER_CHUNK

_BLOCK = 65_536
_INVALID = STATUSES.index(Status.INVALID)


class InterruptedRun(Exception):  # noqa: N818 - it is no fault
    """Somebody asked the run to stop while it read; nothing has been sent."""


@dataclass(slots=True)
class Survey:
    """What the first pass found. `clears`: rows by (record, field); `bad_rows`: rows with an invalid record.

    `counts`, `planned` and `clears` know of duplicates, and of what was confirmed before. `marks`: by record, what the
    comparison says of its rows, none where nothing was compared; `events_again`: events created before that are
    created again; `held_back`: upserts of people who were deleted; `gone`: who is missing, None where nobody asks;
    `planned_digest`: fingerprint of all that will be sent, "" where nobody asks.
    `damage`: sentences on what whole columns, and the length of the table, say was lost before; `samples`: some of the
    bad cells, on which `remedies` were tried; `groups`, `fills`: what the reports tell of problems, and of the fields;
    `suggestions`: what would mend the groups, by their key.
    """

    counts: Counts = field(default_factory=Counts)
    planned: Counter[int] = field(default_factory=Counter)
    issue_counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    losers: tuple[Losers, ...] = ()
    marks: tuple[Marks, ...] = ()
    events_again: int = 0
    gone: Gone | None = None
    planned_digest: str = ""
    clears: dict[tuple[int, str], int] = field(default_factory=dict)
    near_misses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    damage: list[str] = field(default_factory=list)
    samples: Samples = field(default_factory=Samples)
    groups: Groups = field(default_factory=Groups)
    fills: Fills = field(default_factory=Fills)
    suggestions: Mapping[Key, str] = field(default_factory=dict)
    remedies: tuple[Remedy, ...] = ()
    bad_rows: int = 0
    spanned_rows: int = 0
    errors: int = 0
    warnings: int = 0

    @property
    def held_back(self) -> int:
        """Rows that would bring back somebody who was deleted through us."""
        return sum(marks.counts[Kind.ERASED] for marks in self.marks)

    @property
    def missing_deletes(self) -> int:
        """Contacts that are to be deleted because the file no longer holds them."""
        return self.gone.deletes if self.gone is not None else 0

    @property
    def requests(self) -> int:
        """What will be sent, if nothing stops the run and nothing is sent again."""
        return sum(self.planned.values()) + self.missing_deletes

    def take_from_planned(self, record: int, status: Status, count: int) -> None:
        """Count `count` rows of a record that were planned under another status."""
        self.planned[record] -= count
        self.counts.add(Status.PLANNED, -count)
        self.counts.add(status, count)

    def note_issues(self, batches: Sequence[IssueBatch], place: Place) -> None:
        """Count issues of a chunk's rows by severity, by (code, field, severity), and in groups."""
        self.groups.take(batches, place)
        for batch in batches:
            self.issue_counts[batch.code, batch.field, batch.severity.value] += len(batch)
            if batch.severity is Severity.ERROR:
                self.errors += len(batch)
            else:
                self.warnings += len(batch)


def survey(
    job: Job,
    work: Path,
    issues: IssuesCsv,
    progress: Progress,
    *,
    keep_lines: bool,
    is_interrupted: Callable[[], bool],
    rows_per_chunk: int = ROWS_PER_CHUNK,
    compare: Comparison | None = None,
    digest: bool = False,
) -> Survey:
    """Read everything once; `work` is an empty folder for what is kept on disk.

    `compare`: what is known from earlier runs, None: nothing; `digest`: whether to fingerprint what will be sent.
    Raises InterruptedRun, SourceError, JournalError.
    """
    result = Survey()
    shelf = _Shelf(job, work, keep_lines=keep_lines, compare=compare, digest=digest)
    watches = {
        bound.table.ref.index: Watch(bound.plan.mapping, bound.binding, bound.table.sheet_columns)
        for bound in job.tables
    }
    try:
        for bound, chunk in job.chunks(rows_per_chunk):
            if is_interrupted():
                raise InterruptedRun
            prepared = prepare(chunk, bound.plan, bound.binding)
            _count(prepared, result, place_of(job, bound, chunk.rows))
            shelf.take(prepared, bound)
            _look_for_near_misses(bound, chunk, job, result)
            watches[chunk.source.index].see(chunk)
            result.samples.take(prepared, bound.binding)
            issues.write(chunk.source, chunk.rows, chunk.header, prepared.issues, bound.table.sheet_columns)
            progress.advance(len(chunk.blank), result.counts.by_name)
    finally:
        shelf.close()
    shelf.conclude(result)
    progress.advance(0, result.counts.by_name)
    result.spanned_rows = sum(bound.table.spanned_rows for bound in job.tables)
    result.damage = [note for bound in job.tables for note in _damage(bound, watches[bound.table.ref.index])]
    return result


class _Shelf:
    """All that is put aside on disk while the file is read, and what the whole of it says."""

    def __init__(self, job: Job, work: Path, *, keep_lines: bool, compare: Comparison | None, digest: bool) -> None:
        self._job = job
        records = job.plan.mapping.records
        self._records = records
        self._indexes = [KeyIndex(work / f"keys-{record.number}", record.duplicates) for record in records]
        self._clears = _Clears(work)
        self._spool = _Spool(work / "lines") if keep_lines else None
        self._sends = Sends(work / "sends", len(records)) if digest else None
        self._comparer = Comparer(compare, records, work / "known") if compare is not None else None
        self._missing: WatchForMissing | None = None
        if compare is not None and looks_for_missing(records):
            self._missing = WatchForMissing(
                job.plan.mapping, compare.memory, work / "missing", compare.run_of, plain=compare.plain_keys
            )

    def take(self, prepared: Prepared, bound: BoundTable) -> None:
        """Put aside what a chunk says."""
        digests = None
        if self._spool is not None or self._sends is not None or self._comparer is not None:
            digests = [digests_of(record.bodies) for record in prepared.records]
        for place, (record, index) in enumerate(zip(prepared.records, self._indexes, strict=True)):
            planned = prepared.chunk.positions[record.places]
            index.add(record.identities, planned)
            for path, mask in record.clears.items():
                self._clears.add(record.spec.number, path, planned[mask])
            if self._comparer is not None and digests is not None:
                self._comparer.compare(record, digests[place], planned)
            if self._sends is not None and digests is not None:
                self._sends.add(record.spec.number, digests[place], planned)
        if self._missing is not None:
            self._missing.see(prepared, bound.plan, bound.binding)
        if self._spool is not None:
            self._spool.write(lines_of(prepared, digests))

    def close(self) -> None:
        """Close the files that are written."""
        for one in (self._spool, self._sends, self._missing, self._comparer, *self._indexes):
            if one is not None:
                one.close()

    def conclude(self, result: Survey) -> None:
        """Add what only the whole file shows: duplicates, what was confirmed before, who is missing, what is sent."""
        result.losers = tuple(index.losers() for index in self._indexes)
        for record, losers in zip(self._records, result.losers, strict=True):
            lost_as = Status.INVALID if record.duplicates is Duplicates.ERROR else Status.DUPLICATE
            result.take_from_planned(record.number, lost_as, losers.count)
            result.bad_rows += losers.count if lost_as is Status.INVALID else 0
        if self._comparer is not None:
            result.marks = self._comparer.marks(result.losers)
        for record, marks in zip(self._records, result.marks, strict=False):
            for kind, count in marks.counts.items():
                if kind is Kind.AGAIN:
                    result.events_again += count
                else:
                    result.take_from_planned(record.number, MEANING[kind][0], count)
        result.clears = self._clears.counts(result.losers, result.marks)
        if self._missing is not None:
            tables = [bound.table for bound in self._job.tables]
            is_part = any(table.is_part for table in tables)
            result.gone = self._missing.gone(limit=self._job.limit, tables=len(tables), is_part=is_part)
        if self._sends is not None:
            result.planned_digest = self._sends.fingerprint(result.losers, result.marks, result.gone)


def mark_known(found: Survey, lines: Sequence[Lines]) -> None:
    """Mark the lines of a chunk that are still planned, and of which earlier runs say that they are not to be sent."""
    for one, marks in zip(lines, found.marks, strict=False):
        one.remember(marks)


def kept_lines(work: Path) -> Iterator[tuple[Lines, ...]]:
    """Yield the lines that `survey` kept, chunk by chunk, in order."""
    with (work / "lines").open("rb") as stream:
        while True:
            try:
                yield pickle.load(stream)  # noqa: S301 - our own file, in a folder of this run alone
            except EOFError:
                return


def place_of(job: Job, bound: BoundTable, rows: Rows) -> Place:
    """Return where a chunk's rows stand, to name their cells."""
    table = bound.table
    return Place(table.ref, rows, table.header, table.sheet_columns, names_file=len(job.files) > 1)


def _count(prepared: Prepared, result: Survey, place: Place) -> None:
    rows = len(prepared.chunk.blank)
    bad = np.zeros(rows, dtype=bool)
    result.counts.rows += rows
    result.note_issues(prepared.issues, place)
    result.fills.take(prepared)
    for record in prepared.records:
        for number, count in enumerate(np.bincount(record.status, minlength=len(STATUSES)).tolist()):
            result.counts.add(STATUSES[number], count)
        result.planned[record.spec.number] += len(record.places)
        bad |= record.status == _INVALID
    result.bad_rows += int(bad.sum())


def _look_for_near_misses(bound: BoundTable, chunk: Chunk, job: Job, result: Survey) -> None:
    for record in job.plan.mapping.records:
        if record.when is not None:
            found = record.when.near_misses(lambda name: chunk.cells[bound.binding.position(name)])
            for column, literal, variant, count in found:
                result.near_misses[column, literal, variant] += count


def _damage(bound: BoundTable, watch: Watch) -> Iterator[str]:
    table = bound.table
    yield from watch.notes()
    note = watch.cut_note(table.header_row, table.facts.get("format", ""), is_workbook=bool(table.ref.sheet))
    if note:
        yield note


class _Clears:
    """The positions of rows that clear a field, one file per record and field."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[tuple[int, str], Path] = {}

    def add(self, record: int, path: str, positions: Rows) -> None:
        if not len(positions):
            return
        file = self._paths.setdefault((record, path), self._folder / f"clears-{len(self._paths)}")
        with file.open("ab") as out:
            out.write(positions.astype(np.int64).tobytes())

    def counts(self, losers: tuple[Losers, ...], marks: tuple[Marks, ...]) -> dict[tuple[int, str], int]:
        """Return how many rows clear each field, of those that are left to send."""
        return {
            key: self._count(path, losers[key[0] - 1], marks[key[0] - 1] if marks else None)
            for key, path in self._paths.items()
        }

    @staticmethod
    def _count(path: Path, losers: Losers, marks: Marks | None) -> int:
        total = 0
        with path.open("rb") as stream:
            while block := stream.read(8 * _BLOCK):
                positions = np.frombuffer(block, dtype=np.int64)
                held, _ = losers.among(positions)
                if marks is not None:
                    held |= marks.among(positions)[0]
                total += int((~held).sum())
        return total


class _Spool:
    """Lines put aside on disk, chunk by chunk."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")

    def write(self, lines: tuple[Lines, ...]) -> None:
        pickle.dump(lines, self._stream, protocol=5)

    def close(self) -> None:
        self._stream.close()
