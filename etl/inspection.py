"""What is in a file: format, encoding, sheets, header, and of each column kind, fill, distinct values, personal data.

    etl inspect contacts.xlsx        etl.inspection.inspect_files(["contacts.xlsx"])

The whole file is read once, chunk by chunk, in constant memory. Fill, rows and (to 10,000) distinct values are exact;
the kind of a column comes from its name and a sample of its distinct values. Nothing is decided here about sending.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from etl.cells import letters_at
from etl.codes import CODES
from etl.column_kinds import Kind, Personal, kind_of_column
from etl.column_profile import KEPT_VALUES, ColumnProfile, Sample
from etl.damage import spoiled
from etl.errors import SourceError
from etl.mapping.usual_names import usual_names_score
from etl.progress import Progress, Silent
from etl.records import Chunk
from etl.sources import Given, SourceFile, list_sheets, open_tables, take_in
from etl.sources.base import ROWS_PER_CHUNK, SourceOptions, Table
from etl.sources.kinds import kind_of

_MOST_KEPT = 2_000_000
"""Distinct values that are kept at once, of all columns of a table: about 100 MB."""
_MOST_JUDGED, _LEAST_JUDGED = 200_000, 200
"""Distinct values that are looked at, of all columns of a table and of each: a second for 100,000."""
_CELLS_PER_CHUNK = 1_000_000
_LEAST_ROWS = 500


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column. `letter` as Excel names it; `position` from 0 in the header.

    Of the whole table: `filled` cells, `fill` (their share of the rows that are not blank, 0 to 1), `longest` (in
    characters), `distinct` (exact if `distinct_is_exact`, else within 2 %), and `examples`, the first different values.
    Of `judged_values` of the different values, which are all of them or a sample, with how often each occurs: `kind`,
    `personal`.
    """

    letter: str
    position: int
    name: str
    kind: Kind
    filled: int
    fill: float
    distinct: int
    distinct_is_exact: bool
    longest: int
    judged_values: int
    examples: tuple[str, ...]
    personal: tuple[Personal, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Cells or rows with something wrong: the `code` of the issue (`etl.codes`), how many, and the first one.

    `column`: the letter of the first one's column, "" for a whole row.
    """

    code: str
    count: int
    row: int
    column: str


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table. `rows`: those listed below the header, `blank_rows` of them blank.

    `facts`: what its reader found out (format, encoding, encoding_confidence, delimiter, line_ends, ... by format).
    `rows` is 0 and there are no columns where a sheet holds nothing. `is_whole`: whether it was read to its end.
    """

    file: str
    sheet: str
    header_row: int
    rows: int
    blank_rows: int
    spanned_rows: int
    is_whole: bool
    columns: tuple[ColumnFacts, ...]
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    damage: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file. `format` as in `etl.sources.kinds`; `sheets`: the visible ones of a workbook, not asked for or not."""

    file: str
    format: str
    size_bytes: int
    sheets: tuple[str, ...]
    tables: tuple[TableFacts, ...]


def inspect_files(
    files: Sequence[Given],
    *,
    sheet: str | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
    allow_private: bool = False,
) -> list[FileFacts]:
    """Return what is in each file (an archive may hold several).

    `sheet`: that one alone, None for every visible one; `limit`: the first rows of each table; `allow_private`: as in
    `take_in`. Raises SourceError.
    """
    progress = progress or Silent()
    opened = [(file, _open(file, sheet)) for file in take_in(files, allow_private=allow_private)]
    tables = [table for _, found in opened for table in found if not isinstance(table, str)]
    progress.begin("inspecting", _total(tables, limit))
    try:
        return [_file(file, found, limit, progress) for file, found in opened]
    finally:
        progress.end()


def _open(file: SourceFile, sheet: str | None) -> list[Table | str]:
    """Return the file's tables; a sheet that holds nothing is its name."""
    options = SourceOptions(header_score=usual_names_score())
    names = (sheet,) if sheet else list_sheets(file)
    if len(names) < 2 and not sheet:
        return list(open_tables(file, options, 0))
    found: list[Table | str] = []
    for name in names:
        try:
            found += open_tables(file, replace(options, sheets=(name,)), len(found))
        except SourceError as error:
            if error.code != "sheet-empty" or sheet:
                raise
            found.append(name)
    return found


def _total(tables: Sequence[Table], limit: int | None) -> int | None:
    counts = [table.estimated_rows for table in tables]
    known = [count if limit is None else min(count, limit) for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _file(file: SourceFile, tables: list[Table | str], limit: int | None, progress: Progress) -> FileFacts:
    with file.named():
        found = tuple(
            _empty(file, table) if isinstance(table, str) else _table(table, limit, progress) for table in tables
        )
    return FileFacts(
        file=file.name,
        format=kind_of(file.path),
        size_bytes=file.path.stat().st_size,
        sheets=tuple(list_sheets(file)),
        tables=found,
    )


def _empty(file: SourceFile, sheet: str) -> TableFacts:
    return TableFacts(file.name, sheet, 0, 0, 0, 0, is_whole=True, columns=())


def _table(table: Table, limit: int | None, progress: Progress) -> TableFacts:
    width = len(table.header)
    kept = min(KEPT_VALUES, max(_LEAST_ROWS, _MOST_KEPT // max(width, 1)))
    profiles = [ColumnProfile(kept) for _ in range(width)]
    rows = blank_rows = 0
    damage: dict[str, Found] = {}
    rows_per_chunk = min(ROWS_PER_CHUNK, max(_LEAST_ROWS, _CELLS_PER_CHUNK // max(width, 1)))
    for chunk in table.chunks(range(width), limit=limit, rows_per_chunk=rows_per_chunk):
        rows += len(chunk.blank)
        blank_rows += int(chunk.blank.sum())
        for position, profile in enumerate(profiles):
            profile.add(chunk.cells[position])
        for one in _damage(chunk, table.sheet_columns):
            known = damage.get(one.code)
            damage[one.code] = one if known is None else replace(known, count=known.count + one.count)
        progress.advance(len(chunk.blank), {})
    most = max(_LEAST_JUDGED, _MOST_JUDGED // max(width, 1))
    columns = tuple(
        _column(table, position, profile.sample(most), profile, rows - blank_rows)
        for position, profile in enumerate(profiles)
    )
    return TableFacts(
        file=table.ref.file,
        sheet=table.ref.sheet,
        header_row=table.header_row,
        rows=rows,
        blank_rows=blank_rows,
        spanned_rows=table.spanned_rows,
        is_whole=limit is None or rows < limit,
        columns=columns,
        facts=dict(table.facts),
        notes=tuple(table.notes),
        damage=tuple(sorted(damage.values(), key=lambda one: -one.count)),
    )


def _column(table: Table, position: int, sample: Sample, profile: ColumnProfile, rows: int) -> ColumnFacts:
    name = table.header[position]
    values, weights = sample
    kind, personal = kind_of_column(name, values, weights)
    return ColumnFacts(
        letter=letters_at(position, table.sheet_columns),
        position=position,
        name=name,
        kind=kind,
        filled=profile.filled,
        fill=profile.filled / rows if rows else 0.0,
        distinct=profile.distinct,
        distinct_is_exact=profile.is_exact,
        longest=profile.longest,
        judged_values=len(values),
        examples=tuple(profile.examples),
        personal=personal,
    )


def _damage(chunk: Chunk, columns: Sequence[int]) -> Iterator[Found]:
    """Yield what reading found wrong with the chunk, and what was spoiled before, by code."""
    counts = Counter(fault.code for fault in chunk.faults)
    for code, count in counts.items():
        first = next(fault for fault in chunk.faults if fault.code == code)
        letter = "" if first.column is None else letters_at(first.column, columns)
        yield Found(code, count, first.row, letter)
    for position, damages in spoiled(chunk.cells).items():
        for one in damages:
            if one.code in CODES and len(one.places):
                row = int(chunk.rows[int(np.min(one.places))])
                yield Found(one.code, len(one.places), row, letters_at(position, columns))
