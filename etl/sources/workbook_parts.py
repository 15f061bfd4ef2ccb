"""The parts of a workbook's zip container, handed out only within limits.

Knows zip and nothing of spreadsheets. A part is inflated by our own hand, counting: what the container says of its
sizes is a claim, and the reader that comes later trusts it.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from etl.errors import SourceError

MOST_PARTS = 5_000
MOST_BYTES = 1 << 30
MOST_RATIO = 200
"""Inflated to packed bytes of one part above RATIO_FROM_BYTES; rows of one repeated value reach about 60."""
RATIO_FROM_BYTES = 8 << 20

_READ_BYTES = 1 << 18
_LOCAL_HEADER_BYTES = 30


@dataclass(frozen=True, slots=True)
class Container:
    """The parts of one workbook by name (lower case, forward slashes), within the limits."""

    path: Path
    parts: dict[str, zipfile.ZipInfo]

    def inflate(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a part. Raises SourceError if it is missing, damaged, or not of the size it claims."""
        part = self.parts.get(name.lower())
        if part is None:
            raise damaged(self.path, f"the part {name} is missing")
        size = 0
        try:
            for block in _inflated(self.path, part):
                size += len(block)
                if size > part.file_size:
                    raise hostile(self.path, f"the part {name} is larger than the container says")
                yield block
        except (zlib.error, OSError, EOFError) as error:
            raise damaged(self.path, f"the part {name} cannot be unpacked") from error
        if size != part.file_size:
            raise damaged(self.path, f"the part {name} is cut short")


def open_container(path: Path) -> Container:
    """Return the workbook's container. Raises SourceError where it is damaged or beyond a limit."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError) as error:
        raise damaged(path, "the zip directory cannot be read") from error
    if len(infos) > MOST_PARTS:
        raise hostile(path, f"it has {len(infos):,} parts, more than {MOST_PARTS:,}")
    parts = {_plain(info.filename): info for info in infos if not info.filename.endswith("/")}
    if len(parts) != sum(not info.filename.endswith("/") for info in infos):
        raise hostile(path, "two of its parts have one name")
    for name, info in parts.items():
        _check_part(path, name, info)
    total = sum(info.file_size for info in infos)
    if total > MOST_BYTES:
        raise hostile(path, f"unpacked it takes {total >> 20:,} MB, more than {MOST_BYTES >> 20:,} MB")
    return Container(path, parts)


def damaged(path: Path, reason: str) -> SourceError:
    """Return the SourceError for a workbook that is broken."""
    return SourceError(
        f"the workbook is damaged: {reason}",
        code="workbook-damaged",
        where=str(path),
        hint="open it in a spreadsheet program and save it again as .xlsx",
    )


def hostile(path: Path, reason: str) -> SourceError:
    """Return the SourceError for a workbook that would exhaust this machine."""
    return SourceError(
        f"the workbook is refused: {reason}",
        code="workbook-limits",
        where=str(path),
        hint="copy the cells that are needed into a new workbook, or save the sheet as .csv",
    )


def protected(path: Path) -> SourceError:
    """Return the SourceError for a workbook that asks for a password."""
    return SourceError(
        "the workbook is protected by a password",
        code="workbook-encrypted",
        where=str(path),
        hint="save a copy without a password",
    )


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _check_part(path: Path, name: str, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x1:
        raise hostile(path, f"its part {name} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise hostile(path, f"its part {name} is packed in a way that workbooks do not use")
    if info.file_size > RATIO_FROM_BYTES and info.file_size > MOST_RATIO * max(1, info.compress_size):
        raise hostile(path, f"its part {name} is packed more than {MOST_RATIO} to 1, as a zip bomb is")


def _inflated(path: Path, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(part.header_offset)
        local = file.read(_LOCAL_HEADER_BYTES)
        if len(local) < _LOCAL_HEADER_BYTES or local[:4] != b"PK\x03\x04":
            raise EOFError(part.filename)
        file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
        if part.compress_type == zipfile.ZIP_STORED:
            yield from _packed(file, part.compress_size)
            return
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        for block in _packed(file, part.compress_size):
            yield unpacker.decompress(block, _READ_BYTES)
            while unpacker.unconsumed_tail:
                yield unpacker.decompress(unpacker.unconsumed_tail, _READ_BYTES)
        yield unpacker.flush()


def _packed(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        block = file.read(min(size, _READ_BYTES))
        if not block:
            raise EOFError
        size -= len(block)
        yield block
