"""One table of the run as a sheet: the person's own, with two columns in front (status, what to do), and colours.

Row 1042 stays row 1042 (in a text file: the line), and title rows stay above the header. Where the file has no row for
the header, or only the rows with issues are shown, the header is row 1 and a third column tells each row's number.
Merged cells are not merged again, as filters and sorting would break: each row shows what counted for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from etl.cells import column_letters
from etl.records import STATUSES
from etl.reports.advice import advice, comments_of, status_of, tones_of
from etl.reports.material import Look, OwnRows, OwnTable
from etl.reports.own_values import Value, num_format, values_of
from etl.reports.row_notes import NO_STATUS, BlockNotes, RowNote
from etl.reports.workbook_style import A4, FONT, LINE_HEIGHT, ROW_HEIGHT, Styles, Tone, lines_of

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
MOST_COMMENTS = 50_000
"""Comments of a sheet: each is held until the file is written, and LibreOffice needs a millisecond to open each.
What they say stands in the second column too."""
LOWEST_FROZEN_HEADER = 20
"""A header further down would fill the screen, and leave nothing to scroll."""
_OWN = ("Status", "What to do", "Row")
_OWN_WIDTHS = (20, 62, 9)
_NARROWEST, _WIDEST, _WIDEST_OF_ALL = 9, 42, 255
_LOOKED_AT = 200
_COMMENT_WIDTH, _COMMENT_SIGNS, _COMMENT_LINE, _COMMENT_EDGE = 280, 46, 16, 16
"""Pixels, signs on a line, pixels of a line, and of both edges."""
_TALLEST_COMMENT = 420
_TALLEST_ROW = 409
_DAY, _MOMENT, _SPAN = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "[h]:mm:ss"
_MOST_PRINTED = 30
"""Columns up to which a sheet is printed one page wide; more would be too small to read."""
_SURELY_FITS = 16_000
_CUT = -2
"""What XlsxWriter answers of a text that a cell cannot hold whole."""
AUTHOR = "etl"
HEADER_HEIGHT = 22
LONGEST_CODE = 255


@dataclass(slots=True)
class Left:
    """What a sheet could not show. `columns`, `rows`, `texts` (cut), `comments`: how many."""

    columns: int = 0
    rows: int = 0
    texts: int = 0
    comments: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of some rows. `place`: where it stands, from 0; `own`: where it stood; `codes`: of number formats."""

    place: int
    own: int
    values: list[Value]
    codes: list[int | str] | None
    looks: list[Format | None] | None


@dataclass(slots=True)
class TableSheet:
    """Writes one table: `begin`, then `write` as often as there are rows, then `end`.

    `is_masked`: its values are tokens, without types, formats and title rows; `only_open`: rows without an issue are
    left out; `most`, `most_comments`: rows and comments at most; `written`: rows there are; `last`: the lowest row that
    was written, from 0.
    """

    sheet: Worksheet
    table: OwnTable
    styles: Styles
    only_open: bool = False
    is_masked: bool = False
    most: int = MOST_ROWS
    most_comments: int = MOST_COMMENTS
    left: Left = field(default_factory=Left)
    written: int = 0
    comments: int = 0
    last: int = 0
    _look: Look = field(default_factory=Look)
    _codes: list[int | str] = field(default_factory=list)
    _columns: tuple[tuple[int, int, int], ...] = ()

    @property
    def keeps_rows(self) -> bool:
        """Whether each row stands where it stood."""
        return not self.only_open and self.table.header_row > 0

    @property
    def front(self) -> int:
        """How many columns stand before the person's own."""
        return 2 if self.keeps_rows else 3

    @property
    def header_at(self) -> int:
        """The row of the header, from 0."""
        return self.table.header_row - 1 if self.keeps_rows else 0

    @property
    def is_full(self) -> bool:
        """Whether the rest of the table need not be read: no more rows are shown."""
        return self.only_open and self.written >= self.most

    def begin(self) -> None:
        """Write the header and what stands above it. Raises SourceError, OSError."""
        self._look = Look() if self.is_masked else self.table.look()
        self._codes = [num_format(code) if len(code) <= LONGEST_CODE else 0 for code in self._look.formats]
        places = [(place, own, own + self.front) for place, own in enumerate(self.table.sheet_columns)]
        self._columns = tuple(one for one in places if one[2] < MOST_COLUMNS)
        self.left.columns = len(places) - len(self._columns)
        if self.keeps_rows:
            self._write_beside(self._look.above)
        own, theirs = self.styles.header(is_ours=True), self.styles.header(is_ours=False)
        self.sheet.set_row(self.header_at, HEADER_HEIGHT)
        for place, name in enumerate(_OWN[: self.front]):
            self.sheet.write_string(self.header_at, place, name, own)
        for place, _, target in self._columns:
            self._text(self.header_at, target, self.table.header[place], theirs)
        self.last = self.header_at
        if self.keeps_rows:
            self._write_beside(self._look.below)

    def write(self, rows: OwnRows, notes: BlockNotes) -> None:
        """Write some rows, with what is told of them."""
        columns = self._columns_of(rows)
        if not self.written:
            self._set_widths(columns)
        for place, number in enumerate(rows.rows.tolist()):
            note = notes.of.get(place)
            if self.only_open and note is None:
                continue
            if self.is_full:
                break
            at = number - 1 if self.keeps_rows else self.last + 1
            if at >= MOST_ROWS:
                self.left.rows += 1
                continue
            self._front(at, number, int(notes.status[place]), note)
            if note is None:
                self._cells(at, place, columns)
            else:
                self._noted_cells(at, place, columns, note)
            self.last = at
            self.written += 1

    def end(self) -> None:
        """Set what concerns the sheet as a whole: what is frozen and filtered, how it is printed."""
        sheet, last_column = self.sheet, max((one[2] for one in self._columns), default=self.front - 1)
        is_high = self.header_at < LOWEST_FROZEN_HEADER
        sheet.freeze_panes(self.header_at + 1 if is_high else 0, self.front)
        sheet.autofilter(self.header_at, 0, self.last, last_column)
        sheet.ignore_errors({"number_stored_as_text": f"A1:{column_letters(last_column)}{self.last + 1}"})
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer("&L&8&A&R&8&P / &N")
        if is_high:
            sheet.repeat_rows(self.header_at)
        if last_column < _MOST_PRINTED:
            sheet.fit_to_pages(1, 0)

    def _write_beside(self, rows: Sequence[tuple[int, tuple[str, ...]]]) -> None:
        """Write rows that are not read: titles above the header, and what the mapping passes over below it."""
        for number, cells in rows:
            for column, text in enumerate(cells):
                if text and column + self.front < MOST_COLUMNS:
                    self._text(number - 1, column + self.front, text, None)
            self.last = number - 1

    def _set_widths(self, columns: Sequence[_Column]) -> None:
        for place, width in enumerate(_OWN_WIDTHS[: self.front]):
            self.sheet.set_column(place, place, width)
        theirs = self._look.widths
        for (place, own, target), column in zip(self._columns, columns, strict=True):
            if theirs is None:
                longest = max((len(str(value)) for value in column.values[:_LOOKED_AT]), default=0)
                # The header's button for the filter takes room as well.
                width = min(max(_NARROWEST, len(self.table.header[place]) + 4, longest + 2), _WIDEST)
                self.sheet.set_column(target, target, width)
            elif theirs.get(own, 0) > 0:  # a hidden one has none: what is wrong in it is to be seen
                self.sheet.set_column(target, target, min(theirs[own], _WIDEST_OF_ALL))

    def _columns_of(self, rows: OwnRows) -> list[_Column]:
        found = []
        for place, own, target in self._columns:
            typed = None if self.is_masked else rows.typed.get(place)
            formats = None if self.is_masked else rows.formats.get(place)
            values = values_of(rows.texts[place], typed, formats, self._look.formats)
            codes = None
            if typed is not None or formats is not None:
                given = [0] * len(values) if formats is None else formats.tolist()
                codes = [self._code(value, self._codes[one]) for value, one in zip(values, given, strict=True)]
            looks = None if codes is None else [self.styles.cell(code) for code in codes]
            found.append(_Column(target, own, values, codes, looks))
        return found

    def _code(self, value: Value, code: int | str) -> int | str:
        """Return the number format of a value: days and times are never shown as bare numbers."""
        if code or not isinstance(value, date | timedelta):
            return code
        if isinstance(value, timedelta):
            return _SPAN
        return _MOMENT if isinstance(value, datetime) and value.time() != time() else _DAY

    def _front(self, at: int, number: int, status: int, note: RowNote | None) -> None:
        if status != NO_STATUS:
            word, tone = status_of(STATUSES[status], note)
            self.sheet.write_string(at, 0, word, self.styles.status(tone, is_bold=note is not None))
        if note is not None:
            text = "\n".join(advice(note))
            height = ROW_HEIGHT + LINE_HEIGHT * (lines_of(text, _OWN_WIDTHS[1] - 2) - 1)
            self.sheet.set_row(at, min(height, _TALLEST_ROW))
            self.sheet.write_string(at, 1, text, self.styles.advice())
        if self.front > 2:
            self.sheet.write_number(at, 2, number, self.styles.number())

    def _cells(self, at: int, place: int, columns: Sequence[_Column]) -> None:
        write_string, write_number = self.sheet.write_string, self.sheet.write_number
        for column in columns:
            value = column.values[place]
            if value == "":
                continue
            look = column.looks[place] if column.looks else None
            # The usual cells without a detour: this runs once a cell.
            if type(value) is str and value[0] != "<" and len(value) < _SURELY_FITS:
                write_string(at, column.place, value, look)
            elif type(value) is float and value - value == 0:
                write_number(at, column.place, value, look)
            else:
                self._write(at, column.place, value, look)

    def _noted_cells(self, at: int, place: int, columns: Sequence[_Column], note: RowNote) -> None:
        """Write a row that has something to say: at the top of its cells, as the advice may have several lines."""
        tones, comments = tones_of(note), comments_of(note)
        for column in columns:
            value, tone = column.values[place], tones.get(column.own)
            look = self.styles.cell(column.codes[place] if column.codes else 0, tone, is_top=True)
            if value != "":
                self._write(at, column.place, value, look)
            elif tone is not None:
                self.sheet.write_blank(at, column.place, None, look)
            if tone is not None:
                self._comment(at, column.place, comments[column.own], tone)

    def _write(self, at: int, column: int, value: Value, look: Format | None) -> None:
        if isinstance(value, str):
            self._text(at, column, value, look)
        elif isinstance(value, bool):
            self.sheet.write_boolean(at, column, value, look)
        elif isinstance(value, float):
            if math.isfinite(value):
                self.sheet.write_number(at, column, value, look)
            else:
                self.sheet.write_string(at, column, str(value), look)
        else:
            self.sheet.write_datetime(at, column, value, look)

    def _text(self, at: int, column: int, text: str, look: Format | None) -> None:
        if not text:
            self.sheet.write_blank(at, column, None, look)
        elif text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter takes that for its own mark-up when it holds one row at a time.
            plain = self.styles.of()
            self.sheet.write_rich_string(at, column, plain, text[:2], plain, text[2:], *([look] if look else []))
        elif self.sheet.write_string(at, column, text, look) == _CUT:
            self.left.texts += 1

    def _comment(self, at: int, column: int, text: str, tone: Tone) -> None:
        if self.comments >= self.most_comments:
            self.left.comments += 1
            return
        self.comments += 1
        lines = sum(-(-max(len(line), 1) // _COMMENT_SIGNS) for line in text.split("\n"))
        height = min(lines * _COMMENT_LINE + _COMMENT_EDGE, _TALLEST_COMMENT)
        options = {
            "author": AUTHOR,
            "width": _COMMENT_WIDTH,
            "height": height,
            "color": tone.fill,
            "font_name": FONT,
            "font_size": 9,
        }
        self.sheet.write_comment(at, column, text, options)
