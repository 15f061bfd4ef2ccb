"""CSV as our reports are written (commas, quotes, UTF-8) → its records as raw bytes, so that each can be kept."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
_FIELD = re.compile(rb'"(?:[^"]|"")*"|[^,]*')


def blocks(stream: BinaryIO, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the whole stream in blocks of about `size` bytes that end with a record.

    The last one may end within a record, as a run that was killed leaves it. A record longer than `size` makes its
    block longer.
    """
    rest = b""
    while data := stream.read(size):
        data = rest + data
        end = _end_of_records(data)
        if end:
            yield data[:end]
        rest = data[end:]
    if rest:
        yield rest


def records_in(block: bytes) -> Iterator[bytes]:
    """Yield the records of a block, each with its line end, if it has one."""
    pending = b""
    for line in io.BytesIO(block):
        pending += line
        if pending.count(b'"') % 2 == 0:
            yield pending
            pending = b""
    if pending:
        yield pending


def fields_of(record: bytes) -> tuple[list[bytes], bytes] | None:
    """Return the raw fields of a record, quotes and all, and its line end; None where it is no whole record."""
    line = record.rstrip(b"\r\n")
    if b'"' not in line:
        return line.split(b","), record[len(line) :]
    found, at = [], 0
    while True:
        match = _FIELD.match(line, at)
        if match is None:
            return None
        found.append(match[0])
        at = match.end() + 1
        if match.end() >= len(line):
            break
    return (found, record[len(line) :]) if b",".join(found) == line else None


def joined(fields: Sequence[bytes], line_end: bytes) -> bytes:
    """Return the record of raw fields."""
    return b",".join(fields) + line_end


def text_of(field: bytes) -> str:
    """Return what a raw field says."""
    if field.startswith(b'"'):
        field = field[1:-1].replace(b'""', b'"')
    return field.decode("utf-8", "surrogateescape")


def field_of(text: str) -> bytes:
    """Return `text` as a raw field, in quotes where it needs them."""
    raw = text.encode("utf-8", "surrogateescape")
    return b'"' + raw.replace(b'"', b'""') + b'"' if re.search(rb'[",\r\n]', raw) else raw


def _end_of_records(data: bytes) -> int:
    """Return how many bytes at the front are whole records: up to the last line end that is in no quotes."""
    is_open = data.count(b'"') % 2 == 1
    at = len(data)
    behind = 0
    while True:
        found = data.rfind(b"\n", 0, at)
        if found < 0:
            return 0
        behind += data.count(b'"', found, at)
        if (behind % 2 == 1) == is_open:
            return found + 1
        at = found
