"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): scanned for what may do harm or be missed, then parsed in a child."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from etl.cells import column_letters
from etl.errors import SourceError
from etl.formulas import as_it_was
from etl.records import SourceRef
from etl.sent_back import columns_beside, place_of_reasons, place_without_header, without
from etl.sources import ods_scan, workbook_scan, xls_scan, xlsb_scan
from etl.sources.base import SourceOptions, Table
from etl.sources.header import SEARCHED_ROWS, best_score, find_header, is_blank
from etl.sources.kinds import ODS, XLS, XLSB, XLSX
from etl.sources.sheet_scan import BookScanner, SheetPart, SheetScan
from etl.sources.workbook_notes import notes_of
from etl.sources.workbook_process import Book, Head, SheetRequest, read_heads, state_of
from etl.sources.workbook_sheets import choose
from etl.sources.workbook_table import WorkbookTable

SCANNERS: dict[str, Callable[[Path], BookScanner]] = {
    XLSX: workbook_scan.open_scanner,
    XLSB: xlsb_scan.open_scanner,
    XLS: xls_scan.open_scanner,
    ODS: ods_scan.open_scanner,
}


@dataclass(frozen=True, slots=True)
class _Start:
    """The start of a sheet that holds anything: its first rows, cut to the columns that are read."""

    sheet: SheetPart
    scan: SheetScan
    origin: int
    columns: tuple[int, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def score(self, options: SourceOptions) -> int:
        rows = [row for number, row in self.rows if options.header_row in (None, number)]
        best = best_score(rows, options.header_score)
        return best[0] if best else 0


def open_tables(kind: str, path: Path, name: str, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the sheets that are to be read: those that `options` names, else the one whose header scores best.

    Hidden sheets are read only where they are named or numbered. Raises SourceError.
    """
    book = Book(path, state_of(path))
    scanner = SCANNERS[kind](path)
    if options.sheets is not None:
        rivals: tuple[str, ...] = ()
        starts = _asked_for(book, scanner, options)
    else:
        best, rivals = _best(book, scanner, options)
        starts = [best]
    return [
        _table(book, kind, SourceRef(index, name, start.sheet.name), start, options, rivals)
        for index, start in enumerate(starts, start=first_index)
    ]


def list_sheets(kind: str, path: Path) -> tuple[str, ...]:
    """Return the names of the visible sheets, in their order. Raises SourceError."""
    return tuple(sheet.name for sheet in SCANNERS[kind](path).sheets if sheet.is_visible)


def _table(
    book: Book, kind: str, ref: SourceRef, start: _Start, options: SourceOptions, rivals: tuple[str, ...]
) -> Table:
    header, row = _header(book.path, start, options)
    last = row + options.skip_rows
    notes = notes_of(start.scan, ref.sheet, options, data_after=last, columns=start.columns)
    head = tuple((number, _from_first(cells, start.columns)) for number, cells in start.rows if number <= last)
    names, columns, aside = _sent_back(header, row, last, start)
    return WorkbookTable(
        book, kind, ref, names, row, columns, start.origin, start.sheet.part, options, start.scan, rivals, notes,
        head, aside,
    )  # fmt: skip


def _sent_back(
    header: tuple[str, ...], header_row: int, last: int, start: _Start
) -> tuple[tuple[str, ...], tuple[int, ...], int | None]:
    """Return the person's own columns, where they stand, and where the column of reasons does, if there is one."""
    if header_row:
        place = place_of_reasons(header)
    else:
        first = next((cells for number, cells in start.rows if number > last), ())
        found = place_without_header(first)
        place = None if found is None else found[0]
    if place is None:
        return header, start.columns, None
    columns = tuple(without(start.columns, place))
    if header_row:
        own = pa.array(columns_beside(header, place), pa.string())
        return tuple(as_it_was(own).to_pylist()), columns[: len(own)], start.columns[place]
    # They are called by the letters that they had in the person's sheet.
    own_letters = (column_letters(column - (column > start.columns[place])) for column in columns)
    return tuple(own_letters), columns, start.columns[place]


def _from_first(cells: Sequence[str], columns: Sequence[int]) -> tuple[str, ...]:
    """Return cells that stand in these columns of the sheet as they stand from column A on."""
    by_column = dict(zip(columns, cells, strict=True))
    return tuple(by_column.get(column, "") for column in range(columns[-1] + 1))


def _asked_for(book: Book, scanner: BookScanner, options: SourceOptions) -> list[_Start]:
    wanted = options.sheets or ()
    chosen = choose(book.path, scanner.sheets, wanted)
    starts = _starts(book, scanner, [one.sheet for one in chosen], options)
    for one in chosen:
        if one.is_named and one.sheet.name not in starts:
            raise _no_rows(book.path, f"sheet '{one.sheet.name}' is empty")
    if not starts:
        asked = ", ".join(f"'{one}'" for one in wanted)
        raise _no_rows(book.path, f"none of the sheets that {asked} means holds anything")
    return list(starts.values())


def _best(book: Book, scanner: BookScanner, options: SourceOptions) -> tuple[_Start, tuple[str, ...]]:
    """Return the sheet to read, and the names of those whose header serves as well."""
    visible = [sheet for sheet in scanner.sheets if sheet.is_visible]
    if options.header_score is None:
        for sheet in visible:
            for start in _starts(book, scanner, [sheet], options).values():
                return start, ()
    scored = [(one.score(options), one) for one in _starts(book, scanner, visible, options).values()]
    if not scored:
        raise _no_rows(book.path, "no visible sheet of the workbook holds anything")
    best, chosen = max(scored, key=lambda pair: pair[0])
    return chosen, tuple(one.sheet.name for score, one in scored if score == best > 0 and one is not chosen)


def _starts(book: Book, scanner: BookScanner, sheets: Sequence[SheetPart], options: SourceOptions) -> dict[str, _Start]:
    """Return the starts of those sheets that hold anything, by name, in their order; scanned before they are read."""
    scans = {sheet.name: scanner.scan(sheet) for sheet in sheets}
    filled = {name: scan for name, scan in scans.items() if scan.last_row}
    if not filled:
        return {}
    by_name = {sheet.name: sheet for sheet in sheets}
    requests = [
        SheetRequest(
            name,
            by_name[name].part if scan.has_gaps else None,
            () if options.hidden_rows else tuple(scan.hidden_rows),
        )
        for name, scan in filled.items()
    ]
    heads = read_heads(
        book,
        requests,
        most_rows=SEARCHED_ROWS,
        pinned=options.header_row or None,
        comment=options.comment,
    )
    starts = (_start(by_name[head.sheet], filled[head.sheet], head, options) for head in heads)
    return {start.sheet.name: start for start in starts if start.rows}


def _start(sheet: SheetPart, scan: SheetScan, head: Head, options: SourceOptions) -> _Start:
    width = len(head.rows[0][1]) if head.rows else 0
    hidden = frozenset() if options.hidden_columns else scan.hidden_columns
    places = [place for place in range(width) if place + head.first_column not in hidden]
    # What the reader leaves out of a text is put in here too, for the header.
    rows = (
        (number, tuple(_whole(scan, number, place + head.first_column) or row[place] for place in places))
        for number, row in head.rows
    )
    return _Start(
        sheet,
        scan,
        head.first_column,
        tuple(place + head.first_column for place in places),
        tuple((number, row) for number, row in rows if not is_blank(row)),
    )


def _whole(scan: SheetScan, row: int, column: int) -> str:
    return scan.texts.get(column, {}).get(row, "")


def _header(path: Path, start: _Start, options: SourceOptions) -> tuple[tuple[str, ...], int]:
    """Return the header and its row (0: none)."""
    pinned = options.header_row
    if pinned == 0:
        return tuple(map(column_letters, start.columns)), 0
    if pinned is not None:
        return _names(_pinned(path, start, pinned)), pinned
    place = find_header([row for _, row in start.rows], options.header_score)
    if place is None:
        raise AssertionError(f"BUG: a start without rows: {start.sheet.name}")
    number, row = start.rows[place]
    return _names(row), number


def _names(row: Iterable[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row)


def _pinned(path: Path, start: _Start, pinned: int) -> tuple[str, ...]:
    row = dict(start.rows).get(pinned)
    if row is None:
        raise SourceError(
            f"the header is said to stand in row {pinned}, and that row of sheet '{start.sheet.name}' is blank",
            code="header-row",
            where=str(path),
            hint="correct `header_row`, or leave it out",
        )
    return row


def _no_rows(path: Path, message: str) -> SourceError:
    return SourceError(message, code="sheet-empty", where=str(path), hint="name the sheet that holds the table")
