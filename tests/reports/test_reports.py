"""Reports: readable by any program, inert in any spreadsheet, complete whatever is in the cells."""

from __future__ import annotations

import csv
import json

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import CONTACT, mapping_of, results_of, write_csv, write_rows

import etl
from etl.reports.cells import as_it_was, inert
from etl.reports.csv_columns import CsvColumns

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)

FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"https://example.com\")", "=cmd|' /C calc'!A0",
    "＝1", "＋1", "－1", "＠x", "  =1", '"=1', "'=1", "\n=1",
]  # fmt: skip


@given(st.lists(st.tuples(st.one_of(st.none(), TEXT), st.one_of(st.none(), st.integers(0, 10**6)), TEXT), max_size=12))
def test_columns_are_written_as_the_csv_module_writes_lines_and_read_back_the_same(rows):
    with TemporaryFile() as path:
        found = CsvColumns(path, ("a", "b", "c"))
        if rows:
            a, b, c = zip(*rows, strict=True)
            found.write({"a": pa.array(a, pa.string()), "b": pa.array(b, pa.int64()), "c": pa.array(c, pa.string())})
        found.close()
        by_line = CsvColumns(path.with_name("lines.csv"), ("a", "b", "c"))
        for row in rows:
            by_line.write_line(row)
        by_line.close()
        assert path.read_bytes() == by_line.path.read_bytes()
        with path.open(encoding="utf-8", newline="") as stream:
            read = list(csv.reader(stream))
        assert read == [["a", "b", "c"], *[["" if cell is None else str(cell) for cell in row] for row in rows]]


class TemporaryFile:
    """A path in a folder of its own."""

    def __enter__(self):
        import tempfile
        from pathlib import Path

        self._folder = tempfile.TemporaryDirectory()
        return Path(self._folder.name) / "file.csv"

    def __exit__(self, *_):
        self._folder.cleanup()


@pytest.mark.parametrize("text", FORMULAS)
def test_what_could_be_a_formula_stands_behind_an_apostrophe(text):
    made = inert(pa.array([text]))
    assert made[0].as_py().startswith("'")
    assert as_it_was(made).to_pylist() == [text]


@pytest.mark.parametrize("text", ["Anna", "1-2", "a=b", "x@example.com", "", " a", "ż"])
def test_what_is_no_formula_stays_as_it_is(text):
    assert inert(pa.array([text])).to_pylist() == [text]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_in_any_cell_comes_out_inert_in_every_report(tmp_path, text):
    mapping = CONTACT + "      contact.name: {column: Name, transform: [number]}\n"
    file = write_rows(tmp_path / "s.csv", [("E-mail", "Name"), (text, text)])
    report = etl.check(mapping_of(mapping, tmp_path), [file], options=etl.Options(out=tmp_path / "out"))
    for path in (report.results_path, report.issues_path):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                assert not [cell for cell in row if cell.lstrip(' "\t\r\n')[:1] in "=+-@＝＋－＠" and cell]


def test_issues_name_the_cell_as_a_workbook_shows_it(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "People"
    sheet["C4"], sheet["D4"] = "E-mail", "Total"
    sheet["C5"], sheet["D5"] = "a@example.com", 1
    sheet["C6"], sheet["D6"] = "bad@@", 2
    file = tmp_path / "people.xlsx"
    book.save(file)
    report = etl.check(mapping_of(CONTACT, tmp_path), [file], options=etl.Options(out=tmp_path / "out"))
    issue = report.issues.iloc[0]
    assert (issue["sheet"], issue["row"], issue["cell"], issue["column"]) == ("People", 6, "C6", "E-mail")
    assert [line["row"] for line in results_of(report)] == ["5", "6"]


def test_the_summary_holds_no_cell_of_the_file(tmp_path):
    file = write_csv(tmp_path / "s.csv", "E-mail;Name\ncanary@example.com;Canary\ncanary@@;Canary\n")
    report = etl.check(mapping_of(CONTACT, tmp_path), [file], options=etl.Options(out=tmp_path / "out"))
    text = report.summary_path.read_text()
    assert "anary" not in text
    assert json.loads(text)["files"][0]["tables"][0]["delimiter"] == "semicolon"
