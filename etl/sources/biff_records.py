"""The records of binary workbooks: of .xls (BIFF5, BIFF8) and of .xlsb (BIFF12), one by one in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from etl.sources.workbook_parts import damaged, hostile

MOST_RECORD_BYTES = 1 << 20
"""Of a record of .xlsb that is looked at: the longest text of a cell takes 64 KB, its formula 16 KB."""
MOST_PASSED_BYTES = 8 << 20
"""Of any other record of .xlsb: a text of more is made to exhaust who reads it."""

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""[MS-XLS] 2.5.10 BErr, [MS-XLSB] 2.5.97.2."""

Record = tuple[int, bytes, int]


def error_text(code: int) -> str:
    """Return an error as Excel shows it; a code that is not known keeps its number."""
    return ERRORS.get(code, f"#ERROR {code}")


def old_records(path: Path, blocks: Iterable[bytes], wanted: frozenset[int], start: int = 0) -> Iterator[Record]:
    """Yield (type, data, end) of the wanted records of a BIFF5 or BIFF8 stream; `end`: offset behind the record.

    Raises SourceError where the stream ends within a record.
    """
    buffer, offset = b"", start
    for block in blocks:
        buffer = buffer + block if buffer else block
        place, size = 0, len(buffer)
        while place + 4 <= size:
            after = place + 4 + buffer[place + 2] + (buffer[place + 3] << 8)
            if after > size:
                break
            kind = buffer[place] + (buffer[place + 1] << 8)
            if kind in wanted:
                yield kind, buffer[place + 4 : after], offset + after
            place = after
        buffer = buffer[place:]
        offset += place
    # Some writers pad the stream with zeros.
    if buffer.strip(b"\0"):
        raise damaged(path, "it ends in the middle of a record")


def new_records(path: Path, blocks: Iterable[bytes], wanted: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """Yield (type, data) of the wanted records of a .xlsb part. Raises SourceError where it is cut or too long."""
    buffer, passed = b"", 0
    for block in blocks:
        if passed >= len(block):
            passed -= len(block)
            continue
        buffer = buffer + block[passed:] if buffer else block[passed:]
        passed = 0
        place, size = 0, len(buffer)
        while place + 2 <= size:
            kind, length, data = buffer[place], buffer[place + 1], place + 2
            if kind > 0x7F or length > 0x7F:
                head = _head(buffer, place)
                if head is None:
                    break
                kind, length, data = head
            after = data + length
            if kind in wanted:
                if length > MOST_RECORD_BYTES:
                    raise hostile(path, f"one of its records takes {length:,} bytes")
                if after > size:
                    break
                yield kind, buffer[data:after]
            elif after > size:
                if length > MOST_PASSED_BYTES:
                    raise hostile(path, f"one of its records takes {length:,} bytes")
                passed = after - size
                place = size
                break
            place = after
        buffer = buffer[place:]
    if buffer or passed:
        raise damaged(path, "it ends in the middle of a record")


def _head(buffer: bytes, place: int) -> tuple[int, int, int] | None:
    """Return (type, length, where the data starts), or None if more bytes are needed. [MS-XLSB] 2.1.4."""
    size = len(buffer)
    if place >= size:
        return None
    kind = buffer[place]
    place += 1
    if kind & 0x80:
        if place >= size:
            return None
        kind = kind & 0x7F | (buffer[place] & 0x7F) << 7
        place += 1
    length = 0
    for shift in (0, 7, 14, 21):
        if place >= size:
            return None
        byte = buffer[place]
        place += 1
        length |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return kind, length, place
    return kind, length, place
