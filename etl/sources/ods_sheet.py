"""One sheet of an OpenDocument spreadsheet while its XML is read: rows and cells counted with their repeats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from etl.sources.leading_zeros import ZeroRuns
from etl.sources.ods_texts import Place, whole_texts
from etl.sources.sheet_area import SheetArea
from etl.sources.sheet_scan import (
    MOST_COLUMNS,
    MOST_ZERO_RUNS,
    SPARSE_AREA,
    SPARSE_RATIO,
    CellMark,
    Merge,
    SheetScan,
)
from etl.sources.workbook_parts import hostile


@dataclass(slots=True)
class SheetLook:
    """What is known of a sheet so far; rows from 1, columns from 0, the repeated ones counted."""

    area: SheetArea
    is_visible: bool
    row: int = 0
    row_repeats: int = 1
    column: int = 0
    next_column: int = 0
    stored: int = 0
    hidden: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    is_filtered: bool = False
    zeros: ZeroRuns = field(default_factory=ZeroRuns)
    column_ends: list[int] = field(default_factory=list)
    column_styles: list[str] = field(default_factory=list)
    row_style: str | None = None
    broken: list[Place] = field(default_factory=list)

    def style_of(self, attributes: dict[str, str]) -> str:
        """Return the style of the cell that starts: its own, else its row's, else its column's."""
        own = attributes.get("table:style-name", self.row_style)
        if own is not None:
            return own
        place = bisect_right(self.column_ends, self.column)
        return self.column_styles[place] if place < len(self.column_styles) else ""

    def show(self, zeros: str, repeats: int) -> None:
        """Take in that the cell, and its copies, show leading zeros."""
        for column in range(self.column, self.column + repeats):
            self.zeros.note(self.row, column, zeros, self.row + self.row_repeats - 1)
        if self.zeros.count > MOST_ZERO_RUNS:
            raise hostile(
                self.area.path,
                f"sheet '{self.area.sheet}' has leading zeros in more than {MOST_ZERO_RUNS:,} separate places",
            )

    def start_row(self, repeats: int, visibility: str, style: str | None) -> None:
        """Begin a row that stands `repeats` times."""
        self.row_style = style
        self.row += self.row_repeats if self.row else 1
        self.row_repeats = repeats
        self.column = 0
        if visibility != "visible":
            self.hidden.append((self.row, self.row + repeats - 1))
            self.is_filtered = self.is_filtered or visibility == "filter"

    def start_column(self, repeats: int, visibility: str, style: str) -> None:
        """Take in a column that stands `repeats` times."""
        if visibility != "visible":
            last = min(self.next_column + repeats, MOST_COLUMNS)
            self.hidden_columns.update(range(self.next_column, last))
        self.next_column += repeats
        self.column_ends.append(self.next_column)
        self.column_styles.append(style)

    def fill(self, repeats: int) -> None:
        """Take in that the cell, and its copies, hold something."""
        if repeats == self.row_repeats == 1:
            self.area.fill(self.row, self.column)
            return
        self.area.widen(self.row, self.row + self.row_repeats - 1, self.column, self.column + repeats - 1)

    def end_row(self) -> None:
        """Count the cells that the reader stores of a row, filled or not: all but the last blank ones."""
        self.stored += self.column
        if self.stored > SPARSE_AREA and self.stored > SPARSE_RATIO * self.area.filled:
            raise hostile(
                self.area.path,
                f"sheet '{self.area.sheet}' holds {self.stored:,} cells of which {self.area.filled:,} are filled",
            )

    def mark(self, column: int, repeats: int, code: str, value: str = "") -> None:
        """Note what the reader does not tell of the cells from `column` on."""
        marks = tuple(CellMark(place, code, value) for place in range(column, column + repeats))
        self.area.mark(range(self.row, self.row + self.row_repeats), marks)

    def merge(self, rows: int, columns: int) -> None:
        """Take in that the cell is merged with so many below and to its right."""
        self.merges.append(Merge(self.row, self.row + rows - 1, self.column, self.column + columns - 1))

    def give_up(self, place: Place) -> None:
        """Mark a place whose text cannot be read whole."""
        self.area.mark(place.rows, tuple(CellMark(column, "text-not-whole") for column in place.columns))

    def result(self, filtered: frozenset[str], texts: Mapping[int, str]) -> SheetScan:
        """Return what was found. Raises SourceError beyond a limit."""
        self.area.check()
        whole, cut = whole_texts(self.broken, texts)
        for place in cut:
            self.give_up(place)
        last = self.area.last_row
        hidden = frozenset(row for low, high in self.hidden for row in range(low, min(high, last) + 1))
        return SheetScan(
            last,
            self.area.marks,
            hidden,
            frozenset(self.hidden_columns),
            tuple(self.merges),
            self.is_filtered or self.area.sheet in filtered,
            zeros=self.zeros.by_column(),
            texts=whole,
        )
