"""results.csv and issues.csv read in step with the rows of a table: what became of each row, and what is wrong with it.

Both files are read once, from the front, a block at a time: memory does not grow with them. Tables, and the rows of
each, are to be asked for in the order of the run; a row that is passed over is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import STATUSES, Mask, Rows, SourceRef, Status
from etl.reports import issues_csv, results_csv
from etl.reports.cells import as_it_was
from etl.reports.csv_batches import parsed, whole
from etl.reports.csv_records import blocks

if TYPE_CHECKING:
    from etl.report import RunReport

_Told = TypeVar("_Told")

TELLING = (
    Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.BLOCKED,
    Status.PLANNED, Status.DELIVERED, Status.UNCHANGED, Status.DUPLICATE, Status.SKIPPED,
)  # fmt: skip
"""The statuses, the one first that stands for a row where its records ended differently: the worst."""
OPEN = (Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.BLOCKED)
"""Statuses of a row that somebody has to look at, whether or not it has an issue."""
NO_STATUS = -1
_SECOND_PASS = "duplicate-key"  # noqa: S105 - a code
"""The issue that only the second pass finds: it stands behind those of all rows, in their order once more."""
_RANKS = np.array([TELLING.index(status) for status in STATUSES], dtype=np.int8)
_RESULT_COLUMNS = ("file", "sheet", "row", "record", "action", "status", "http_status", "field", "code", "message")
_NUMBERS = ("row", "record", "http_status")
_RISKY = ("file", "sheet", "column", "field", "value", "message", "hint")


@dataclass(frozen=True, slots=True)
class RowIssue:
    """One issue of a row. `cells`: the sheet's columns that its value comes from, from 0 (A); () where there is none.

    `place`: these cells as a person names them (`B6, C6`); the others are the columns of issues.csv.
    """

    cells: tuple[int, ...]
    place: str
    column: str
    field: str
    severity: str
    code: str
    value: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one record of a row: a line of results.csv. `http_status`: None where nobody answered."""

    record: int
    action: str
    status: Status
    http_status: int | None
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RowNote:
    """All that is told of one row: the results of its records in their order, its issues from the worst on."""

    results: tuple[RowResult, ...] = ()
    issues: tuple[RowIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockNotes:
    """What is told of some rows of a table.

    `status`: int8, one per row: the place in STATUSES of the one that stands for the row, NO_STATUS where results.csv
    does not list it. `open`: bool, one per row: it has an issue (be it a warning), or a status among OPEN. `of`: by
    place (0 .. rows - 1), the notes of the open rows, ascending.
    """

    status: npt.NDArray[np.int8]
    open: Mask
    of: Mapping[int, RowNote] = field(repr=False)


class RowNotes:
    """Reads the two files beside the tables of a run. Close it, or use it as a context manager."""

    def __init__(
        self,
        results: Path,
        issues: Path,
        tables: Sequence[SourceRef],
        *,
        has_second_pass: bool,
        open_as: Collection[Status] = OPEN,
    ) -> None:
        """Open the files. `has_second_pass`: whether there are issues of code `duplicate-key`.

        `open_as`: the statuses of rows that are open without an issue. Raises OSError.
        """
        self._is_open = np.array([status in open_as for status in STATUSES])
        order = {(ref.file, ref.sheet): place for place, ref in enumerate(tables)}
        self._places = {ref.index: place for place, ref in enumerate(tables)}
        self._results = _Stream(results, results_csv.COLUMNS, _RESULT_COLUMNS, order)
        self._issues = [_Stream(issues, issues_csv.COLUMNS, issues_csv.COLUMNS, order, is_second=False)]
        if has_second_pass:
            self._issues.append(_Stream(issues, issues_csv.COLUMNS, issues_csv.COLUMNS, order, is_second=True))

    @classmethod
    def of_run(cls, report: RunReport, tables: Sequence[SourceRef], open_as: Collection[Status] = OPEN) -> RowNotes:
        """Open the files of a run, whose tables these are. Raises OSError."""
        second = any(code == _SECOND_PASS for code, *_ in report.problems)
        return cls(report.results_path, report.issues_path, tables, has_second_pass=second, open_as=open_as)

    def __enter__(self) -> RowNotes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        for stream in (self._results, *self._issues):
            stream.close()

    def of(self, ref: SourceRef, rows: Rows) -> BlockNotes:
        """Return what is told of these rows (int64, ascending) of a table; later rows and tables come later.

        Raises OSError.
        """
        status = np.full(len(rows), NO_STATUS, dtype=np.int8)
        if not len(rows):
            return BlockNotes(status, np.zeros(0, dtype=np.bool_), {})
        table, last = self._places[ref.index], int(rows[-1])
        found = [part for stream in self._issues for part in stream.up_to(table, last)]
        issues = _by_place(found, rows, _issues_of)
        opened = np.zeros(len(rows), dtype=np.bool_)
        opened[list(issues)] = True
        parts = list(self._results.up_to(table, last))
        for part in parts:
            _mark_statuses(part, rows, status)
        told = status != NO_STATUS
        opened[told] |= self._is_open[status[told]]
        results = _by_place(parts, rows, _results_of, only=opened)
        notes = {
            place: RowNote(tuple(results.get(place, ())), tuple(_errors_first(issues.get(place, ()))))
            for place in np.flatnonzero(opened).tolist()
        }
        return BlockNotes(status, opened, notes)


_Lines = tuple[pa.RecordBatch, npt.NDArray[np.int64], Rows]
"""Lines of a file, the table of each, and its row."""


class _Stream:
    """Lines of one of the files, in the order of the tables and their rows."""

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        columns: Sequence[str],
        order: Mapping[tuple[str, str], int],
        *,
        is_second: bool | None = None,
    ) -> None:
        self._stream = path.open("rb")
        self._names, self._columns, self._order, self._is_second = names, columns, order, is_second
        self._parts = self._read()
        self._held: _Lines | None = None

    def close(self) -> None:
        self._parts.close()
        self._stream.close()

    def up_to(self, table: int, last: int) -> Iterator[pa.RecordBatch]:
        """Yield the lines of this table down to row `last`; those of tables and rows before are dropped."""
        while True:
            if self._held is None:
                self._held = next(self._parts, None)
            if self._held is None:
                return
            lines, tables, rows = self._held
            end = int(np.count_nonzero((tables < table) | ((tables == table) & (rows <= last))))
            begin = int(np.count_nonzero(tables[:end] < table))
            if begin < end:
                yield lines.slice(begin, end - begin)
            if end < len(rows):
                self._held = lines.slice(end), tables[end:], rows[end:]
                return
            self._held = None

    def _read(self) -> Generator[_Lines, None, None]:
        self._stream.readline()  # the names
        for block in blocks(self._stream):
            lines = self._parsed(block)
            if self._is_second is not None:
                own = pc.equal(lines.column("code"), _SECOND_PASS)
                lines = lines.filter(own if self._is_second else pc.invert(own))
            if len(lines):
                tables = _tables_of(lines, self._order)
                yield lines, tables, lines.column("row").to_numpy(zero_copy_only=False)

    def _parsed(self, block: bytes) -> pa.RecordBatch:
        table = parsed(block, self._names, columns=self._columns, numbers=_NUMBERS)
        columns = {name: whole(values) for name, values in zip(table.column_names, table.columns, strict=True)}
        return pa.record_batch({n: as_it_was(one) if n in _RISKY else one for n, one in columns.items()})


def _tables_of(lines: pa.RecordBatch, order: Mapping[tuple[str, str], int]) -> npt.NDArray[np.int64]:
    """Return of each line which table it is of, -1 where it is none that is known."""
    files, sheets = (lines.column(name).dictionary_encode() for name in ("file", "sheet"))
    file_at, sheet_at = (one.indices.to_numpy(zero_copy_only=False).astype(np.int64) for one in (files, sheets))
    known = np.array(
        [[order.get((file, sheet), -1) for sheet in sheets.dictionary.to_pylist()]
         for file in files.dictionary.to_pylist()],
        dtype=np.int64,
    )  # fmt: skip
    found: npt.NDArray[np.int64] = known[file_at, sheet_at]
    return found


def _mark_statuses(lines: pa.RecordBatch, rows: Rows, status: npt.NDArray[np.int8]) -> None:
    """Put the worst status of each row into `status`."""
    numbers = pc.index_in(lines.column("status"), pa.array([one.value for one in STATUSES]))
    own = numbers.to_numpy(zero_copy_only=False).astype(np.int8)
    places, known = _places_of(lines, rows)
    ranks = np.where(status == NO_STATUS, len(TELLING), _RANKS[status])
    np.minimum.at(ranks, places, _RANKS[own[known]])
    told = np.unique(places)
    status[told] = [STATUSES.index(TELLING[rank]) for rank in ranks[told]]


def _places_of(lines: pa.RecordBatch, rows: Rows) -> tuple[Rows, Mask]:
    """Return the places in `rows` of the lines whose row is there, and which lines these are."""
    numbers = lines.column("row").to_numpy(zero_copy_only=False)
    places = np.minimum(np.searchsorted(rows, numbers), len(rows) - 1)
    known: Mask = rows[places] == numbers
    return places[known], known


def _by_place(
    parts: Sequence[pa.RecordBatch], rows: Rows, make: Callable[[pa.RecordBatch], list[_Told]], only: Mask | None = None
) -> dict[int, list[_Told]]:
    """Return what `make` makes of the lines, by the place of their row; `only`: the places that are wanted, bool."""
    found: dict[int, list[_Told]] = {}
    for part in parts:
        places, known = _places_of(part, rows)
        lines = np.flatnonzero(known)
        if only is not None:
            wanted = only[places]
            places, lines = places[wanted], lines[wanted]
        for place, one in zip(places.tolist(), make(part.take(pa.array(lines))), strict=True):
            found.setdefault(place, []).append(one)
    return found


def _issues_of(lines: pa.RecordBatch) -> list[RowIssue]:
    columns = {name: lines.column(name).to_pylist() for name in issues_csv.COLUMNS[3:]}
    cells = {text: _columns_of(text) for text in set(columns["cell"])}
    return [RowIssue(cells[place], place, *rest) for place, *rest in zip(*columns.values(), strict=True)]


def _results_of(lines: pa.RecordBatch) -> list[RowResult]:
    columns = [lines.column(name).to_pylist() for name in _RESULT_COLUMNS[3:]]
    return [
        RowResult(record, action, Status(status), http_status, *rest)
        for record, action, status, http_status, *rest in zip(*columns, strict=True)
    ]


def _errors_first(issues: Sequence[RowIssue]) -> list[RowIssue]:
    """Return errors before warnings; of each, what concerns the whole row, then from the left to the right."""
    return sorted(issues, key=lambda issue: (issue.severity, issue.cells))


def _columns_of(place: str) -> tuple[int, ...]:
    """Return the columns, from 0, of cells such as `B6, AC6`."""
    return tuple(_position("".join(sign for sign in one if sign.isalpha())) for one in place.split(", ") if one)


def _position(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
