"""annotated.xlsx of spreadsheets that nobody would wish for: it opens, and nothing in it acts."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from openpyxl import Workbook

from etl.reports.annotated import Limits
from etl.reports.workbook_names import sheet_names
from etl.reports.workbook_style import Tone
from tests.reports.test_annotated import Made, made, workbook
from tests.support import CONTACT, write_rows

FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "=cmd|' /C calc'!A0", "\t=1+1", "=HYPERLINK(\"http://example.com\",\"x\")",
    "http://example.com", "mailto:a@example.com", "internal:Sheet1!A1", "{=1+1}", "<r><t>x</t></r>", "\uff1d1+1",
)  # fmt: skip
STRANGE = ("a\x01b", "a\x0bb", "\ufffe", "_x0041_", "<b>&amp;]]>", "tab\tbed", "two\nlines", " edge ", "\U0001f600")


@pytest.fixture(scope="module")
def soffice() -> str:
    """Return LibreOffice's program."""
    found = shutil.which("soffice")
    if found is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    return found


def opened(soffice: str, path: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Let LibreOffice open a workbook; return the cells of each sheet as it shows them, by the sheet's name."""
    profile, out = f"-env:UserInstallation={(folder / 'profile').as_uri()}", folder / "opened"
    as_csv = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    line = [soffice, profile, "--headless", "--convert-to", as_csv, "--outdir", out, path]
    subprocess.run(line, capture_output=True, text=True, check=True)
    found = {}
    for one in out.glob("*.csv"):
        with one.open(encoding="utf-8", newline="") as stream:
            found[one.stem.removeprefix(f"{path.stem}-")] = list(csv.reader(stream))
    return found


def parts_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each part of a workbook, all of them well-formed XML."""
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        for name in packed.namelist():
            content = packed.read(name)
            ET.fromstring(content)
            yield name, content


def hostile(folder: Path) -> Made:
    """Return a workbook of two sheets, with what could act or break in every place that a person may fill."""

    def fill(book: Workbook) -> None:
        sheet = book.worksheets[0]
        sheet.title = "=1+1 'x' &A"
        rows: list[list[object]] = [["=2+2"], ["E-mail", "=A1", "@name", "x" * 200]]
        rows += [[text, text, text, text] for text in FORMULAS]
        rows += [["ann@example.com", 10**17, -1.5e300, "y" * 32_767]]
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                cell = sheet.cell(number, column)
                cell.value = value  # type: ignore[assignment]
                if isinstance(value, str):
                    cell.data_type = "s"
        other = book.create_sheet("Merged")
        for row in (["E-mail", "Group"], ["nope", "one"], ["bad", None], ["worse", None]):
            other.append(row)
        other.merge_cells("B2:B4")

    mapping = CONTACT.replace("records:", "source: {sheet: all}\nrecords:")
    return made(folder, mapping, workbook(folder / "own.xlsx", fill))


def test_what_could_act_stands_there_as_text(tmp_path: Path) -> None:
    run = hostile(tmp_path)
    path = run.paths[0]
    for name, content in parts_of(path):
        assert b"<f>" not in content, name
        assert b"<hyperlink" not in content, name
    sheet = run.sheet(1)
    shown = [sheet.cell(3 + place, 4).value for place in range(len(FORMULAS))]
    assert shown == list(FORMULAS)
    assert {sheet.cell(3 + place, 4).data_type for place in range(len(FORMULAS))} == {"s"}
    assert sheet["E2"].value == "@name"


def test_a_cell_merged_downwards_is_in_each_of_its_rows(tmp_path: Path) -> None:
    sheet = hostile(tmp_path).sheet(2)
    assert [sheet.cell(row, 4).value for row in (2, 3, 4)] == ["one", "one", "one"]
    assert not sheet.merged_cells.ranges


def test_strange_signs_come_back_as_they_were_and_break_nothing(tmp_path: Path) -> None:
    rows = [["E-mail", "Text"], *([f"bad {text}", text] for text in STRANGE)]
    run = made(tmp_path, CONTACT, write_rows(tmp_path / "sheet.csv", rows))
    assert len(list(parts_of(run.paths[0]))) > 5
    found = [cell.value for (cell,) in run.sheet().iter_rows(min_row=2, min_col=4, max_col=4) if cell.value]
    assert [re.sub("_x([0-9A-F]{4})_", lambda code: chr(int(code[1], 16)), text) for text in found] == list(STRANGE)


def test_a_sheet_of_all_columns_leaves_out_the_last_ones_and_says_so(tmp_path: Path) -> None:
    header = ["E-mail", *(f"c{place}" for place in range(2, 16_384)), "Phone"]
    mapping = CONTACT + "      contact.phone: {column: Phone, required: true}\n"
    run = made(tmp_path, mapping, write_rows(tmp_path / "sheet.csv", [header, ["ann@example.com", *[""] * 16_383]]))
    sheet = run.sheet()
    assert sheet.max_column == 16_384
    assert sheet.cell(1, 16_384).value == "c16382"
    assert sheet["B2"].value == "Phone: a value is required and the cell is blank. Fill in the cell, or delete the row."
    assert (
        "The last 2 columns did not fit beside the columns in front: what is wrong there stands in the second column."
    ) in run.told


def test_comments_beyond_the_most_that_a_sheet_has_are_told(tmp_path: Path) -> None:
    rows = [["E-mail"], *([["nope"]] * 5)]
    run = made(tmp_path, CONTACT, write_rows(tmp_path / "sheet.csv", rows), limits=Limits(comments=3))
    assert sum(cell.comment is not None for row in run.sheet().iter_rows() for cell in row) == 3
    assert (
        "2 more cells have no comment, as a workbook with so many opens slowly: what is wrong there stands in the "
        "second column."
    ) in run.told


def test_a_text_longer_than_a_cell_is_cut_and_told(tmp_path: Path) -> None:
    rows = [["E-mail", "Text"], ["nope", "x" * 40_000]]
    run = made(tmp_path, CONTACT, write_rows(tmp_path / "sheet.csv", rows))
    assert len(run.sheet()["D2"].value) == 32_767
    assert "1 text longer than the 32,767 characters that a cell holds was cut." in run.told


def test_libreoffice_opens_it_and_works_nothing_out(soffice: str, tmp_path: Path) -> None:
    sheets = opened(soffice, hostile(tmp_path).paths[0], tmp_path)
    assert sorted(sheets) == ["=1+1 'x' &A", "Merged", "Summary"]
    shown = [row[3] for row in sheets["=1+1 'x' &A"][2 : 2 + len(FORMULAS)]]
    assert shown == list(FORMULAS)
    assert sheets["Summary"][1][1] == "own.xlsx"


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("rows", "columns"), [(50_000, 1), (3, 16_384)], ids=["50,000 comments", "all columns"])
def test_a_workbook_at_its_limits_opens(rows: int, columns: int, soffice: str, tmp_path: Path) -> None:
    header = ["E-mail", *(f"c{place}" for place in range(2, columns + 1))]
    cells = ([f"nope {row}", *["x"] * (columns - 1)] for row in range(rows))
    run = made(tmp_path, CONTACT, write_rows(tmp_path / "sheet.csv", [header, *cells]))
    sheet = opened(soffice, run.paths[0], tmp_path)["sheet.csv"]
    assert (len(sheet), len(sheet[0])) == (rows + 1, min(columns + 2, 16_384))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["a" * 40, "a" * 40], ["a" * 31, f"{'a' * 27} (2)"]),
        (["[x]:*?/\\"], ["_x______"]),
        (["'quoted'", "", "   "], ["quoted", "Sheet", "Sheet (2)"]),
        (["History", "SUMMARY", "Contacts", "contacts"], ["History (2)", "SUMMARY (2)", "Contacts", "contacts (2)"]),
        (["\U0001f600" * 20], ["\U0001f600" * 15]),
    ],
    ids=["too long", "forbidden signs", "quotes and nothing", "taken", "counted in UTF-16"],
)
def test_sheets_have_names_that_excel_takes(wanted: list[str], found: list[str]) -> None:
    assert sheet_names(wanted, taken=["Summary"]) == found


@pytest.mark.parametrize("tone", list(Tone), ids=[tone.name for tone in Tone])
def test_ink_can_be_read_on_its_fill(tone: Tone) -> None:
    dark, light = sorted((_luminance(tone.ink), _luminance(tone.fill)))
    assert (light + 0.05) / (dark + 0.05) >= 6.5


def _luminance(colour: str) -> float:
    """Return the relative luminance of `#RRGGBB` as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
