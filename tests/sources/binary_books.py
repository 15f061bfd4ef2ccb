"""Builders of binary workbooks, record by record: what no program here can write, or would never write."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ole(stream: bytes, name: str = "Workbook", *, before: int = 0) -> bytes:
    """Return an OLE container of one stream; `before`: bytes that stand before the directory."""
    stream = stream.ljust(4096, b"\0")
    stuffing = [b"\0" * SECTOR] * (before // SECTOR)
    pieces = [stream[place : place + SECTOR].ljust(SECTOR, b"\0") for place in range(0, len(stream), SECTOR)]
    sectors = len(stuffing) + len(pieces) + 1
    tables = 1
    while tables * 128 < sectors + tables:
        tables += 1
    first = tables + len(stuffing)
    directory = first + len(pieces)
    chain = [FAT] * tables + [FREE] * len(stuffing)
    chain += [*range(first + 1, directory), END, END]
    chain += [FREE] * (tables * 128 - len(chain))
    header = bytearray(SECTOR)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<6I", header, 40, 0, tables, directory, 0, 4096, END)
    struct.pack_into("<3I", header, 64, 0, END, 0)
    struct.pack_into("<109I", header, 76, *range(tables), *[FREE] * (109 - tables))
    entries = _entry("Root Entry", 5, END, 0, child=1) + _entry(name, 2, first, len(stream))
    return b"".join(
        [bytes(header), struct.pack(f"<{len(chain)}I", *chain), *stuffing, *pieces, entries.ljust(SECTOR, b"\0")]
    )


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBB3I", len(text), kind, 1, FREE, FREE, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


def record(kind: int, data: bytes = b"") -> bytes:
    """Return one record of an .xls."""
    return struct.pack("<HH", kind, len(data)) + data


def old_book(sheets: Sequence[tuple[str, bytes]], *, version: int = 0x0600, extra: bytes = b"") -> bytes:
    """Return the stream of an .xls: sheets by name with the records between their BOF and EOF."""
    bof = record(0x0809, struct.pack("<HHHH", version, 5, 0, 1996) + (bytes(8) if version == 0x0600 else b""))
    names = [_name(name, version) for name, _ in sheets]
    start = len(bof) + len(extra) + sum(10 + len(name) for name in names) + 4
    bounds, bodies = b"", b""
    for name, (_, cells) in zip(names, sheets, strict=True):
        bounds += record(0x85, struct.pack("<IBB", start + len(bodies), 0, 0) + name)
        bodies += bof.replace(b"\x05\x00\x00\x00", b"\x10\x00\x00\x00") + cells + record(0x0A)
    return bof + extra + bounds + record(0x0A) + bodies


def _name(name: str, version: int) -> bytes:
    if version == 0x0600:
        return bytes([len(name), 1]) + name.encode("utf-16-le")
    return bytes([len(name)]) + name.encode("cp1250")


def label(row: int, column: int, text: str, version: int = 0x0600) -> bytes:
    """Return a cell of text; row and column from 0."""
    where = struct.pack("<HHH", row, column, 0)
    if version == 0x0600:
        return record(0x0204, where + struct.pack("<HB", len(text), 1) + text.encode("utf-16-le"))
    return record(0x0204, where + struct.pack("<H", len(text)) + text.encode("cp1250"))


def number(row: int, column: int, value: float) -> bytes:
    """Return a cell with a number."""
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def formula(row: int, column: int, result: bytes) -> bytes:
    """Return a formula (the number 1) with the 8 bytes of its result."""
    return record(0x06, struct.pack("<HHH", row, column, 0) + result + struct.pack("<HIH", 0, 0, 3) + b"\x1e\x01\x00")


def record12(kind: int, data: bytes = b"") -> bytes:
    """Return one record of an .xlsb."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(data), b""
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + length + data


def wide(text: str) -> bytes:
    """Return a text with its length before it."""
    units = text.encode("utf-16-le")
    return struct.pack("<I", len(units) // 2) + units


def row12(row: int, *, hidden: bool = False) -> bytes:
    """Return the head of a row, from 0."""
    return record12(0x00, struct.pack("<IIHBBB", row, 0, 300, 0, 0x10 if hidden else 0, 0) + struct.pack("<I", 0))


def cell12(kind: int, column: int, value: bytes) -> bytes:
    """Return a cell; column from 0."""
    return record12(kind, struct.pack("<II", column, 0) + value)


def text12(column: int, text: str) -> bytes:
    """Return a cell with its own text."""
    return cell12(0x06, column, wide(text))


TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>'
)


def new_book(
    sheets: Sequence[tuple[str, bytes]],
    *,
    states: Sequence[int] = (),
    targets: Sequence[str] = (),
    date1904: bool = False,
    before: bytes = b"",
    after: bytes = b"",
    parts: Iterable[tuple[str, bytes]] = (),
) -> bytes:
    """Return an .xlsb: sheets by name with their rows; `before` and `after`: records around the rows of each."""
    places = targets or [f"worksheets/sheet{place}.bin" for place in range(1, len(sheets) + 1)]
    links = "".join(f'<Relationship Id="rId{n}" Type="t" Target="{place}"/>' for n, place in enumerate(places, 1))
    book = record12(0x83) + record12(0x99, struct.pack("<III", int(date1904), 0, 0)) + record12(0x8F)
    for place, (name, _) in enumerate(sheets, 1):
        state = states[place - 1] if states else 0
        book += record12(0x9C, struct.pack("<II", state, place) + wide(f"rId{place}") + wide(name))
    book += record12(0x90) + record12(0x9D, bytes(26)) + record12(0x84)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/_rels/workbook.bin.rels", f"<Relationships>{links}</Relationships>")
        for folder, (_, rows) in zip(places, sheets, strict=True):
            sheet = record12(0x81) + record12(0x94, bytes(16)) + before
            sheet += record12(0x91) + rows + record12(0x92) + after + record12(0x82)
            archive.writestr(f"xl/{folder}", sheet)
        for name, content in parts:
            archive.writestr(name, content)
    return target.getvalue()
