from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from table_files import open_one, workbook, write

from etl.errors import SourceError
from etl.sources import READERS, list_sheets
from etl.sources.kinds import kind_of


def archive(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as container:
        for name, content in parts.items():
            container.writestr(name.replace("__", "/"), content)
    return target.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
REFUSED = {
    "old workbook": (OLE, "an old Excel workbook", "save it as .xlsx or .csv"),
    "xlsb": (archive(**{"xl__workbook.bin": b""}), r"a binary Excel workbook \(.xlsb\)", "save it as .xlsx or .csv"),
    "ods": (
        archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
        r"an OpenDocument spreadsheet \(.ods\)",
        "save it as .xlsx or .csv",
    ),
    "docx": (archive(**{"word__document.xml": b""}), "a text document", "export the table itself as .xlsx or .csv"),
    "numbers": (archive(**{"Index__Tables.iwa": b""}), "an Apple Numbers", "export it as .xlsx or .csv"),
    "zip": (archive(**{"contacts.csv": b"a;b"}), "a zip archive of other files", "unpack it and name the table in it"),
    "html": (b"\r\n<HTML><body><table>", "a web page", "open it in Excel and save it as .xlsx"),
    "doctype": (b"<!DOCTYPE html>\n<html>", "a web page", "open it in Excel and save it as .xlsx"),
    "xml 2003": (
        b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>',
        "an XML spreadsheet of Excel 2003",
        "open it in Excel and save it as .xlsx",
    ),
    "mhtml": (b"MIME-Version: 1.0\r\n", "a web archive", "open it in Excel and save it as .xlsx"),
    "pdf": (b"%PDF-1.7\n", "a PDF document", "export the table itself as .xlsx or .csv"),
    "gzip": (b"\x1f\x8b\x08\x00", "a gzip archive", "unpack it first"),
    "json": (b'[{"email": "a@example.com"}]', "a JSON file", "save it as .csv"),
    "parquet": (b"PAR1\x15\x04", "a Parquet file", "save it as .csv"),
}


@pytest.mark.parametrize("name", ["table.csv", "table.xlsx"])
@pytest.mark.parametrize(("content", "kind", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_called_by_its_true_name(
    tmp_path: Path, content: bytes, kind: str, hint: str, name: str
) -> None:
    with pytest.raises(SourceError, match=f"this is {kind}") as caught:
        open_one(write(tmp_path, content, name))

    assert caught.value.hint == hint


def test_a_protected_workbook_is_told_from_an_old_one(tmp_path: Path) -> None:
    path = write(tmp_path, OLE + "EncryptedPackage".encode("utf-16-le"), "book.xlsx")

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == (
        f"{path}: the workbook is protected by a password\n"
        "  hint: save a copy without a password   [workbook-encrypted]"
    )


def test_a_damaged_zip_is_no_table(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": {"A1": "a"}})

    with pytest.raises(SourceError) as caught:
        open_one(write(tmp_path, path.read_bytes()[:-200], "cut.xlsx"))

    assert caught.value.code == "workbook-damaged"


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    book = workbook(tmp_path, {"S": {"A1": "a"}}).rename(tmp_path / "book.csv")

    assert kind_of(book) == "xlsx"
    assert kind_of(write(tmp_path, b"a;b\n", "table.xlsx")) == "csv"


@pytest.mark.parametrize("text", [b"<3 lovers;b\n1;2\n", b"[x];b\n1;2\n", b"{x};b\n", b"Product;P\n<table>;1\n"])
def test_a_table_may_start_with_signs_of_other_formats(tmp_path: Path, text: bytes) -> None:
    assert kind_of(write(tmp_path, text)) == "csv"


def test_every_format_can_be_opened_and_listed(tmp_path: Path) -> None:
    samples = {"csv": write(tmp_path, b"a;b\n"), "xlsx": tmp_path / "book.xlsx"}
    openpyxl.Workbook().save(samples["xlsx"])

    assert samples.keys() == READERS.keys()
    assert {kind: list_sheets(path) for kind, path in samples.items()} == {"csv": (), "xlsx": ("Sheet",)}
