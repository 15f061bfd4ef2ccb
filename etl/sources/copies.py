"""Some rows of a file copied as they stand, each with a reason in front: for a person to mend and send again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from etl.sources.base import SourceOptions, Table
from etl.sources.csv_copy import copy_records
from etl.sources.csv_file import CsvTable
from etl.sources.json_copy import copy_lines
from etl.sources.json_lines import JsonLinesTable

Reasons = Iterable[tuple[int, str]]
"""Row numbers, ascending, each with the reason for which it is handed back."""

_PACKED = frozenset((".gz", ".zst"))
_TEXTS = frozenset((".csv", ".tsv", ".tab", ".txt", ".psv"))
_LINES = frozenset((".jsonl", ".ndjson", ".json"))


def suffix_of(table: Table, name: str) -> str:
    """Return how the name of a copy ends (`.csv`, `.tsv`, ...), as the file's own; "" where no copy can be made.

    A workbook is made anew, with the values of its cells, and so is a Parquet file, which no person can mend: its
    numbers, dates and booleans stay what they are in a workbook, and would not in a text.
    """
    own = PurePath(name)
    suffix = PurePath(own.stem).suffix.lower() if own.suffix.lower() in _PACKED else own.suffix.lower()
    if isinstance(table, CsvTable):
        return suffix if suffix in _TEXTS else ".csv"
    if isinstance(table, JsonLinesTable):
        return suffix if suffix in _LINES else ".jsonl"
    return ""


def copy_rows(table: Table, target: Path, reasons: Reasons, options: SourceOptions) -> int:
    """Write the copy, and return how many rows it holds: those of `reasons` that are still there.

    `options`: as those by which the table was opened, and by which the copy will be. What `target` holds is then read
    as the table was. Raises SourceError, OSError; AssertionError for a table of which no copy can be made.
    """
    if isinstance(table, CsvTable):
        return copy_records(table, target, reasons, options)
    if isinstance(table, JsonLinesTable):
        return copy_lines(table, target, reasons)
    raise AssertionError(f"BUG: a copy of {type(table).__name__}")
