"""How much of a sheet its cells span: the reader allocates the rectangle between the first and the last of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from etl.sources.sheet_scan import MOST_AREA, MOST_COLUMNS, MOST_ROWS, SPARSE_AREA, SPARSE_RATIO, CellMark
from etl.sources.workbook_parts import hostile

MOST_MARKS = 2_000_000
"""Error cells of a sheet; each costs about 100 bytes here."""


@dataclass(slots=True)
class SheetArea:
    """The rectangle around the filled cells of one sheet, and its marks. Rows from 1, columns from 0."""

    path: Path
    sheet: str
    filled: int = 0
    first_row: int = MOST_ROWS + 1
    last_row: int = 0
    first_column: int = MOST_COLUMNS + 1
    last_column: int = -1
    _marks: dict[int, tuple[CellMark, ...]] = field(default_factory=dict)
    _known: dict[CellMark, CellMark] = field(default_factory=dict)
    _known_rows: dict[tuple[CellMark, ...], tuple[CellMark, ...]] = field(default_factory=dict)
    _count: int = 0
    _row: int = 0
    _columns: set[int] = field(default_factory=set)

    @property
    def marks(self) -> dict[int, tuple[CellMark, ...]]:
        """The marks by row; equal ones are one object."""
        return self._marks

    def widen(self, first_row: int, last_row: int, first_column: int, last_column: int) -> None:
        """Take in filled cells, the first and the last included. Raises SourceError beyond a limit."""
        if not (1 <= first_row <= last_row <= MOST_ROWS and 0 <= first_column <= last_column < MOST_COLUMNS):
            raise hostile(
                self.path,
                f"sheet '{self.sheet}' has a filled cell in row {last_row:,} of column {last_column + 1:,}, and at most"
                f" {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns are read",
            )
        self.filled += (last_row - first_row + 1) * (last_column - first_column + 1)
        self.first_row = min(self.first_row, first_row)
        self.last_row = max(self.last_row, last_row)
        self.first_column = min(self.first_column, first_column)
        self.last_column = max(self.last_column, last_column)

    def fill(self, row: int, column: int) -> None:
        """Take in one filled cell. Raises SourceError beyond a limit."""
        if row == self._row and column in self._columns:
            self.filled += 1
            return
        self.widen(row, row, column, column)
        self._row = row
        self._columns.add(column)

    def take_row(self, row: int, filled: int) -> None:
        """Take in a row whose columns have all been filled before; `row` is within the limits."""
        self.filled += filled
        self.first_row = min(self.first_row, row)
        self.last_row = max(self.last_row, row)

    def mark(self, rows: range, marks: tuple[CellMark, ...]) -> None:
        """Add the marks of each of these rows. Raises SourceError where there are too many."""
        self._count += len(rows) * len(marks)
        if self._count > MOST_MARKS:
            raise hostile(self.path, f"sheet '{self.sheet}' has more than {MOST_MARKS:,} cells with errors")
        known = tuple(self._known.setdefault(mark, mark) for mark in marks)
        for row in rows:
            whole = self._marks.get(row, ()) + known
            self._marks[row] = self._known_rows.setdefault(whole, whole)

    def cells_in(self, rows: int) -> int:
        """Return how many cells a rectangle of so many rows has."""
        return max(0, rows) * max(0, self.last_column - self.first_column + 1)

    def is_moderate(self, area: int) -> bool:
        """Whether a rectangle of so many cells is neither too large, nor too large for what it holds."""
        return area <= MOST_AREA and (area <= SPARSE_AREA or area <= SPARSE_RATIO * self.filled)

    def check(self) -> None:
        """Raise SourceError where the rectangle is too large, or too large for what it holds."""
        area = self.cells_in(self.last_row - self.first_row + 1)
        if not self.is_moderate(area):
            raise hostile(self.path, f"sheet '{self.sheet}' spans {area:,} cells of which {self.filled:,} are filled")
