from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from table_files import faults_of, open_one, read, replace_part, rows_of, sheet_xml, workbook

from etl.cells import column_letters
from etl.errors import SourceError
from etl.records import CellFault
from etl.sources import list_sheets, take_in

CONTACTS = {"A1": "E-mail", "B1": "City", "A2": "anna@example.com", "B2": "Łódź"}


def score(row: Sequence[str]) -> int:
    return len({"E-mail", "City", "Phone"}.intersection(row))


def test_a_sheet_is_read_with_its_row_numbers(tmp_path: Path) -> None:
    table = open_one(workbook(tmp_path, {"Contacts": CONTACTS}))

    assert (table.header, table.header_row, table.ref.sheet) == (("E-mail", "City"), 1, "Contacts")
    assert rows_of(read(table)) == {2: ["anna@example.com", "Łódź"]}
    assert table.facts == {"format": "xlsx", "sheet": "Contacts"}


def test_a_table_may_start_anywhere(tmp_path: Path) -> None:
    cells = {"B5": "Name", "C5": "Age", "B6": "Anna", "C6": 31, "B9": "Jan", "C9": "=1/0"}
    path = workbook(tmp_path, {"S": cells})
    table = open_one(path)

    chunks = read(table)

    assert (table.header, table.header_row, table.first_column) == (("Name", "Age"), 5, 1)
    assert rows_of(chunks) == {6: ["Anna", "31"], 9: ["Jan", ""]}
    assert table.spanned_rows == 2
    [fault] = faults_of(chunks)
    assert fault == CellFault(9, 1, "formula-without-value")
    assert f"{column_letters(1 + table.first_column)}{fault.row}" == "C9"


def test_title_rows_are_passed_over(tmp_path: Path) -> None:
    cells = {"A1": "Contacts of 2024", "A3": "E-mail", "B3": "City", "C3": "Phone", "A4": "a@example.com", "B4": "X"}

    table = open_one(workbook(tmp_path, {"S": cells}))

    assert (table.header, table.header_row) == (("E-mail", "City", "Phone"), 3)


def test_text_stays_what_it_is_and_typed_cells_read_as_shown(tmp_path: Path) -> None:
    when = datetime(2024, 1, 31, 12, 30)  # noqa: DTZ001 (a workbook knows no zones)
    values = ["NA", "00-950", "+48 601", 48600123456, 1.5, True, date(2024, 1, 31), when, time(12, 30)]
    cells = {
        f"{letter}{row}": value
        for row, line in ((1, "ABCDEFGHI"), (2, values))
        for letter, value in zip("ABCDEFGHI", line, strict=True)
    }
    path = workbook(tmp_path, {"S": cells})

    assert rows_of(read(open_one(path)))[2] == [
        *("NA", "00-950", "+48 601", "48600123456", "1.5", "TRUE"),
        *("2024-01-31", "2024-01-31 12:30:00", "12:30:00"),
    ]


def test_dates_of_the_1904_calendar_are_right(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active["A1"], book.active["A2"] = "day", date(2024, 1, 31)
    book.save(tmp_path / "book.xlsx")

    assert rows_of(read(open_one(tmp_path / "book.xlsx"))) == {2: ["2024-01-31"]}


def test_header_cells_that_are_numbers_or_dates_are_text(tmp_path: Path) -> None:
    cells = {"A1": "Shop", "B1": 2024, "C1": date(2024, 1, 31), "A2": "x", "B2": 1, "C2": 2}

    table = open_one(workbook(tmp_path, {"S": cells}), header_row=1)

    assert table.header == ("Shop", "2024", "2024-01-31")


def test_error_cells_are_faults_not_blanks(tmp_path: Path) -> None:
    cells = {**CONTACTS, "A3": "#N/A", "B3": "x", "B4": "#DIV/0!"}

    chunks = read(open_one(workbook(tmp_path, {"S": cells})))

    assert rows_of(chunks)[3] == ["", "x"]
    assert rows_of(chunks)[4] == ["", ""]
    assert faults_of(chunks) == [
        CellFault(3, 0, "error-cell", "#N/A"),
        CellFault(4, 1, "error-cell", "#DIV/0!"),
    ]


def test_faults_are_those_of_the_columns_asked_for(tmp_path: Path) -> None:
    cells = {**CONTACTS, "A3": "#N/A", "B3": "#REF!"}

    chunks = list(open_one(workbook(tmp_path, {"S": cells})).chunks([1]))

    assert faults_of(chunks) == [CellFault(3, 1, "error-cell", "#REF!")]


def test_a_formula_with_a_saved_result_is_its_result(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>T("")</f><v></v></c></row>'
        '<row r="3"><c r="A3" t="str"><f>"x"</f><v>x</v></c><c r="B3"><f>1+1</f><v/></c></row>'
        '<row r="4"><c r="A4" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B4"><v>1</v></c></row>'
        '<row r="6"><c r="B6"><f>1+1</f></c></row>'
    )
    path = replace_part(workbook(tmp_path, {"S": {"A1": "x"}}), "xl/worksheets/sheet1.xml", sheet_xml(rows))

    chunks = read(open_one(path))

    assert rows_of(chunks) == {2: ["2", ""], 3: ["x", ""], 4: ["", "1"], 6: ["", ""]}
    assert faults_of(chunks) == [
        CellFault(3, 1, "formula-without-value"),
        CellFault(4, 0, "error-cell", "#DIV/0!"),
        CellFault(6, 1, "formula-without-value"),
    ]


def test_cells_without_a_place_of_their_own_follow_one_another(tmp_path: Path) -> None:
    rows = (
        '<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row>'
        '<row><c><v>1</v></c><c t="e"><v>#N/A</v></c></row>'
    )
    path = replace_part(workbook(tmp_path, {"S": {"A1": "x"}}), "xl/worksheets/sheet1.xml", sheet_xml(rows))

    chunks = read(open_one(path))

    assert rows_of(chunks) == {2: ["1", ""]}
    assert faults_of(chunks) == [CellFault(2, 1, "error-cell", "#N/A")]


def test_rows_that_the_sheet_merely_spans_are_counted_not_listed(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": {**CONTACTS, "A5": "jan@example.com", "A6": " \u00a0", "A7": 0}})
    book = openpyxl.load_workbook(path)
    book["S"]["B20"].fill = PatternFill("solid", fgColor="FF0000")
    book.save(path)
    table = open_one(path)

    assert list(rows_of(read(table))) == [2, 5, 7]
    assert table.spanned_rows == 16  # 3, 4, 6 and 8 to 20
    assert list(rows_of(read(table, rows_per_chunk=1))) == [2, 5, 7]
    assert table.spanned_rows == 16


def test_a_limit_counts_listed_rows(tmp_path: Path) -> None:
    table = open_one(workbook(tmp_path, {"S": {"A1": "n", "A2": 1, "A9": 2, "A10": 3}}))

    assert list(rows_of(read(table, limit=2))) == [2, 9]


def test_rows_after_the_header_can_be_passed_over(tmp_path: Path) -> None:
    table = open_one(workbook(tmp_path, {"S": {"A1": "n", "A2": "unit", "A4": 2}}), skip_rows=2)

    assert rows_of(read(table)) == {4: ["2"]}
    assert table.spanned_rows == 0


def test_without_a_header_the_columns_have_the_letters_of_the_sheet(tmp_path: Path) -> None:
    table = open_one(workbook(tmp_path, {"S": {"B2": 1, "C2": 2}}), header_row=0)

    assert (table.header, table.header_row) == (("B", "C"), 0)
    assert rows_of(read(table)) == {2: ["1", "2"]}


def test_a_pinned_header_row_that_is_blank_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": CONTACTS})

    with pytest.raises(SourceError, match="the header is said to stand in row 7, and that row of sheet 'S' is blank"):
        open_one(path, header_row=7)


def test_a_header_row_can_be_pinned_far_down(tmp_path: Path) -> None:
    cells = {f"A{row}": f"note {row}" for row in range(1, 100)} | {"A100": "E-mail", "A101": "x"}

    table = open_one(workbook(tmp_path, {"S": cells}), header_row=100)

    assert (table.header, rows_of(read(table))) == (("E-mail",), {101: ["x"]})


def test_the_sheet_with_the_best_header_is_taken(tmp_path: Path) -> None:
    sheets = {
        "Notes": {"A1": "City", "B1": "x"},
        "Hidden": {"A1": "E-mail", "B1": "City", "C1": "Phone"},
        "Empty": {},
        "Contacts": {"A1": "as of today", "A2": "E-mail", "B2": "City"},
        "Copy": {"A1": "E-mail", "B1": "City"},
    }

    table = open_one(workbook(tmp_path, sheets, hidden=["Hidden"]), header_score=score)

    assert (table.ref.sheet, table.header_row) == ("Contacts", 2)


def test_without_a_score_the_first_visible_sheet_that_holds_anything_is_taken(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Empty": {}, "Hidden": CONTACTS, "B": {"A1": "x"}, "C": CONTACTS}, hidden=["Hidden"])

    assert open_one(path).ref.sheet == "B"
    assert open_one(path, header_score=lambda _: 0).ref.sheet == "B"
    assert list_sheets(take_in([path])[0]) == ("Empty", "B", "C")


def test_a_pinned_sheet_is_read_even_if_hidden(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"A": {"A1": "x"}, "Hidden": CONTACTS}, hidden=["Hidden"])

    assert open_one(path, sheets=("Hidden",)).header == ("E-mail", "City")


def test_an_unknown_sheet_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"Contacts": CONTACTS, "Orders": {}})

    with pytest.raises(SourceError) as caught:
        open_one(path, sheets=("Contact",))

    assert str(caught.value) == (
        f"{path}: the workbook has no sheet 'Contact'\n"
        "  hint: did you mean 'Contacts'? its sheets are Contacts, Orders   [sheet-unknown]"
    )


def test_a_workbook_without_cells_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"A": {}, "B": {}})

    with pytest.raises(SourceError, match="no visible sheet of the workbook holds anything"):
        open_one(path)
    with pytest.raises(SourceError, match="sheet 'B' is empty"):
        open_one(path, sheets=("B",))


def test_a_workbook_that_changed_since_it_was_opened_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": CONTACTS})
    table = open_one(path)
    os.utime(path, ns=(1, 1))

    with pytest.raises(SourceError, match="the file changed since it was opened"):
        read(table)


@pytest.mark.parametrize("rows_per_chunk", [1, 2, 3, 7])
def test_the_size_of_a_chunk_never_changes_the_result(tmp_path: Path, rows_per_chunk: int) -> None:
    cells = {"A1": "n", "B1": "m"} | {f"A{row}": row for row in range(2, 20, 3)} | {"B9": "#N/A"}
    table = open_one(workbook(tmp_path, {"S": cells}))
    whole, parts = read(table), read(table, rows_per_chunk=rows_per_chunk)

    assert rows_of(whole) == rows_of(parts)
    assert faults_of(whole) == faults_of(parts)


def test_sheets_that_would_do_as_well_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name in ("Maj", "Czerwiec"):
        sheet = book.create_sheet(name)
        sheet.append(["E-mail", "City"])
        sheet.append(["a@example.com", "Łódź"])
    path = tmp_path / "months.xlsx"
    book.save(path)
    table = open_one(path, header_score=lambda cells: list(cells).count("E-mail"))

    assert (table.ref.sheet, table.rivals, table.estimated_rows) == ("Maj", ("Czerwiec",), 1)
