"""Binary workbooks are looked at, record by record, before python-calamine sees them.

No program here writes .xlsb: the parts are built record by record, and python-calamine reads them.
"""

from __future__ import annotations

import datetime as dt
import struct
import zipfile
from pathlib import Path

import pytest
from binary_books import cell12, new_book, record12, row12, text12, wide
from hypothesis import given
from hypothesis import strategies as st
from scan_checks import names_of, refusal, rows_of, scan_all, survives
from table_files import replace_part, write

from etl.sources.serial_dates import date_of
from etl.sources.sheet_scan import CellMark, Merge
from etl.sources.xlsb_scan import open_scanner

NO_FORMULA = struct.pack("<HI", 0, 0) + struct.pack("<I", 0)
ROWS = (
    row12(0)
    + text12(0, "email")
    + text12(1, "phone")
    + row12(1, hidden=True)
    + text12(0, "anna@example.com")
    + cell12(0x05, 1, struct.pack("<d", 48600123456))
    + cell12(0x04, 2, b"\x01")
    + cell12(0x03, 3, b"\x2a")
    + row12(5)
    + cell12(0x02, 0, struct.pack("<i", 5 << 2 | 2))
    + cell12(0x0B, 2, b"\x07" + NO_FORMULA)
    + cell12(0x08, 3, wide("ok") + NO_FORMULA)
)
COLUMNS = record12(0x186) + record12(0x3C, struct.pack("<IIIIH", 1, 2, 0, 0, 1)) + record12(0x187)
FILTER = record12(0xA1, bytes(16)) + record12(0xA3, bytes(8)) + record12(0xA4) + record12(0xA2)
MERGES = record12(0xB0, struct.pack("<4I", 1, 2, 0, 1))
FORMATS = (0, 14, 22, 164)
STYLES = (
    record12(0x267, struct.pack("<I", 1))
    + record12(0x2C, struct.pack("<H", 164) + wide('[Red]yyyy"r"'))
    + record12(0x268)
    + record12(0x269, struct.pack("<I", len(FORMATS)))
    + b"".join(record12(0x2F, struct.pack("<HH", 0, number) + bytes(12)) for number in FORMATS)
    + record12(0x26A)
)


def book(folder: Path, rows: bytes, **options: object) -> Path:
    return write(folder, new_book([("S", rows)], **options), "book.xlsb")  # type: ignore[arg-type]


def test_sheets_have_the_names_and_the_order_of_the_reader(tmp_path: Path) -> None:
    content = new_book([("Żółty", ROWS), ("Ukryty", ROWS), ("B", ROWS)], states=[0, 2, 0])
    path = write(tmp_path, content, "book.xlsb")

    assert [sheet.name for sheet in open_scanner(path).sheets] == names_of(path) == ["Żółty", "Ukryty", "B"]
    assert [sheet.is_visible for sheet in open_scanner(path).sheets] == [True, False, True]


def test_a_chart_sheet_is_left_out(tmp_path: Path) -> None:
    places = ["chartsheets/sheet1.bin", "worksheets/sheet1.bin"]
    path = write(tmp_path, new_book([("Chart", b""), ("S", ROWS)], targets=places), "book.xlsb")

    assert [sheet.name for sheet in open_scanner(path).sheets] == ["S"]


def test_a_macro_sheet_is_refused_by_name(tmp_path: Path) -> None:
    places = ["macrosheets/sheet1.bin", "worksheets/sheet1.bin"]
    path = write(tmp_path, new_book([("Macro1", b""), ("S", ROWS)], targets=places), "book.xlsb")

    assert str(refusal(open_scanner, path)) == (
        f"{path}: sheet 'Macro1' is of a kind that is not read in an .xlsb, such as a macro sheet\n"
        "  hint: save the workbook as .xlsx   [format-unknown]"
    )


def test_what_the_records_say_is_found(tmp_path: Path) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, ROWS, before=COLUMNS, after=MERGES + FILTER))

    assert scan.marks == {2: (CellMark(3, "error-cell", "#N/A"),), 6: (CellMark(2, "error-cell", "#DIV/0!"),)}
    assert (scan.last_row, set(scan.hidden_rows), set(scan.hidden_columns)) == (6, {2}, {1, 2})
    assert (scan.merges, scan.has_filter) == ((Merge(2, 3, 0, 1),), True)


def test_the_reader_gives_the_cells_in_their_rows(tmp_path: Path) -> None:
    rows = rows_of(book(tmp_path, ROWS), "S")

    assert rows[1] == ["anna@example.com", 48600123456.0, True, ""]
    assert rows[5] == [5, "", "", "ok"]


@pytest.mark.parametrize(("is_1904", "day"), [(False, dt.date(2024, 1, 2)), (True, dt.date(2028, 1, 3))])
def test_days_that_the_reader_leaves_numbers_are_found(tmp_path: Path, is_1904: bool, day: dt.date) -> None:
    def cell(column: int, style: int, kind: int, value: bytes) -> bytes:
        return record12(kind, struct.pack("<II", column, style) + value)

    whole = struct.pack("<i", 45293 << 2 | 2)
    row = (
        cell(0, 1, 0x02, whole)
        + cell(1, 0, 0x02, whole)
        + cell(2, 3, 0x02, whole)
        + cell(3, 1, 0x05, struct.pack("<d", 45293))
    )
    path = book(tmp_path, row12(0) + row + row12(1) + row, date1904=is_1904, parts=[("xl/styles.bin", STYLES)])

    [scan] = scan_all(open_scanner, path)

    assert rows_of(path, "S") == [[45293, 45293, 45293, day]] * 2
    assert scan.serial_dates == {0: ((1, 2),), 2: ((1, 2),)}
    assert date_of(45293, is_1904=scan.is_1904) == day


@pytest.mark.parametrize("cell", [cell12(0x3E, 1, b"\0" + wide("x")), record12(0x11, bytes(4))], ids=["rich", "short"])
def test_cells_that_the_reader_passes_over_are_refused(tmp_path: Path, cell: bytes) -> None:
    assert refusal(open_scanner, book(tmp_path, row12(0) + cell)).message == (
        "the workbook is damaged: sheet 'S' holds cells in a form that is not read"
    )


HOSTILE = {
    "row": (row12(1_048_576) + text12(0, "x"), "has a row 1,048,577"),
    "column": (row12(3) + text12(16_383, "x"), "row 4 of column 16,384"),
    "two cells": (row12(0) + text12(0, "x") + row12(999_999) + text12(25, "x"), "spans 26,000,000 cells of which 2"),
    "long record": (row12(0) + cell12(0x06, 0, bytes(2_000_000)), "one of its records takes 2,000,008 bytes"),
}


@pytest.mark.parametrize(("rows", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_would_exhaust_the_machine_is_refused(tmp_path: Path, rows: bytes, message: str) -> None:
    error = refusal(open_scanner, book(tmp_path, rows))

    assert error.code == "workbook-limits"
    assert message in error.message


def test_a_table_of_texts_that_claims_too_many_is_refused(tmp_path: Path) -> None:
    strings = record12(0x9F, struct.pack("<II", 1, 0x7FFFFFFF))

    error = refusal(open_scanner, book(tmp_path, ROWS, parts=[("xl/sharedStrings.bin", strings)]))

    assert error.message == "the workbook is refused: it claims 2,147,483,647 texts, more than its size can hold"


def test_a_long_record_that_is_not_needed_is_passed_over(tmp_path: Path) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, ROWS, before=record12(0x25, bytes(2_000_000))))

    assert scan.last_row == 6


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Relationships>&a;</Relationships>'
    path = replace_part(book(tmp_path, ROWS), "xl/_rels/workbook.bin.rels", bomb)

    assert refusal(open_scanner, path).code == "workbook-limits"


def test_a_container_of_a_version_yet_to_come_is_damaged(tmp_path: Path) -> None:
    path = book(tmp_path, ROWS)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 255

    assert refusal(open_scanner, write(tmp_path, bytes(content), "book.xlsb")).code == "workbook-damaged"


@pytest.mark.parametrize("part", ["xl/workbook.bin", "xl/worksheets/sheet1.bin", "xl/_rels/workbook.bin.rels"])
@given(data=st.data())
def test_any_change_of_bytes_ends_in_a_source_error_or_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, part: str
) -> None:
    folder = tmp_path_factory.mktemp("books")
    path = book(folder, ROWS, before=COLUMNS, after=MERGES)
    places = st.tuples(st.integers(0, 400), st.integers(0, 255))
    with zipfile.ZipFile(path) as archive:
        content = bytearray(archive.read(part))
    for place, byte in data.draw(st.lists(places, min_size=1, max_size=10)):
        content[place % len(content)] = byte

    survives(open_scanner, replace_part(path, part, bytes(content)))


@given(st.binary(max_size=200))
def test_any_records_end_in_a_source_error_or_none(tmp_path_factory: pytest.TempPathFactory, rows: bytes) -> None:
    survives(open_scanner, book(tmp_path_factory.mktemp("books"), rows))
