"""file → Chunk*: raw text with the row numbers that a person sees.

Formats are told by content. A new one is a file with `open_tables` and `list_sheets`, and a line in READERS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from etl.sources import csv_file, excel_file, json_lines, parquet_file
from etl.sources.base import SourceOptions, Table, no_sheets
from etl.sources.fingerprint import Fingerprint
from etl.sources.intake import Given, SourceFile, take_in
from etl.sources.kinds import JSON_LINES, PARQUET, TEXT_TABLE, kind_of

__all__ = [
    "READERS",
    "Fingerprint",
    "Given",
    "Reader",
    "SourceFile",
    "list_sheets",
    "open_tables",
    "take_in",
]


@dataclass(frozen=True, slots=True)
class Reader:
    """One format: how its tables are opened, and how its sheets are listed (hidden ones left out).

    `open_tables(path, name, options, first_index)`: `name` is the file's in `SourceRef`; errors speak of `path`.
    """

    open_tables: Callable[[Path, str, SourceOptions, int], list[Table]]
    list_sheets: Callable[[Path], tuple[str, ...]]


READERS: dict[str, Reader] = {
    TEXT_TABLE: Reader(csv_file.open_tables, no_sheets),
    JSON_LINES: Reader(json_lines.open_tables, no_sheets),
    PARQUET: Reader(parquet_file.open_tables, no_sheets),
    **{
        kind: Reader(partial(excel_file.open_tables, kind), partial(excel_file.list_sheets, kind))
        for kind in excel_file.SCANNERS
    },
}


def open_tables(file: SourceFile, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the tables of the file that are to be read, numbered from `first_index`.

    Nothing stays open. Raises SourceError: no regular file, not a format that is read, damaged or hostile, a sheet
    or header row that is not there.
    """
    with file.named():
        return _reader(file.path).open_tables(file.path, file.name, options, first_index)


def list_sheets(file: SourceFile) -> tuple[str, ...]:
    """Return the visible sheets in the workbook's order; empty for a text file. Raises SourceError."""
    with file.named():
        return _reader(file.path).list_sheets(file.path)


def _reader(path: Path) -> Reader:
    kind = kind_of(path)
    if kind not in READERS:
        raise AssertionError(f"BUG: an archive ({kind}) is not unpacked: {path}")
    return READERS[kind]
