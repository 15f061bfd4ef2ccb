"""file → Chunk*: raw text with the row numbers that a person sees.

Formats are told by content. A new one is a file with `open_tables` and `list_sheets`, and a line in READERS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etl.sources import csv_file, excel_file
from etl.sources.base import SourceOptions, Table
from etl.sources.fingerprint import Fingerprint, fingerprint, is_unchanged, is_untouched
from etl.sources.kinds import TEXT_TABLE, WORKBOOK, kind_of

__all__ = [
    "READERS",
    "Fingerprint",
    "Reader",
    "fingerprint",
    "is_unchanged",
    "is_untouched",
    "list_sheets",
    "open_tables",
]


@dataclass(frozen=True, slots=True)
class Reader:
    """One format: how its tables are opened, and how its sheets are listed (hidden ones left out)."""

    open_tables: Callable[[Path, SourceOptions, int], list[Table]]
    list_sheets: Callable[[Path], tuple[str, ...]]


READERS: dict[str, Reader] = {
    TEXT_TABLE: Reader(csv_file.open_tables, csv_file.list_sheets),
    WORKBOOK: Reader(excel_file.open_tables, excel_file.list_sheets),
}


def open_tables(path: Path, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the tables of the file that are to be read, numbered from `first_index`; one, in today's formats.

    Nothing stays open. Raises SourceError: no regular file, not a format that is read, damaged or hostile, a sheet
    or header row that is not there.
    """
    return READERS[kind_of(path)].open_tables(path, options, first_index)


def list_sheets(path: Path) -> tuple[str, ...]:
    """Return the visible sheets in the workbook's order; empty for a text file. Raises SourceError."""
    return READERS[kind_of(path)].list_sheets(path)
