"""A CSV of ours → its rows as columns of text, in constant memory, whatever a cell holds."""

from __future__ import annotations

from collections.abc import Iterator
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
    names: list[str] | None = None
    with path.open("rb") as stream:
        for block in blocks(stream, size):
            if not block.endswith(b"\n"):
                return
            table = _parsed(block, names)
            if names is None:
                names = table.column_names
            yield pa.table({n: as_it_was(_one(table[n])) if n in risky else _one(table[n]) for n in names})


def _parsed(block: bytes, names: list[str] | None) -> pa.Table:
    # What is one block to us must be one to the parser: a record that lies across two of them is an error to it.
    read = csv.ReadOptions(block_size=len(block) + 1, use_threads=False, column_names=names)
    if names is None:
        first = csv.read_csv(
            pa.BufferReader(block[: block.index(b"\n") + 1]), read_options=csv.ReadOptions(use_threads=False)
        )
        names = first.column_names
    return csv.read_csv(
        pa.BufferReader(block),
        read_options=read,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )


def _one(values: pa.ChunkedArray) -> pa.Array:
    whole = values.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
