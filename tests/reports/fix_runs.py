"""What tests of to_fix share: a mapping, files of bad rows in each format, and a person who mends them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from hostile_files import ods
from support import Rig

from etl.report import RunReport

MAPPING = """\
version: 1
name: fix
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
      contact.name: Name
      contact.phone: {column: Phone, transform: [{phone: PL}]}
      contact.address.zipCode: Zip
"""
ROWS = (
    ("ok@example.com", "Łucja", "+48601234561", "00-950"),
    ("first", "=Jan", "+48601234562", "00950"),
    ("fine@example.com", 'Żaneta; "Z"', "+48601234563", "00-951"),
    ("second", "-Zoë, ż", "+48601234564", "00951"),
)
HEADER = ("E-mail", "Name", "Phone", "Zip")
MENDED = {"first": "first@example.com", "second": "second@example.com"}
"""What a person writes in the place of the bad addresses."""
FIX = ("csv", "fix")


def fix_of(report: RunReport) -> Path:
    """Return the one file to fix of a run."""
    (path,) = (path for path in report.made if path.name.startswith("to_fix"))
    return path


def handed_over(report: RunReport, folder: Path) -> Path:
    """Return a copy of the file to fix: the next run moves the reports of this one aside."""
    path = fix_of(report)
    folder.mkdir(exist_ok=True)
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    return copy


def told(report: RunReport) -> list[tuple[str, str, str, str]]:
    """Return (code, field, severity, value) of the errors, in their order."""
    lines = report.issues.to_dict("records")
    return [(one["code"], one["field"], one["severity"], one["value"]) for one in lines if one["severity"] == "error"]


def sent(rig: Rig) -> list[dict[str, Any]]:
    """Return what the sandbox was sent, by address; call it after the sandbox is closed."""
    bodies = [json.loads(body) for _, _, body, _, status in rig.requests() if status == 200]
    return sorted(bodies, key=json.dumps)


def text_file(name: str, delimiter: str, encoding: str, end: str, above: str = "") -> Callable[[Path], Path]:
    """Return what writes ROWS as text."""

    def write(folder: Path) -> Path:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
        writer.writerows([HEADER, *ROWS])
        path = folder / name
        path.write_bytes((above + text.getvalue()).encode(encoding))
        return path

    return write


def book(folder: Path) -> Path:
    """Write ROWS as a workbook with a title, dates, formats and numbers that show leading zeros."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Contacts"
    sheet["A1"] = "Our contacts"
    sheet.append([])
    for place, name in enumerate((*HEADER, "Born", "Total"), start=1):
        sheet.cell(3, place, name)
    sheet.column_dimensions["A"].width = 31.5
    for row, (mail, name, phone, code) in enumerate(ROWS, start=4):
        sheet.cell(row, 1, mail)
        sheet.cell(row, 2, name).data_type = "s"
        sheet.cell(row, 3, phone).data_type = "s"
        sheet.cell(row, 4, int(code.replace("-", ""))).number_format = "00000"
        sheet.cell(row, 5, date(1990, 1, row)).number_format = "dd.mm.yyyy"
        sheet.cell(row, 6, 1234.5).number_format = "#,##0.00"
    path = folder / "contacts.xlsx"
    made.save(path)
    return path


def ods_book(folder: Path) -> Path:
    """Write ROWS as an OpenDocument spreadsheet."""

    def cell(text: str) -> str:
        safe = text.replace("&", "&amp;").replace("<", "&lt;")
        return f'<table:table-cell office:value-type="string"><text:p>{safe}</text:p></table:table-cell>'

    rows = ("".join(map(cell, row)) for row in (HEADER, *ROWS))
    return ods(folder, "".join(f"<table:table-row>{row}</table:table-row>" for row in rows))


def json_lines(folder: Path) -> Path:
    """Write ROWS as JSON lines."""
    path = folder / "contacts.jsonl"
    lines = (json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in ROWS)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def mend_text(path: Path, encoding: str = "utf-8") -> None:
    """Replace the bad addresses where they stand as cells, not where a reason quotes them."""
    text = path.read_bytes().decode(encoding)
    for bad, good in MENDED.items():
        for before, after in ((";", ";"), (",", ","), ("\t", "\t"), ('": "', '"')):
            text = text.replace(f"{before}{bad}{after}", f"{before}{good}{after}")
    path.write_bytes(text.encode(encoding))


def mend_book(path: Path) -> None:
    """Replace the bad addresses in every sheet of a workbook."""
    made = openpyxl.load_workbook(path)
    for sheet in made:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    cell.value = MENDED.get(cell.value, cell.value)
                    cell.data_type = "s"
    made.save(path)


def mend_whole(path: Path, encoding: str) -> None:
    """Replace the bad addresses in the file that was given at first."""
    if path.suffix == ".xlsx":
        mend_book(path)
    elif path.suffix == ".ods":
        with zipfile.ZipFile(path) as archive:
            parts = {info.filename: archive.read(info) for info in archive.infolist()}
        for bad, good in MENDED.items():
            parts["content.xml"] = parts["content.xml"].replace(f">{bad}<".encode(), f">{good}<".encode())
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
    else:
        text = path.read_bytes().decode(encoding)
        for bad, good in MENDED.items():
            text = text.replace(f"\n{bad}", f"\n{good}").replace(f'"{bad}"', f'"{good}"')
        path.write_bytes(text.encode(encoding))
