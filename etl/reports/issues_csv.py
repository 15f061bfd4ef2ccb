"""issues.csv: one line an issue, in the order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.cells import letters_at
from etl.issues import IssueBatch
from etl.records import Rows, SourceRef
from etl.reports.cells import inert
from etl.reports.csv_columns import CsvColumns

COLUMNS = ("file", "sheet", "row", "cell", "column", "field", "severity", "code", "value", "message", "hint")
RISKY = frozenset({"file", "sheet", "column", "field", "value", "message", "hint"})
"""Columns whose text is not ours alone: no spreadsheet may take it for a formula."""


class IssuesCsv:
    """Writes issues.csv as chunks are judged."""

    def __init__(
        self, path: Path, *, shown: Callable[[Mapping[str, pa.Array]], Mapping[str, pa.Array]] | None = None
    ) -> None:
        """Open the file. `shown`: turns the columns into what they show of people, None: all of it."""
        self.path = path
        self._shown = shown
        self._csv = CsvColumns(path, COLUMNS)

    def write(
        self,
        source: SourceRef,
        rows: Rows,
        header: Sequence[str],
        batches: Sequence[IssueBatch],
        columns: int | Sequence[int] = 0,
    ) -> None:
        """Append the issues of a chunk's rows (`rows`: their numbers; places count in them).

        `columns`: where the table starts in its sheet, from 0, or of each position in the header the sheet's column.
        """
        batches = [batch for batch in batches if len(batch)]
        if not batches:
            return
        parts = [_columns(source, rows, header, batch, columns) for batch in batches]
        order = pa.array(np.argsort(np.concatenate([batch.places for batch in batches]), kind="stable"))
        found = {name: pa.concat_arrays([part[name] for part in parts]).take(order) for name in COLUMNS}
        shown = self._shown(found) if self._shown else found
        self._csv.write({name: inert(values) if name in RISKY else values for name, values in shown.items()})

    def close(self) -> None:
        """Close the file."""
        self._csv.close()


def _columns(
    source: SourceRef, numbers: Rows, header: Sequence[str], batch: IssueBatch, columns: int | Sequence[int]
) -> dict[str, pa.Array]:
    count = len(batch)
    rows = pa.array(numbers[batch.places])
    names = ", ".join(header[position] for position in batch.columns)
    return {
        "file": _same(source.file, count),
        "sheet": _same(source.sheet, count),
        "row": rows,
        "cell": _cells(batch.columns, rows.cast(pa.string()), columns),
        "column": _same(names, count),
        "field": _same(batch.field, count),
        "severity": _same(batch.severity.value, count),
        "code": _same(batch.code, count),
        "value": batch.values,
        "message": batch.messages,
        "hint": _same(batch.hint, count),
    }


def _cells(positions: Sequence[int], rows: pa.Array, columns: int | Sequence[int]) -> pa.Array:
    """Return the names of the cells that a value comes from, `B6` or `B6, C6`, one text per row."""
    if not positions:
        return _same("", len(rows))
    pieces: list[Any] = []
    for position in positions:
        pieces += [", " if pieces else "", letters_at(position, columns), rows]
    return pc.binary_join_element_wise(*pieces, "")


def _same(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), count)
