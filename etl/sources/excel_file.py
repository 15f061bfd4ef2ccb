"""Workbooks (.xlsx, .xlsm): scanned for what may do harm or be missed, then read by python-calamine."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from python_calamine import CalamineSheet, CalamineWorkbook

from etl.cells import column_letters
from etl.errors import SourceError
from etl.records import CellFault, Chunk, SourceRef, text_series
from etl.sources.base import ROWS_PER_CHUNK, HeaderScore, SourceOptions, Table
from etl.sources.cell_text import Cell, cell_text
from etl.sources.fingerprint import unreadable
from etl.sources.header import SEARCHED_ROWS, best_score, find_header, is_blank
from etl.sources.workbook_parts import Container, damaged
from etl.sources.sheet_scan import SheetPart, SheetScan
from etl.sources.workbook_scan import list_parts, scan_sheet

Row = list[Cell]


@dataclass(slots=True)
class ExcelTable:
    """One sheet. `first_column`: the sheet's column (from 0) in which the header's first cell stands."""

    path: Path
    ref: SourceRef
    header: tuple[str, ...]
    header_row: int
    first_column: int
    skip_rows: int
    rivals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    spanned_rows: int = 0
    _scan: SheetScan = field(kw_only=True, repr=False)
    _state: tuple[int, int] = field(kw_only=True, repr=False)

    @property
    def facts(self) -> dict[str, str]:
        """Format and sheet."""
        return {"format": "xlsx", "sheet": self.ref.sheet}

    @property
    def estimated_rows(self) -> int | None:
        """The rows down to the last one that holds anything."""
        return max(0, self._scan.last_row - self.header_row)

    def chunks(
        self, columns: Sequence[int], *, limit: int | None = None, rows_per_chunk: int = ROWS_PER_CHUNK
    ) -> Iterator[Chunk]:
        """Yield the rows that hold anything, in order (see `Table.chunks`); the others count in `spanned_rows`.

        Faults are those of `columns`. Raises SourceError if the file is not the one that was opened.
        """
        if self._state != _state(self.path):
            raise SourceError(
                "the file changed since it was opened",
                code="file-changed",
                where=str(self.path),
                hint="run again when nothing writes to it",
            )
        wanted = tuple(dict.fromkeys(columns))
        rows = itertools.islice(self._filled_rows(), limit)
        while numbered := list(itertools.islice(rows, rows_per_chunk)):
            yield self._chunk(numbered, wanted)

    def _filled_rows(self) -> Iterator[tuple[int, Row]]:
        self.spanned_rows = 0
        sheet = _load(self.path, self.ref.sheet)
        width = len(self.header)
        last_row = self._scan.last_row
        # Calamine's rows end with the last cell that has a value: formulas without one may stand below.
        no_cells: Row = [""] * width
        tail = itertools.repeat(no_cells, max(0, last_row - (sheet.end or (0, 0))[0] - 1))
        number = self.header_row + self.skip_rows
        rows: Iterator[Row] = itertools.chain(sheet.iter_rows(), tail)
        for row in itertools.islice(rows, number, None):
            number += 1
            if is_blank(row) and number not in self._scan.marks:
                self.spanned_rows += 1
            else:
                yield number, row

    def _chunk(self, numbered: list[tuple[int, Row]], columns: tuple[int, ...]) -> Chunk:
        index = pd.Index(np.array([number for number, _ in numbered], dtype=np.int64))
        cells = {
            column: text_series(
                pa.array([cell_text(row[column]) for _, row in numbered], type=pa.large_string()), index
            )
            for column in columns
        }
        return Chunk(
            source=self.ref,
            header=self.header,
            cells=pd.DataFrame(cells, index=index, columns=pd.Index(list(cells), dtype="int64")),
            blank=np.zeros(len(numbered), dtype=np.bool_),
            faults=tuple(self._faults([number for number, _ in numbered], frozenset(columns))),
        )

    def _faults(self, numbers: list[int], columns: frozenset[int]) -> Iterator[CellFault]:
        if not self._scan.marks:
            return
        for number in numbers:
            for mark in self._scan.marks.get(number, ()):
                column = mark.column - self.first_column
                if column in columns:
                    yield CellFault(number, column, mark.code, mark.value)


@dataclass(frozen=True, slots=True)
class _Head:
    """The start of a sheet: its first non-blank rows as text, with their numbers."""

    sheet: SheetPart
    scan: SheetScan
    first_column: int
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def score(self, options: SourceOptions) -> int:
        best = best_score(
            [row for number, row in self.rows if options.header_row in (None, number)], options.header_score
        )
        return best[0] if best else 0


def open_tables(path: Path, name: str, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the one sheet that is to be read: the pinned one, else the one whose header scores best, else the first.

    Hidden sheets are read only where they are pinned. Raises SourceError.
    """
    state = _state(path)
    container, sheets = list_parts(path)
    head, rivals = _choose(container, sheets, options)
    header, row = _header(path, head, options.header_row, options.header_score)
    table = ExcelTable(
        path,
        SourceRef(first_index, name, head.sheet.name),
        header,
        row,
        head.first_column,
        options.skip_rows,
        rivals,
        _scan=head.scan,
        _state=state,
    )
    return [table]


def list_sheets(path: Path) -> tuple[str, ...]:
    """Return the names of the visible sheets, in their order. Raises SourceError."""
    return tuple(sheet.name for sheet in list_parts(path)[1] if sheet.is_visible)


def _choose(
    container: Container, sheets: tuple[SheetPart, ...], options: SourceOptions
) -> tuple[_Head, tuple[str, ...]]:
    """Return the sheet to read, and the names of those whose header serves as well."""
    if options.sheets is not None:
        head = _head(container, _pinned(container.path, sheets, options.sheets[0]))
        if head is None:
            raise _no_rows(container.path, f"sheet '{options.sheets[0]}' is empty")
        return head, ()
    visible = [sheet for sheet in sheets if sheet.is_visible]
    heads = (head for head in (_head(container, sheet) for sheet in visible) if head is not None)
    enough = 1 if options.header_score is None else None
    scored = [(head.score(options), head) for head in itertools.islice(heads, enough)]
    if not scored:
        raise _no_rows(container.path, "no visible sheet of the workbook holds anything")
    best, chosen = max(scored, key=lambda pair: pair[0])
    rivals = tuple(head.sheet.name for score, head in scored if score == best > 0 and head is not chosen)
    return chosen, rivals


def _pinned(path: Path, sheets: tuple[SheetPart, ...], name: str) -> SheetPart:
    named = {sheet.name: sheet for sheet in sheets}
    if name in named:
        return named[name]
    near = difflib.get_close_matches(name, named, n=1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    raise SourceError(
        f"the workbook has no sheet '{name}'",
        code="sheet-unknown",
        where=str(path),
        hint=f"{guess}its sheets are {', '.join(named)}",
    )


def _head(container: Container, sheet: SheetPart) -> _Head | None:
    """Return the start of the sheet, scanned; None for one without values."""
    scan = scan_sheet(container, sheet)
    loaded = _load(container.path, sheet.name)
    if loaded.start is None:
        return None
    numbered = ((number, row) for number, row in enumerate(loaded.iter_rows(), start=1) if not is_blank(row))
    rows = tuple((number, tuple(map(cell_text, row))) for number, row in itertools.islice(numbered, SEARCHED_ROWS))
    return _Head(sheet, scan, loaded.start[1], rows) if rows else None


def _header(path: Path, head: _Head, pinned: int | None, score: HeaderScore | None) -> tuple[tuple[str, ...], int]:
    """Return the header and its row (0: none)."""
    if pinned == 0:
        width = len(head.rows[0][1])
        return tuple(column_letters(head.first_column + place) for place in range(width)), 0
    if pinned is not None:
        return _pinned_header(path, head, pinned), pinned
    place = find_header([row for _, row in head.rows], score)
    if place is None:
        raise AssertionError(f"BUG: a head without rows: {head.sheet.name}")
    number, row = head.rows[place]
    return tuple(cell.strip() for cell in row), number


def _pinned_header(path: Path, head: _Head, pinned: int) -> tuple[str, ...]:
    row = dict(head.rows).get(pinned)
    if row is None:
        loaded = _load(path, head.sheet.name)
        found = next(itertools.islice(loaded.iter_rows(), pinned - 1, None), None)
        row = None if found is None or is_blank(found) else tuple(map(cell_text, found))
    if row is None:
        raise SourceError(
            f"the header is said to stand in row {pinned}, and that row of sheet '{head.sheet.name}' is blank",
            code="header-row",
            where=str(path),
            hint="correct `header_row`, or leave it out",
        )
    return tuple(cell.strip() for cell in row)


def _load(path: Path, sheet: str) -> CalamineSheet:
    """Return the sheet, read whole. Only for a sheet that was scanned: calamine can abort the process."""
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            return workbook.get_sheet_by_name(sheet)
    except BaseException as error:
        # A panic in calamine arrives as a BaseException of a class that cannot be imported.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise damaged(path, f"sheet '{sheet}' cannot be read ({error})") from error
        raise


def _no_rows(path: Path, message: str) -> SourceError:
    return SourceError(message, code="sheet-empty", where=str(path), hint="name the sheet that holds the table")


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return status.st_size, status.st_mtime_ns
