"""A sheet of an .xlsx without the gaps between its rows, for a reader that allocates them.

A table of 100 rows with a stray cell in row 1,048,576 would take hundreds of megabytes. Only for a sheet of plain rows
(`plain_rows`), as its scan has found. Imports nothing of etl: `workbook_child` loads it by its path.
"""

from __future__ import annotations

import io
import re
import zipfile

_ROW = re.compile(rb'<row r="([0-9]+)"[^>]*?(?:/>|>(.*?)</row>)', re.DOTALL)
_PLACE = re.compile(rb'<c r="([A-Z]+)[0-9]+"')
_FILLED = re.compile(rb"<(?:v|is)>")
_START = b"<sheetData>"
_NEEDED = ("[content_types].xml", "xl/workbook.xml", "xl/sharedstrings.xml", "xl/styles.xml")
_ROOT = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%b</sheetData></worksheet>'


def without_gaps(path: str, part: str) -> tuple[io.BytesIO, list[int]]:
    """Return a workbook whose sheet `part` holds its filled rows one after the other, and their numbers."""
    target = io.BytesIO()
    numbers: list[int] = []
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for info in source.infolist():
            name = info.filename.replace("\\", "/").lstrip("/").lower()
            if name == part.lower():
                sheet, numbers = _closed_up(source.read(info))
                copy.writestr(info.filename, sheet)
            elif name in _NEEDED or name.endswith(".rels"):
                copy.writestr(info.filename, source.read(info))
    target.seek(0)
    return target, numbers


def _closed_up(sheet: bytes) -> tuple[bytes, list[int]]:
    start = sheet.index(_START) + len(_START)
    filled: dict[int, bytes] = {}
    for found in _ROW.finditer(sheet, start):
        number, cells = int(found[1]), found[2]
        if cells and _FILLED.search(cells):
            filled[number] = filled.get(number, b"") + cells
    numbers = sorted(filled)
    rows = []
    for place, number in enumerate(numbers, start=1):
        cells = _PLACE.sub(rb'<c r="\g<1>%d"' % place, filled[number])
        rows.append(b'<row r="%d">%b</row>' % (place, cells))
    return _ROOT % b"".join(rows), numbers
