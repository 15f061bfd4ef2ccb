"""results.parquet: results.csv with types, for programs. No apostrophe stands before a formula: Parquet is no sheet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.reports.csv_batches import batches
from etl.reports.material import Interrupted, Material
from etl.reports.results_csv import COLUMNS, RISKY

FILE = "results.parquet"
SCHEMA = pa.schema(
    [
        pa.field("file", pa.dictionary(pa.int32(), pa.string())),
        pa.field("sheet", pa.dictionary(pa.int32(), pa.string())),
        pa.field("row", pa.int64()),
        pa.field("action", pa.dictionary(pa.int32(), pa.string())),
        pa.field("key", pa.string()),
        pa.field("status", pa.dictionary(pa.int32(), pa.string())),
        pa.field("http_status", pa.int64()),
        pa.field("attempts", pa.int64()),
        pa.field("request_id", pa.string()),
        pa.field("field", pa.dictionary(pa.int32(), pa.string())),
        pa.field("code", pa.dictionary(pa.int32(), pa.string())),
        pa.field("message", pa.string()),
        pa.field("payload_sha256", pa.string()),
        pa.field("sent_at", pa.timestamp("ms", tz="UTC")),
        pa.field("duration_ms", pa.float64()),
        pa.field("record", pa.int64()),
    ]
)
"""A promise to other programs: the columns of results.csv, in its order. A blank text is "", a blank number null."""
_ROWS_PER_GROUP = 100_000


def write(material: Material) -> tuple[Path, ...]:
    """Write results.parquet from results.csv, in constant memory; return its path. Raises OSError, Interrupted."""
    path, part = material.out / FILE, material.work / FILE
    material.begin("writing results.parquet", material.report.rows * material.report.records)
    with pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer:
        for table in _grouped(batches(material.report.results_path, frozenset(RISKY))):
            if material.is_interrupted():
                raise Interrupted
            writer.write_table(pa.table({name: _typed(name, table[name]) for name in COLUMNS}, schema=SCHEMA))
            material.advance(table.num_rows)
    part.replace(path)
    return (path,)


def _grouped(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows again, in groups that a reader of Parquet likes."""
    held: list[pa.Table] = []
    count = 0
    for table in tables:
        held.append(table)
        count += table.num_rows
        if count >= _ROWS_PER_GROUP:
            yield pa.concat_tables(held)
            held, count = [], 0
    if held:
        yield pa.concat_tables(held)


def _typed(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = SCHEMA.field(name).type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_dictionary(kind):
        return values.dictionary_encode()
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values).cast(kind)
