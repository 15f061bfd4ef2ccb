"""Binary Excel workbooks (.xlsb): what their records say that the reader does not, within limits.

Facts of the format: [MS-XLSB]. Parts of a zip container; the sheets' parts are records, the links between them XML.
"""

from __future__ import annotations

import posixpath
import struct
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from etl.errors import SourceError
from etl.sources.biff_records import error_text, new_records
from etl.sources.leading_zeros import ZeroRuns, zeros_of
from etl.sources.serial_dates import is_date_format
from etl.sources.sheet_area import SheetArea
from etl.sources.sheet_scan import MOST_COLUMNS, MOST_ROWS, BookScanner, CellMark, Merge, SheetPart, SheetScan
from etl.sources.workbook_parts import Container, damaged, hostile, open_container
from etl.sources.workbook_xml import targets_of

_WORKBOOK, _LINKS = "xl/workbook.bin", "xl/_rels/workbook.bin.rels"
_WORKSHEETS = "worksheets"
_KINDS = (_WORKSHEETS, "chartsheets", "dialogsheets")
"""Folders of the parts; the reader gives up at a workbook with a sheet of another kind."""

_ROW, _BLANK, _ERROR, _FORMULA_ERROR = 0x00, 0x01, 0x03, 0x0B
_RK = 0x02
_NUMBERS = frozenset((_RK, 0x05, 0x09))
_FILLED = frozenset((_RK, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A))
"""Numbers, booleans, texts, by themselves and as results of formulas."""
_NOT_READ = frozenset((*range(0x0C, 0x13), 0x3E))
"""Cells without a column of their own, and texts formatted in part: the reader passes them over."""
_DATA_END, _COLUMN, _MERGE, _FILTER = 0x92, 0x3C, 0xB0, 0xA3
_SHEET_RECORDS = _FILLED | _NOT_READ | {_ROW, _BLANK, _ERROR, _FORMULA_ERROR, _DATA_END, _COLUMN, _MERGE, _FILTER}
_PROPERTIES, _BUNDLE, _BUNDLES_END, _STRINGS = 0x99, 0x9C, 0x90, 0x9F
_FORMAT, _FORMATS_OF_CELLS, _FORMATS_OF_CELLS_END, _CELL_FORMAT = 0x2C, 0x0269, 0x026A, 0x2F
_STYLES = "xl/styles.bin"
_HIDDEN_ROW, _HIDDEN_COLUMN = 0x10, 0x01
_WORD = struct.Struct("<I")


def open_scanner(path: Path) -> BookScanner:
    """Return the scanner of a workbook. Raises SourceError where it is damaged or beyond a limit."""
    container = open_container(path)
    try:
        is_1904, sheets = _list_sheets(container)
        _check_strings(container)
        dates, zeros = _formats(container)
    except (struct.error, IndexError) as error:
        raise damaged(path, "a record of the workbook is too short") from error
    return XlsbScanner(container, sheets, dates, zeros, is_1904)


@dataclass(frozen=True, slots=True)
class XlsbScanner:
    """See `BookScanner`."""

    container: Container
    sheets: tuple[SheetPart, ...]
    _dates: frozenset[int]
    _zeros: dict[int, str]
    _is_1904: bool

    def scan(self, sheet: SheetPart) -> SheetScan:
        """Look at one sheet. Raises SourceError."""
        path = self.container.path
        look = _SheetLook(SheetArea(path, sheet.name), self._dates, self._zeros, self._is_1904)
        try:
            for kind, data in new_records(path, self.container.inflate(sheet.part), _SHEET_RECORDS):
                look.record(kind, data)
        except (struct.error, IndexError) as error:
            raise damaged(path, f"a record of sheet '{sheet.name}' is too short") from error
        return look.result()


@dataclass(slots=True)
class _SheetLook:
    """What is known of a sheet so far."""

    area: SheetArea
    dates: frozenset[int]
    formats: dict[int, str]
    is_1904: bool
    last_row: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    has_filter: bool = False
    serial_dates: dict[int, array[int]] = field(default_factory=dict)
    zeros: ZeroRuns = field(default_factory=ZeroRuns)
    _row: int = 0
    _is_over: bool = False

    def record(self, kind: int, data: bytes) -> None:
        if kind in _FILLED and not self._is_over:
            column = self._fill(data)
            # The reader gives these as numbers, whatever their format says: a whole number, not one of hundredths.
            if kind == _RK and data[8] & 3 == 2 and int.from_bytes(data[4:7], "little") in self.dates:
                self._date(column)
            if self.formats and kind in _NUMBERS:
                zeros = self.formats.get(int.from_bytes(data[4:7], "little"))
                if zeros is not None:
                    self.zeros.note(self._row, column, zeros)
        elif kind == _ROW:
            self._start_row(data)
        elif kind == _BLANK:
            self.last_row = max(self.last_row, self._row)
        elif kind in (_ERROR, _FORMULA_ERROR):
            column = self._fill(data)
            self.area.mark(range(self._row, self._row + 1), (CellMark(column, "error-cell", error_text(data[8])),))
        elif kind in _NOT_READ:
            raise damaged(self.area.path, f"sheet '{self.area.sheet}' holds cells in a form that is not read")
        else:
            self._about_sheet(kind, data)

    def result(self) -> SheetScan:
        if not self._is_over:
            raise damaged(self.area.path, f"sheet '{self.area.sheet}' is cut short")
        self.area.check()
        return SheetScan(
            self.last_row,
            self.area.marks,
            frozenset(row for row in self.hidden_rows if row <= self.last_row),
            frozenset(self.hidden_columns),
            tuple(self.merges),
            self.has_filter,
            {column: tuple(zip(runs[::2], runs[1::2], strict=True)) for column, runs in self.serial_dates.items()},
            self.is_1904,
            zeros=self.zeros.by_column(),
        )

    def _date(self, column: int) -> None:
        runs = self.serial_dates.setdefault(column, array("I"))
        if runs and runs[-1] == self._row - 1:
            runs[-1] = self._row
        else:
            runs.extend((self._row, self._row))

    def _fill(self, data: bytes) -> int:
        (column,) = _WORD.unpack_from(data)
        if len(data) < 9:
            raise IndexError
        self.area.fill(self._row, column)
        if self._row > self.last_row:
            self.last_row = self._row
        return int(column)

    def _start_row(self, data: bytes) -> None:
        self._row = _WORD.unpack_from(data)[0] + 1
        if self._row > MOST_ROWS:
            raise hostile(self.area.path, f"sheet '{self.area.sheet}' has a row {self._row:,}")
        if data[11] & _HIDDEN_ROW:
            self.hidden_rows.add(self._row)

    def _about_sheet(self, kind: int, data: bytes) -> None:
        if kind == _DATA_END:
            self._is_over = True
        elif kind == _FILTER:
            self.has_filter = True
        elif kind == _COLUMN:
            first, last = struct.unpack_from("<II", data)
            if data[16] & _HIDDEN_COLUMN:
                self.hidden_columns.update(range(first, min(last, MOST_COLUMNS - 1) + 1))
        else:
            top, bottom, left, right = struct.unpack_from("<4I", data)
            self.merges.append(Merge(top + 1, bottom + 1, left, right))


def _list_sheets(container: Container) -> tuple[bool, tuple[SheetPart, ...]]:
    """Return whether days count from 1904, and the worksheets."""
    path = container.path
    targets = targets_of(container, _LINKS)
    sheets: list[SheetPart] = []
    is_1904 = False
    wanted = frozenset((_PROPERTIES, _BUNDLE, _BUNDLES_END))
    for kind, data in new_records(path, container.inflate(_WORKBOOK), wanted):
        if kind == _BUNDLES_END:
            break
        if kind == _PROPERTIES:
            is_1904 = bool(data[0] & 1)
            continue
        state = _WORD.unpack_from(data)[0]
        link, place = _wide(data, 8)
        name, _ = _wide(data, place)
        part = targets.get(link, "")
        kind_of_sheet = part.partition("/")[2].partition("/")[0]
        if kind_of_sheet not in _KINDS:
            raise _unknown_sheet(path, name)
        if kind_of_sheet == _WORKSHEETS:
            sheets.append(SheetPart(name, part, state == 0))
    if not sheets:
        raise damaged(path, "it has no sheets")
    if len({sheet.name for sheet in sheets}) != len(sheets):
        raise hostile(path, "two of its sheets have one name")
    return is_1904, tuple(sheets)


def _unknown_sheet(path: Path, name: str) -> SourceError:
    return SourceError(
        f"sheet '{name}' is of a kind that is not read in an .xlsb, such as a macro sheet",
        code="format-unknown",
        where=str(path),
        hint="save the workbook as .xlsx",
    )


def _wide(data: bytes, place: int) -> tuple[str, int]:
    """Return a text of UTF-16 with its length before it, and where it ends."""
    (length,) = _WORD.unpack_from(data, place)
    if length == 0xFFFFFFFF:
        return "", place + 4
    end = place + 4 + 2 * length
    if end > len(data):
        raise IndexError
    return data[place + 4 : end].decode("utf-16-le", "replace"), end


def _check_strings(container: Container) -> None:
    """Walk through the texts, which the reader takes in whole: a claim of their size is no promise."""
    for name, part in container.parts.items():
        if posixpath.basename(name) != "sharedstrings.bin":
            continue
        for _kind, data in new_records(container.path, container.inflate(name), frozenset((_STRINGS,))):
            count = _WORD.unpack_from(data, 4)[0]
            if count > part.file_size:
                raise hostile(container.path, f"it claims {count:,} texts, more than its size can hold")


def _formats(container: Container) -> tuple[frozenset[int], dict[int, str]]:
    """Return the numbers of the cell formats that show dates, and of those that show leading zeros, with the zeros."""
    if _STYLES not in container.parts:
        return frozenset(), {}
    codes: dict[int, str] = {}
    formats: list[int] = []
    is_of_cells = False
    wanted = frozenset((_FORMAT, _FORMATS_OF_CELLS, _FORMATS_OF_CELLS_END, _CELL_FORMAT))
    for kind, data in new_records(container.path, container.inflate(_STYLES), wanted):
        if kind == _FORMAT:
            codes[struct.unpack_from("<H", data)[0]] = _wide(data, 2)[0]
        elif kind == _CELL_FORMAT and is_of_cells:
            formats.append(struct.unpack_from("<H", data, 2)[0])
        elif kind in (_FORMATS_OF_CELLS, _FORMATS_OF_CELLS_END):
            is_of_cells = kind == _FORMATS_OF_CELLS
    found = ((place, zeros_of(codes.get(number, ""))) for place, number in enumerate(formats))
    zeros = {place: zeros for place, zeros in found if zeros is not None}
    return frozenset(place for place, number in enumerate(formats) if is_date_format(number, codes)), zeros
