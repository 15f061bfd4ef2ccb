"""What a person should know of a sheet before its rows are sent: hidden rows and columns, merged cells."""

from __future__ import annotations

from collections.abc import Sequence

from etl.cells import column_letters
from etl.sources.base import SourceOptions
from etl.sources.sheet_scan import SheetScan

_MOST_NAMED = 5


def notes_of(
    scan: SheetScan, sheet: str, options: SourceOptions, *, data_after: int, columns: Sequence[int]
) -> tuple[str, ...]:
    """Return the sentences. `data_after`: the row before the first one of data; `columns`: those read, from 0."""
    notes = []
    rows = sum(row > data_after for row in scan.hidden_rows) if options.hidden_rows else 0
    if rows:
        count = f"{rows:,} rows of sheet '{sheet}' are" if rows > 1 else f"1 row of sheet '{sheet}' is"
        why = " by a filter" if scan.has_filter else ""
        them = "them" if rows > 1 else "it"
        notes.append(f"{count} hidden{why} and will be read; `source: {{hidden_rows: skip}}` leaves {them} out")
    hidden = [column for column in columns if column in scan.hidden_columns] if options.hidden_columns else []
    if hidden:
        letters = ", ".join(map(column_letters, hidden[:_MOST_NAMED])) + (", ..." if hidden[_MOST_NAMED:] else "")
        which = f"columns {letters} of sheet '{sheet}' are" if hidden[1:] else f"column {letters} of sheet '{sheet}' is"
        them = "them" if hidden[1:] else "it"
        notes.append(f"{which} hidden and will be read; `source: {{hidden_columns: skip}}` leaves {them} out")
    merged = sum(
        one.first_column in columns and data_after < one.first_row < one.last_row and one.first_row <= scan.last_row
        for one in scan.merges
    )
    if merged:
        count = (
            f"{merged:,} merged cells of sheet '{sheet}' count"
            if merged > 1
            else f"1 merged cell of sheet '{sheet}' counts"
        )
        they = "they span, in their" if merged > 1 else "it spans, in its"
        notes.append(f"{count} for each row that {they} first column")
    return tuple(notes)
