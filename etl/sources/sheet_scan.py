"""What a look at the bytes of a workbook says that its reader does not; the same for every format of workbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

MOST_ROWS = 1_048_576
MOST_COLUMNS = 1_000
MOST_AREA = 50_000_000
SPARSE_AREA = 2_000_000
"""Cells of the rectangle that are always let pass; above it at least one in SPARSE_RATIO must be filled."""
SPARSE_RATIO = 50
MOST_ZERO_RUNS = 2_000_000
"""Runs of cells that show leading zeros, of one sheet; each costs about 100 bytes."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet of a workbook: its name, the part that holds it, and whether people see it."""

    name: str
    part: str
    is_visible: bool


@dataclass(frozen=True, slots=True)
class CellMark:
    """A cell whose value is not to be trusted: `column` from 0, `code` of the issue, `value` as Excel shows it."""

    column: int
    code: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """Merged cells, the first and the last included: rows from 1, columns from 0."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True, slots=True)
class SheetScan:
    """Of one sheet: `last_row`, the last row that holds any cell, a blank styled one too; `marks` by row.

    `hidden_rows` (from 1, those that a filter hides too) and `hidden_columns` (from 0); `has_filter`: a filter is on.
    `serial_dates`: by column (from 0) the runs of rows (first, last) whose whole numbers are days, to be read by
    `serial_dates.date_of` in the date system `is_1904`; only for a format whose reader leaves them numbers (.xlsb).
    `has_gaps`: its rows stand so far apart that the reader must get them by `workbook_gaps` (.xlsx).
    `zeros`: by column the runs of rows (first, last) and the number format that shows their whole numbers with leading
    zeros (`00-000`), to be read by `leading_zeros.shown`.
    `texts`: by column, then by row, the texts of which the reader leaves something out (.ods).
    """

    last_row: int
    marks: dict[int, tuple[CellMark, ...]]
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merges: tuple[Merge, ...] = ()
    has_filter: bool = False
    serial_dates: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    is_1904: bool = False
    has_gaps: bool = False
    zeros: dict[int, tuple[tuple[int, int, str], ...]] = field(default_factory=dict)
    texts: dict[int, dict[int, str]] = field(default_factory=dict)


class BookScanner(Protocol):
    """A workbook that is looked at, within limits, before its reader sees it. Every method raises SourceError."""

    @property
    def sheets(self) -> tuple[SheetPart, ...]:
        """The worksheets in their order, hidden ones too; no chart, dialog or macro sheets."""

    def scan(self, sheet: SheetPart) -> SheetScan:
        """Look at one sheet, in constant memory but for its marks. Raises SourceError beyond a limit."""
