"""results.parquet: what results.csv says, with types."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import CONTACT, mapping_of, results_of, rig, write_rows

import etl
from etl.reports.csv_batches import batches
from etl.reports.results_csv import COLUMNS
from etl.reports.results_parquet import SCHEMA

LONG = "x" * 900_000


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parquet")
    with rig(folder) as server:
        rows = [("E-mail",), ("anna@example.com",), ("=broken",), ("+jan@example.com",), ("line\nbreak",), (LONG,)]
        yield server.run(CONTACT, write_rows(folder / "s.csv", rows), reports=("csv", "parquet"))


def test_it_has_the_columns_of_results_csv_in_their_order_with_types(report):
    assert pq.read_schema(report.out / "results.parquet").equals(SCHEMA)
    assert tuple(SCHEMA.names) == COLUMNS


def test_every_line_is_there_as_it_was_before_a_spreadsheet_was_thought_of(report):
    read = pq.read_table(report.out / "results.parquet").to_pylist()
    told = results_of(report)
    assert [line["row"] for line in read] == [int(line["row"]) for line in told]
    assert [line["key"] for line in read] == ["anna@example.com", "=broken", "+jan@example.com", "line\nbreak", LONG]
    assert [line["key"] for line in told][1:3] == ["'=broken", "'+jan@example.com"]


def test_times_are_moments_and_blank_numbers_are_null(report):
    sent, invalid, *_ = pq.read_table(report.out / "results.parquet").to_pylist()
    told, *_ = results_of(report)
    assert sent["sent_at"] == datetime.fromisoformat(told["sent_at"]).astimezone(UTC)
    assert (sent["http_status"], sent["attempts"], sent["status"]) == (200, 1, "delivered")
    assert (invalid["http_status"], invalid["sent_at"], invalid["duration_ms"], invalid["request_id"]) == (
        None,
    ) * 3 + ("",)


def test_it_is_named_in_the_report(report):
    assert report.out / "results.parquet" in report.made
    assert not list(report.out.glob(".work*"))


def test_a_check_has_one_too(tmp_path):
    file = write_rows(tmp_path / "s.csv", [("E-mail",), ("anna@example.com",)])
    chosen = etl.Options(out=tmp_path / "out", reports=("parquet",))
    report = etl.check(mapping_of(CONTACT, tmp_path), [file], options=chosen)
    assert pq.read_table(report.out / "results.parquet").column("status").to_pylist() == ["planned"]


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_a_csv_is_read_the_same_in_blocks_of_any_size(tmp_path, size):
    path = tmp_path / "x.csv"
    path.write_text('a,b\n"\'=1",2\n"x\ny","""q"""\n,\n' + f"{'z' * 200},1\nunfini", "utf-8")
    tables = list(batches(path, frozenset({"a"}), size))
    assert pa.concat_tables(tables).to_pylist() == [
        {"a": "=1", "b": "2"}, {"a": "x\ny", "b": '"q"'}, {"a": "", "b": ""}, {"a": "z" * 200, "b": "1"}
    ]  # fmt: skip
