"""Files that no honest program writes, small on the disk and built by hand: each harms a reader that trusts it."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import struct
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sources.binary_books import label, new_book, number, old_book, ole, record, row12, text12
from sources.table_files import replace_part, sheet_xml, workbook

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SHEET, STRINGS, WORKBOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
TABLE = b"E-mail;Name\na@example.com;A\n"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
"""Ten entities, each ten of the one before: 3 GB of laughter."""
EXTERNAL = '<!ENTITY l9 SYSTEM "file:///etc/passwd">'
_NUMBER = '<c r="{0}"><v>1</v></c>'
_ODS_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
_ODS_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="x"/></manifest:manifest>'
)


def put(path: Path, content: bytes) -> Path:
    """Write the bytes; return the path."""
    path.write_bytes(content)
    return path


def rows_from(
    first: int, last: int, cells: str = '<c r="A{0}" t="inlineStr"><is><t>a{0}@example.com</t></is></c>'
) -> str:
    """Return `<row>` elements, `{0}` in their cells being the number of the row."""
    return "".join(f'<row r="{row}">{cells.format(row)}</row>' for row in range(first, last + 1))


def xlsx(folder: Path, rows: str, *, level: int = 6, more: str = "") -> Path:
    """Return a workbook whose only sheet has a header (E-mail) and these rows; `more`: what stands before the data."""
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>E-mail</t></is></c></row>'
    sheet = sheet_xml(header + rows).replace(b"<sheetData>", f"{more}<sheetData>".encode())
    return replace_part(workbook(folder, {"S": {"A1": "x"}}), SHEET, sheet, level=level)


def sparse(*places: str) -> str:
    """Return rows of one number each, at these places (`XFD20`)."""
    rows = [(place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), place) for place in places]
    return "".join(f'<row r="{row}">{_NUMBER.format(place)}</row>' for row, place in rows)


def bomb_by_ratio(folder: Path) -> Path:
    """A sheet of 300 MB of spaces in 300 KB."""
    return xlsx(folder, " " * (300 << 20), level=9)


def bomb_by_claim(folder: Path) -> Path:
    """A workbook whose list of contents claims a part of 2 GB."""
    path = xlsx(folder, rows_from(2, 3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/media/picture.png", b"")
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, content.rindex(b"PK\x01\x02") + 24, 1 << 31)
    return put(path, bytes(content))


def bomb_that_lies(folder: Path) -> Path:
    """A sheet that is larger than the list of contents says."""
    path = xlsx(folder, rows_from(2, 20_000))
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(SHEET).file_size
    return put(path, path.read_bytes().replace(struct.pack("<L", size), struct.pack("<L", 900)))


def huge_cell(folder: Path) -> Path:
    """One cell of 240 MB."""
    return xlsx(folder, f'<row r="2"><c r="A2" t="inlineStr"><is><t>{"ab" * (120 << 20)}</t></is></c></row>')


def dense(size: int) -> str:
    """A text of about `size` letters, packed as little as tables are (180 to 1)."""
    block = random.Random(1).randbytes(150).hex() + "x" * 3_000
    return block * (size // len(block))


def dense_cell(folder: Path, *, pieces: int = 1) -> Path:
    """One cell of 60 MB, in so many pieces with a form of their own."""
    piece = f"<r><t>{dense(60_000_000 // pieces)}</t></r>"
    return xlsx(folder, f'<row r="2"><c r="A2" t="inlineStr"><is>{piece * pieces}</is></c></row>', level=1)


def dense_shared_text(folder: Path, *, pieces: int = 1) -> Path:
    """One shared text of 60 MB, in so many pieces with a form of their own."""
    piece = f"<r><t>{dense(60_000_000 // pieces)}</t></r>"
    strings = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si>{piece * pieces}</si></sst>'
    path = xlsx(folder, '<row r="2"><c r="A2" t="s"><v>0</v></c></row>')
    return replace_part(path, STRINGS, strings.encode(), level=1)


def dense_ods(folder: Path, *, pieces: int = 1) -> Path:
    """One cell of 60 MB of an .ods, in so many spans."""
    piece = f"<text:span>{dense(60_000_000 // pieces)}</text:span>"
    cell = f'<table:table-cell office:value-type="string"><text:p>{piece * pieces}</text:p></table:table-cell>'
    return ods(folder, f"<table:table-row>{cell}</table:table-row>", level=1)


def huge_parquet(folder: Path) -> Path:
    """One value of 240 MB."""
    path = folder / "table.parquet"
    pq.write_table(pa.table({"E-mail": ["x" * (240 << 20)]}), path, compression="zstd", use_dictionary=False)
    return path


def entities(folder: Path, part: str, declared: str) -> Path:
    """A workbook with a document type in a part, and its last entity used."""
    bomb = f"<!DOCTYPE x [{declared}]><worksheet><sheetData>&l9;</sheetData></worksheet>"
    return replace_part(workbook(folder, {"S": {"A1": "E-mail", "A2": "a@example.com"}}), part, bomb.encode())


def ods(folder: Path, rows: str, *, level: int = 6) -> Path:
    """An OpenDocument spreadsheet of one sheet with these rows."""
    content = (
        f"<office:document-content {_ODS_SPACES}><office:body><office:spreadsheet>"
        f'<table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    path = folder / "book.ods"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", _ODS_MANIFEST)
        archive.writestr("content.xml", content)
    return path


def ods_of_repeated_cells(folder: Path) -> Path:
    """One filled cell, said to be repeated a billion times."""
    cell = '<table:table-cell table:number-columns-repeated="1000" office:value-type="string"><text:p>x</text:p></table:table-cell>'
    return ods(folder, f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>')


def xlsb_far_apart(folder: Path) -> Path:
    """Two cells with a million rows between them."""
    return put(
        folder / "book.xlsb", new_book([("S", row12(0) + text12(0, "E-mail") + row12(999_999) + text12(25, "x"))])
    )


def xls_that_claims(folder: Path) -> Path:
    """A sheet that claims four billion rows."""
    claim = record(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0))
    return put(folder / "book.xls", ole(old_book([("S", claim + label(0, 0, "E-mail"))])))


def xls_with_a_password(folder: Path) -> Path:
    """An .xls with the record that says so (FILEPASS)."""
    cells = record(0x2F, struct.pack("<HH", 0, 0))
    return put(folder / "book.xls", ole(old_book([("S", number(0, 0, 1))], extra=cells)))


def gzip_bomb(folder: Path) -> Path:
    """600 MB of nothing in 600 KB."""
    block, path = bytes(1 << 20), folder / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(600):
            file.write(block)
    return path


def zstd_bomb(folder: Path) -> Path:
    """2 GB of nothing in less than 100 KB."""
    block, path = bytes(1 << 20), folder / "bomb.csv.zst"
    with zstd.ZstdFile(path, "w") as file:
        for _ in range(2_000):
            file.write(block)
    return path


def zip_bomb(folder: Path, *, claims: int | None = None) -> Path:
    """600 MB of commas in a zip; `claims`: how large the archive says that they are."""
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("may.csv", "w") as member:
        for _ in range(600):
            member.write(b"," * (1 << 20))
    if claims is not None:
        content = bytearray(path.read_bytes())
        struct.pack_into("<L", content, 22, claims)
        struct.pack_into("<L", content, content.rindex(b"PK\x01\x02") + 24, claims)
        put(path, bytes(content))
    return path


def zip_of(folder: Path, name: str, content: bytes = TABLE, *, mode: int = 0) -> Path:
    """A zip of one member under any name, of any kind of file."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, content)
    return put(folder / "orders.zip", target.getvalue())


def zip_of_a_link(folder: Path) -> Path:
    """A zip whose member is a symbolic link out of it."""
    return zip_of(folder, "may.csv", b"/etc/passwd", mode=stat.S_IFLNK | 0o777)


def link(folder: Path, to: str) -> Path:
    """A symbolic link called as a table is."""
    path = folder / "linked.csv"
    path.symlink_to(to)
    return path


def pipe(folder: Path) -> Path:
    """A FIFO into which nobody ever writes."""
    path = folder / "pipe.csv"
    os.mkfifo(path)
    return path
