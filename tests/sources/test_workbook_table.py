"""What a sheet hides, merges, comments and totals; which cells are typed; numbers as the sheet shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.filters import FilterColumn, Filters
from openpyxl.worksheet.worksheet import Worksheet
from table_files import faults_of, open_one, read, rows_of

from etl.cells import letters_at
from etl.records import CellFault, Chunk

ROWS = [
    ["E-mail", "Internal", "City"],
    ["a@x.example", "1", "Oslo"],
    ["b@x.example", "2", "Bergen"],
    ["c@x.example", "3", "Lund"],
]


def sheet_of(folder: Path, rows: Sequence[Any], change: Callable[[Worksheet], object] = lambda _: None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "May"
    for row in rows:
        sheet.append(row)
    change(sheet)
    path = folder / "book.xlsx"
    book.save(path)
    return path


def hide_rows(*numbers: int) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for number in numbers:
            sheet.row_dimensions[number].hidden = True

    return change


def hide_column(sheet: Worksheet) -> None:
    sheet.column_dimensions["B"].hidden = True


def left_out(chunks: list[Chunk]) -> dict[str, list[int]]:
    return {reason: chunk.rows[mask].tolist() for chunk in chunks for reason, mask in chunk.left_out.items()}


def test_hidden_rows_are_read_and_told(tmp_path: Path) -> None:
    table = open_one(sheet_of(tmp_path, ROWS, hide_rows(2, 3)))

    assert list(rows_of(read(table))) == [2, 3, 4]
    assert table.notes == (
        "2 rows of sheet 'May' are hidden and will be read; `source: {hidden_rows: skip}` leaves them out",
    )


def test_rows_that_a_filter_hides_are_told_as_such(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        hide_rows(3)(sheet)
        sheet.auto_filter.ref = "A1:C4"
        sheet.auto_filter.filterColumn.append(FilterColumn(colId=0, filters=Filters(filter=["a@x.example"])))

    assert open_one(sheet_of(tmp_path, ROWS, change)).notes == (
        "1 row of sheet 'May' is hidden by a filter and will be read; `source: {hidden_rows: skip}` leaves it out",
    )


def test_hidden_rows_can_be_left_out(tmp_path: Path) -> None:
    table = open_one(sheet_of(tmp_path, ROWS, hide_rows(1, 3)), hidden_rows=False, header_row=1)
    chunks = read(table)

    assert (list(rows_of(chunks)), left_out(chunks), table.notes) == ([2, 3, 4], {"row-hidden": [3]}, ())


def test_a_hidden_row_is_no_header_where_hidden_rows_are_left_out(tmp_path: Path) -> None:
    rows = [["Id", "Key", "Place"], *ROWS]

    assert open_one(sheet_of(tmp_path, rows, hide_rows(1)), hidden_rows=False).header_row == 2


def test_hidden_columns_are_read_and_told(tmp_path: Path) -> None:
    table = open_one(sheet_of(tmp_path, ROWS, hide_column))

    assert table.header == ("E-mail", "Internal", "City")
    assert table.notes == (
        "column B of sheet 'May' is hidden and will be read; `source: {hidden_columns: skip}` leaves it out",
    )


def test_cells_keep_their_letters_where_a_hidden_column_is_left_out(tmp_path: Path) -> None:
    rows = [*ROWS, ["d@x.example", "#N/A", "#N/A"]]
    table = open_one(sheet_of(tmp_path, rows, hide_column), hidden_columns=False)
    chunks = read(table)

    assert (table.header, rows_of(chunks)[2]) == (("E-mail", "City"), ["a@x.example", "Oslo"])
    assert faults_of(chunks) == [CellFault(5, 1, "error-cell", "#N/A")]
    assert letters_at(1, table.sheet_columns) == "C"


def test_a_cell_merged_downwards_counts_in_each_row_in_its_first_column(tmp_path: Path) -> None:
    rows = [
        ["Shop", "Zone", "E-mail"],
        ["Oslo", None, "a@x.example"],
        [None, None, "b@x.example"],
        [],
        ["Lund", "S", "c@x.example"],
    ]
    table = open_one(sheet_of(tmp_path, rows, lambda sheet: sheet.merge_cells("A2:B4")))

    assert rows_of(read(table)) == {
        2: ["Oslo", "", "a@x.example"],
        3: ["Oslo", "", "b@x.example"],
        5: ["Lund", "S", "c@x.example"],
    }
    assert rows_of(read(table, rows_per_chunk=1))[3] == ["Oslo", "", "b@x.example"]
    assert table.notes == ("1 merged cell of sheet 'May' counts for each row that it spans, in its first column",)


def test_a_merged_error_or_date_is_one_in_each_row(tmp_path: Path) -> None:
    rows = [["A", "B", "C"], ["#REF!", dt.date(2024, 1, 31), "x"], [None, None, "y"]]

    def change(sheet: Worksheet) -> None:
        sheet.merge_cells("A2:A3")
        sheet.merge_cells("B2:B3")

    chunks = read(open_one(sheet_of(tmp_path, rows, change), header_row=1))

    assert rows_of(chunks)[3] == ["", "2024-01-31", "y"]
    assert [(fault.row, fault.code) for fault in faults_of(chunks)] == [(2, "error-cell"), (3, "error-cell")]


def test_a_merged_header_cell_names_its_first_column_and_no_row_below(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet.merge_cells("A1:B1")
        sheet.merge_cells("C1:C2")

    table = open_one(sheet_of(tmp_path, [["Name", None, "City"], ["Anna", "Nowak", None]], change), header_row=1)

    assert (table.header, rows_of(read(table)), table.notes) == (
        ("Name", "", "City"), {2: ["Anna", "Nowak", ""]}, (),
    )  # fmt: skip


def test_cells_that_the_workbook_holds_typed_are_told_from_text(tmp_path: Path) -> None:
    rows = [["a", "b", "c"], ["1", 1, "x"], [dt.date(2024, 1, 31), True, "y"]]
    (chunk,) = read(open_one(sheet_of(tmp_path, rows), header_row=1))

    assert {position: mask.tolist() for position, mask in chunk.typed.items()} == {0: [False, True], 1: [True, True]}


def test_comment_rows_are_left_out_and_no_header(tmp_path: Path) -> None:
    rows = [["# exported", "by", "shop"], ["E-mail", "n", "City"], ["a@x.example", 1, "x"], [None, " # note", None]]
    table = open_one(sheet_of(tmp_path, rows), comment="#")

    assert (table.header_row, left_out(read(table))) == (2, {"comment-row": [4]})


def test_a_total_row_is_an_issue_unless_it_is_left_out(tmp_path: Path) -> None:
    path = sheet_of(tmp_path, [["E-mail", "City", "Sum"], ["a@x.example", "x", 1.5], ["Razem", None, 1.5]])
    read_chunks, left_chunks = read(open_one(path)), read(open_one(path, total_rows=False))

    assert faults_of(read_chunks) == [CellFault(3, None, "total-row", "Razem")]
    assert (faults_of(left_chunks), left_out(left_chunks)) == ([], {"total-row": [3]})


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("00000", 950, "00950"),
        ("00-000", 950, "00-950"),
        (r"00\-000", 1234567, "1234-567"),
        ('00"-"000', 0, "00-000"),
        ("[$-415]00000", 1067, "01067"),
        ("000 000 000", 48601, "000 048 601"),
        ("00000", "950", "950"),
        ("0", 950, "950"),
        ("0.00", 950, "950"),
        ("00000", 950.5, "950.5"),
        ("00000", -5, "-5"),
        ("General", 48600123456, "48600123456"),
        ("0.00E+00", 48600123456.0, "48600123456"),
    ],
)
def test_leading_zeros_that_the_sheet_shows_are_kept(tmp_path: Path, code: str, value: object, text: str) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["B3"] = value
        sheet["B3"].number_format = code

    path = sheet_of(tmp_path, [["a", "Code"], ["x", 7], ["y", None]], change)

    assert rows_of(read(open_one(path, header_row=1))) == {2: ["x", "7"], 3: ["y", text]}


def test_days_and_times_are_those_of_the_sheet(tmp_path: Path) -> None:
    rows = [["Day", "Time", "Length"], [dt.date(1900, 3, 1), dt.time(23, 59, 1), dt.timedelta(hours=30, minutes=5)]]

    assert rows_of(read(open_one(sheet_of(tmp_path, rows), header_row=1))) == {
        2: ["1900-03-01", "23:59:01", "30:05:00"]
    }
