"""The person's own tables read again: every column, as the run has read it, and how it looks."""

from __future__ import annotations

import openpyxl
import pytest
from support import CONTACT, mapping_of, write_csv

from etl.job import open_job
from etl.own_tables import own_tables


def tables_of(tmp_path, *paths, mapping=CONTACT, **options):
    return own_tables(open_job(mapping_of(mapping, tmp_path), paths, None, **options))


def test_all_columns_are_read_mapped_or_not_and_repeated_and_empty_names_are_kept(tmp_path):
    path = write_csv(tmp_path / "a.csv", "E-mail;x;x;\na@example.com;1;2;3\n")
    (table,) = tables_of(tmp_path, path)
    (block,) = table.blocks()
    assert (table.header, [text.to_pylist() for text in block.texts]) == (
        ("E-mail", "x", "x", ""), [["a@example.com"], ["1"], ["2"], ["3"]],
    )  # fmt: skip


@pytest.mark.parametrize(("limit", "rows"), [(1, [1, 0]), (3, [2, 1]), (9, [2, 2])])
def test_a_limit_counts_over_all_tables_whichever_is_read_first(tmp_path, limit, rows):
    text = "E-mail\na@example.com\nb@example.com\n"
    paths = [write_csv(tmp_path / name, text) for name in ("a.csv", "b.csv")]
    tables = tables_of(tmp_path, *paths, limit=limit)
    found = [sum(len(block.rows) for block in table.blocks()) for table in reversed(tables)]
    assert found[::-1] == rows


def test_what_stands_above_a_text_and_what_is_passed_over_is_told_by_line(tmp_path):
    mapping = CONTACT.replace("records:", "source: {header_row: 3, skip_rows: 1}\nrecords:")
    (table,) = tables_of(
        tmp_path, write_csv(tmp_path / "a.csv", "Our list;\n\nE-mail;b\nunit;x\nq;w\n"), mapping=mapping
    )
    look = table.look()
    assert (look.above, look.below, look.widths) == (((1, ("Our list", "")), (2, ())), ((4, ("unit", "x")),), None)
    assert table.data_after == 4


def test_what_stands_above_a_sheet_is_told_from_column_a_on(tmp_path):
    made = openpyxl.Workbook()
    for row in ((None, "Our list"), (), (None, "E-mail", "Zip"), (None, "a@example.com", 950)):
        made.active.append(row)
    made.active["C4"].number_format = "00000"
    made.save(tmp_path / "a.xlsx")
    (table,) = tables_of(tmp_path, tmp_path / "a.xlsx")
    (block,) = table.blocks()
    look = table.look()
    assert (look.above, table.sheet_columns) == (((1, ("", "Our list", "")),), (1, 2))
    assert (block.texts[1].to_pylist(), block.typed[1].tolist()) == (["00950"], [True])
    assert [look.formats[place] for place in block.formats[1].tolist()] == ["00000"]


def test_a_cell_that_holds_an_error_shows_its_word_and_not_nothing(tmp_path):
    made = openpyxl.Workbook()
    for row in (("E-mail", "Phone"), ("a@example.com", "#REF!"), ("b@example.com", "1")):
        made.active.append(row)
    made.active["B2"].data_type = "e"
    made.save(tmp_path / "a.xlsx")
    (table,) = tables_of(tmp_path, tmp_path / "a.xlsx")
    (block,) = table.blocks()
    assert block.texts[1].to_pylist() == ["#REF!", "1"]
