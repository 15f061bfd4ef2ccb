"""The row that a report names is the one that LibreOffice shows; in a text file it is the line."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from sources.table_files import open_one, read, rows_of

FILES = Path(__file__).parent / "corpus" / "files"
MARKED = {
    "gaps": "c@example.com", "contacts": "łukasz@example.com", "merged": "c@example.com", "filtered": "b@example.com",
    "hidden": "c@example.com", "errors": "b@example.com",
}  # fmt: skip
"""Stem of a workbook of the corpus → the cell whose row is looked for."""
TEXT = "csv:Text - txt - csv (StarCalc):59,34,76,1"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], int]:
    """Return (stem, format) → the row in which LibreOffice shows the marked cell."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    found: dict[tuple[str, str], int] = {}
    for kind in ("xlsx", "xls", "ods"):
        folder = tmp_path_factory.mktemp(kind)
        books = [str(FILES / f"{stem}.{kind}") for stem in MARKED]
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = ["soffice", profile, "--headless", "--convert-to", TEXT, "--outdir", str(folder), *books]
        subprocess.run(command, check=True, capture_output=True, timeout=110)
        for stem, mark in MARKED.items():
            with (folder / f"{stem}.csv").open(encoding="utf-8", newline="") as stream:
                rows = list(csv.reader(stream, delimiter=";"))
            (found[stem, kind],) = [number for number, row in enumerate(rows, start=1) if mark in row]
    return found


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
@pytest.mark.parametrize("stem", MARKED)
def test_the_row_of_a_cell_in_a_workbook_is_the_one_that_is_shown(
    stem: str, kind: str, shown: dict[tuple[str, str], int]
) -> None:
    rows = rows_of(read(open_one(FILES / f"{stem}.{kind}")))

    (row,) = [number for number, cells in rows.items() if MARKED[stem] in cells]

    assert row == shown[stem, kind]


@pytest.mark.parametrize(
    "name", ["embedded_newlines.csv", "sep_line.csv", "header_in_row_4.csv", "lone_cr.csv", "lines.jsonl"]
)
def test_the_row_of_a_cell_in_a_text_file_is_its_line(name: str) -> None:
    mark = "a@example.com" if name == "header_in_row_4.csv" else "b@example.com"
    lines = (FILES / name).read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n")

    rows = rows_of(read(open_one(FILES / name)))

    (row,) = [number for number, cells in rows.items() if mark in cells]
    assert mark in lines[row - 1]
