"""OpenDocument spreadsheets (.ods): what their XML says that the reader does not, within limits.

One part, content.xml, holds all sheets, so it is read once, when the workbook is opened. Rows and cells repeat: a file
of 2 KB may hold 17 thousand million cells, blank ones in every file and filled ones in none. Names are compared with
their prefix, as the reader does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.sources.ods_formulas import VALUES, FormulaCell
from etl.sources.ods_sheet import SheetLook
from etl.sources.ods_styles import ZeroStyles
from etl.sources.ods_texts import CELLS, LOST, MOST_TEXTS, Place, is_at_risk, read_texts
from etl.sources.sheet_area import SheetArea
from etl.sources.sheet_scan import (
    BookScanner,
    SheetPart,
    SheetScan,
)
from etl.sources.workbook_parts import MOST_BYTES, Container, damaged, hostile, open_container, protected
from etl.sources.workbook_xml import MOST_BYTES_OF_TEXT, feed, local_name, long_text, new_parser, parse

_CONTENT, _MANIFEST = "content.xml", "meta-inf/manifest.xml"
_MOST_SPACES = 1_000_000
_MARKUP_BYTES = 300
"""About what the tags and attributes of a cell take."""


def open_scanner(path: Path) -> BookScanner:
    """Return the scanner of a workbook, read through. Raises SourceError where it is damaged or beyond a limit."""
    container = open_container(path)
    _refuse_protected(container)
    reader = _ContentReader(path)
    reader.styles.take_named(container)
    feed(container, _CONTENT, reader.parser)
    sheets = tuple(SheetPart(look.area.sheet, _CONTENT, look.is_visible) for look in reader.looks)
    if not sheets:
        raise damaged(path, "it has no sheets")
    if len({sheet.name for sheet in sheets}) != len(sheets):
        raise hostile(path, "two of its sheets have one name")
    # A sheet's limits concern them all: the reader takes in every sheet, whichever is asked for.
    numbers = frozenset(place.number for look in reader.looks for place in look.broken)
    texts = read_texts(container, _CONTENT, numbers) if numbers else {}
    scans = {look.area.sheet: look.result(reader.filtered, texts) for look in reader.looks}
    return OdsScanner(sheets, scans)


@dataclass(frozen=True, slots=True)
class OdsScanner:
    """See `BookScanner`."""

    sheets: tuple[SheetPart, ...]
    _scans: dict[str, SheetScan] = field(repr=False)

    def scan(self, sheet: SheetPart) -> SheetScan:
        """Return what was found of one sheet."""
        return self._scans[sheet.name]


class _ContentReader:
    """Handlers of one expat parser over content.xml. The start handler runs for each element: it is kept short."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parser: Any = new_parser(path)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = None
        self.parser.StartCdataSectionHandler = self.lose
        self.looks: list[SheetLook] = []
        self._look: SheetLook | None = None
        self._in_row = False
        self._blanks = 0
        self._hidden_styles: set[str] = set()
        self._style = ""
        self.styles = ZeroStyles(self.parser)
        self._zero_styles: dict[str, str] = {}
        self._attributes: dict[str, str] = {}
        self._cells = self._texts = self._last_broken = 0
        self._range = ""
        self._filtered: set[str] = set()
        self._copied_from = self._copies = self._copied = self._spaces = self._cell_start = 0
        self._cell: FormulaCell | None = None
        self._in_note = False

    @property
    def filtered(self) -> frozenset[str]:
        """The names of sheets on which a filter is on."""
        return frozenset(self._filtered)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in CELLS:
            self._cells += 1
            if self._look is not None and self._in_row:
                self._start_cell(self._look, attributes)
        elif name == "text:p":
            self._refuse_long_text()
            if self._cell is not None and not self._in_note:
                self._cell.has_text = True
        elif name == "table:table-row":
            self._start_row(attributes)
        else:
            if name in _RARE:
                _RARE[name](self, attributes)
            if self._look is None:
                self.styles.start(name, attributes)
            else:
                self._refuse_long_text()

    def _refuse_long_text(self) -> None:
        if self._in_row and self.parser.CurrentByteIndex - self._cell_start > MOST_BYTES_OF_TEXT:
            raise long_text(self.path, "one of its cells")

    def _start_cell(self, look: SheetLook, attributes: dict[str, str]) -> None:
        if self._copies:
            self._count_copies()
        self._spaces = 0
        self._cell_start = self.parser.CurrentByteIndex
        self._attributes = attributes
        look.column += self._blanks
        self._blanks = 0
        repeats = 1
        if "table:number-columns-repeated" in attributes:
            repeats = self._number(attributes, "table:number-columns-repeated")
        formula = "table:formula" in attributes
        if not formula and "office:value-type" not in attributes and VALUES.isdisjoint(attributes):
            self._merge(look, attributes)
            self._blanks = repeats
            return
        look.fill(repeats)
        if self._zero_styles and attributes.get("office:value-type") == "float":
            zeros = self._zero_styles.get(look.style_of(attributes))
            if zeros is not None:
                look.show(zeros, repeats)
        self._merge(look, attributes)
        if repeats * look.row_repeats > 1:
            self._copied_from, self._copies = self.parser.CurrentByteIndex, repeats * look.row_repeats - 1
        if formula or attributes.get("calcext:value-type") == "error":
            self._watch(FormulaCell(look.column, repeats, attributes))
        look.column += repeats

    def _merge(self, look: SheetLook, attributes: dict[str, str]) -> None:
        if "table:number-columns-spanned" in attributes or "table:number-rows-spanned" in attributes:
            rows = self._number(attributes, "table:number-rows-spanned")
            columns = self._number(attributes, "table:number-columns-spanned")
            if rows * columns > 1:
                look.merge(rows, columns)

    def _start_row(self, attributes: dict[str, str]) -> None:
        if self._look is None:
            return
        self._end_row(self._look)
        repeats = self._number(attributes, "table:number-rows-repeated")
        style = attributes.get("table:default-cell-style-name")
        self._look.start_row(repeats, attributes.get("table:visibility", "visible"), style)
        self._in_row = True

    def _end_row(self, look: SheetLook) -> None:
        if self._copies:
            self._count_copies()
        if self._in_row:
            look.end_row()
        self._blanks = 0
        self._attributes = {}
        self._in_row = False

    def _count_copies(self) -> None:
        """Add up what repeated cells take when the reader writes their text out, cell by cell."""
        size = self.parser.CurrentByteIndex - self._copied_from + self._spaces
        self._copied += max(0, size - _MARKUP_BYTES) * self._copies
        self._copies = 0
        if self._copied > MOST_BYTES:
            raise hostile(self.path, f"its repeated cells take more than {MOST_BYTES >> 20:,} MB written out")

    def start_table(self, attributes: dict[str, str]) -> None:
        if self._look is not None:
            raise hostile(self.path, "it holds a table within a table")
        name = attributes.get("table:name")
        # A copy of another file's sheet, kept for links to it, is named 'file:...'#$Sheet.
        if name is None or (name.startswith("'") and "'#$" in name):
            return
        is_visible = attributes.get("table:style-name", "") not in self._hidden_styles
        self._look = SheetLook(SheetArea(self.path, name), is_visible)
        self.looks.append(self._look)
        self._in_row = False
        self._zero_styles = self.styles.zeros()
        self.parser.CharacterDataHandler, self.parser.EndElementHandler = None, self._end

    def start_column(self, attributes: dict[str, str]) -> None:
        if self._look is not None:
            repeats = self._number(attributes, "table:number-columns-repeated")
            style = attributes.get("table:default-cell-style-name", "")
            self._look.start_column(repeats, attributes.get("table:visibility", "visible"), style)

    def start_style(self, attributes: dict[str, str]) -> None:
        self._style = attributes.get("style:name", "")

    def table_style(self, attributes: dict[str, str]) -> None:
        if attributes.get("table:display") == "false":
            self._hidden_styles.add(self._style)

    def start_range(self, attributes: dict[str, str]) -> None:
        self._range = attributes.get("table:target-range-address", "")

    def start_filter(self, _attributes: dict[str, str]) -> None:
        sheet = self._range.rpartition(":")[0].rpartition(".")[0].lstrip("$")
        if sheet.startswith("'"):
            sheet = sheet.strip("'").replace("''", "'")
        self._filtered.add(sheet)

    def start_spaces(self, attributes: dict[str, str]) -> None:
        self._spaces += self._number(attributes, "text:c")
        if self._spaces > _MOST_SPACES:
            raise hostile(self.path, f"one of its cells holds more than {_MOST_SPACES:,} spaces")

    def lose(self, _attributes: dict[str, str] | None = None) -> None:
        """Take in what the reader leaves out of a text; it takes texts from the paragraphs only."""
        look = self._look
        if look is None or self._cells == self._last_broken or not is_at_risk(self._attributes):
            return
        self._last_broken = self._cells
        repeats = self._number(self._attributes, "table:number-columns-repeated")
        self._texts += repeats * look.row_repeats
        rows, columns = range(look.row, look.row + look.row_repeats), range(look.column - repeats, look.column)
        place = Place(self._cells, rows, columns)
        if self._texts <= MOST_TEXTS:
            look.broken.append(place)
        else:
            look.give_up(place)

    def start_note(self, _attributes: dict[str, str]) -> None:
        if self._cell is not None:
            self._in_note = True
            self.parser.CharacterDataHandler = None

    def _watch(self, cell: FormulaCell) -> None:
        self._cell = cell
        self.parser.CharacterDataHandler = cell.text.append

    def _end(self, name: str) -> None:
        if name == "table:table":
            if self._look is not None:
                self._end_row(self._look)
            self._look = None
            self.parser.EndElementHandler = None
        elif self._cell is not None:
            if name == "office:annotation":
                self._in_note = False
                self.parser.CharacterDataHandler = self._cell.text.append
            elif name in CELLS and self._look is not None:
                self._end_cell(self._look, self._cell)

    def _end_cell(self, look: SheetLook, cell: FormulaCell) -> None:
        self.parser.CharacterDataHandler = None
        self._cell = None
        error = cell.error()
        if error:
            look.mark(cell.column, cell.repeats, "error-cell", error)
        elif not cell.has_value and not cell.has_text:
            look.mark(cell.column, cell.repeats, "formula-without-value")

    def _number(self, attributes: dict[str, str], name: str) -> int:
        value = attributes.get(name, "1")
        # int() would take other digits, signs and spaces.
        if not (value.isascii() and value.isdigit() and len(value) <= 9 and int(value) > 0):
            raise damaged(self.path, f"{local_name(name)} is {value[:20]!r}")
        return int(value)


_RARE = {
    "table:table": _ContentReader.start_table,
    "table:table-column": _ContentReader.start_column,
    "style:style": _ContentReader.start_style,
    "style:table-properties": _ContentReader.table_style,
    "table:database-range": _ContentReader.start_range,
    "table:filter": _ContentReader.start_filter,
    "text:s": _ContentReader.start_spaces,
    "office:annotation": _ContentReader.start_note,
    **dict.fromkeys(LOST, _ContentReader.lose),
}


def _refuse_protected(container: Container) -> None:
    def start(name: str, _attributes: dict[str, str]) -> None:
        if local_name(name) == "encryption-data":
            raise protected(container.path)

    if _MANIFEST in container.parts:
        parse(container, _MANIFEST, start)
