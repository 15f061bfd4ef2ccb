"""annotated.xlsx: the person's own sheets again, with what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

import etl
from etl.job import open_job
from etl.own_tables import own_tables
from etl.report import RunReport
from etl.reports import annotated
from etl.reports.annotated import Limits
from etl.reports.material import Interrupted, Material
from etl.sandbox.faults import FaultRule, Faults
from etl.view import View
from tests.support import CONTACT, mapping_of, rig, write_csv, write_rows

# ruff: noqa: DTZ001 - a workbook knows no time zones

NAMED = CONTACT + "      contact.name: Name\n"
COLOURS = {"error": "FFFBD9D7", "warning": "FFFDEFC3", "rejected": "FFE6DDF8"}


class Made:
    """A run, and the workbook that was written of it."""

    def __init__(self, report: RunReport, material: Material, limits: Limits | None) -> None:
        self.report = report
        self.paths = annotated.write(material, limits or Limits())
        self.book = load_workbook(self.paths[0]) if self.paths else None

    def sheet(self, place: int = 1) -> Worksheet:
        """Return one of the sheets; 0 is the summary."""
        assert self.book is not None
        return self.book.worksheets[place]

    @property
    def told(self) -> str:
        """All texts of the summary."""
        cells = (cell.value for row in self.sheet(0).iter_rows() for cell in row)
        return "\n".join(str(value) for value in cells if value is not None)


def made(
    folder: Path,
    mapping: str,
    files: Path | Sequence[Path],
    *,
    report: RunReport | None = None,
    limits: Limits | None = None,
    **changes: Any,
) -> Made:
    """Check the files (or take a report), and write annotated.xlsx of them; `changes`: of the material."""
    loaded, given = mapping_of(mapping, folder), [files] if isinstance(files, Path) else list(files)
    if report is None:
        report = etl.check(loaded, given, options=etl.Options(out=folder / "out", reports=("csv",)))
    view = changes.pop("view", View.FULL)
    work = report.out / "work"
    work.mkdir(exist_ok=True)
    material = Material(
        report=replace(report, view=view), tables=own_tables(open_job(loaded, given, None)), work=work,
        shown=lambda texts: texts, begin=lambda *_: None, advance=lambda _: None, is_interrupted=lambda: False,
    )  # fmt: skip
    return Made(report, replace(material, **changes), limits)


def workbook(path: Path, fill: Callable[[Workbook], None]) -> Path:
    """Write a workbook that `fill` fills; its one sheet at first is called Contacts."""
    book = Workbook()
    book.worksheets[0].title = "Contacts"
    fill(book)
    book.save(path)
    return path


def put(rows: Sequence[Sequence[Any]], first: int = 1) -> Callable[[Workbook], None]:
    """Return what writes `rows` into the first sheet, from row `first` on."""

    def fill(book: Workbook) -> None:
        for number, row in enumerate(rows, first):
            for column, value in enumerate(row, 1):
                book.worksheets[0].cell(number, column, value)

    return fill


def fill_of(sheet: Worksheet, cell: str) -> str:
    """Return the colour behind a cell, "" for none."""
    found = sheet[cell].fill
    return found.fgColor.rgb if found.fill_type else ""


def test_rows_keep_their_numbers_and_titles_stand_above_the_header(tmp_path: Path) -> None:
    def fill(book: Workbook) -> None:
        put([["Sign-ups of the fair"], ["exported today"], [], ["Name", "E-mail"]])(book)
        put([["Ann", "ann@example.com"], [], ["Bob", "nope"]], first=5)(book)

    sheet = made(tmp_path, NAMED, workbook(tmp_path / "own.xlsx", fill)).sheet()
    rows = {number: [cell.value for cell in row] for number, row in enumerate(sheet.iter_rows(max_col=4), 1)}
    assert rows[1] == [None, None, "Sign-ups of the fair", None]
    assert rows[2] == [None, None, "exported today", None]
    assert rows[4] == ["Status", "What to do", "Name", "E-mail"]
    assert rows[5] == ["planned", None, "Ann", "ann@example.com"]
    assert rows[6] == [None] * 4
    assert rows[7] == [
        "invalid",
        "E-mail: 'nope' is not an e-mail address: an email address must have an @-sign. Correct the address.",
        "Bob",
        "nope",
    ]


def test_the_header_is_frozen_and_all_rows_are_filtered(tmp_path: Path) -> None:
    rows = [["Title"], ["Name", "E-mail"], ["Ann", "nope"], ["Bob", "bob@example.com"]]
    sheet = made(tmp_path, NAMED, workbook(tmp_path / "own.xlsx", put(rows))).sheet()
    assert sheet.freeze_panes == "C3"
    assert sheet.auto_filter.ref == "A2:D4"
    assert sheet.print_title_rows == "$2:$2"


def test_a_header_far_down_is_not_frozen_as_it_would_fill_the_screen(tmp_path: Path) -> None:
    rows = [*([[f"line {number}"] for number in range(24)]), ["Name", "E-mail"], ["Ann", "nope"]]
    mapping = NAMED.replace("records:", "source: {header_row: 25}\nrecords:")
    sheet = made(tmp_path, mapping, workbook(tmp_path / "own.xlsx", put(rows))).sheet()
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C1", "A25:D26")


def test_bad_cells_have_their_colour_and_a_comment(tmp_path: Path) -> None:
    rows = [["Name", "E-mail"], ["Ann", "nope"], ["Bob", "bob@gmial.com"], ["Cid", "cid@example.com"]]
    sheet = made(tmp_path, NAMED, workbook(tmp_path / "own.xlsx", put(rows))).sheet()
    colours = [fill_of(sheet, cell) for cell in ("A2", "C2", "D2", "A3", "D3", "A4", "D4")]
    error, warning = COLOURS["error"], COLOURS["warning"]
    assert colours == [error, "", error, warning, warning, "", ""]
    assert [sheet[cell].value for cell in ("A2", "A3", "A4")] == ["invalid", "planned (warning)", "planned"]
    comment = sheet["D3"].comment
    assert comment.author == "etl"
    assert comment.text == "'bob@gmial.com' looks mistyped (did you mean bob@gmail.com?). Check the part after the @."
    assert [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment] == ["D2", "D3"]


def test_a_blank_cell_that_is_required_is_coloured_too(tmp_path: Path) -> None:
    mapping = NAMED.replace("contact.name: Name", "contact.name: {column: Name, required: true}")
    rows = [["Name", "E-mail"], [None, "ann@example.com"]]
    sheet = made(tmp_path, mapping, workbook(tmp_path / "own.xlsx", put(rows))).sheet()
    assert fill_of(sheet, "C2") == COLOURS["error"]
    assert sheet["C2"].comment.text == "a value is required and the cell is blank. Fill in the cell, or delete the row."


def test_a_problem_without_a_cell_colours_the_status_alone(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "sheet.csv", "Name;E-mail\nAnn;ann@example.com;too;many\n")
    sheet = made(tmp_path, NAMED, file).sheet()
    assert [fill_of(sheet, cell) for cell in ("A2", "C2", "D2")] == [COLOURS["error"], "", ""]
    assert not any(cell.comment for row in sheet.iter_rows() for cell in row)
    assert sheet["B2"].value.startswith("The row has ")


def test_a_problem_of_several_cells_is_told_at_each_of_them(tmp_path: Path) -> None:
    mapping = CONTACT.replace("contact.email: E-mail", 'contact.email: {template: "{User}@{Domain}"}')
    rows = [["User", "Domain"], ["ann", "no domain"]]
    sheet = made(tmp_path, mapping, workbook(tmp_path / "own.xlsx", put(rows))).sheet()
    assert sheet["C2"].comment.text == sheet["D2"].comment.text
    assert sheet["C2"].comment.text.startswith("User, Domain: 'ann@no domain' is not an e-mail address")


def test_values_numbers_dates_and_formats_are_those_of_the_workbook(tmp_path: Path) -> None:
    cells: list[tuple[Any, str]] = [
        (12.5, '#,##0.00 "zł"'), (950, "00000"), (date(2026, 11, 24), "dd.mm.yyyy"), (True, "General"),
        (datetime(2026, 11, 24, 10, 30), "yyyy-mm-dd hh:mm"), (time(10, 30), "hh:mm"), (0.25, "0%"),
        ("1234567890123456789", "@"), (-7, "General"),
    ]  # fmt: skip

    def fill(book: Workbook) -> None:
        sheet = book.worksheets[0]
        put([["E-mail", *(f"c{place}" for place in range(len(cells)))], ["nope"]])(book)
        for column, (value, code) in enumerate(cells, 2):
            sheet.cell(2, column, value).number_format = code
        sheet.column_dimensions["B"].width = 33

    sheet = made(tmp_path, CONTACT, workbook(tmp_path / "own.xlsx", fill)).sheet()
    found = [sheet.cell(2, column) for column in range(4, 4 + len(cells))]
    wanted = [datetime(2026, 11, 24) if value == date(2026, 11, 24) else value for value, _ in cells]
    assert [cell.value for cell in found] == wanted
    assert [cell.number_format for cell in found] == [code for _, code in cells]
    assert sheet.column_dimensions["D"].width == pytest.approx(33, abs=1)


def test_text_files_stand_line_by_line_as_text(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "sheet.csv", 'Name;E-mail\n"two\nlines";ann@example.com\n00950;nope\n')
    run = made(tmp_path, NAMED, file)
    sheet = run.sheet()
    assert sheet.title == "sheet.csv"
    assert [sheet[cell].value for cell in ("A2", "C2", "A3", "A4", "C4")] == [
        "planned", "two\nlines", None, "invalid", "00950",
    ]  # fmt: skip


def test_without_a_row_for_the_header_a_column_tells_the_row(tmp_path: Path) -> None:
    mapping = CONTACT.replace("E-mail", "A").replace("records:", "source: {header_row: none}\nrecords:")
    file = write_csv(tmp_path / "sheet.csv", "ann@example.com;x\nnope;y\n")
    run = made(tmp_path, mapping, file)
    rows = [[cell.value for cell in row] for row in run.sheet().iter_rows()]
    assert rows[0] == ["Status", "What to do", "Row", "A", "B"]
    assert [row[2:] for row in rows[1:]] == [[1, "ann@example.com", "x"], [2, "nope", "y"]]
    assert "The file has no row for the header, so the column Row tells where each row stands in the file." in run.told


def test_several_sheets_follow_each_other_each_with_its_rows(tmp_path: Path) -> None:
    def fill(book: Workbook) -> None:
        put([["Name", "E-mail"], ["Ann", "nope"]])(book)
        second = book.create_sheet("summary")
        for row in (["E-mail", "Name"], ["bob@example.com", "Bob"], ["bad", "Bad"]):
            second.append(row)

    mapping = NAMED.replace("records:", "source: {sheet: all}\nrecords:")
    run = made(tmp_path, mapping, workbook(tmp_path / "own.xlsx", fill))
    assert run.book is not None
    assert run.book.sheetnames == ["Summary", "Contacts", "summary (2)"]
    assert [run.sheet(1)[cell].value for cell in ("A2", "D2")] == ["invalid", "nope"]
    assert [run.sheet(2)[cell].value for cell in ("A2", "A3", "C3")] == ["planned", "invalid", "bad"]
    assert "summary (2) of own.xlsx: 2 rows" in run.told


def test_what_the_endpoint_refused_has_a_colour_of_its_own_and_its_answer(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "sheet.csv", [["Name", "E-mail"], ["Ann", "ann@example.com"]])
    with rig(tmp_path, faults=Faults(schedule=(FaultRule("400"),))) as at:
        report = at.run(NAMED, file)
    run = made(tmp_path, NAMED, file, report=report)
    assert run.sheet()["A2"].value == "rejected"
    assert fill_of(run.sheet(), "A2") == COLOURS["rejected"]
    assert re.match(
        r"The endpoint refused it \(HTTP 400\): .+ Mend the row, and send it again\.", run.sheet()["B2"].value
    )
    assert "Sent to test" in run.told


def test_nothing_is_written_where_nothing_is_wrong(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "sheet.csv", [["E-mail"], ["ann@example.com"], [" "]])
    assert made(tmp_path, CONTACT, file).paths == ()
    assert not (tmp_path / "out" / "annotated.xlsx").exists()


def test_of_a_long_file_only_the_rows_with_issues_are_shown_with_their_numbers(tmp_path: Path) -> None:
    rows = [["Name", "E-mail"], *([f"n{row}", "nope" if row % 4 == 0 else f"n{row}@example.com"] for row in range(20))]
    run = made(tmp_path, NAMED, write_rows(tmp_path / "sheet.csv", rows), limits=Limits(rows=4))
    found = [[cell.value for cell in row] for row in run.sheet().iter_rows(max_col=4)]
    assert found[0] == ["Status", "What to do", "Row", "Name"]
    assert [(row[0], row[2], row[3]) for row in found[1:]] == [
        ("invalid", 2, "n0"), ("invalid", 6, "n4"), ("invalid", 10, "n8"), ("invalid", 14, "n12"),
    ]  # fmt: skip
    assert (
        "The file has more than 4 rows, or very many columns, so only the rows with issues are here; "
        "the column Row tells where each stands in the file."
    ) in run.told
    assert "No more than 4 rows are shown in all: issues.csv has every row with an issue." in run.told
    assert run.sheet().auto_filter.ref == "A1:E5"


def test_in_the_pseudonymous_view_values_are_tokens_and_titles_are_gone(tmp_path: Path) -> None:
    rows = [["Sign-ups of Ann"], ["Name", "E-mail", "Points"], ["Ann", "nope", 12]]
    run = made(
        tmp_path, NAMED, workbook(tmp_path / "own.xlsx", put(rows)), view=View.PSEUDONYMOUS,
        shown=lambda texts: pc.if_else(pc.equal(texts, ""), "", "v-token"),
    )  # fmt: skip
    found = [[cell.value for cell in row] for row in run.sheet().iter_rows(min_col=3)]
    assert found == [[None] * 3, ["Name", "E-mail", "Points"], ["v-token", "v-token", "v-token"]]


def test_in_the_aggregate_view_there_is_the_summary_alone_without_a_value(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "sheet.csv", [["Name", "E-mail"], ["Ann", "secret value"]])
    run = made(tmp_path, NAMED, file, view=View.AGGREGATE)
    assert run.book is not None
    assert run.book.sheetnames == ["Summary"]
    assert "secret" not in run.told
    assert "Not an e-mail address" in run.told


def test_the_summary_says_what_became_of_the_file_and_what_to_do(tmp_path: Path) -> None:
    rows = [["Name", "E-mail"], ["Ann", "nope"], ["Bob", "nope"], ["Cid", "cid@example.com"]]
    run = made(tmp_path, NAMED, write_rows(tmp_path / "sheet.csv", rows))
    lines = run.told.split("\n")
    assert lines[:2] == ["sheet.csv", "1 of 3 rows would be delivered; 2 are invalid."]
    assert lines[2].startswith("A dry run: nothing was sent · mapping test · ")
    at = lines.index("What is wrong")
    assert lines[at + 6 : at + 12] == [
        "E-mail", "2", "error", "Not an e-mail address", "Correct the address", "nope  × 2",
    ]  # fmt: skip
    assert (
        "1.  In the sheet that follows, filter the first column by 'invalid': the second one says what to mend."
        in lines
    )
    assert run.report.id in lines
    (chart,) = run.sheet(0)._charts
    assert [point.spPr.solidFill.srgbClr for point in chart.series[0].dPt] == ["2F8F5B", "C8423B"]


def test_whoever_interrupts_finds_no_half_written_file(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "sheet.csv", [["E-mail"], ["nope"]])
    with pytest.raises(Interrupted):
        made(tmp_path, CONTACT, file, is_interrupted=lambda: True)
    assert not (tmp_path / "out" / "annotated.xlsx").exists()


def test_a_disk_that_is_full_is_an_oserror(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "sheet.csv", [["E-mail"], ["nope"]])
    with pytest.raises(OSError, match="No such file"):
        made(tmp_path, CONTACT, file, work=tmp_path / "not there")


def test_progress_comes_by_every_row(tmp_path: Path) -> None:
    seen: list[int] = []
    file = write_rows(tmp_path / "sheet.csv", [["E-mail"], *([["nope"]] * 2_345)])
    made(tmp_path, CONTACT, file, advance=seen.append)
    assert sum(seen) == 2_345
    assert max(seen) <= 1_000
