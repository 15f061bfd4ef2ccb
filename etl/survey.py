"""The first pass: read and judge the whole file, send nothing, and keep on disk what only the whole file shows.

Duplicates, thresholds and clears need every row; memory must not grow with them. So keys go into an index on disk,
cleared rows into files of positions, and the lines of a dry run into a spool, until the last row has been read.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from etl.damage_columns import Watch
from etl.duplicates import KeyIndex, Losers
from etl.issues import IssueBatch
from etl.job import BoundTable, Job
from etl.mapping.model import Duplicates
from etl.outcomes import Lines, lines_of
from etl.pipeline import Prepared, prepare
from etl.progress import Progress
from etl.records import STATUSES, Chunk, Counts, Rows, Severity, Status
from etl.remedy_samples import Samples
from etl.report import Remedy
from etl.reports.issues_csv import IssuesCsv
from etl.sources.base import ROWS_PER_CHUNK

_BLOCK = 65_536
_INVALID = STATUSES.index(Status.INVALID)


class InterruptedRun(Exception):  # noqa: N818 - it is no fault
    """Somebody asked the run to stop while it read; nothing has been sent."""


@dataclass(slots=True)
class Survey:
    """What the first pass found. `clears`: rows by (record, field); `bad_rows`: rows with an invalid record.

    `damage`: sentences on what whole columns, and the length of the table, say was lost before; `samples`: some of the
    bad cells, on which `remedies` were tried.
    """

    counts: Counts = field(default_factory=Counts)
    planned: Counter[int] = field(default_factory=Counter)
    issue_counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    losers: tuple[Losers, ...] = ()
    clears: dict[tuple[int, str], int] = field(default_factory=dict)
    near_misses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    damage: list[str] = field(default_factory=list)
    samples: Samples = field(default_factory=Samples)
    remedies: tuple[Remedy, ...] = ()
    bad_rows: int = 0
    spanned_rows: int = 0
    errors: int = 0
    warnings: int = 0

    def note_issues(self, batches: list[IssueBatch]) -> None:
        """Count issues by severity, and by (code, field, severity)."""
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
) -> Survey:
    """Read everything once; `work` is an empty folder for what is kept on disk. Raises InterruptedRun, SourceError."""
    result = Survey()
    records = job.plan.mapping.records
    indexes = [KeyIndex(work / f"keys-{record.number}", record.duplicates) for record in records]
    clears = _Clears(work)
    spool = _Spool(work / "lines") if keep_lines else None
    watches = {
        bound.table.ref.index: Watch(bound.plan.mapping, bound.binding, bound.table.sheet_columns)
        for bound in job.tables
    }
    try:
        for bound, chunk in job.chunks(rows_per_chunk):
            if is_interrupted():
                raise InterruptedRun
            prepared = prepare(chunk, bound.plan, bound.binding)
            _take(prepared, result, indexes, clears)
            _look_for_near_misses(bound, chunk, job, result)
            watches[chunk.source.index].see(chunk)
            result.samples.take(prepared, bound.binding)
            issues.write(chunk.source, chunk.rows, chunk.header, prepared.issues, bound.table.sheet_columns)
            if spool is not None:
                spool.write(lines_of(prepared))
            progress.advance(len(chunk.blank), result.counts.by_name)
    finally:
        if spool is not None:
            spool.close()
        for index in indexes:
            index.close()
    result.losers = tuple(index.losers() for index in indexes)
    for record, losers in zip(records, result.losers, strict=True):
        result.planned[record.number] -= losers.count
        lost_as = Status.INVALID if record.duplicates is Duplicates.ERROR else Status.DUPLICATE
        result.counts.add(Status.PLANNED, -losers.count)
        result.counts.add(lost_as, losers.count)
        result.bad_rows += losers.count if lost_as is Status.INVALID else 0
    result.clears = clears.counts(result.losers)
    progress.advance(0, result.counts.by_name)
    result.spanned_rows = sum(bound.table.spanned_rows for bound in job.tables)
    result.damage = [note for bound in job.tables for note in _damage(bound, watches[bound.table.ref.index])]
    return result


def kept_lines(work: Path) -> Iterator[tuple[Lines, ...]]:
    """Yield the lines that `survey` kept, chunk by chunk, in order."""
    with (work / "lines").open("rb") as stream:
        while True:
            try:
                yield pickle.load(stream)  # noqa: S301 - our own file, in a folder of this run alone
            except EOFError:
                return


def _take(prepared: Prepared, result: Survey, indexes: list[KeyIndex], clears: _Clears) -> None:
    rows = len(prepared.chunk.blank)
    positions = prepared.chunk.positions
    bad = np.zeros(rows, dtype=bool)
    result.counts.rows += rows
    result.note_issues(list(prepared.issues))
    for record, index in zip(prepared.records, indexes, strict=True):
        for number, count in enumerate(np.bincount(record.status, minlength=len(STATUSES)).tolist()):
            result.counts.add(STATUSES[number], count)
        result.planned[record.spec.number] += len(record.places)
        bad |= record.status == _INVALID
        planned = positions[record.places]
        index.add(record.identities, planned)
        for path, mask in record.clears.items():
            clears.add(record.spec.number, path, planned[mask])
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

    def counts(self, losers: tuple[Losers, ...]) -> dict[tuple[int, str], int]:
        """Return how many rows clear each field, those left out that another row stands for."""
        return {key: self._count(path, losers[key[0] - 1]) for key, path in self._paths.items()}

    @staticmethod
    def _count(path: Path, losers: Losers) -> int:
        total = 0
        with path.open("rb") as stream:
            while block := stream.read(8 * _BLOCK):
                lost, _ = losers.among(np.frombuffer(block, dtype=np.int64))
                total += int((~lost).sum())
        return total


class _Spool:
    """Lines put aside on disk, chunk by chunk."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")

    def write(self, lines: tuple[Lines, ...]) -> None:
        pickle.dump(lines, self._stream, protocol=5)

    def close(self) -> None:
        self._stream.close()
