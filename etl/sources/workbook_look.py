"""One sheet of an .xlsx, read through: what its cells span, its marks, what is hidden, merged or filtered."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping

from etl.sources.leading_zeros import ZeroRuns
from etl.sources.plain_rows import feed_rows, filled_columns
from etl.sources.sheet_area import SheetArea
from etl.sources.sheet_scan import MOST_COLUMNS, MOST_ROWS, SPARSE_AREA, CellMark, Merge, SheetPart, SheetScan
from etl.sources.workbook_parts import Container, hostile
from etl.sources.workbook_xml import MOST_BYTES_OF_TEXT, feeding, long_text, new_parser

MOST_MERGES = 200_000
_GAPS_FACTOR = 4
_TRUE = ("1", "true")
_HIDDEN_ROW = re.compile(rb' (?:[A-Za-z0-9]+:)?(?:hidden="(?:1|true)"|ht="0(?:\.0*)?")')
_NO_LETTERS = "0123456789"


class SheetLook:
    """Plain rows are looked at whole; for the others these are the handlers of an expat parser, kept short."""

    def __init__(self, container: Container, sheet: SheetPart, zeros: Mapping[str, str]) -> None:
        """Read the sheet. `zeros`: by the number of a cell format, the zeros that it shows. Raises SourceError."""
        self.path, self.sheet, self._formats = container.path, sheet.name, zeros
        self.area = SheetArea(container.path, sheet.name)
        self.parser = new_parser(container.path)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.last_row = 0
        self._row = self._column = self._text_start = 0
        self._type = self._style = ""
        self._formula = self._has_value = False
        self._text: list[str] = []
        self._kinds: dict[str, str] = {}
        self._prefix = ""
        self._columns: dict[str, int] = {}
        self._filled_rows = self._filled_row = 0
        self._is_plain = True
        self._known: set[tuple[bytes, ...]] = set()
        self._hidden_rows = array("I")
        self._hidden_columns: set[int] = set()
        self._merges: list[Merge] = []
        self._has_filter = self._is_in_filter = False
        self._zeros = ZeroRuns()
        self._zero_cell = _zero_cells(zeros)
        with feeding(container, sheet.part):
            feed_rows(container, sheet.part, self)
            self.parser.Parse(b"", True)
        self._has_gaps = self._is_far_apart()
        if not self._has_gaps:
            self.area.check()

    def result(self) -> SheetScan:
        """Return what was found."""
        return SheetScan(
            self.last_row,
            self.area.marks,
            frozenset(row for row in self._hidden_rows if row <= self.last_row),
            frozenset(self._hidden_columns),
            tuple(self._merges),
            self._has_filter,
            has_gaps=self._has_gaps,
            zeros=self._zeros.by_column(),
        )

    def feed(self, data: bytes) -> None:
        """Take in XML."""
        self.parser.Parse(data, False)

    def take_row(self, row: int, attributes: bytes, cells: bytes | None) -> None:
        """Take in a plain row."""
        self._row = row
        if (b"hidden" in attributes or b'ht="0' in attributes) and _HIDDEN_ROW.search(attributes):
            self._hidden_rows.append(row)
        if not cells:
            return
        self.last_row = max(self.last_row, row)
        columns = filled_columns(cells)
        if not columns:
            return
        if row != self._filled_row:
            self._filled_row = row
            self._filled_rows += 1
        if columns in self._known and row <= MOST_ROWS:
            self.area.take_row(row, len(columns))
        else:
            for letters in columns:
                self.area.fill(row, self._column_of(letters.decode()))
            if len(self._known) < MOST_COLUMNS:
                self._known.add(columns)
        if self._zero_cell is not None:
            for place, style in self._zero_cell.findall(cells):
                self._note_zeros(self._column_of(place.decode()), style.decode())

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = self._kinds.get(name) or self._kinds.setdefault(name, self._kind(name))
        if kind == "c":
            place = attributes.get("r")
            if place is None:
                self._column += 1
            else:
                letters = place.rstrip(_NO_LETTERS)
                self._column, self._row = self._column_of(letters), int(place[len(letters) :])
            if self._row > self.last_row:
                self.last_row = self._row
            self._type = attributes.get("t", "")
            self._style = attributes.get("s", "") if self._formats and self._type in ("", "n") else ""
            if self._type == "e":
                self._watch()
        elif kind == "v" or kind == "is" or kind == "f":
            self.area.fill(self._row, self._column)
            if kind == "is":
                self._text_start = self.parser.CurrentByteIndex
            elif self._style in self._formats:
                self._note_zeros(self._column, self._style)
            if self._formula or kind == "f" or self._type == "e":
                self._note(kind)
        elif kind == "row":
            self._is_plain = False
            self._row = int(attributes.get("r", self._row + 1))
            self._column = -1
            if attributes.get("hidden") in _TRUE or _is_zero(attributes.get("ht")):
                self._hidden_rows.append(min(self._row, MOST_ROWS + 1))
        else:
            self._about_sheet(kind, attributes)

    def _is_far_apart(self) -> bool:
        """Whether the rows take much less without the gaps between them, and can be given so to the reader."""
        area = self.area
        spanned, held = area.cells_in(area.last_row - area.first_row + 1), area.cells_in(self._filled_rows)
        return self._is_plain and spanned > max(SPARSE_AREA, _GAPS_FACTOR * held) and area.is_moderate(held)

    def _about_sheet(self, kind: str, attributes: dict[str, str]) -> None:
        if kind == "col" and (attributes.get("hidden") in _TRUE or _is_zero(attributes.get("width"))):
            first, last = int(attributes.get("min", 0)), int(attributes.get("max", 0))
            self._hidden_columns.update(range(max(first, 1) - 1, min(last, MOST_COLUMNS)))
        elif kind == "t" and self.parser.CurrentByteIndex - self._text_start > MOST_BYTES_OF_TEXT:
            # A cell's text may come in many pieces, each with a form of its own.
            raise long_text(self.path, f"sheet '{self.sheet}'")
        elif kind == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif kind == "filterColumn" or (kind == "sheetPr" and attributes.get("filterMode") in _TRUE):
            self._has_filter = True

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        if not last:
            return
        (left, top), (right, bottom) = self._place(first), self._place(last)
        self._merges.append(Merge(top, bottom, left, right))
        if len(self._merges) > MOST_MERGES:
            raise hostile(self.path, f"sheet '{self.sheet}' has more than {MOST_MERGES:,} merged cells")

    def _place(self, name: str) -> tuple[int, int]:
        letters = name.rstrip(_NO_LETTERS)
        return self._column_of(letters), int(name[len(letters) :])

    def _note_zeros(self, column: int, style: str) -> None:
        if 0 < self._row <= MOST_ROWS:
            self._zeros.note(self._row, column, self._formats[style])

    def _note(self, kind: str) -> None:
        """Follow a formula or an error cell through its parts."""
        if kind == "f":
            self._formula = True
            self._watch()
        elif kind == "v":
            self._has_value = True
            self._text.clear()

    def _kind(self, name: str) -> str:
        """Return the element's local name, as calamine goes by it: a prefix must not hide a cell from the limits."""
        if not self._kinds:
            self._prefix = name.rpartition(":")[0]
        prefix, _, local = name.rpartition(":")
        # Sparklines and the like have an <xm:f> of their own, which is no cell's formula.
        return "v" if local == "f" and prefix != self._prefix else local

    def _watch(self) -> None:
        """Listen to text and ends until the cell is over; not before, for they double the time of the pass."""
        self._text.clear()
        self.parser.CharacterDataHandler = self._text.append
        self.parser.EndElementHandler = self._end

    def _end(self, name: str) -> None:
        kind = self._kinds.get(name)
        if kind == "f":
            self._text.clear()
        if kind != "c":
            return
        value = "".join(self._text).strip()
        if self._type == "e":
            self._mark(CellMark(self._column, "error-cell", value))
        # A text result of "" is saved as an empty <v> too, with t="str".
        elif self._formula and not (self._has_value and (value or self._type == "str")):
            self._mark(CellMark(self._column, "formula-without-value"))
        self._formula = self._has_value = False
        self.parser.CharacterDataHandler = None
        self.parser.EndElementHandler = None

    def _mark(self, mark: CellMark) -> None:
        self.area.mark(range(self._row, self._row + 1), (mark,))

    def _column_of(self, letters: str) -> int:
        column = self._columns.get(letters)
        return self._columns.setdefault(letters, _column_of(letters)) if column is None else column


def _zero_cells(formats: Mapping[str, str]) -> re.Pattern[bytes] | None:
    """Return the pattern of a plain cell with a number in one of these formats."""
    if not formats:
        return None
    return re.compile(rb'<c r="([A-Z]+)[0-9]+" s="(%b)"(?: t="n")?><[vf]' % b"|".join(key.encode() for key in formats))


def _is_zero(size: str | None) -> bool:
    try:
        return size is not None and float(size) == 0
    except ValueError:
        return False


def _column_of(letters: str) -> int:
    """Return the position of a column, from 0; beyond the limit for anything that is no column's name."""
    column = 0
    for letter in letters[:4].upper():
        if not "A" <= letter <= "Z":
            return MOST_COLUMNS
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1
