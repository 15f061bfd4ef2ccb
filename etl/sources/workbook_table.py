"""One sheet of a workbook as a table: the batches of its process, put together with what the scan of it says."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.formulas import as_it_was
from etl.records import CellFault, Chunk, Mask, Rows, SourceRef, cell_frame, text_series
from etl.sources import leading_zeros, workbook_process
from etl.sources.base import ROWS_PER_CHUNK, SourceOptions
from etl.sources.serial_dates import date_of
from etl.sources.sheet_scan import Merge, SheetScan
from etl.sources.workbook_process import Book, SheetRequest

_COMMENT, _TOTAL = 1, 2
_DIGITS = "^[0-9]{1,15}$"


@dataclass(slots=True)
class WorkbookTable:
    """One sheet. `kind`: the workbook's format; `part`: the one of the container that holds the sheet.

    `origin`: the sheet's first column that holds anything, from which the reader counts. `head`: the first rows that
    hold anything, down to the first of the data, as (number, cells from column A on). `aside`: the sheet's column that
    is no data (`etl.sent_back`).
    """

    book: Book
    kind: str
    ref: SourceRef
    header: tuple[str, ...]
    header_row: int
    sheet_columns: tuple[int, ...]
    origin: int
    part: str
    options: SourceOptions = field(repr=False)
    scan: SheetScan = field(repr=False)
    rivals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    head: tuple[tuple[int, tuple[str, ...]], ...] = ()
    aside: int | None = None
    spanned_rows: int = 0

    @property
    def first_column(self) -> int:
        """Where the header's first cell stands."""
        return self.sheet_columns[0]

    @property
    def facts(self) -> dict[str, str]:
        """Format and sheet."""
        return {"format": self.kind, "sheet": self.ref.sheet}

    @property
    def estimated_rows(self) -> int | None:
        """The rows down to the last one that holds anything."""
        return max(0, self.scan.last_row - self.header_row)

    @property
    def is_part(self) -> bool:
        """Whether there are reasons."""
        return self.aside is not None

    @property
    def data_after(self) -> int:
        """The row before the first one of data."""
        return self.header_row + self.options.skip_rows

    def chunks(
        self, columns: Sequence[int], *, limit: int | None = None, rows_per_chunk: int = ROWS_PER_CHUNK
    ) -> Iterator[Chunk]:
        """Yield the rows that hold anything, in order (see `Table.chunks`); the others count in `spanned_rows`.

        Faults are those of `columns`. Raises SourceError if the file is not the one that was opened.
        """
        self.book.check()
        self.spanned_rows = 0
        if limit is not None and limit <= 0:
            return
        wanted = tuple(dict.fromkeys(columns))
        merges = self._merges(wanted)
        listed = 0
        batches = workbook_process.read_rows(self.book, self._request(wanted, merges, limit, rows_per_chunk))
        try:
            for batch in batches:
                chunk = self._chunk(batch, wanted, merges)
                listed += len(chunk.blank)
                self.spanned_rows = int(chunk.rows[-1]) - self.data_after - listed
                yield chunk
        finally:
            batches.close()
        if limit is None or listed < limit:
            self.spanned_rows = max(self.scan.last_row - self.data_after - listed, self.spanned_rows, 0)

    def _request(
        self, wanted: Sequence[int], merges: Sequence[Merge], limit: int | None, batch: int
    ) -> workbook_process.Rows:
        return workbook_process.Rows(
            SheetRequest(self.ref.sheet, self.part if self.scan.has_gaps else None),
            tuple(self.sheet_columns[position] - self.origin for position in wanted),
            self.data_after,
            keep=tuple(self.scan.marks),
            merges=tuple((one.first_row, one.last_row, one.first_column - self.origin) for one in merges),
            limit=limit,
            batch=batch,
            comment=self.options.comment,
            aside=None if self.aside is None else self.aside - self.origin,
        )

    def _merges(self, wanted: Sequence[int]) -> list[Merge]:
        """Return the cells of these columns that are merged downwards and start in the data."""
        columns = {self.sheet_columns[position] for position in wanted}
        return [
            one
            for one in self.scan.merges
            if one.first_column in columns and self.data_after < one.first_row < one.last_row
        ]

    def _chunk(self, batch: pa.RecordBatch, wanted: Sequence[int], merges: Sequence[Merge]) -> Chunk:
        rows = batch.column("row").to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
        index = pd.Index(rows)
        cells: dict[int, pd.Series[str]] = {}
        typed: dict[int, Mask] = {}
        for position in wanted:
            column = self.sheet_columns[position]
            texts = batch.column(f"text{column - self.origin}")
            marks = batch.column(f"typed{column - self.origin}")
            origins = _origins(rows, [m for m in merges if m.first_column == column])
            if marks.null_count == 0 and len(marks):
                typed[position] = marks.to_numpy(zero_copy_only=False)
                texts = self._as_shown(texts, column, origins)
            if column in self.scan.texts:
                texts = _whole(texts, origins, self.scan.texts[column])
            cells[position] = text_series(texts if self.aside is None else as_it_was(texts), index)
        left_out = self._left_out(batch, rows)
        return Chunk(
            source=self.ref,
            header=self.header,
            cells=cell_frame(cells, index),
            blank=np.zeros(len(rows), dtype=np.bool_),
            faults=self._faults(batch, rows, wanted, merges, left_out),
            typed=typed,
            left_out=left_out,
        )

    def _as_shown(self, texts: pa.Array, column: int, rows: Rows) -> pa.Array:
        """Return numbers as the sheet shows them where the reader does not: days, and zeros in front."""
        runs = self.scan.serial_dates.get(column, ())
        days = functools.partial(_day, is_1904=self.scan.is_1904)
        texts = _replaced(texts, _within(rows, runs), days) if runs else texts
        zeros = self.scan.zeros.get(column, ())
        for code in dict.fromkeys(code for _, _, code in zeros):
            places = _within(rows, [(first, last) for first, last, one in zeros if one == code])
            texts = _replaced(texts, places, functools.partial(leading_zeros.shown, zeros=code))
        return texts

    def _left_out(self, batch: pa.RecordBatch, rows: Rows) -> dict[str, Mask]:
        marks = batch.column("mark").to_numpy(zero_copy_only=False)
        masks = {"comment-row": marks == _COMMENT}
        if not self.options.total_rows:
            masks["total-row"] = marks == _TOTAL
        if not self.options.hidden_rows and self.scan.hidden_rows:
            masks["row-hidden"] = np.fromiter(
                (row in self.scan.hidden_rows for row in rows.tolist()), np.bool_, len(rows)
            )
        return {reason: mask for reason, mask in masks.items() if mask.any()}

    def _faults(
        self,
        batch: pa.RecordBatch,
        rows: Rows,
        wanted: Sequence[int],
        merges: Sequence[Merge],
        left_out: dict[str, Mask],
    ) -> tuple[CellFault, ...]:
        """Return the faults of rows that are not left out, in the order of their rows."""
        found: list[CellFault] = []
        if self.options.total_rows:
            labels = batch.column("label")
            places = pc.indices_nonzero(labels.is_valid()).to_pylist()
            found += [CellFault(int(rows[place]), None, "total-row", labels[place].as_py()) for place in places]
        if self.scan.marks:
            found += self._marked(rows, wanted, merges)
        gone = {row for mask in left_out.values() for row in rows[mask].tolist()} if found else set()
        return tuple(sorted((fault for fault in found if fault.row not in gone), key=lambda fault: fault.row))

    def _marked(self, rows: Rows, wanted: Sequence[int], merges: Sequence[Merge]) -> Iterator[CellFault]:
        positions = {self.sheet_columns[position]: position for position in wanted}
        for number in rows.tolist():
            for mark in self.scan.marks.get(number, ()):
                if mark.column in positions:
                    yield CellFault(number, positions[mark.column], mark.code, mark.value)
        for one in merges:
            for mark in self.scan.marks.get(one.first_row, ()):
                if mark.column == one.first_column:
                    below = rows[(rows > one.first_row) & (rows <= one.last_row)].tolist()
                    yield from (CellFault(row, positions[mark.column], mark.code, mark.value) for row in below)


def _origins(rows: Rows, merges: Sequence[Merge]) -> Rows:
    """Return of each row the one whose cell counts in it."""
    if not merges:
        return rows
    origins = rows.copy()
    for one in merges:
        origins[(rows > one.first_row) & (rows <= one.last_row)] = one.first_row
    return origins


def _within(rows: Rows, runs: Sequence[tuple[int, int]]) -> Mask:
    """Return which rows lie in one of the runs, each given by its first and last row."""
    ordered = np.array(sorted(runs), dtype=np.int64).reshape(-1, 2)
    place = np.searchsorted(ordered[:, 0], rows, side="right") - 1
    inside: Mask = (place >= 0) & (rows <= ordered[np.maximum(place, 0), 1])
    return inside


def _whole(texts: pa.Array, rows: Rows, whole: dict[int, str]) -> pa.Array:
    """Return `texts` with those that the scan kept by their rows."""
    places = np.isin(rows, np.fromiter(whole, np.int64, len(whole)))
    found = pa.array([whole[row] for row in rows[places].tolist()], texts.type)
    return pc.replace_with_mask(texts, pa.array(places), found)


def _replaced(texts: pa.Array, places: Mask, show: object) -> pa.Array:
    """Return `texts` with `show` of those that are digits at `places`; worked out once for each distinct one."""
    if not places.any():
        return texts
    mask = pc.and_(pa.array(places), pc.match_substring_regex(texts, _DIGITS))
    unique = pc.unique(texts.filter(mask))
    new = pa.array([show(text) for text in unique.to_pylist()], texts.type)  # type: ignore[operator]
    found = new.take(pc.index_in(texts.filter(mask), value_set=unique))
    return pc.replace_with_mask(texts, mask, found)


def _day(digits: str, *, is_1904: bool) -> str:
    day = date_of(int(digits), is_1904=is_1904)
    return digits if day is None else day.isoformat()
