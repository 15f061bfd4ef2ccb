"""What a file is, told by its content, never by its name; and what to do about those that are not read."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from etl.errors import SourceError
from etl.sources.fingerprint import require_file, unreadable
from etl.sources.ole_file import MAGIC as OLE
from etl.sources.ole_file import OleFile
from etl.sources.workbook_parts import protected

TEXT_TABLE, JSON_LINES, PARQUET = "csv", "jsonl", "parquet"
XLSX, XLSB, XLS, ODS = "xlsx", "xlsb", "xls", "ods"
GZIP, ZIP, ZSTD = "gzip", "zip", "zstd"

_HEAD_BYTES = 4096
_SAVE_AS = "save it as .xlsx or .csv"

_RESAVE_OLD = "open it in LibreOffice and save it as .xlsx"

_MAGIC = (
    (b"%PDF", "a PDF document", "export the table itself as .xlsx or .csv"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ\x00", "an xz archive", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as .csv"),
    (b"{\\rtf", "an RTF document", _SAVE_AS),
    (b"\x09\x00\x04\x00", "a workbook of Excel 2", _RESAVE_OLD),
    (b"\x09\x02\x06\x00", "a workbook of Excel 3", _RESAVE_OLD),
    (b"\x09\x04\x06\x00", "a workbook of Excel 4", _RESAVE_OLD),
    (b"\x09\x08\x08\x00\x00\x05", "an old Excel workbook without its container", _RESAVE_OLD),
    (b"\x09\x08\x10\x00\x00\x06", "an old Excel workbook without its container", _RESAVE_OLD),
    (b"\x89PNG", "a picture", "export the table itself as .xlsx or .csv"),
    (b"\xff\xd8\xff", "a picture", "export the table itself as .xlsx or .csv"),
)
_KINDS = ((b"\x1f\x8b", GZIP), (b"\x28\xb5\x2f\xfd", ZSTD), (b"PAR1", PARQUET))
_RESAVE = "open it in Excel and save it as .xlsx"
_MARKUP = (
    (b"<?mso-application", "an XML spreadsheet of Excel 2003", _RESAVE),
    (b"urn:schemas-microsoft-com:office:spreadsheet", "an XML spreadsheet of Excel 2003", _RESAVE),
    (b"<!doctype html", "a web page (HTML), whatever its name says", _RESAVE),
    (b"<html", "a web page (HTML), whatever its name says", _RESAVE),
    (b"<table", "a web page (HTML), whatever its name says", _RESAVE),
    (b"urn:oasis:names:tc:opendocument:xmlns:office", "a flat OpenDocument file (.fods)", _RESAVE_OLD),
    (b"<?xml", "an XML document", _SAVE_AS),
    (b"mime-version:", "a web archive (MHTML)", _RESAVE),
    (b'[{"', "a JSON file", "save it as .csv"),
)  # fmt: skip


def kind_of(path: Path) -> str:
    """Return the format of the file: a table's (TEXT_TABLE, XLSX, ...) or an archive's (GZIP, ZIP, ZSTD).

    Raises SourceError, with the true name of what it is and what to do, for anything else, for an empty file, and
    for what is no regular file.
    """
    require_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error
    if not head:
        raise empty_file(path)
    if head.startswith(b"PK"):
        return _kind_of_zip(path)
    if head.startswith(OLE):
        return _kind_of_ole(path)
    for magic, kind in _KINDS:
        if head.startswith(magic):
            return kind
    for magic, name, hint in _MAGIC:
        if head.startswith(magic):
            raise _refused(path, name, hint)
    _refuse_markup(path, head)
    return JSON_LINES if _is_json_lines(head) else TEXT_TABLE


def empty_file(path: Path) -> SourceError:
    """Return the SourceError for a file that holds nothing."""
    return SourceError("the file is empty", code="file-empty", where=str(path), hint="export the table again")


def _refuse_markup(path: Path, head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start.startswith((b"<", b"mime-version:", b"[", b"{")):
        return
    for mark, name, hint in _MARKUP:
        if start.startswith(mark) or (start.startswith(b"<") and mark in start):
            raise _refused(path, name, hint)


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.replace("\\", "/").lstrip("/").lower() for name in archive.namelist()}
            mimetype = _mimetype(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SourceError(
            "this is a damaged workbook or archive (a broken or half-copied zip file)",
            code="workbook-damaged",
            where=str(path),
            hint="copy or export it again",
        ) from error
    if "xl/workbook.xml" in names:
        return XLSX
    if "xl/workbook.bin" in names:
        return XLSB
    if "opendocument.spreadsheet" in mimetype:
        return ODS
    if "opendocument" in mimetype or any(name.startswith(("word/", "ppt/")) for name in names):
        raise _refused(path, "a text document or a presentation", "export the table itself as .xlsx or .csv")
    if any(name.startswith("index/") and name.endswith(".iwa") for name in names) or "index.zip" in names:
        raise _refused(path, "an Apple Numbers or Pages document", "export it as .xlsx or .csv")
    return ZIP


def _is_json_lines(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{")):  # UTF-16
        head = head.strip(b"\xff\xfe").replace(b"\0", b"")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return re.match(rb'\{\s*(?:"|\})', start) is not None


def _mimetype(archive: zipfile.ZipFile) -> str:
    try:
        with archive.open("mimetype") as file:
            return file.read(200).decode("ascii", "ignore")
    except (KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return ""


def _kind_of_ole(path: Path) -> str:
    names = OleFile(path).names
    if "EncryptedPackage" in names:
        raise protected(path)
    if "Workbook" in names or "Book" in names:
        return XLS
    raise _refused(path, "an old Office document, and no workbook", _SAVE_AS)


def _refused(path: Path, name: str, hint: str) -> SourceError:
    return SourceError(f"this is {name}, which is not read", code="format-unknown", where=str(path), hint=hint)
