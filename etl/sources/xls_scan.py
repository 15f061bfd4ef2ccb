"""Old Excel workbooks (.xls, BIFF5 and BIFF8): what their records say that the reader does not, within limits.

Facts of the format: [MS-XLS]. A sheet is a run of records from its BOF to its EOF; charts in it are such runs too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etl.errors import SourceError
from etl.sources.biff_records import error_text, old_records
from etl.sources.leading_zeros import ZeroRuns, zeros_of
from etl.sources.ole_file import OleFile, OleStream
from etl.sources.sheet_area import SheetArea
from etl.sources.sheet_scan import MOST_ZERO_RUNS, BookScanner, CellMark, Merge, SheetPart, SheetScan
from etl.sources.workbook_parts import damaged, hostile, protected

MOST_SHEETS = 2_000

_BOF, _EOF, _FILEPASS, _CODEPAGE, _BOUNDSHEET, _SST, _CONTINUE = 0x0809, 0x0A, 0x2F, 0x42, 0x85, 0xFC, 0x3C
_OLD_BOFS = {0x0009: "2", 0x0209: "3", 0x0409: "4"}
_FORMAT, _CELL_FORMAT = 0x041E, 0xE0
_DIMENSIONS, _ROW, _COLINFO, _FILTERMODE, _MERGES = 0x0200, 0x0208, 0x7D, 0x9B, 0xE5
_BLANK, _MULBLANK, _NUMBER, _LABEL, _BOOLERR, _RK, _MULRK = 0x0201, 0xBE, 0x0203, 0x0204, 0x0205, 0x027E, 0xBD
_LABELSST, _RSTRING, _FORMULA, _STRING = 0xFD, 0xD6, 0x06, 0x0207
_ONE_NUMBER = frozenset((_NUMBER, _RK))
_ONE_CELL = frozenset((_NUMBER, _LABEL, _RK, _LABELSST, _RSTRING))
_BOOK_RECORDS = frozenset((_BOF, _EOF, _FILEPASS, _CODEPAGE, _BOUNDSHEET, _SST, _FORMAT, _CELL_FORMAT, *_OLD_BOFS))
_SHEET_RECORDS = frozenset(
    (_BOF, _EOF, _DIMENSIONS, _ROW, _COLINFO, _FILTERMODE, _MERGES, _BLANK, _MULBLANK, _BOOLERR, _MULRK)
) | _ONE_CELL | {_FORMULA, _STRING, _CONTINUE}  # fmt: skip

_BIFF8 = 0x0600
_VISIBLE = 0
_WORKSHEET = 0
_HIDDEN_ROW, _HIDDEN_COLUMN = 0x20, 0x01
_CELL = struct.Struct("<HH")
_MOST_OLD_ROWS, _MOST_OLD_COLUMNS = 65_536, 256


def too_old(path: Path) -> SourceError:
    """Return the SourceError for a workbook of Excel 2 to 4 (before 1993)."""
    return SourceError(
        "this is a workbook of Excel 4 or older, which is not read",
        code="format-unknown",
        where=str(path),
        hint="open it in LibreOffice and save it as .xlsx",
    )


def open_scanner(path: Path) -> BookScanner:
    """Return the scanner of a workbook. Raises SourceError where it is damaged, protected, or beyond a limit."""
    container = OleFile(path)
    stream = container.stream("Workbook" if "Workbook" in container.names else "Book")
    book = _look_at_book(stream)
    # The reader takes in every sheet, charts too, whichever is asked for: so the limits hold for all.
    zeros = book.zeros()
    scans = {part.part: _look_at_sheet(stream, part, limit, zeros) for part, limit in book.spans()}
    return XlsScanner(tuple(book.worksheets), scans)


@dataclass(frozen=True, slots=True)
class XlsScanner:
    """See `BookScanner`. `part` of a sheet: where it starts in the stream, in bytes."""

    sheets: tuple[SheetPart, ...]
    _scans: dict[str, SheetScan] = field(repr=False)

    def scan(self, sheet: SheetPart) -> SheetScan:
        """Return what was found of one sheet."""
        return self._scans[sheet.part]


def _look_at_sheet(stream: OleStream, sheet: SheetPart, limit: int, formats: Mapping[int, str]) -> SheetScan:
    start = int(sheet.part)
    look = _SheetLook(SheetArea(stream.path, sheet.name), formats=formats)
    # A chart within a sheet has a BOF and an EOF of its own. The reader reserves memory by its dimensions too.
    depth = 0
    for kind, data, end in old_records(stream.path, stream.blocks(start), _SHEET_RECORDS, start):
        if end > limit:
            raise hostile(stream.path, f"sheet '{sheet.name}' reaches into the next one")
        if kind == _BOF:
            depth += 1
        elif depth == 0:
            raise damaged(stream.path, f"sheet '{sheet.name}' does not start where the workbook says")
        elif kind == _EOF:
            depth -= 1
            if depth == 0:
                return look.result()
        else:
            look.record(kind, data, depth > 1)
    raise damaged(stream.path, f"sheet '{sheet.name}' is cut short")


@dataclass(slots=True)
class _SheetLook:
    """What is known of a sheet so far."""

    area: SheetArea
    last_row: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    has_filter: bool = False
    formats: Mapping[int, str] = field(default_factory=dict)
    zeros: ZeroRuns = field(default_factory=ZeroRuns)
    _text_of: tuple[int, int] | None = None
    _text_came: bool = False

    def record(self, kind: int, data: bytes, is_nested: bool) -> None:
        if is_nested and kind != _DIMENSIONS:
            return
        if kind in _ONE_CELL:
            if self._text_of:
                self._end_text()
            row, column = self._fill(data, 1)
            if self.formats and kind in _ONE_NUMBER:
                self._shown(row, column, data[4] | data[5] << 8)
            return
        try:
            self._other(kind, data)
        except (struct.error, IndexError) as error:
            raise damaged(self.area.path, f"a record of sheet '{self.area.sheet}' is too short") from error

    def _other(self, kind: int, data: bytes) -> None:
        if kind == _STRING:
            self._text_came = True
        elif kind == _CONTINUE:
            self._continued()
        elif kind in _CELLS:
            self._end_text()
            _CELLS[kind](self, data)
        elif kind in _ABOUT_SHEET:
            _ABOUT_SHEET[kind](self, data)

    def result(self) -> SheetScan:
        self._end_text()
        self.area.check()
        last = self.last_row
        return SheetScan(
            last,
            self.area.marks,
            frozenset(row for row in self.hidden_rows if row <= last),
            frozenset(self.hidden_columns),
            tuple(self.merges),
            self.has_filter,
            zeros=self.zeros.by_column(),
        )

    def _shown(self, row: int, column: int, number: int) -> None:
        if number in self.formats:
            self.zeros.note(row, column, self.formats[number])
            if self.zeros.count > MOST_ZERO_RUNS:
                places = f"more than {MOST_ZERO_RUNS:,} separate places"
                raise hostile(self.area.path, f"sheet '{self.area.sheet}' has leading zeros in {places}")

    def _fill(self, data: bytes, width: int) -> tuple[int, int]:
        if len(data) < 6:
            raise damaged(self.area.path, f"a cell of sheet '{self.area.sheet}' is cut short")
        row, column = _CELL.unpack_from(data)
        row += 1
        if row > self.last_row:
            self.last_row = row
        if width == 1:
            self.area.fill(row, column)
        else:
            self.area.widen(row, row, column, column + width - 1)
        return row, column

    def blank(self, data: bytes) -> None:
        self.last_row = max(self.last_row, _CELL.unpack_from(data)[0] + 1)

    def many(self, data: bytes) -> None:
        width = max(1, (len(data) - 6) // 6)
        row, column = self._fill(data, width)
        for place in range(width if self.formats else 0):
            self._shown(row, column + place, int.from_bytes(data[4 + 6 * place : 6 + 6 * place], "little"))

    def bool_or_error(self, data: bytes) -> None:
        row, column = self._fill(data, 1)
        if data[7]:
            self._mark(row, column, "error-cell", error_text(data[6]))

    def formula(self, data: bytes) -> None:
        row, column = self._fill(data, 1)
        # [MS-XLS] 2.5.133 FormulaValue: a number, unless its last two bytes are FF FF.
        if data[12:14] != b"\xff\xff":
            self._shown(row, column, data[4] | data[5] << 8)
            return
        if data[6] == 2:
            self._mark(row, column, "error-cell", error_text(data[8]))
        elif data[6] == 0:
            self._text_of, self._text_came = (row, column), False

    def _end_text(self) -> None:
        """Mark a formula whose result is text, where no text came."""
        if self._text_of and not self._text_came:
            self._mark(*self._text_of, "formula-without-value")
        self._text_of = None

    def _continued(self) -> None:
        # The reader gives the first piece of a formula's long text only, and says nothing.
        if self._text_of and self._text_came:
            self._mark(*self._text_of, "formula-text-cut")
            self._text_of = None

    def _mark(self, row: int, column: int, code: str, value: str = "") -> None:
        self.area.mark(range(row, row + 1), (CellMark(column, code, value),))

    def row(self, data: bytes) -> None:
        if data[12] & _HIDDEN_ROW:
            self.hidden_rows.add(_CELL.unpack_from(data)[0] + 1)

    def columns(self, data: bytes) -> None:
        first, last = _CELL.unpack_from(data)
        if data[8] & _HIDDEN_COLUMN:
            self.hidden_columns.update(range(first, min(last, _MOST_OLD_COLUMNS - 1) + 1))

    def merged(self, data: bytes) -> None:
        (count,) = struct.unpack_from("<H", data)
        for number in range(count):
            first, last, left, right = struct.unpack_from("<4H", data, 2 + number * 8)
            self.merges.append(Merge(first + 1, last + 1, left, right))

    def filtered(self, _data: bytes) -> None:
        self.has_filter = True

    def dimensions(self, data: bytes) -> None:
        """Refuse what the reader would reserve memory for: wrong dimensions are common, impossible ones are not."""
        wide = len(data) == 14
        first, last, left, right = struct.unpack_from("<IIHH" if wide else "<4H", data)
        rows_fit = first <= last <= _MOST_OLD_ROWS or last == 0
        columns_fit = left <= right <= _MOST_OLD_COLUMNS or right == 0
        if not rows_fit or not columns_fit:
            raise hostile(self.area.path, f"sheet '{self.area.sheet}' claims {last:,} rows and {right:,} columns")


_CELLS = {
    _BLANK: _SheetLook.blank,
    _MULBLANK: _SheetLook.blank,
    _MULRK: _SheetLook.many,
    _BOOLERR: _SheetLook.bool_or_error,
    _FORMULA: _SheetLook.formula,
}
_ABOUT_SHEET = {
    _ROW: _SheetLook.row,
    _COLINFO: _SheetLook.columns,
    _MERGES: _SheetLook.merged,
    _FILTERMODE: _SheetLook.filtered,
    _DIMENSIONS: _SheetLook.dimensions,
}


@dataclass(slots=True)
class _BookLook:
    """What the records before the first sheet say."""

    stream: OleStream
    version: int = 0
    encoding: str = "cp1252"
    worksheets: list[SheetPart] = field(default_factory=list)
    parts: dict[int, SheetPart] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    formats: list[int] = field(default_factory=list)

    def zeros(self) -> dict[int, str]:
        """Return the zeros of the cell formats that are made of them, by the number by which cells name a format."""
        found = ((place, zeros_of(self.codes.get(number, ""))) for place, number in enumerate(self.formats))
        return {place: zeros for place, zeros in found if zeros is not None}

    def spans(self) -> Iterator[tuple[SheetPart, int]]:
        """Yield each sheet, whatever its kind, and where the next one starts."""
        starts = sorted(self.parts)
        for start, limit in zip(starts, [*starts[1:], self.stream.size], strict=True):
            yield self.parts[start], limit

    def record(self, kind: int, data: bytes) -> None:
        path = self.stream.path
        if kind in _OLD_BOFS:
            raise too_old(path)
        if kind == _FILEPASS:
            raise protected(path)
        if kind == _BOF:
            self.version = self.version or int.from_bytes(data[:2], "little")
        elif kind == _CODEPAGE:
            self.encoding = _codec(int.from_bytes(data[:2], "little"))
        elif kind == _SST:
            _check_strings(self.stream, data)
        elif kind == _BOUNDSHEET:
            self._bound(data)
        elif kind == _CELL_FORMAT:
            self.formats.append(int.from_bytes(data[2:4], "little"))
        elif kind == _FORMAT:
            code = _text(data, 2) if self.version >= _BIFF8 else data[3 : 3 + data[2]].decode("latin-1")
            self.codes[int.from_bytes(data[:2], "little")] = code

    def _bound(self, data: bytes) -> None:
        (position,) = struct.unpack_from("<I", data)
        if position in self.parts or len(self.parts) >= MOST_SHEETS:
            raise hostile(self.stream.path, f"two of its sheets are one, or it has more than {MOST_SHEETS:,} sheets")
        if position >= self.stream.size:
            raise damaged(self.stream.path, "a sheet starts behind the end of the file")
        sheet = _sheet(data, self.version, self.encoding)
        self.parts[position] = sheet
        if data[5] == _WORKSHEET:
            self.worksheets.append(sheet)


def _look_at_book(stream: OleStream) -> _BookLook:
    path = stream.path
    look = _BookLook(stream)
    try:
        for kind, data, _end in old_records(path, stream.blocks(), _BOOK_RECORDS):
            if kind == _EOF:
                break
            look.record(kind, data)
        else:
            raise damaged(path, "its list of sheets is cut short")
    except (struct.error, IndexError) as error:
        raise damaged(path, "a record of the list of sheets is too short") from error
    if not look.version:
        raise damaged(path, "it does not start as a workbook does")
    if not look.worksheets:
        raise damaged(path, "it has no sheets")
    if len({sheet.name for sheet in look.worksheets}) != len(look.worksheets):
        raise hostile(path, "two of its sheets have one name")
    return look


def _sheet(data: bytes, version: int, encoding: str) -> SheetPart:
    """Return the sheet of a BOUNDSHEET record. [MS-XLS] 2.4.28."""
    (position,) = struct.unpack_from("<I", data)
    state, length = data[4] & 0x3F, data[6]
    if version < _BIFF8:
        name = data[7 : 7 + length].decode(encoding, "replace")
    elif data[7] & 1:
        name = data[8 : 8 + 2 * length].decode("utf-16-le", "replace")
    else:
        name = data[8 : 8 + length].decode("latin-1")
    return SheetPart(name.replace("\0", ""), str(position), state == _VISIBLE)


def _text(data: bytes, place: int) -> str:
    """Return a text with its length before it in two bytes. [MS-XLS] 2.5.294."""
    length, is_wide = data[place] | data[place + 1] << 8, data[place + 2] & 1
    start = place + 3
    if is_wide:
        return data[start : start + 2 * length].decode("utf-16-le", "replace")
    return data[start : start + length].decode("latin-1")


def _check_strings(stream: OleStream, data: bytes) -> None:
    """Refuse a table of texts that claims more of them than the stream can hold: the reader believes it."""
    (count,) = struct.unpack_from("<I", data, 4)
    if count * 3 > stream.size:
        raise hostile(stream.path, f"it claims {count:,} texts, more than its size can hold")


def _codec(page: int) -> str:
    name = {1200: "utf-16-le", 10000: "mac_roman", 32768: "mac_roman", 32769: "cp1252"}.get(page, f"cp{page}")
    try:
        "".encode(name)
    except LookupError:
        return "cp1252"
    return name
