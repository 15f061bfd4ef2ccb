"""The rows of one table as two mappings see them, side by side and chunk by chunk. For `mapping_diff`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import SourceError
from etl.job import BoundTable, Job
from etl.mapping.model import RecordSpec
from etl.pipeline import Prepared, PreparedRecord, prepare
from etl.records import Chunk, Rows

ABSENT = -1
"""Stands for the status of a record that a row has not got."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two mappings, with its tables."""

    job: Job

    def none(self, bound: BoundTable) -> Block:
        """Return a block of no rows."""
        text = pa.array([], pa.string())
        status = np.empty(0, dtype=np.int8)
        records = tuple(Records(spec, status, text, text) for spec in self.job.plan.mapping.records)
        return Block(bound, np.empty(0, dtype=np.int64), records)

    def block(self, bound: BoundTable, chunk: Chunk) -> Block:
        """Return the rows of a chunk, prepared."""
        prepared = prepare(chunk, bound.plan, bound.binding)
        return Block(bound, chunk.rows, tuple(Records.of(record, prepared) for record in prepared.records))


@dataclass(frozen=True, slots=True)
class Records:
    """One record of some rows: status (int8, ABSENT where the row is not there), body (null: none) and key of each."""

    spec: RecordSpec
    status: np.ndarray
    bodies: pa.Array
    keys: pa.Array

    @classmethod
    def of(cls, record: PreparedRecord, prepared: Prepared) -> Records:
        """Return a prepared record with one body a row."""
        rows = len(prepared.chunk.blank)
        planned = np.zeros(rows, dtype=bool)
        planned[record.places] = True
        bodies = pc.replace_with_mask(pa.nulls(rows, pa.string()), pa.array(planned), record.bodies)
        return cls(record.spec, record.status, bodies, record.keys)

    def at(self, places: Rows) -> Records:
        """Return the rows at `places`; -1 is a row that is not there."""
        take = pa.array(places, mask=places < 0)
        status = np.where(places < 0, ABSENT, self.status[places] if len(self.status) else ABSENT).astype(np.int8)
        return replace(self, status=status, bodies=self.bodies.take(take), keys=self.keys.take(take))


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive rows of a table, prepared by one mapping."""

    bound: BoundTable
    rows: Rows
    records: tuple[Records, ...]

    def upto(self, row: int) -> Block:
        """Return the rows to `row`, it included."""
        return self.at(self.rows[self.rows <= row])

    def after(self, row: int) -> Block | None:
        """Return the rows after `row`, None if there are none."""
        rows = self.rows[self.rows > row]
        return self.at(rows) if len(rows) else None

    def at(self, rows: Rows) -> Block:
        """Return the block with exactly these rows, those that it has not got among them."""
        places = np.searchsorted(self.rows, rows)
        there = np.isin(rows, self.rows)
        places = np.where(there, places, -1).astype(np.int64)
        return replace(self, rows=rows, records=tuple(record.at(places) for record in self.records))


def tables_of(old: Job, new: Job) -> Iterator[tuple[BoundTable, BoundTable]]:
    """Yield the tables of both by file and sheet. Raises SourceError where they would not read the same sheets."""
    sheets = [{(bound.table.ref.file, bound.table.ref.sheet): bound for bound in job.tables} for job in (old, new)]
    for file, sheet in [*(sheets[0].keys() - sheets[1].keys()), *(sheets[1].keys() - sheets[0].keys())]:
        reads, leaves = ("old", "new") if (file, sheet) in sheets[0] else ("new", "old")
        raise SourceError(
            f"the {reads} mapping reads sheet '{sheet}', the {leaves} one does not",
            code="sheets-differ", where=file, hint="name the sheet that both shall read: --sheet NAME",
        )  # fmt: skip
    for key, bound in sheets[0].items():
        yield bound, sheets[1][key]


def blocks_of(
    sides: tuple[Side, Side], tables: tuple[BoundTable, BoundTable], limit: int | None, rows_per_chunk: int
) -> Iterator[tuple[Block, Block]]:
    """Yield the rows of a table as both mappings see them: read once where both read it in the same way."""
    old, new = tables
    if _is_read_alike(sides, tables):
        columns = sorted({*old.binding.positions, *new.binding.positions})
        with old.file.named():
            for chunk in old.table.chunks(columns, limit=limit, rows_per_chunk=rows_per_chunk):
                yield sides[0].block(old, chunk), sides[1].block(new, chunk)
        return
    streams = [
        (side.block(bound, chunk) for chunk in bound.chunks(limit, rows_per_chunk))
        for side, bound in zip(sides, tables, strict=True)
    ]
    yield from _aligned(streams[0], streams[1], sides[0].none(old), sides[1].none(new))


def _is_read_alike(sides: tuple[Side, Side], tables: tuple[BoundTable, BoundTable]) -> bool:
    """Whether both mappings take the same rows of a table: nothing that they pin about the file differs."""
    pins = [
        side.job.plan.mapping.source.model_copy(update={"line": 0, "column": 0, "sheets": None, "renamed": False})
        for side in sides
    ]
    old, new = (bound.table for bound in tables)
    return pins[0] == pins[1] and old.header == new.header and old.header_row == new.header_row


def _aligned(
    olds: Iterator[Block], news: Iterator[Block], no_old: Block, no_new: Block
) -> Iterator[tuple[Block, Block]]:
    """Yield blocks of the same rows, by their numbers; a row that one side has not got is absent there."""
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        ends = [int(block.rows[-1]) for block in (old, new) if block is not None]
        until = min(ends)
        rows = np.union1d(*((block or none).upto(until).rows for block, none in ((old, no_old), (new, no_new))))
        yield (old or no_old).at(rows), (new or no_new).at(rows)
        old = None if old is None else old.after(until) or next(olds, None)
        new = None if new is None else new.after(until) or next(news, None)
