"""How a sheet of an .xlsx looks: the widths of its columns, and the number format of each cell.

One pass over the sheet's XML, plain rows by pattern as in `workbook_look`. What is kept is a number a row (4 MB for the
tallest sheet) and the different ways in which rows are formatted, of which real sheets have few.
"""

from __future__ import annotations

import itertools
import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from etl.records import Rows
from etl.sources.plain_rows import feed_rows
from etl.sources.sheet_scan import MOST_COLUMNS, MOST_ROWS
from etl.sources.workbook_parts import Container, open_container
from etl.sources.workbook_styles import number_formats
from etl.sources.workbook_xml import feeding, local_name, new_parser

GENERAL = "General"
MOST_KEPT = 500_000
"""Cells of all the different ways in which rows are formatted; the formats of rows beyond are not kept."""
BUILT_IN: Mapping[int, str] = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm", 37: "#,##0 ;(#,##0)", 38: "#,##0 ;[Red](#,##0)",
    39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;[Red](#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mmss.0",
    48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""Number formats that a workbook need not define: ECMA-376 18.8.30."""
_MOST_CODES = 30_000
_MOST_WIDTH = 255.0
_PADDING = 5 / 7
"""Of a column, in characters; the file counts it in, people and XlsxWriter do not: ECMA-376 18.3.1.13."""
_CELL = re.compile(rb'<c r="([A-Z]+)[0-9]+"(?: s="([0-9]+)")?')
_NO_LETTERS = "0123456789"


@dataclass(slots=True)
class SheetFormats:
    """`codes`: of the number formats, `General` first; `widths`: in characters, by column from 0 (A)."""

    codes: tuple[str, ...]
    widths: dict[int, float]
    _ways: list[dict[int, int]] = field(repr=False)
    _way_of: npt.NDArray[np.uint32] = field(repr=False)
    _columns: dict[int, npt.NDArray[np.int16]] = field(default_factory=dict, repr=False)

    def of(self, rows: Rows, column: int) -> npt.NDArray[np.int16]:
        """Return of each of these rows the place in `codes` of the format of its cell in `column` (from 0)."""
        known = self._columns.get(column)
        if known is None:
            known = np.fromiter((way.get(column, 0) for way in self._ways), np.int16, len(self._ways))
            self._columns[column] = known
        within = rows < len(self._way_of)
        return known[np.where(within, self._way_of[np.where(within, rows, 0)], 0)]


def read_formats(path: Path, part: str) -> SheetFormats:
    """Return the formats of the sheet that `part` holds. Raises SourceError: damaged, or beyond a limit."""
    container = open_container(path)
    codes, styles = _codes(container)
    look = _Look(container, styles)
    with feeding(container, part):
        feed_rows(container, part, look)
        look.parser.Parse(b"", True)
    look.end_row()
    way_of = np.array(look.way_of, dtype=np.uint32)
    return SheetFormats(codes, look.widths, look.ways, way_of)


def _codes(container: Container) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the codes, and by the number of a cell's style the place of its code; `General` is left out."""
    own, numbers = number_formats(container)
    places = {GENERAL: 0}
    styles: dict[str, int] = {}
    for style, number in enumerate(numbers):
        code = own.get(number) or (BUILT_IN.get(int(number), GENERAL) if number.isdecimal() else GENERAL)
        if code in places or len(places) < _MOST_CODES:
            styles[str(style)] = places.setdefault(code, len(places))
    return tuple(places), {style: place for style, place in styles.items() if place}


class _Look:
    """Takes in the rows: as they are written where they are plain, else by a parser."""

    def __init__(self, container: Container, styles: Mapping[str, int]) -> None:
        self.parser = new_parser(container.path)
        self.parser.StartElementHandler = self._start
        self.widths: dict[int, float] = {}
        self.ways: list[dict[int, int]] = [{}]
        self.way_of = array("I", [0])
        self._styles = styles
        self._known: dict[bytes, int] = {}
        self._pending: dict[int, int] = {}
        self._kept = 0
        self._row = 0
        self._column = -1

    def feed(self, data: bytes) -> None:
        self.parser.Parse(data, False)

    def take_row(self, row: int, _attributes: bytes, cells: bytes | None) -> None:
        self.end_row()
        self._row = row
        if not cells or not self._styles:
            return
        found = _CELL.findall(cells)
        key = b" ".join(itertools.chain.from_iterable(found))
        way = self._known.get(key)
        if way is None:
            way = self._new_way(key, self._places(found))
        self._set(row, way)

    def end_row(self) -> None:
        """Take in the row that the parser has read."""
        if self._pending:
            key = repr(sorted(self._pending.items())).encode()
            way = self._known.get(key)
            self._set(self._row, self._new_way(key, self._pending) if way is None else way)
            self._pending = {}

    def _places(self, cells: Iterable[tuple[bytes, bytes]]) -> dict[int, int]:
        styled = ((letters.decode(), self._styles.get(style.decode())) for letters, style in cells)
        return {_column_of(letters): code for letters, code in styled if code is not None}

    def _new_way(self, key: bytes, places: dict[int, int]) -> int:
        if self._kept + len(places) + 1 > MOST_KEPT:
            return 0
        self._kept += len(places) + 1
        self.ways.append(places)
        self._known[key] = len(self.ways) - 1
        return len(self.ways) - 1

    def _set(self, row: int, way: int) -> None:
        if not 0 < row <= MOST_ROWS:
            return
        if row >= len(self.way_of):
            self.way_of.extend([0] * (row + 1 - len(self.way_of)))
        self.way_of[row] = way

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = local_name(name)
        if kind == "row":
            self.end_row()
            self._row = int(attributes.get("r", self._row + 1))
            self._column = -1
        elif kind == "c":
            place = attributes.get("r")
            self._column = self._column + 1 if place is None else _column_of(place.rstrip(_NO_LETTERS))
            code = self._styles.get(attributes.get("s", ""))
            if code is not None and self._column < MOST_COLUMNS:
                self._pending[self._column] = code
        elif kind == "col":
            self._width(attributes)

    def _width(self, attributes: dict[str, str]) -> None:
        first, last = int(attributes.get("min", 0)), int(attributes.get("max", 0))
        width = float(attributes.get("width", 0))
        if 0 < width <= _MOST_WIDTH:
            characters = max(width - _PADDING, 0.0)
            self.widths.update(dict.fromkeys(range(max(first, 1) - 1, min(last, MOST_COLUMNS)), characters))


def _column_of(letters: str) -> int:
    column = 0
    for letter in letters[:4].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1
