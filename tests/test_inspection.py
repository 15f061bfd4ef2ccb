"""What is told of a file: its tables, and of each column kind, fill, distinct values and personal data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from support import write_csv, write_rows

from etl.column_kinds import KINDS, is_card, is_iban, is_pesel, kind_of_column
from etl.column_profile import ColumnProfile
from etl.errors import SourceError
from etl.inspection import ColumnFacts, FileFacts, TableFacts, inspect_files
from etl.records import text_series


def inspected(path: Path, **options: Any) -> FileFacts:
    (found,) = inspect_files([path], **options)
    return found


def table_of(folder: Path, text: str, **options: Any) -> TableFacts:
    (table,) = inspected(write_csv(folder / "sheet.csv", text), **options).tables
    return table


def column_of(folder: Path, name: str, *cells: str) -> ColumnFacts:
    path = write_rows(folder / "sheet.csv", [[name, "Row"], *([cell, str(row)] for row, cell in enumerate(cells))])
    (table,) = inspected(path).tables
    return table.columns[0]


def test_a_text_file_is_told_with_its_dialect_and_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes("Name;City\r\nAnna;Łódź\r\nJan;\r\n".encode("cp1250"))

    found = inspected(path)

    (table,) = found.tables
    assert (found.format, found.size_bytes, found.sheets) == ("csv", 28, ())
    assert (table.header_row, table.rows, table.blank_rows, table.is_whole) == (1, 2, 0, True)
    assert [table.facts[name] for name in ("encoding", "delimiter", "line_ends")] == ["cp1250", "semicolon", "CRLF"]


def test_fill_counts_the_rows_that_are_not_blank(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Name,City\nAnna,Berlin\nJan,\n,\nEwa, \n")

    assert (table.rows, table.blank_rows) == (4, 1)
    assert [(column.filled, column.fill) for column in table.columns] == [(3, 1.0), (1, pytest.approx(1 / 3))]


def test_a_column_is_told_with_its_letter_its_values_and_examples(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Name,City\nAnna,Berlin\nJan, Berlin \nEwa,\nOla,Oslo\nUla,Rom\nIda,Wien\n")

    city = table.columns[1]
    assert (city.letter, city.name, city.distinct, city.distinct_is_exact, city.longest) == ("B", "City", 4, True, 6)
    assert city.examples == ("Berlin", "Oslo", "Rom")


def test_every_visible_sheet_is_told_and_an_empty_one_is_there(tmp_path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "People"
    first.append(["Name", "City"])
    first.append(["Anna", "Berlin"])
    book.create_sheet("Nothing")
    orders = book.create_sheet("Orders")
    orders["C3"], orders["D3"], orders["C4"], orders["D4"] = "Total", "Shop", 12.5, "BER"
    book.save(tmp_path / "book.xlsx")

    found = inspected(tmp_path / "book.xlsx")

    assert found.sheets == ("People", "Nothing", "Orders")
    assert [(table.sheet, table.rows, table.header_row) for table in found.tables] == [
        ("People", 1, 1), ("Nothing", 0, 0), ("Orders", 1, 3),
    ]  # fmt: skip
    assert [column.letter for column in found.tables[2].columns] == ["C", "D"]


def test_a_sheet_that_is_asked_for_is_told_alone(tmp_path: Path) -> None:
    book = Path(__file__).parents[1] / "sample_data" / "contacts.xlsx"

    assert [table.sheet for table in inspected(book, sheet="Contacts").tables] == ["Contacts"]


def test_a_sheet_that_is_not_there_is_refused(tmp_path: Path) -> None:
    book = Path(__file__).parents[1] / "sample_data" / "contacts.xlsx"

    with pytest.raises(SourceError) as caught:
        inspected(book, sheet="Contcts")

    assert caught.value.code == "sheet-unknown"


def test_a_limit_is_told_where_there_is_more(tmp_path: Path) -> None:
    assert (table := table_of(tmp_path, "A,B\n1,2\n3,4\n5,6\n", limit=2)).rows == 2
    assert not table.is_whole


def test_a_value_that_is_a_name_by_chance_makes_no_header(tmp_path: Path) -> None:
    assert table_of(tmp_path, "X,Y\nyes,0\nno,1\n").header_row == 1


def test_damage_and_ragged_rows_are_counted_with_the_first_place(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Phone,City,X\n4.86E+10,a,b\n1,2\n4.86E+11,#REF!,c\n")

    assert {(one.code, one.count, one.row, one.column) for one in table.damage} == {
        ("scientific-number", 2, 2, "A"), ("error-text", 1, 4, "B"), ("ragged-row", 1, 3, ""),
    }  # fmt: skip


KIND = [
    pytest.param("X", ["a@example.com", "b@example.org"], "email", "", id="email"),
    pytest.param("X", ["30.03.1957", "07.10.1983"], "date", "DD.MM.YYYY", id="date"),
    pytest.param("X", ["03/04/1957", "07/10/1983"], "date", "DD/MM/YYYY, or month first", id="date-unsure"),
    pytest.param("X", ["2026-01-02 10:30", "2026-02-03 11:45"], "date-time", "YYYY-MM-DD HH:MM", id="date-time"),
    pytest.param("X", ["1.234,50", "17,25"], "number", "1.234,5", id="decimal-comma"),
    pytest.param("X", ["1234.50", "17"], "number", "1234.5", id="decimal-point"),
    pytest.param("X", ["1", "17"], "whole-number", "", id="whole"),
    pytest.param("X", ["001", "017"], "whole-number", "leading zeros", id="leading-zeros"),
    pytest.param("Mobile", ["601234567", "602234567"], "phone", "", id="phone-by-name"),
    pytest.param("X", ["+48 601 234 567", "+49 30 1234567"], "phone", "", id="phone-by-code"),
    pytest.param("X", ["00-950", "31-001"], "postcode", "", id="postcode"),
    pytest.param("PLZ", ["10115", "80331"], "postcode", "", id="postcode-by-name"),
    pytest.param("X", ["Polska", "DE", "Sweden"], "country", "", id="country"),
    pytest.param("X", ["yes", "no"], "yes-no", "yes, no", id="yes-no"),
    pytest.param("X", ["a;b", "b;c", "c;d", "e", "f;g"], "list", "by ';'", id="list"),
    pytest.param("X", ["example.com", "www.example.org"], "web-address", "", id="web"),
    pytest.param("X", ["two lines", "a note of some kind"], "text", "", id="text"),
    pytest.param("X", ["A-17-0001", "A-17-0002"], "text", "", id="codes"),
    pytest.param("X", ["a note", "another", "12", "13"], "mixed", "50 % text, 50 % numbers", id="mixed"),
    pytest.param("X", [" ", ""], "empty", "", id="empty"),
]


@pytest.mark.parametrize(("name", "cells", "kind", "detail"), KIND)
def test_a_column_is_called_what_it_holds(name: str, cells: list[str], kind: str, detail: str, tmp_path: Path) -> None:
    found = column_of(tmp_path, name, *cells)

    assert (found.kind.name, found.kind.detail) == (kind, detail)
    assert found.kind.name in KINDS


@pytest.mark.parametrize(
    ("name", "cells", "kind", "why"),
    [
        ("X", ["a@example.com", "none"], "an e-mail address", "50 % of the values are e-mail addresses"),
        ("Telefon", ["601234567"], "a telephone number", "100 % of the values are telephone numbers"),
        ("X", ["+48601234567", "+48602234567"], "a telephone number", "100 % of the values are telephone numbers"),
        ("Nazwisko", ["Nowak", "Kowal"], "a person's name", "by name"),
        ("Street", ["Xyz 1", "Abc 2"], "an address", "by name"),
        ("Data urodzenia", ["30.03.1957"], "a date of birth", "by name"),
        ("X", ["44051401359", "02070803628"], "a PESEL number", "100 % of the values are"),
        ("X", ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"], "an IBAN", "100 % of the values are"),
        ("X", ["4111 1111 1111 1111", "5500000000000004"], "a payment card number", "100 % of the values are"),
    ],
    ids=["email", "phone", "phone by code", "name", "address", "birth", "PESEL", "IBAN", "card"],
)
def test_personal_data_is_told_with_a_reason(name: str, cells: list[str], kind: str, why: str, tmp_path: Path) -> None:
    personal = column_of(tmp_path, name, *cells).personal

    assert (kind, why) in [(one.kind, one.why) for one in personal]


@pytest.mark.parametrize(
    ("name", "cells"),
    [("Total", ["12.50", "13.75"]), ("Order no.", ["OF-0001", "OF-0002"]), ("Ordered on", ["2026-01-02"])],
    ids=["amount", "code", "date"],
)
def test_what_is_about_nobody_is_not_told(name: str, cells: list[str], tmp_path: Path) -> None:
    assert column_of(tmp_path, name, *cells).personal == ()


@pytest.mark.parametrize(
    ("judge", "right", "wrong"),
    [
        (is_pesel, "44051401359", "44051401358"),
        (is_pesel, "44051401359", "44991401359"),
        (is_iban, "PL61109010140000071219812874", "PL62109010140000071219812874"),
        (is_card, "4111111111111111", "4111111111111112"),
    ],
    ids=["PESEL", "PESEL month", "IBAN", "card"],
)
def test_a_check_digit_tells_a_number_from_others(judge: Any, right: str, wrong: str) -> None:
    assert judge(right)
    assert not judge(wrong)


def profile_of(*chunks: list[str], kept: int = 10_000) -> ColumnProfile:
    profile = ColumnProfile(kept)
    for chunk in chunks:
        profile.add(text_series(chunk))
    return profile


def test_as_many_values_as_are_kept_are_counted_exactly() -> None:
    values = [f"v{number}" for number in range(999)]

    profile = profile_of(values[:500], values[300:], values, kept=1000)

    assert (profile.distinct, profile.is_exact, profile.filled) == (999, True, 500 + 699 + 999)


def test_more_values_are_estimated_within_a_tenth_for_a_thousand_kept() -> None:
    profile = profile_of(
        *([f"v{number}" for number in range(start, start + 5_000)] for start in range(0, 50_000, 5_000)), kept=1000
    )

    assert not profile.is_exact
    assert profile.distinct == pytest.approx(50_000, rel=0.1)


def test_a_word_that_half_of_the_cells_hold_is_not_missed_among_many_values() -> None:
    chunks = [
        [f"p{row}@example.com" if row % 2 else "none" for row in range(at, at + 4_000)]
        for at in range(0, 40_000, 4_000)
    ]

    values, weights = profile_of(*chunks, kept=500).sample()
    kind, _ = kind_of_column("X", values, weights)

    assert kind.name == "mixed"
    assert weights.sum() == pytest.approx(40_000, rel=0.01)
    assert weights[values == "none"].tolist() == [20_000]


@given(st.lists(st.text(alphabet="ab żx ", max_size=3), max_size=60), st.integers(1, 20))
def test_the_size_of_chunks_changes_nothing(cells: list[str], size: int) -> None:
    whole = profile_of(cells)
    parts = profile_of(*(cells[at : at + size] for at in range(0, len(cells), size)))

    assert (whole.filled, whole.distinct, whole.longest) == (parts.filled, parts.distinct, parts.longest)
    assert _counted(whole) == _counted(parts) == _expected(cells)


def _counted(profile: ColumnProfile) -> dict[str, int]:
    values, weights = profile.sample()
    return dict(zip(values.to_list(), weights.tolist(), strict=True))


def _expected(cells: list[str]) -> dict[str, int]:
    filled = [cell.strip() for cell in cells if cell.strip()]
    return {value: filled.count(value) for value in filled}
