"""A CSV of ours → its rows as columns, a block at a time: constant memory, whatever a cell holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from etl.reports.cells import as_it_was
from etl.reports.csv_records import blocks

BLOCK_BYTES = 4 << 20


def batches(path: Path, risky: frozenset[str], size: int = BLOCK_BYTES) -> Iterator[pa.Table]:
    """Yield the rows in their order, columns of string; of the `risky` ones without the apostrophes of `cells.inert`.

    A record that a killed run has left unfinished ends them. Raises OSError.
    """
    with path.open("rb") as stream:
        names = stream.readline().decode().rstrip("\r\n").split(",")
        for block in blocks(stream, size):
            if not block.endswith(b"\n"):
                return
            table = parsed(block, names)
            yield pa.table({n: as_it_was(whole(table[n])) if n in risky else whole(table[n]) for n in names})


def parsed(
    block: bytes, names: Sequence[str], *, columns: Sequence[str] | None = None, numbers: Collection[str] = ()
) -> pa.Table:
    """Return the rows of a block of whole records, without the names that stand above the first.

    `names`: of all its columns; `columns`: of those that are wanted, None: all. They are string, `numbers` int64, of
    which a blank one is null.
    """
    types = {name: pa.int64() if name in numbers else pa.string() for name in names}
    return csv.read_csv(
        pa.BufferReader(block),
        # What is one block to us must be one to the parser: a record that lies across two of them is an error to it.
        csv.ReadOptions(block_size=len(block) + 1, use_threads=False, column_names=list(names)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=types, strings_can_be_null=False, include_columns=None if columns is None else list(columns)
        ),
    )


def whole(values: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    if values.num_chunks == 1:
        return values.chunk(0)
    together = values.combine_chunks()
    return together if isinstance(together, pa.Array) else pa.concat_arrays(together.chunks)
