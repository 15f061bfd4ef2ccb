"""What the tests of scanners share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from etl.errors import SourceError
from etl.sources.sheet_scan import BookScanner, SheetScan

BOOKS = Path(__file__).parent / "books"
Opener = Callable[[Path], BookScanner]


def scan_named(scanner: BookScanner, name: str) -> SheetScan:
    """Scan the sheet of that name."""
    return next(scanner.scan(sheet) for sheet in scanner.sheets if sheet.name == name)


def refusal(opener: Opener, path: Path) -> SourceError:
    """Open and scan everything; return the SourceError that this must end in."""
    with pytest.raises(SourceError) as caught:
        scan_all(opener, path)
    return caught.value


def scan_all(opener: Opener, path: Path) -> list[SheetScan]:
    """Open the workbook and scan each of its sheets."""
    scanner = opener(path)
    return [scanner.scan(sheet) for sheet in scanner.sheets]


def survives(opener: Opener, path: Path) -> None:
    """Scan what may be anything; only SourceError may come out."""
    with contextlib.suppress(SourceError):
        scan_all(opener, path)


def rows_of(path: Path, sheet: str) -> list[list[object]]:
    """Return the rows from row 1 on, as the reader gives them."""
    with CalamineWorkbook.from_path(path) as book:
        return [list(row) for row in book.get_sheet_by_name(sheet).iter_rows()]


def names_of(path: Path) -> list[str]:
    """Return the names of sheets, as the reader gives them."""
    with CalamineWorkbook.from_path(path) as book:
        return list(book.sheet_names)
