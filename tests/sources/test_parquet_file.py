"""Parquet: each type as the text that stands for it, by record number, from as few columns as will do."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_files import faults_of, open_one, read, rows_of, write

from etl.errors import SourceError
from etl.records import TEXT, CellFault
from etl.sources import parquet_file

MOMENT = dt.datetime(2024, 7, 2, 3, 4, 5, 120000)  # noqa: DTZ001 - a column without a time zone


def parquet(folder: Path, columns: dict[str, Any] | pa.Table, **options: Any) -> Path:
    stream = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), stream, **options)
    return write(folder, stream.getvalue(), "contacts.parquet")


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([48600123456, -5]), ["48600123456", "-5"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), ["18446744073709551615", "0"]),
        (pa.array([48600123456.0, 1e-7]), ["48600123456", "0.0000001"]),
        (pa.array([1e22, 0.1]), ["10000000000000000000000", "0.1"]),
        (pa.array([0.1, -0.0], pa.float32()), ["0.1", "0"]),
        (pa.array([0.1, 2], pa.float16()), ["0.1", "2"]),
        (pa.array([Decimal("1.50"), Decimal("-0.10")], pa.decimal128(10, 2)), ["1.50", "-0.10"]),
        (pa.array([Decimal("1E+3"), Decimal(2)], pa.decimal256(40, 0)), ["1000", "2"]),
        (pa.array([True, False]), ["TRUE", "FALSE"]),
        (pa.array([dt.date(2024, 2, 29), dt.date(1, 1, 1)]), ["2024-02-29", "0001-01-01"]),
        (pa.array([MOMENT, MOMENT.replace(microsecond=0)]), ["2024-07-02 03:04:05.12", "2024-07-02 03:04:05"]),
        (
            pa.array([MOMENT, MOMENT.replace(month=1)], pa.timestamp("us", "Europe/Warsaw")),
            ["2024-07-02 05:04:05.12+02:00", "2024-01-02 04:04:05.12+01:00"],
        ),
        (pa.array([MOMENT, MOMENT], pa.timestamp("ms", "+05:30")), ["2024-07-02 08:34:05.12+05:30"] * 2),
        (pa.array([MOMENT, MOMENT], pa.timestamp("ms", "UTC")), ["2024-07-02 03:04:05.12+00:00"] * 2),
        (pa.array([dt.time(3, 4, 5), dt.time(3, 4, 5, 500)]), ["03:04:05", "03:04:05.0005"]),
        (pa.array([dt.timedelta(hours=30), dt.timedelta(0)]), ["30:00:00", "00:00:00"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_a_typed_cell_is_the_text_that_stands_for_it(tmp_path: Path, values: pa.Array, texts: list[str]) -> None:
    column = pa.concat_arrays([values, pa.nulls(1, values.type)])
    [chunk] = read(open_one(parquet(tmp_path, {"a": column})))

    assert rows_of([chunk]) == {1: [texts[0]], 2: [texts[1]], 3: [""]}
    assert chunk.typed[0].tolist() == [True, True, False]
    assert set(chunk.cells.dtypes) == {TEXT}


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array(["ż", "NA"]), ["ż", "NA"]),
        (pa.array([" 007 ", "1E5"], pa.large_string()), [" 007 ", "1E5"]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array(["ż".encode(), b"abc"], pa.binary()), ["ż", "abc"]),
        (pa.array([["x", "y"], []]), ["x;y", ""]),
        (pa.array([[1, None, 2], [3]]), ["1;;2", "3"]),
        (pa.array([[1.0, 2.5], [3.0, 4.0]], pa.list_(pa.float64(), 2)), ["1;2.5", "3;4"]),
        (pa.array([[[1], [2, 3]], []]), ["[[1], [2, 3]]", "[]"]),
        (pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int32())), ['[["k", 1]]', "[]"]),
        (pa.array([[{"q": 1.5, "w": dt.date(2024, 1, 1)}], []]), ['[{"q": 1.5, "w": "2024-01-01"}]', "[]"]),
        (pa.nulls(2), ["", ""]),
    ],
    ids=lambda value: str(value.type)[:30] if isinstance(value, pa.Array) else "",
)
def test_text_and_lists_are_not_typed(tmp_path: Path, values: pa.Array, texts: list[str]) -> None:
    column = pa.concat_arrays([values, pa.nulls(1, values.type)])
    [chunk] = read(open_one(parquet(tmp_path, {"a": column})))

    assert [cells[0] for cells in rows_of([chunk]).values()] == [*texts, ""]
    assert chunk.typed == {}
    assert chunk.faults == ()


def test_the_fields_of_a_struct_are_columns_with_dots(tmp_path: Path) -> None:
    values = pa.array([{"a": 1, "b": {"c": "x"}}, None, {"a": None, "b": None}])
    table = open_one(parquet(tmp_path, {"s": values, "t": ["1", "2", "3"]}))

    assert table.header == ("s.a", "s.b.c", "t")
    assert rows_of(read(table)) == {1: ["1", "x", "1"], 2: ["", "", "2"], 3: ["", "", "3"]}


@pytest.mark.parametrize("kind", [pa.binary(), pa.binary(2)], ids=str)
def test_bytes_that_are_no_text_are_a_fault_of_the_cell(tmp_path: Path, kind: pa.DataType) -> None:
    chunks = read(open_one(parquet(tmp_path, {"e": ["x", "y"], "b": pa.array([b"ab", b"\xff\x00"], kind)})))

    assert faults_of(chunks) == [CellFault(2, 1, "binary-cell")]
    assert rows_of(chunks) == {1: ["x", "ab"], 2: ["y", ""]}


def test_an_item_that_holds_the_sign_between_items_is_a_fault_of_the_cell(tmp_path: Path) -> None:
    chunks = read(open_one(parquet(tmp_path, {"tags": [["a"], ["b;c", "d;e"]]})))

    assert faults_of(chunks) == [CellFault(2, 0, "list-item", "b;c")]


@pytest.mark.parametrize("rows_per_chunk", [1, 2, 5, 100])
def test_rows_are_numbered_by_record_across_row_groups(tmp_path: Path, rows_per_chunk: int) -> None:
    path = parquet(
        tmp_path, {"a": [f"a{n}" for n in range(9)], "b": pa.array(["x"] * 9).dictionary_encode()}, row_group_size=4
    )
    table = open_one(path)

    assert rows_of(read(table, rows_per_chunk=rows_per_chunk)) == {n + 1: [f"a{n}", "x"] for n in range(9)}
    assert list(rows_of(read(table, limit=3, rows_per_chunk=rows_per_chunk))) == [1, 2, 3]
    assert (table.header_row, table.estimated_rows) == (0, 9)
    assert table.facts == {"format": "Parquet", "row_numbers": "records, counted from 1"}


@pytest.mark.parametrize("rows_per_chunk", [1, 2, 5, 100])
def test_a_row_is_blank_by_all_its_cells_not_by_those_asked_for(tmp_path: Path, rows_per_chunk: int) -> None:
    columns = {
        "a": ["x", None, " ", "", "y"],
        "b": pa.array([None, 1, None, None, 2]),
        "c": pa.array([b"", None, None, b"\xff", b""]),
    }
    table = open_one(parquet(tmp_path, columns, row_group_size=2))

    for asked in ([], [0], [1], [0, 1, 2]):
        chunks = list(table.chunks(asked, rows_per_chunk=rows_per_chunk))
        assert [bool(value) for chunk in chunks for value in chunk.blank] == [False, False, True, False, False]


def test_rows_can_be_passed_over(tmp_path: Path) -> None:
    table = open_one(parquet(tmp_path, {"a": ["1", "2", "3", "4"]}), skip_rows=2)

    assert rows_of(read(table, rows_per_chunk=3)) == {3: ["3"], 4: ["4"]}
    assert list(rows_of(read(table, limit=1))) == [3]


@pytest.mark.parametrize("names", [["a", "a", "b"], ["a.b", "a", "c"], [" a ", "b", ""]], ids=str)
def test_any_names_are_kept_and_each_column_has_its_own_cells(tmp_path: Path, names: list[str]) -> None:
    columns = [pa.array(["1"]), pa.array([{"b": "2"}]) if "a.b" in names else pa.array(["2"]), pa.array(["3"])]
    table = open_one(parquet(tmp_path, pa.table(columns, names=names)))

    assert len(table.header) == 3
    assert rows_of(read(table)) == {1: ["1", "2", "3"]}
    assert rows_of(list(table.chunks([1]))) == {1: ["2"]}


def test_a_file_without_records_has_no_chunks(tmp_path: Path) -> None:
    assert read(open_one(parquet(tmp_path, {"a": pa.array([], pa.string())}))) == []


def test_a_half_copied_file_is_refused(tmp_path: Path) -> None:
    whole = parquet(tmp_path, {"a": ["x"] * 100}).read_bytes()
    path = write(tmp_path, whole[:-30], "half.parquet")

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}: this is a damaged Parquet file (or a half-copied one)\n"
        "  hint: export it again, or save the table as .csv   [parquet-damaged]"
    )


def test_damage_within_the_data_is_found(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"a": [f"name {n}" for n in range(100)]}, compression="NONE", write_page_checksum=True)
    content = bytearray(path.read_bytes())
    place = content.index(b"name 50")
    content[place] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(SourceError, match="damaged Parquet file"):
        read(open_one(path))


def test_a_thousand_columns_are_the_most(tmp_path: Path) -> None:
    path = parquet(tmp_path, {f"c{n}": ["x"] for n in range(1001)})

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}: the file has 1,001 columns, and at most 1,000 are read\n"
        "  hint: export the columns that are needed   [too-many-columns]"
    )


def test_a_row_group_beyond_the_limit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet(tmp_path, {"a": [f"{n:0500}" for n in range(5000)]}, use_dictionary=False)
    monkeypatch.setattr(parquet_file, "MOST_GROUP_BYTES", 1 << 20)

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}: row group 1 has 2 MB, and at most 1 are read\n"
        "  hint: write the file with smaller row groups (100,000 rows each), or save the table as .csv"
        "   [parquet-too-large]"
    )


def test_a_footer_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"PAR1" + b"x" * 100 + (200 << 20).to_bytes(4, "little") + b"PAR1", "x.parquet")

    with pytest.raises(SourceError, match="the file's table of contents has more than 64 MB"):
        open_one(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sheets": ("May",)}, "a Parquet file has no sheets, and sheet 'May' was asked for"),
        ({"header_row": 2}, "the header is said to stand in row 2, and a Parquet file has none"),
    ],
    ids=["sheet", "header row"],
)
def test_what_parquet_does_not_have_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_one(parquet(tmp_path, {"a": ["x"]}), **options)


CELLS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=9),
    kind=st.sampled_from([pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]),
    group=st.integers(1, 5),
    rows_per_chunk=st.sampled_from([1, 2, 1000]),
    codec=st.sampled_from(["NONE", "SNAPPY", "ZSTD", "GZIP"]),
)
def test_any_table_of_text_survives_being_written_and_read(
    rows: list[list[str | None]], kind: pa.DataType, group: int, rows_per_chunk: int, codec: str
) -> None:
    columns = [pa.array([row[place] for row in rows], pa.string()).cast(kind) for place in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        path = parquet(Path(folder), pa.table(columns, names=["a", "b", "c"]), row_group_size=group, compression=codec)
        chunks = read(open_one(path), rows_per_chunk=rows_per_chunk)

    assert rows_of(chunks) == {n: [cell or "" for cell in row] for n, row in enumerate(rows, start=1)}
    assert faults_of(chunks) == []
    blank = [bool(value) for chunk in chunks for value in chunk.blank]
    assert blank == [all(not (cell or "").strip() for cell in row) for row in rows]
