"""Old Excel workbooks are looked at, record by record, before python-calamine sees them."""

from __future__ import annotations

import datetime as dt
import struct
from pathlib import Path

import pytest
from binary_books import formula, label, number, old_book, ole, record
from hypothesis import given
from hypothesis import strategies as st
from scan_checks import BOOKS, names_of, refusal, rows_of, scan_all, scan_named, survives
from table_files import write

from etl.sources.sheet_scan import CellMark, Merge
from etl.sources.xls_scan import open_scanner

CONTACTS = BOOKS / "contacts.xls"
TEXT_RESULT = b"\x00\x00\x00\x00\x00\x00\xff\xff"
CHART = record(0x0809, struct.pack("<HHHH", 0x0600, 0x20, 0, 1996) + bytes(8))


def book(folder: Path, cells: bytes, extra: bytes = b"") -> Path:
    return write(folder, ole(old_book([("S", cells)], extra=extra)), "book.xls")


def test_sheets_have_the_names_and_the_order_of_the_reader() -> None:
    sheets = open_scanner(CONTACTS).sheets

    assert [sheet.name for sheet in sheets] == names_of(CONTACTS) == ["Kontakty", "Ukryty", "Filtr"]
    assert [sheet.is_visible for sheet in sheets] == [True, False, True]


def test_what_libreoffice_wrote_is_found() -> None:
    scan = scan_named(open_scanner(CONTACTS), "Kontakty")

    assert scan.marks == {
        2: (CellMark(4, "error-cell", "#N/A"),),
        3: (CellMark(4, "error-cell", "#DIV/0!"), CellMark(5, "formula-text-cut")),
    }
    assert scan.hidden_rows == {3}
    assert scan.hidden_columns == {2}
    assert scan.merges == (Merge(9, 10, 0, 1),)
    assert not scan.has_filter


def test_a_filter_that_is_on_is_found_with_the_rows_it_hides() -> None:
    scan = scan_named(open_scanner(CONTACTS), "Filtr")

    assert scan.has_filter
    assert scan.hidden_rows == {3}


def test_an_error_inside_a_chart_is_no_cell_of_the_sheet(tmp_path: Path) -> None:
    wrong = record(0x0205, struct.pack("<HHHBB", 50, 0, 0, 0x2A, 1))
    path = book(tmp_path, number(0, 0, 1) + CHART + wrong + record(0x0A) + number(1, 0, 2))

    [scan] = scan_all(open_scanner, path)

    assert (scan.last_row, scan.marks) == (2, {})
    assert rows_of(path, "S") == [[1.0], [2.0]]


def test_a_chart_that_libreoffice_wrote_is_passed_over() -> None:
    [scan] = scan_all(open_scanner, BOOKS / "chart.xls")

    assert (scan.last_row, scan.marks) == (4, {3: (CellMark(1, "error-cell", "#N/A"),)})


def test_an_error_by_itself_is_marked(tmp_path: Path) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, record(0x0205, struct.pack("<HHHBB", 5, 3, 0, 0x17, 1))))

    assert scan.marks == {6: (CellMark(3, "error-cell", "#REF!"),)}


def test_a_formula_whose_text_was_never_saved_is_marked(tmp_path: Path) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, formula(2, 1, TEXT_RESULT) + number(3, 0, 1)))

    assert scan.marks == {3: (CellMark(1, "formula-without-value"),)}


def test_a_formula_that_gives_an_empty_text_is_none_of_those(tmp_path: Path) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, formula(2, 1, b"\x03\x00\x00\x00\x00\x00\xff\xff")))

    assert scan.marks == {}


def test_a_blank_styled_cell_counts_as_the_last_row(tmp_path: Path) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, number(0, 0, 1) + record(0x0201, struct.pack("<HHH", 8, 0, 0))))

    assert scan.last_row == 9


def cell_format(number: int) -> bytes:
    return record(0xE0, struct.pack("<HH", 0, number) + bytes(16))


def number_format(number: int, code: str) -> bytes:
    return record(0x041E, struct.pack("<HHB", number, len(code), 0) + code.encode("latin-1"))


FORMATS = number_format(164, "00000") + number_format(165, "00-000") + number_format(166, "0.00")
FORMATS += cell_format(0) + cell_format(164) + cell_format(165) + cell_format(166)
FIGURE = struct.pack("<d", 950)
RK = struct.pack("<I", 950 << 2 | 2)


@pytest.mark.parametrize(
    ("cells", "zeros"),
    [
        (record(0x0203, struct.pack("<HHH", 4, 0, 1) + FIGURE), {0: ((5, 5, "00000"),)}),
        (record(0x027E, struct.pack("<HHH", 4, 1, 2) + RK), {1: ((5, 5, "00-000"),)}),
        (
            record(0xBD, struct.pack("<HH", 4, 2) + b"".join(struct.pack("<H", n) + RK for n in (1, 0, 2)) + b"\4\0"),
            {2: ((5, 5, "00000"),), 4: ((5, 5, "00-000"),)},
        ),
        (record(0x06, struct.pack("<HHH", 4, 0, 1) + FIGURE + bytes(8)), {0: ((5, 5, "00000"),)}),
        (record(0x06, struct.pack("<HHH", 4, 0, 1) + b"\3\0\0\0\0\0\xff\xff" + bytes(8)), {}),
        (record(0x0203, struct.pack("<HHH", 4, 0, 0) + FIGURE), {}),
        (record(0x0203, struct.pack("<HHH", 4, 0, 3) + FIGURE), {}),
        (record(0x0203, struct.pack("<HHH", 4, 0, 99) + FIGURE), {}),
    ],
    ids=["NUMBER", "RK", "MULRK", "formula", "formula of text", "General", "decimals", "no such format"],
)
def test_cells_that_show_leading_zeros_are_known_by_their_format(
    tmp_path: Path, cells: bytes, zeros: dict[int, tuple[tuple[int, int, str], ...]]
) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, cells, FORMATS))

    assert scan.zeros == zeros


def test_zeros_are_known_in_a_workbook_of_excel_95(tmp_path: Path) -> None:
    formats = record(0x041E, struct.pack("<HB", 164, 5) + b"00000") + cell_format(164)
    path = write(tmp_path, ole(old_book([("S", number(0, 0, 950))], version=0x0500, extra=formats), "Book"), "book.xls")

    [scan] = scan_all(open_scanner, path)

    assert scan.zeros == {0: ((1, 1, "00000"),)}


def test_rows_that_follow_each_other_are_one_run_of_zeros(tmp_path: Path) -> None:
    cells = b"".join(record(0x0203, struct.pack("<HHH", row, 0, 1) + FIGURE) for row in (1, 2, 3, 7, 8))

    [scan] = scan_all(open_scanner, book(tmp_path, cells, FORMATS))

    assert scan.zeros == {0: ((2, 4, "00000"), (8, 9, "00000"))}


def test_a_workbook_of_excel_95_is_read(tmp_path: Path) -> None:
    pages = record(0x42, struct.pack("<H", 1250))
    cells = label(0, 0, "zażółć", 0x0500) + number(1, 0, 5)
    path = write(tmp_path, ole(old_book([("Łódź", cells)], version=0x0500, extra=pages), "Book"), "book.xls")

    assert [sheet.name for sheet in open_scanner(path).sheets] == names_of(path) == ["Łódź"]
    assert rows_of(path, "Łódź") == [["zażółć"], [5.0]]


@pytest.mark.parametrize(("epoch", "day"), [(0, dt.date(2024, 1, 2)), (1, dt.date(2028, 1, 3))], ids=["1900", "1904"])
def test_the_reader_gives_dates_in_both_systems(tmp_path: Path, epoch: int, day: dt.date) -> None:
    extra = record(0x22, struct.pack("<H", epoch)) + record(0xE0, struct.pack("<HH", 0, 14) + bytes(16))

    assert rows_of(book(tmp_path, number(0, 0, 45293), extra), "S") == [[day]]


def test_a_text_longer_than_a_record_comes_whole() -> None:
    assert rows_of(CONTACTS, "Kontakty")[1][5] == "x" * 9000


def test_a_protected_workbook_says_so(tmp_path: Path) -> None:
    path = book(tmp_path, number(0, 0, 1), record(0x2F, struct.pack("<HH", 0, 0)))

    assert str(refusal(open_scanner, path)) == (
        f"{path}: the workbook is protected by a password\n"
        "  hint: save a copy without a password   [workbook-encrypted]"
    )


def test_a_workbook_of_excel_4_is_too_old(tmp_path: Path) -> None:
    path = write(tmp_path, ole(record(0x0409, struct.pack("<HHH", 0, 0x10, 0))), "book.xls")

    assert str(refusal(open_scanner, path)) == (
        f"{path}: this is a workbook of Excel 4 or older, which is not read\n"
        "  hint: open it in LibreOffice and save it as .xlsx   [format-unknown]"
    )


def test_sheets_that_follow_one_another_do_not_overlap(tmp_path: Path) -> None:
    path = write(tmp_path, ole(old_book([("A", number(0, 0, 1)), ("B", number(0, 0, 2))])), "book.xls")

    assert [scan.last_row for scan in scan_all(open_scanner, path)] == [1, 1]


HOSTILE = {
    # Calamine reserves memory by the claim and aborts the process.
    "dimensions": (record(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0)), b"", "claims 4,294,967,295 rows"),
    "dimensions of a chart": (
        CHART + record(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0)) + record(0x0A),
        b"",
        "claims 4,294,967,295 rows",
    ),
    "dimensions backwards": (record(0x0200, struct.pack("<IIHHH", 9, 2, 0, 1, 0)), b"", "claims 2 rows"),
    "column": (number(3, 60_000, 1), b"", "row 4 of column 60,001"),
    "two cells": (number(0, 0, 1) + number(65_535, 200, 1), b"", "spans 13,172,736 cells of which 2 are filled"),
    "texts": (b"", record(0xFC, struct.pack("<II", 1, 0x7FFFFFFF)), "claims 2,147,483,647 texts"),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "extra", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_would_exhaust_the_machine_is_refused(tmp_path: Path, cells: bytes, extra: bytes, message: str) -> None:
    error = refusal(open_scanner, book(tmp_path, cells, extra))

    assert error.code == "workbook-limits"
    assert message in error.message


def test_two_sheets_at_one_place_are_refused(tmp_path: Path) -> None:
    stream = bytearray(old_book([("A", number(0, 0, 1)), ("B", number(0, 0, 2))]))
    first, second = stream.index(b"\x85\x00") + 4, stream.rindex(b"\x85\x00") + 4
    stream[second : second + 4] = stream[first : first + 4]

    assert refusal(open_scanner, write(tmp_path, ole(bytes(stream)), "book.xls")).code == "workbook-limits"


def test_a_chain_of_sectors_in_a_circle_ends(tmp_path: Path) -> None:
    content = bytearray(ole(old_book([("A", number(0, 0, 1))])))
    content[512 + 4 * 1 : 512 + 4 * 2] = struct.pack("<I", 1)

    assert refusal(open_scanner, write(tmp_path, bytes(content), "book.xls")).message == (
        "the workbook is damaged: a chain of sectors leads nowhere"
    )


@pytest.mark.parametrize("kept", [600, 5_000, 12_000])
def test_a_workbook_cut_short_is_damaged(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path, CONTACTS.read_bytes()[:kept], "book.xls")

    assert refusal(open_scanner, path).code == "workbook-damaged"


@given(data=st.data())
def test_any_change_of_bytes_ends_in_a_source_error_or_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(CONTACTS.read_bytes())
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=20)
    ):
        content[place] = byte

    survives(open_scanner, write(tmp_path_factory.mktemp("books"), bytes(content), "book.xls"))


@given(st.binary(max_size=200))
def test_any_records_end_in_a_source_error_or_none(tmp_path_factory: pytest.TempPathFactory, cells: bytes) -> None:
    survives(open_scanner, book(tmp_path_factory.mktemp("books"), cells))
