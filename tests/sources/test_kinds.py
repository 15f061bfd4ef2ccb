from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from binary_books import new_book, old_book, ole
from scan_checks import BOOKS
from table_files import open_one, workbook, write

from etl.errors import SourceError
from etl.sources import READERS, list_sheets, take_in
from etl.sources.kinds import JSON_LINES, ODS, PARQUET, XLS, XLSB, XLSX, kind_of
from etl.sources.kinds import TEXT_TABLE as CSV


def archive(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as container:
        for name, content in parts.items():
            container.writestr(name.replace("__", "/"), content)
    return target.getvalue()


CORPUS = Path(__file__).parents[1] / "corpus" / "files"
RESAVE_OLD = "open it in LibreOffice and save it as .xlsx"
REFUSED = {
    "old document": (ole(b"", "WordDocument"), "an old Office document, and no workbook", "save it as .xlsx or .csv"),
    "Excel 2": (b"\x09\x00\x04\x00\x02\x00\x10\x00", "a workbook of Excel 2", RESAVE_OLD),
    "Excel 3": (b"\x09\x02\x06\x00\x00\x03\x10\x00", "a workbook of Excel 3", RESAVE_OLD),
    "Excel 4": (b"\x09\x04\x06\x00\x00\x04\x10\x00", "a workbook of Excel 4", RESAVE_OLD),
    "Excel 95, bare": (
        old_book([("S", b"")], version=0x0500),
        "an old Excel workbook without its container",
        RESAVE_OLD,
    ),
    "Excel 97, bare": (old_book([("S", b"")]), "an old Excel workbook without its container", RESAVE_OLD),
    "fods": (
        b'<?xml version="1.0"?>\n<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">',
        r"a flat OpenDocument file \(.fods\)",
        RESAVE_OLD,
    ),
    "docx": (archive(**{"word__document.xml": b""}), "a text document", "export the table itself as .xlsx or .csv"),
    "numbers": (archive(**{"Index__Tables.iwa": b""}), "an Apple Numbers", "export it as .xlsx or .csv"),
    "html": (b"\r\n<HTML><body><table>", "a web page", "open it in Excel and save it as .xlsx"),
    "doctype": (b"<!DOCTYPE html>\n<html>", "a web page", "open it in Excel and save it as .xlsx"),
    "xml 2003": (
        b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>',
        "an XML spreadsheet of Excel 2003",
        "open it in Excel and save it as .xlsx",
    ),
    "mhtml": (b"MIME-Version: 1.0\r\n", "a web archive", "open it in Excel and save it as .xlsx"),
    "pdf": (b"%PDF-1.7\n", "a PDF document", "export the table itself as .xlsx or .csv"),
    "json": (b'[{"email": "a@example.com"}]', "a JSON file", "save it as .csv"),
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
    path = write(tmp_path, ole(b"", "EncryptedPackage"), "book.xlsx")

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


@pytest.mark.parametrize("name", ["book.csv", "book.xls", "book.xlsb"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ole(old_book([("S", b"")])), "xls"),
        (ole(old_book([("S", b"")], version=0x0500), "Book"), "xls"),
        (new_book([("S", b"")]), "xlsb"),
        ((BOOKS / "contacts.xls").read_bytes(), "xls"),
        ((BOOKS / "contacts.ods").read_bytes(), "ods"),
    ],
    ids=["Excel 97", "Excel 95", "xlsb", "xls by LibreOffice", "ods by LibreOffice"],
)
def test_a_workbook_is_known_by_its_content(tmp_path: Path, content: bytes, kind: str, name: str) -> None:
    assert kind_of(write(tmp_path, content, name)) == kind


@pytest.mark.parametrize("before", [0, 3 << 20])
def test_the_directory_of_an_old_workbook_is_found_wherever_it_stands(tmp_path: Path, before: int) -> None:
    after = bytes(2 << 20)

    assert kind_of(write(tmp_path, ole(old_book([("S", b"")]), before=before) + after, "book.xls")) == "xls"


def test_a_broken_old_container_is_damage(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "book.xls")

    with pytest.raises(SourceError) as caught:
        kind_of(path)

    assert str(caught.value) == (
        f"{path}: the workbook is damaged: the header of the old Office container is broken\n"
        "  hint: open it in a spreadsheet program and save it again as .xlsx   [workbook-damaged]"
    )


@pytest.mark.parametrize(
    ("name", "kind", "sheets"),
    [
        ("plain.csv", "csv", ()),
        ("lines.jsonl", "jsonl", ()),
        ("several_sheets.xlsx", "xlsx", ("Region North", "Notes", "Region South")),
        ("several_sheets.xls", "xls", ("Region North", "Notes", "Region South")),
        ("several_sheets.ods", "ods", ("Region North", "Notes", "Region South")),
    ],
)
def test_every_format_lists_its_visible_sheets(name: str, kind: str, sheets: tuple[str, ...]) -> None:
    (file,) = take_in([CORPUS / name])

    assert (kind_of(file.path), list_sheets(file)) == (kind, sheets)


def test_every_format_that_is_told_is_read_or_unpacked() -> None:
    told = {CSV, JSON_LINES, PARQUET, XLSX, XLSB, XLS, ODS}

    assert READERS.keys() == told
