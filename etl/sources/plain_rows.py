"""Rows of a sheet's XML that are written as spreadsheet programs write them, taken one row at a time by one pattern.

An XML parser calls back twice for each cell, which takes longer than reading the workbook: 300,000 x 12 cells took
13.8 s by expat's handlers and take 1.9 s here (2026-11). Whatever does not fit the pattern is the parser's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from etl.sources.workbook_parts import Container
from etl.sources.workbook_xml import xml_blocks

START = b"<sheetData>"
_END_OF_ROW = b"</row>"
_MOST_BYTES = 1 << 20
"""Of a row that is waited for; a longer one is the parser's."""
_FORM = rb"""
    <row\ r="(?P<row>[1-9][0-9]{0,6})"(?P<attributes>(?:\ [A-Za-z0-9:]++="[^"<>]*+")*+)
    (?:/>|>(?P<cells>(?:
        <c\ r="[A-Z]{1,2}(?P=row)"(?:\ s="[0-9]++")?+(?:\ t="(?:s|n|b|str|inlineStr)")?+
        (?:/>|>(?:
            <f(?:\ [^<>]*)?(?:/>|>[^<]*+</f>)<v>[^<&\s][^<]*+</v>
            |<v>[^<]*+</v>
            |<is><t(?:\ xml:space="preserve")?+>[^<]*+</t></is>
        )?+</c>)
    )*+)</row>)
"""
_ROW = re.compile(_FORM, re.VERBOSE | re.DOTALL)
_FILLED = re.compile(rb'<c r="([A-Z]+)[0-9]+"[^>]*+>(?=<[vif])')


class RowTaker(Protocol):
    """Who is told of the rows, and has a parser for what is no plain row."""

    def feed(self, data: bytes) -> None:
        """Take in XML. Raises what the parser raises."""

    def take_row(self, row: int, attributes: bytes, cells: bytes | None) -> None:
        """Take in a plain row: its attributes and cells as they are written; None: without cells."""


def filled_columns(cells: bytes) -> tuple[bytes, ...]:
    """Return the letters of the cells that hold anything, in their order."""
    return tuple(_FILLED.findall(cells))


def feed_rows(container: Container, part: str, taker: RowTaker) -> None:
    """Hand every byte of a part to `taker`: plain rows as rows, the rest as XML. Raises SourceError."""
    blocks = iter(xml_blocks(container, part))
    buffer = _feed_to_start(blocks, taker)
    if buffer is None:
        return
    for block in blocks:
        rest = _take_rows(buffer + block if buffer else block, taker)
        if rest is None:
            break
        buffer = rest
    else:
        taker.feed(buffer)
        return
    for block in blocks:
        taker.feed(block)


def _feed_to_start(blocks: Iterable[bytes], taker: RowTaker) -> bytes | None:
    """Feed what stands before the rows, and return what came after; None where all was fed to the parser."""
    head = b""
    for block in blocks:
        head += block
        place = head.find(START)
        if place >= 0 and _is_plain(head[:place]):
            place += len(START)
            taker.feed(head[:place])
            return head[place:]
        if place >= 0 or len(head) > _MOST_BYTES:
            break
    taker.feed(head)
    for block in blocks:
        taker.feed(block)
    return None


def _is_plain(xml: bytes) -> bool:
    """Whether no comment, section or instruction (but the declaration) could make markup of text or the reverse."""
    return b"<!" not in xml and xml.rfind(b"<?") <= 3


def _take_rows(buffer: bytes, taker: RowTaker) -> bytes | None:
    """Take the rows of `buffer` and return what is left of it; None after a part that the parser must go on with."""
    place = 0
    match = _ROW.match
    while True:
        found = match(buffer, place)
        if found:
            taker.take_row(int(found["row"]), found["attributes"], found["cells"])
            place = found.end()
            continue
        end = buffer.find(_END_OF_ROW, place)
        if end < 0 and len(buffer) - place <= _MOST_BYTES:
            return buffer[place:]
        end += len(_END_OF_ROW)
        row = buffer[place:end]
        if end < len(_END_OF_ROW) or not row.startswith(b"<row") or b"<!" in row or b"<?" in row:
            taker.feed(buffer[place:])
            return None
        taker.feed(row)
        place = end
