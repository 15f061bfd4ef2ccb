"""Widths and number formats of an .xlsx, however its rows are written."""

from __future__ import annotations

from datetime import date

import numpy as np
import openpyxl
import pytest
from table_files import replace_part

from etl.sources.sheet_formats import read_formats

PART = "xl/worksheets/sheet1.xml"
ROWS = np.array([1, 2, 3, 900], dtype=np.int64)


@pytest.fixture
def book(tmp_path):
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.append(["a", "b", "c"])
    for row in (2, 3):
        sheet.cell(row, 2, 950).number_format = "00000"
        sheet.cell(row, 3, date(2026, 1, 1)).number_format = "dd.mm.yyyy" if row == 2 else "mm-dd-yy"
    sheet.column_dimensions["B"].width = 20
    path = tmp_path / "a.xlsx"
    made.save(path)
    return path


def codes_of(found):
    return {column: [found.codes[place] for place in found.of(ROWS, column).tolist()] for column in range(4)}


WANTED = {
    0: ["General"] * 4,
    1: ["General", "00000", "00000", "General"],
    2: ["General", "dd.mm.yyyy", "mm-dd-yy", "General"],
    3: ["General"] * 4,
}


def test_each_cell_has_its_format_and_each_column_its_width_in_characters(book):
    found = read_formats(book, PART)
    assert codes_of(found) == WANTED
    assert found.widths == {1: pytest.approx(20 - 5 / 7)}


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"<c r=", b"<c  r="), (b"<row r=", b"<!-- --><row r="), (b"<c r=\"B2\"", b"<c foo=\"1\" r=\"B2\"")],
    ids=["spaces", "a comment", "attributes of another program"],
)  # fmt: skip
def test_rows_that_are_written_otherwise_are_read_by_a_parser_to_the_same_end(book, before, after):
    import zipfile

    with zipfile.ZipFile(book) as archive:
        xml = archive.read(PART)
    assert before in xml
    assert codes_of(read_formats(replace_part(book, PART, xml.replace(before, after)), PART)) == WANTED


def test_what_a_text_says_is_no_style(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(['5" s="1" t="n">', 1])
    made.active["B1"].number_format = "0.000"
    made.save(tmp_path / "a.xlsx")
    found = read_formats(tmp_path / "a.xlsx", PART)
    assert [found.codes[found.of(np.array([1]), column)[0]] for column in (0, 1)] == ["General", "0.000"]
