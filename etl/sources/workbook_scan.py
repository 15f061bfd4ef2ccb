"""What the XML of a workbook says that its reader does not: limits, error cells, formulas without a result.

A pass over the XML before python-calamine sees it. Calamine allocates the rectangle between the first and the last
cell (two cells, A1 and XFD20000, abort the whole process), and gives "" for an error cell.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any
from xml.parsers import expat

from etl.sources.sheet_scan import (
    MOST_AREA,
    MOST_COLUMNS,
    MOST_ROWS,
    SPARSE_AREA,
    SPARSE_RATIO,
    CellMark,
    SheetPart,
    SheetScan,
)
from etl.sources.workbook_parts import Container, damaged, hostile, open_container

_WORKBOOK = "xl/workbook.xml"
_NO_WORKSHEETS = ("/chartsheets/", "/dialogsheets/", "/macrosheets/")


def list_parts(path: Path) -> tuple[Container, tuple[SheetPart, ...]]:
    """Return the container and its worksheets in their order (chart sheets left out). Raises SourceError."""
    container = open_container(path)
    targets = _targets(container)
    sheets: list[SheetPart] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            links = [value for key, value in attributes.items() if _local(key) == "id"]
            if len(links) != 1:
                raise hostile(path, "a sheet names its part more than once, or not at all")
            part = targets.get(links[0], "")
            if not any(folder in part for folder in _NO_WORKSHEETS):
                is_visible = attributes.get("state", "visible") == "visible"
                sheets.append(SheetPart(attributes.get("name", ""), part, is_visible))

    _parse(container, _WORKBOOK, start)
    if not sheets:
        raise damaged(path, "it has no sheets")
    if len({sheet.name for sheet in sheets}) != len(sheets):
        raise hostile(path, "two of its sheets have one name")
    _check_strings(container)
    return container, tuple(sheets)


def scan_sheet(container: Container, sheet: SheetPart) -> SheetScan:
    """Read the sheet's XML once, in constant memory but for its marks. Raises SourceError beyond a limit."""
    scanner = _SheetScanner(container.path, sheet.name)
    _feed(container, sheet.part, scanner.parser)
    scanner.check_area()
    return SheetScan(scanner.last_row, {row: tuple(marks) for row, marks in scanner.marks.items()})


class _SheetScanner:
    """Handlers of one expat parser. The start handler runs for each element: it is kept short."""

    def __init__(self, path: Path, sheet: str) -> None:
        self.path, self.sheet = path, sheet
        self.parser = _parser(path)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.last_row = 0
        self.marks: dict[int, list[CellMark]] = {}
        self._row = self._column = 0
        self._type = ""
        self._formula = self._has_value = False
        self._text: list[str] = []
        self._kinds: dict[str, str] = {}
        self._prefix = ""
        self._columns: dict[str, int] = {}
        self._filled = self._checked_row = 0
        self._checked_columns: set[int] = set()
        self._bounds = [MOST_ROWS + 1, 0, MOST_COLUMNS + 1, 0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = self._kinds.get(name) or self._kinds.setdefault(name, self._kind(name))
        if kind == "c":
            place = attributes.get("r")
            if place is None:
                self._column += 1
            else:
                letters = place.rstrip("0123456789")
                column = self._columns.get(letters)
                if column is None:
                    column = self._columns.setdefault(letters, _column_of(letters))
                self._column, self._row = column, int(place[len(letters) :])
            if self._row > self.last_row:
                self.last_row = self._row
            self._type = attributes.get("t", "")
            if self._type == "e":
                self._watch()
        elif kind == "v" or kind == "is" or kind == "f":
            self._filled += 1
            if self._row != self._checked_row or self._column not in self._checked_columns:
                self._widen(self._row, self._column)
            if self._formula or kind == "f" or self._type == "e":
                self._note(kind)
        elif kind == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = -1

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

    def _widen(self, row: int, column: int) -> None:
        if not 1 <= row <= MOST_ROWS or not 0 <= column < MOST_COLUMNS:
            raise hostile(
                self.path,
                f"sheet '{self.sheet}' has a filled cell in row {row:,} of column {column + 1:,}, and at most"
                f" {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns are read",
            )
        self._checked_row = row
        self._checked_columns.add(column)
        low_row, high_row, low_column, high_column = self._bounds
        self._bounds = [min(low_row, row), max(high_row, row), min(low_column, column), max(high_column, column)]

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
        self.marks.setdefault(self._row, []).append(mark)

    def check_area(self) -> None:
        """Raise SourceError where the rectangle around the cells is too large, or too large for what it holds."""
        low_row, high_row, low_column, high_column = self._bounds
        area = max(0, high_row - low_row + 1) * max(0, high_column - low_column + 1)
        if area > MOST_AREA or (area > SPARSE_AREA and area > SPARSE_RATIO * self._filled):
            raise hostile(
                self.path,
                f"sheet '{self.sheet}' spans {area:,} cells of which {self._filled:,} are filled",
            )


def _targets(container: Container) -> dict[str, str]:
    targets: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            target = attributes.get("Target", "").replace("\\", "/")
            whole = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            if targets.setdefault(attributes.get("Id", ""), whole) != whole:
                raise hostile(container.path, "two of its relationships have one name")

    _parse(container, "xl/_rels/workbook.xml.rels", start)
    return targets


def _check_strings(container: Container) -> None:
    """Unpack what calamine reads whole besides the sheets: a claim of its size is no promise."""
    for name in container.parts:
        if posixpath.basename(name) in ("sharedstrings.xml", "styles.xml"):
            _parse(container, name, None)


def _parse(container: Container, part: str, start: Any) -> None:
    parser = _parser(container.path)
    parser.StartElementHandler = start
    _feed(container, part, parser)


def _parser(path: Path) -> Any:
    parser = expat.ParserCreate()

    def refuse(*_declaration: object) -> None:
        raise hostile(path, "its XML declares a document type, which no spreadsheet program writes")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def _feed(container: Container, part: str, parser: Any) -> None:
    try:
        for block in container.inflate(part):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise damaged(container.path, f"the part {part} is not well-formed XML") from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _column_of(letters: str) -> int:
    """Return the position of a column, from 0; beyond the limit for anything that is no column's name."""
    column = 0
    for letter in letters[:4].upper():
        if not "A" <= letter <= "Z":
            return MOST_COLUMNS
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1
