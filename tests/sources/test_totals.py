from __future__ import annotations

from pathlib import Path

import pytest
from table_files import faults_of, open_one, read, rows_of, write

from etl.codes import CODES
from etl.records import CellFault
from etl.sources.totals import is_total

TABLE = "E-mail;City;Sum\na@example.com;Oslo;2\nb@example.com;Rome;3\n{}\n"


@pytest.mark.parametrize(
    "cells",
    [
        ["Total", "", "5"],
        ["TOTAL:", "", "", "1,234.50"],
        ["Grand total", "", "12"],
        ["Razem", "", "5"],
        ["Suma:", "", "1 234,50 zł"],
        ["Łącznie", "", "100"],
        ["Ogółem", "", "", "7"],
        ["Summe", "", "1.234,50 €"],
        ["Gesamtergebnis", "", "5"],
        ["Totalt", "", "5 kr"],
        ["Summa:", "", "-5"],
        ["Total general", "", "5"],
        ["Total général", "", "5,00"],
        ["Totale", "", "(5,00)"],
        ["", "Total :", "", "5"],
        ["Total", "500"],
        [" total ", "", "$ 5"],
    ],
    ids="|".join,
)
def test_a_word_for_total_and_numbers_alone_make_a_total(cells: list[str]) -> None:
    assert is_total(cells)


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(["Total", "", ""], id="no number"),
        pytest.param(["Total", "Energy", "", "5"], id="a word among the numbers"),
        pytest.param(["Total", "12", "5"], id="no blank cell: a brand's own row"),
        pytest.param(["Totalna", "", "5"], id="another word"),
        pytest.param(["Anna Total", "", "5"], id="a name"),
        pytest.param(["", "5", "Total"], id="not the first word"),
        pytest.param(["Total"], id="one cell"),
        pytest.param(["", ""], id="a blank row"),
        pytest.param([], id="no cells"),
        pytest.param(["Total", "", "a5@example.com"], id="an address"),
    ],
)
def test_anything_else_is_a_row_of_data(cells: list[str]) -> None:
    assert not is_total(cells)


@pytest.mark.parametrize("last", ["Razem;;5", "Razem: ;;5,00 zł", ";Total;5", '"Total";"";"5"', 'Total;"";"5\n"'])
def test_a_total_is_a_fault_of_its_row(tmp_path: Path, last: str) -> None:
    chunks = read(open_one(write(tmp_path, TABLE.format(last).encode())))

    assert [(fault.row, fault.column, fault.code) for fault in faults_of(chunks)] == [(4, None, "total-row")]
    assert list(rows_of(chunks)) == [2, 3, 4]


def test_the_fault_quotes_the_word(tmp_path: Path) -> None:
    chunks = read(open_one(write(tmp_path, TABLE.format("Summe:;;5").encode())))

    assert faults_of(chunks) == [CellFault(4, None, "total-row", "Summe:")]
    assert CODES["total-row"].message == "the row looks like a total ('{value}' and numbers)"
    assert CODES["total-row"].hint == (
        "leave such rows out with `source: {total_rows: skip}`, or let them pass with `checks: {total-row: warning}`"
    )


def test_totals_may_be_left_out_wherever_they_stand(tmp_path: Path) -> None:
    content = "E-mail;City;Sum\na@example.com;Oslo;2\nSuma;;2\nb@example.com;Rome;3\nRazem;5\n"
    [chunk] = read(open_one(write(tmp_path, content.encode()), total_rows=False))

    assert chunk.faults == ()
    assert {reason: chunk.rows[mask].tolist() for reason, mask in chunk.left_out.items()} == {"total-row": [3, 5]}


def test_a_column_of_such_words_with_all_cells_filled_is_read(tmp_path: Path) -> None:
    chunks = read(open_one(write(tmp_path, b"Brand;Orders;Sum\nTotal;12;500\nShell;3;90\n")))

    assert faults_of(chunks) == []
