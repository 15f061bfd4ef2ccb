# ruff: noqa: DTZ001 - a cell has no time zone
"""The workbooks of the corpus as cells, and what must come out of each, whatever program saved it in which format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from corpus.flat_ods import Formula, Sheet, Zip


@dataclass(frozen=True)
class Book:
    """`tables`: as in a case's `tables` (see cases.py). `null_date`: of the 1904 system. `options`: of the reader."""

    sheets: Sequence[Sheet]
    tables: Sequence[dict[str, Any]]
    null_date: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    formats: Sequence[str] = ("xlsx", "xls", "ods")


def _table(
    sheet: str, header: Sequence[str], header_row: int, rows: dict[int, Sequence[str]], **more: Any
) -> dict[str, Any]:
    return {
        "sheet": sheet,
        "header": list(header),
        "header_row": header_row,
        "rows": {str(n): list(r) for n, r in rows.items()},
        **more,
    }


_HEADER = ("E-mail", "Imię", "Telefon", "Kod pocztowy", "Klient od", "Suma")
BOOKS: dict[str, Book] = {
    "contacts": Book(
        [Sheet("Kontakty", {
            1: ["Eksport kontaktów 2026-11"],
            3: _HEADER,
            4: ["zofia.zolc@example.com", "Zofia Żółć", "0048601234567", "00-950", date(2024, 2, 29), 1234.5],
            5: ["juergen@example.org", "Jürgen Weiß", "+49 170 1234567", "01067", date(1999, 12, 31), 48600123456],
            8: ["łukasz@example.com", "Łukasz", "", "31-011", None, 0.1],
        })],
        [_table("Kontakty", _HEADER, 3, {
            4: ["zofia.zolc@example.com", "Zofia Żółć", "0048601234567", "00-950", "2024-02-29", "1234.5"],
            5: ["juergen@example.org", "Jürgen Weiß", "+49 170 1234567", "01067", "1999-12-31", "48600123456"],
            8: ["łukasz@example.com", "Łukasz", "", "31-011", "", "0.1"],
        })],
    ),
    "types": Book(
        [Sheet("Types", {
            1: ["Text", "Whole", "Real", "Date", "Moment", "Time", "Flag", "Zip"],
            2: ["007", 7, 0.25, date(1900, 3, 1), datetime(2026, 3, 29, 1, 59, 59), time(23, 59, 1), True, Zip(950)],
            3: ["1E5", -3, 1e-7, date(2026, 11, 24), datetime(2000, 1, 1, 12, 0), time(0, 0, 1), False, Zip(1067)],
            4: ["=1+1", 123456789012345, 1234567.891, date(2079, 6, 6), datetime(1999, 12, 31, 23, 59, 58), time(12, 30), True, Zip(10115)],
        })],
        [_table("Types", ["Text", "Whole", "Real", "Date", "Moment", "Time", "Flag", "Zip"], 1, {
            2: ["007", "7", "0.25", "1900-03-01", "2026-03-29 01:59:59", "23:59:01", "TRUE", "00950"],
            3: ["1E5", "-3", "0.0000001", "2026-11-24", "2000-01-01 12:00:00", "00:00:01", "FALSE", "01067"],
            4: ["=1+1", "123456789012345", "1234567.891", "2079-06-06", "1999-12-31 23:59:58", "12:30:00", "TRUE", "10115"],
        })],
    ),
    "dates_of_1904": Book(
        [Sheet("Orders", {1: ["E-mail", "Ordered"], 2: ["a@example.com", date(2024, 2, 29)], 3: ["b@example.com", date(1904, 1, 2)]})],
        [_table("Orders", ["E-mail", "Ordered"], 1, {2: ["a@example.com", "2024-02-29"], 3: ["b@example.com", "1904-01-02"]})],
        null_date="1904-01-01",
    ),
    "errors": Book(
        [Sheet("Errors", {
            1: ["E-mail", "Points", "Share"],
            2: ["a@example.com", Formula("1+1"), Formula("1/0")],
            3: ["b@example.com", Formula("NA()"), 0.5],
            4: [Formula('CONCATENATE("c";"@example.com")'), Formula("2*21"), Formula('IF(1=1;"";"x")')],
        })],
        [_table("Errors", ["E-mail", "Points", "Share"], 1, {
            2: ["a@example.com", "2", ""], 3: ["b@example.com", "", "0.5"], 4: ["c@example.com", "42", ""],
        }, faults=[[2, 2, "error-cell", "#DIV/0!"], [3, 1, "error-cell", "#N/A"]])],
    ),
    "hidden": Book(
        [Sheet("Hidden", {
            1: ["E-mail", "Internal", "City"], 2: ["a@example.com", "x", "Oslo"], 3: ["b@example.com", "y", "Bergen"], 4: ["c@example.com", "z", "Narvik"],
        }, hidden_rows=frozenset({3}), hidden_columns=frozenset({2}))],
        [_table("Hidden", ["E-mail", "Internal", "City"], 1, {
            2: ["a@example.com", "x", "Oslo"], 3: ["b@example.com", "y", "Bergen"], 4: ["c@example.com", "z", "Narvik"],
        })],
    ),
    "hidden_left_out": Book(
        [Sheet("Hidden", {
            1: ["E-mail", "Internal", "City"], 2: ["a@example.com", "x", "Oslo"], 3: ["b@example.com", "y", "Bergen"], 4: ["c@example.com", "z", "Narvik"],
        }, hidden_rows=frozenset({3}), hidden_columns=frozenset({2}))],
        [_table("Hidden", ["E-mail", "City"], 1, {
            2: ["a@example.com", "Oslo"], 3: ["b@example.com", "Bergen"], 4: ["c@example.com", "Narvik"],
        }, left_out={"row-hidden": [3]})],
        options={"hidden_rows": False, "hidden_columns": False},
    ),
    "merged": Book(
        [Sheet("Merged", {
            1: ["Customers of the spring fair", None, None],
            2: ["E-mail", "City", "Country"],
            3: ["a@example.com", "Oslo", "NO"], 4: ["b@example.com", None, None], 5: ["c@example.com", "Lund", "SE"],
        }, merged={(1, 1): (1, 3), (3, 2): (2, 1), (3, 3): (2, 1)})],
        [_table("Merged", ["E-mail", "City", "Country"], 2, {
            3: ["a@example.com", "Oslo", "NO"], 4: ["b@example.com", "Oslo", "NO"], 5: ["c@example.com", "Lund", "SE"],
        })],
    ),
    "several_sheets": Book(
        [
            Sheet("Region North", {1: ["E-mail", "City"], 2: ["n@example.com", "Luleå"]}),
            Sheet("Notes", {1: ["read me"]}),
            Sheet("Region South", {2: ["E-mail", "City"], 3: ["s@example.com", "Lund"]}),
            Sheet("Region Old", {1: ["E-mail", "City"], 2: ["o@example.com", "Uppsala"]}, is_hidden=True),
        ],
        [
            _table("Region North", ["E-mail", "City"], 1, {2: ["n@example.com", "Luleå"]}),
            _table("Region South", ["E-mail", "City"], 2, {3: ["s@example.com", "Lund"]}),
        ],
        options={"sheets": ["Region *"]},
    ),
    "hidden_sheet_by_name": Book(
        [Sheet("Cover", {1: ["nothing"]}), Sheet("Data", {1: ["E-mail"], 2: ["x@example.com"]}, is_hidden=True)],
        [_table("Data", ["E-mail"], 1, {2: ["x@example.com"]})],
        options={"sheets": ["Data"]},
    ),
    "gaps": Book(
        [Sheet("Gaps", {
            2: [None, "E-mail", "City"], 3: [None, "a@example.com", "Oslo"], 40: [None, "b@example.com", "Bergen"], 1500: [None, "c@example.com", "Narvik"],
        })],
        [_table("Gaps", ["E-mail", "City"], 2, {3: ["a@example.com", "Oslo"], 40: ["b@example.com", "Bergen"], 1500: ["c@example.com", "Narvik"]}, first_column=1)],
    ),
    "long_texts": Book(
        [Sheet("Long", {1: ["E-mail", "Note"], 2: ["a@example.com", "first line\nsecond; \"quoted\", line"], 3: ["b@example.com", "ab" * 5000]})],
        [_table("Long", ["E-mail", "Note"], 1, {2: ["a@example.com", "first line\nsecond; \"quoted\", line"], 3: ["b@example.com", "ab" * 5000]})],
    ),
    "filtered": Book(
        [Sheet("Filtered", {1: ["E-mail", "City"], 2: ["a@example.com", "Oslo"], 3: ["b@example.com", "Bergen"]}, filtered_rows=frozenset({3}))],
        [_table("Filtered", ["E-mail", "City"], 1, {2: ["a@example.com", "Oslo"], 3: ["b@example.com", "Bergen"]})],
    ),
}  # fmt: skip
"""File stem → book."""

PLAIN = Sheet("Kontakte", {
    1: ["E-mail", "Name", "Ort", "Umsatz", "Notiz"],
    2: ["anna@example.com", "Anna Müller", "Köln", "1.234,50", "ja; nein"],
    3: ["ola@example.com", "Ola Åström", "Gävle", "12,00", 'sagt "hej"'],
    4: ["jose@example.com", "José Núñez", "León", "7,25", "zwei\nZeilen"],
})  # fmt: skip
POLISH = Sheet("Kontakty", {
    1: ["E-mail", "Nazwisko", "Miasto", "Kwota", "Uwagi"],
    2: ["zofia@example.com", "Żółć", "Łódź", "1 234,50", "tak; nie"],
    3: ["michal@example.com", "Święcicki-Ćwik", "Kraków", "12,00", 'mówi "cześć"'],
    4: ["agnieszka@example.com", "Gąska", "Gdańsk", "7,25", "dwa\nwiersze"],
    5: ["wieslaw@example.com", "Śląski", "Świdnica", "1,00", "źle, ąę"],
})  # fmt: skip

# The number that LibreOffice knows each encoding by, and what Python calls it.
ENCODINGS = {
    "utf8": (76, "utf-8"),
    "cp1250": (33, "cp1250"),
    "cp1252": (1, "cp1252"),
    "iso_8859_2": (13, "iso8859-2"),
    "utf16": (65535, "utf-16"),
}
SEPARATORS = {"semicolon": 59, "comma": 44, "tab": 9, "pipe": 124}
TEXTS = {
    **{
        f"polish_{encoding}_semicolon": (POLISH, encoding, "semicolon")
        for encoding in ("utf8", "cp1250", "iso_8859_2", "utf16")
    },
    **{f"german_{encoding}_semicolon": (PLAIN, encoding, "semicolon") for encoding in ("utf8", "cp1252", "utf16")},
    **{f"german_utf8_{separator}": (PLAIN, "utf8", separator) for separator in ("comma", "tab", "pipe")},
    **{f"polish_cp1250_{separator}": (POLISH, "cp1250", separator) for separator in ("comma", "tab")},
}
"""File stem → sheet, encoding, separator of what LibreOffice exports as text."""


def text_rows(sheet: Sheet) -> dict[int, list[str]]:
    """Return line → cells of the export of a sheet of texts: cells of several lines move the lines below."""
    rows, line = {}, 1
    for number in sorted(sheet.rows):
        rows[line] = [str(cell) for cell in sheet.rows[number]]
        line += 1 + sum(cell.count("\n") for cell in rows[line])
    return rows
