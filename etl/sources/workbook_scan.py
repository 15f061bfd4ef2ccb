"""What the XML of a workbook says that its reader does not: limits, error cells, formulas without a result.

A pass over the XML before python-calamine sees it. Calamine allocates the rectangle between the first and the last
cell (two cells, A1 and XFD20000, abort the whole process), and gives "" for an error cell.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from etl.sources.leading_zeros import zeros_of
from etl.sources.sheet_scan import BookScanner, SheetPart, SheetScan
from etl.sources.workbook_look import SheetLook
from etl.sources.workbook_parts import Container, damaged, hostile, open_container
from etl.sources.workbook_styles import number_formats
from etl.sources.workbook_xml import local_name, parse, refuse_long_texts, targets_of

_WORKBOOK = "xl/workbook.xml"
_NO_WORKSHEETS = ("/chartsheets/", "/dialogsheets/", "/macrosheets/")


def open_scanner(path: Path) -> BookScanner:
    """Return the scanner of a workbook. Raises SourceError where it is damaged or beyond a limit."""
    container = open_container(path)
    sheets = _list_sheets(container)
    _check_strings(container)
    return XlsxScanner(container, sheets, _zero_formats(container))


@dataclass(frozen=True, slots=True)
class XlsxScanner:
    """See `BookScanner`. `_zeros`: by the number of a cell's format, the zeros that it shows."""

    container: Container
    sheets: tuple[SheetPart, ...]
    _zeros: Mapping[str, str] = field(repr=False)

    def scan(self, sheet: SheetPart) -> SheetScan:
        """Read the sheet's XML once. Raises SourceError beyond a limit."""
        return SheetLook(self.container, sheet, self._zeros).result()


def _list_sheets(container: Container) -> tuple[SheetPart, ...]:
    path = container.path
    targets = targets_of(container, "xl/_rels/workbook.xml.rels")
    sheets: list[SheetPart] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "sheet":
            links = [value for key, value in attributes.items() if local_name(key) == "id"]
            if len(links) != 1:
                raise hostile(path, "a sheet names its part more than once, or not at all")
            part = targets.get(links[0], "")
            if not any(folder in part for folder in _NO_WORKSHEETS):
                is_visible = attributes.get("state", "visible") == "visible"
                sheets.append(SheetPart(attributes.get("name", ""), part, is_visible))

    parse(container, _WORKBOOK, start)
    if not sheets:
        raise damaged(path, "it has no sheets")
    if len({sheet.name for sheet in sheets}) != len(sheets):
        raise hostile(path, "two of its sheets have one name")
    return tuple(sheets)


def _check_strings(container: Container) -> None:
    """Unpack what calamine reads whole besides the sheets: a claim of its size is no promise."""
    for name in container.parts:
        base = posixpath.basename(name)
        if base == "sharedstrings.xml":
            refuse_long_texts(container, name, "si", "t")
        elif base == "styles.xml":
            parse(container, name, None)


def _zero_formats(container: Container) -> dict[str, str]:
    """Return the zeros of the cell formats that are made of them, by the number by which cells name a format."""
    codes, formats = number_formats(container)
    zeros = ((place, zeros_of(codes.get(number, ""))) for place, number in enumerate(formats))
    return {str(place): found for place, found in zeros if found is not None}
