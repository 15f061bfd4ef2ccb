"""Parquet files, read in small batches of the columns that are asked for; a row's number is its record's, from 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.errors import SourceError
from etl.records import CellFault, Chunk, Mask, SourceRef, cell_frame, text_series
from etl.sources.base import ROWS_PER_CHUNK, LoneTable, SourceOptions, Table, refuse_sheets
from etl.sources.fingerprint import unreadable
from etl.sources.parquet_cells import Leaf, TextColumn, is_typed, leaf_array, leaves_of, present, text_of
from etl.sources.sheet_scan import MOST_COLUMNS

MOST_GROUP_BYTES = 1 << 30
"""Bytes of a row group, unpacked: what a writer keeps in memory before it writes, and a reader may have to."""
MOST_VALUE_BYTES = 8 << 20
"""Of the values of a column in one row group, on average: no cell that is meant takes as much."""
MOST_FOOTER_BYTES = 64 << 20
_EXPORT_AGAIN = "export it again, or save the table as .csv"
_TAIL_BYTES = 8


@dataclass(frozen=True, slots=True)
class ParquetTable(LoneTable):
    """The one table of a Parquet file. `leaves`: its columns, those of structs each for itself."""

    path: Path
    ref: SourceRef
    leaves: tuple[Leaf, ...]
    rows: int
    skip_rows: int = 0
    header_row: int = 0

    @property
    def header(self) -> tuple[str, ...]:
        """The columns' names; the fields of structs have the struct's before them, with a dot."""
        return tuple(leaf.name.strip() for leaf in self.leaves)

    @property
    def facts(self) -> dict[str, str]:
        """Format, and what row numbers are."""
        return {"format": "Parquet", "row_numbers": "records, counted from 1"}

    @property
    def estimated_rows(self) -> int | None:
        """The number of records."""
        return max(0, self.rows - self.skip_rows)

    def chunks(
        self, columns: Sequence[int], *, limit: int | None = None, rows_per_chunk: int = ROWS_PER_CHUNK
    ) -> Iterator[Chunk]:
        """Yield the records in order (see `Table.chunks`); the other columns are read where a row may be blank."""
        wanted = tuple(dict.fromkeys(columns))
        left = self.estimated_rows if limit is None else limit
        number = 0
        with _opened(self.path) as file:
            others = [place for place in range(len(self.leaves)) if place not in wanted]
            rest = _Rest(_Columns(file, self.leaves, others), rows_per_chunk)
            for batch in _Columns(file, self.leaves, wanted).batches(rows_per_chunk):
                start = max(0, self.skip_rows - number)
                size = min(batch.rows - start, left or 0)
                if size > 0:
                    chunk = self._chunk(batch, number + 1, rest.blank(number, batch))
                    yield _cut(chunk, start, size)
                    left = (left or 0) - size
                number += batch.rows
                if not left:
                    return

    def _chunk(self, batch: _Batch, first: int, blank: Mask) -> Chunk:
        index = pd.RangeIndex(first, first + batch.rows).astype("int64")
        cells = {column: text_series(told.text, index) for column, told in batch.told.items()}
        faults = [
            CellFault(first + place, column, code, value)
            for column, told in batch.told.items()
            for place, code, value in told.faults
        ]
        return Chunk(
            source=self.ref,
            header=self.header,
            cells=cell_frame(cells, index),
            blank=blank,
            faults=tuple(sorted(faults, key=lambda fault: fault.row)),
            typed=batch.typed,
        )


def open_tables(path: Path, name: str, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the file's one table, after a look at its footer.

    Raises SourceError: a sheet or a header row that was asked for, a damaged file, too many columns, too large a row
    group.
    """
    _refuse(path, options)
    _require_small_footer(path)
    with _opened(path) as file:
        metadata = file.metadata
        if metadata.num_columns > MOST_COLUMNS:
            raise SourceError(
                f"the file has {metadata.num_columns:,} columns, and at most {MOST_COLUMNS:,} are read",
                code="too-many-columns",
                where=str(path),
                hint="export the columns that are needed",
            )
        for place in range(metadata.num_row_groups):
            _require_small_group(path, place, metadata.row_group(place))
            _require_small_values(path, place, metadata.row_group(place))
        leaves = tuple(leaves_of(file.schema_arrow))
        rows = metadata.num_rows
    if not leaves:
        raise SourceError("the file has no columns", code="file-empty", where=str(path), hint=_EXPORT_AGAIN)
    return [ParquetTable(path, SourceRef(first_index, name), leaves, rows, options.skip_rows)]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some records: `told`, the text of the columns that were asked for; `typed`: see Chunk."""

    rows: int
    told: dict[int, TextColumn]
    typed: dict[int, Mask]

    @property
    def blank(self) -> Mask:
        blank = np.ones(self.rows, dtype=np.bool_)
        for told in self.told.values():
            if not blank.any():
                break
            empty = pc.equal(pc.utf8_trim_whitespace(told.text), "").to_numpy(zero_copy_only=False)
            blank &= empty
            blank[[place for place, _, _ in told.faults]] = False
        return blank


@dataclass(frozen=True, slots=True)
class _Columns:
    """Some of the file's columns, read in batches."""

    file: pq.ParquetFile
    leaves: tuple[Leaf, ...]
    wanted: Sequence[int]

    def batches(self, size: int) -> Iterator[_Batch]:
        names = self.file.schema_arrow.names
        tops = sorted({self.leaves[place].top for place in self.wanted})
        # The file's columns are chosen by paths, which are not told apart where a name has a dot or occurs twice.
        by_name = len(set(names)) == len(names) and not any("." in name for name in names)
        asked = [names[top] for top in tops] if by_name else None
        place_of = {top: place for place, top in enumerate(tops)} if by_name else {top: top for top in tops}
        for batch in self.file.iter_batches(batch_size=size, columns=asked, use_threads=False):
            arrays = {
                place: leaf_array(batch.column(place_of[self.leaves[place].top]), self.leaves[place].path)
                for place in self.wanted
            }
            yield _Batch(
                batch.num_rows,
                {place: text_of(array) for place, array in arrays.items()},
                {place: present(array) for place, array in arrays.items() if is_typed(array.type)},
            )


@dataclass(slots=True)
class _Rest:
    """The columns that were not asked for: read only as far as there are rows that are blank in the others."""

    columns: _Columns
    size: int
    _batches: Iterator[_Batch] | None = None
    _blank: Mask = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    _first: int = 0

    def blank(self, first: int, batch: _Batch) -> Mask:
        """Return which rows of a batch are blank in every column; `first`: how many rows stand before it.

        Batches of other columns end elsewhere: these are counted by rows.
        """
        blank = batch.blank
        if not self.columns.wanted or not blank.any():
            return blank
        if self._batches is None:
            self._batches = self.columns.batches(self.size)
        while self._first + len(self._blank) < first + batch.rows:
            ahead = next(self._batches)
            gone = min(max(0, first - self._first), len(self._blank))
            self._blank = np.concatenate([self._blank[gone:], ahead.blank])
            self._first += gone
        start = first - self._first
        return blank & self._blank[start : start + batch.rows]


def _cut(chunk: Chunk, start: int, size: int) -> Chunk:
    if start == 0 and size >= len(chunk.blank):
        return chunk
    part = slice(start, start + size)
    rows = set(chunk.rows[part].tolist())
    return Chunk(
        source=chunk.source,
        header=chunk.header,
        cells=chunk.cells.iloc[part],
        blank=chunk.blank[part],
        faults=tuple(fault for fault in chunk.faults if fault.row in rows),
        typed={column: mask[part] for column, mask in chunk.typed.items()},
    )


def _refuse(path: Path, options: SourceOptions) -> None:
    refuse_sheets(path, "a Parquet file", options)
    if options.header_row:
        raise SourceError(
            f"the header is said to stand in row {options.header_row}, and a Parquet file has none",
            code="header-row",
            where=str(path),
            hint="leave `header_row` out: the columns have their names in the file",
        )


def _require_small_footer(path: Path) -> None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except OSError as error:
        raise unreadable(path, error) from error
    if tail[4:] != b"PAR1":
        raise _damaged(path)
    if int.from_bytes(tail[:4], "little") > MOST_FOOTER_BYTES:
        raise SourceError(
            f"the file's table of contents has more than {MOST_FOOTER_BYTES >> 20} MB",
            code="parquet-too-large",
            where=str(path),
            hint="write it with larger row groups and fewer columns, or save the table as .csv",
        )


def _require_small_group(path: Path, place: int, group: pq.RowGroupMetaData) -> None:
    if group.total_byte_size > MOST_GROUP_BYTES:
        raise SourceError(
            f"row group {place + 1} has {group.total_byte_size >> 20:,} MB, and at most"
            f" {MOST_GROUP_BYTES >> 20:,} are read",
            code="parquet-too-large",
            where=str(path),
            hint="write the file with smaller row groups (100,000 rows each), or save the table as .csv",
        )


def _require_small_values(path: Path, place: int, group: pq.RowGroupMetaData) -> None:
    for number in range(group.num_columns):
        column = group.column(number)
        if column.total_uncompressed_size > MOST_VALUE_BYTES * max(1, column.num_values):
            raise SourceError(
                f"row group {place + 1} has values of more than {MOST_VALUE_BYTES >> 20} MB"
                f" in '{column.path_in_schema}'",
                code="parquet-too-large",
                where=str(path),
                hint="leave the column out, or save the table as .csv",
            )


def _damaged(path: Path) -> SourceError:
    return SourceError(
        "this is a damaged Parquet file (or a half-copied one)",
        code="parquet-damaged",
        where=str(path),
        hint=_EXPORT_AGAIN,
    )


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except FileNotFoundError as error:
        raise unreadable(path, error) from error
    except (pa.ArrowException, OSError, UnicodeError, OverflowError, MemoryError) as error:
        raise _damaged(path) from error
