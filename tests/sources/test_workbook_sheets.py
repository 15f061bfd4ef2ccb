"""Which sheets are read: by name, position and pattern, several in one run."""

from __future__ import annotations

from pathlib import Path

import pytest
from table_files import open_all, read, rows_of, workbook

from etl.errors import SourceError

SHEETS = {
    "Region North": {"A1": "E-mail", "A2": "n@example.com"},
    "Notes": {"A1": "read me"},
    "Region South": {"A2": "E-mail", "A3": "s@example.com"},
    "Region Old": {"A1": "E-mail", "A2": "o@example.com"},
    "2024": {"A1": "E-mail"},
    "Empty": {},
}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return workbook(tmp_path, SHEETS, hidden=["Region Old"])


@pytest.mark.parametrize(
    ("wanted", "read_sheets"),
    [
        (("Notes",), ["Notes"]),
        (("region south",), ["Region South"]),
        (("Region Old",), ["Region Old"]),
        (("1",), ["Region North"]),
        (("4",), ["Region Old"]),
        (("2024",), ["2024"]),
        (("Region *",), ["Region North", "Region South"]),
        (("*o*h",), ["Region North", "Region South"]),
        (("all",), ["Region North", "Notes", "Region South", "2024"]),
        (("3", "Region *", "Notes"), ["Region South", "Region North", "Notes"]),
    ],
    ids=["name", "other case", "hidden by name", "position", "hidden by position", "a name of digits", "pattern",
         "two stars", "all", "several, each once"],
)  # fmt: skip
def test_sheets_are_read_in_the_order_asked_for(book: Path, wanted: tuple[str, ...], read_sheets: list[str]) -> None:
    tables = open_all(book, sheets=wanted)

    assert [table.ref.sheet for table in tables] == read_sheets
    assert [table.ref.index for table in tables] == list(range(len(tables)))


def test_each_sheet_has_a_header_row_of_its_own(book: Path) -> None:
    tables = open_all(book, sheets=("Region *",))

    assert [(table.header_row, rows_of(read(table))) for table in tables] == [
        (1, {2: ["n@example.com"]}),
        (2, {3: ["s@example.com"]}),
    ]


def test_a_sheet_called_all_is_meant_by_its_name(tmp_path: Path) -> None:
    book = workbook(tmp_path, {"One": {"A1": "x"}, "All": {"A1": "y"}})

    assert [table.ref.sheet for table in open_all(book, sheets=("all",))] == ["All"]


@pytest.mark.parametrize("name", ["Region [N]orth", "Region Nort?", "0", "7", "99999"])
def test_only_the_star_is_special(book: Path, name: str) -> None:
    with pytest.raises(SourceError, match="the workbook has no sheet"):
        open_all(book, sheets=(name,))


def test_a_pattern_without_a_match_is_refused_with_the_sheets_there_are(book: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_all(book, sheets=("Area *",))

    assert str(caught.value) == (
        f"{book}: no visible sheet of the workbook matches 'Area *'\n"
        "  hint: its sheets are Region North, Notes, Region South, Region Old, 2024, Empty   [sheet-unknown]"
    )


def test_an_empty_sheet_is_refused_by_name_and_passed_over_by_pattern(book: Path) -> None:
    with pytest.raises(SourceError, match="sheet 'Empty' is empty"):
        open_all(book, sheets=("all", "Empty"))
    with pytest.raises(SourceError) as caught:
        open_all(book, sheets=("Emp*",))

    assert str(caught.value) == (
        f"{book}: none of the sheets that 'Emp*' means holds anything\n"
        "  hint: name the sheet that holds the table   [sheet-empty]"
    )
