"""The files that people have: each in tests/corpus/files/ with what must come out of it (`.expected.json`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sources.table_files import faults_of, read, rows_of

from etl.errors import SourceError
from etl.records import Chunk
from etl.sources import SourceFile, open_tables, take_in
from etl.sources.base import SourceOptions, Table

FILES = Path(__file__).parent / "corpus" / "files"
CASES = sorted(path.name.removesuffix(".expected.json") for path in FILES.glob("*.expected.json"))


def tables_of(files: list[SourceFile], options: dict[str, Any]) -> list[Table]:
    if "sheets" in options:
        options = {**options, "sheets": tuple(options["sheets"])}
    tables: list[Table] = []
    for file in files:
        tables += open_tables(file, SourceOptions(**options), len(tables))
    return tables


@pytest.mark.parametrize("name", CASES)
def test_what_comes_out_is_what_was_put_in(name: str) -> None:
    expected = json.loads((FILES / f"{name}.expected.json").read_text(encoding="utf-8"))

    if "refused" in expected:
        with pytest.raises(SourceError) as caught:
            [read(table) for file in take_in([FILES / name]) for table in tables_of([file], {})]
        assert caught.value.hint
        assert expected["refused"] in {"*", caught.value.code}
        return
    files = take_in([FILES / name])  # kept: what was unpacked lives as long as these
    tables = tables_of(files, expected.get("options", {}))
    if "rows_only" in expected:
        check_some_rows(read(tables[0]), expected)
        return
    assert len(tables) == len(expected["tables"])
    for table, one in zip(tables, expected["tables"], strict=True):
        check_table(table, one)


def check_table(table: Table, expected: dict[str, Any]) -> None:
    chunks = read(table)

    assert table.ref.file.endswith(expected.get("file", ""))
    assert (table.ref.sheet, list(table.header), table.header_row) == (
        expected["sheet"],
        expected["header"],
        expected["header_row"],
    )
    assert {str(row): cells for row, cells in rows_of(chunks).items()} == expected["rows"]
    assert table.first_column == expected.get("first_column", 0)
    assert rows_where(chunks, "blank") == expected.get("blank", [])
    wanted = [tuple(fault) for fault in expected.get("faults", [])]
    assert [(f.row, f.column, f.code, f.value) for f in faults_of(chunks)] == wanted or [
        (f.row, f.column, f.code, "") for f in faults_of(chunks)
    ] == wanted
    assert {code: rows_where(chunks, code) for chunk in chunks for code in chunk.left_out} == expected.get(
        "left_out", {}
    )


def check_some_rows(chunks: list[Chunk], expected: dict[str, Any]) -> None:
    rows = rows_of(chunks)

    assert {number: rows[int(number)] for number in expected["rows_only"]} == expected["rows_only"]
    assert sorted({fault.code for fault in faults_of(chunks)}) == expected["fault_codes"]
    assert [fault.row for fault in faults_of(chunks)] == expected["fault_rows"]


def rows_where(chunks: list[Chunk], name: str) -> list[int]:
    """Return the rows that are blank, or that are left out for the reason `name`."""
    found: list[int] = []
    for chunk in chunks:
        mask = chunk.blank if name == "blank" else chunk.left_out.get(name)
        found += [] if mask is None else chunk.rows[mask].tolist()
    return found


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(CASES) >= 80
