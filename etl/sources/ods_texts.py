"""Texts of .ods cells of which python-calamine leaves something out, read again whole: tabs, line breaks, CDATA.

Seen with python-calamine 0.9: <text:tab/>, <text:line-break/> and CDATA sections vanish without a trace; spaces
(<text:s/>), paragraphs and spans come through. Few workbooks hold any, so only those are read a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etl.sources.workbook_parts import Container
from etl.sources.workbook_xml import feeding, new_parser

MOST_TEXTS = 200_000
"""Cells of a workbook whose text is kept, repeated ones counted."""
MOST_LETTERS = 32 << 20
CELLS = frozenset(("table:table-cell", "table:covered-table-cell"))
LOST = frozenset(("text:tab", "text:line-break"))
_SIGNS = {"text:tab": "\t", "text:line-break": "\n"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: `number` of the element among all cells (from 1), its rows (from 1), columns (from 0)."""

    number: int
    rows: range
    columns: range


def is_at_risk(attributes: Mapping[str, str]) -> bool:
    """Whether the reader takes a cell's text from its paragraphs."""
    return attributes.get("office:value-type") == "string" and "office:string-value" not in attributes


def whole_texts(places: Iterable[Place], texts: Mapping[int, str]) -> tuple[dict[int, dict[int, str]], list[Place]]:
    """Return the texts by column and row, and the places of those that were not kept."""
    found: dict[int, dict[int, str]] = {}
    cut = []
    for place in places:
        text = texts.get(place.number)
        if text is None:
            cut.append(place)
            continue
        for column in place.columns:
            found.setdefault(column, {}).update(dict.fromkeys(place.rows, text))
    return found, cut


def read_texts(container: Container, part: str, numbers: frozenset[int]) -> dict[int, str]:
    """Return the texts of these cells by number; without those beyond MOST_LETTERS. Raises SourceError."""
    reader = _TextReader(container, numbers)
    last = max(numbers, default=0)
    with feeding(container, part):
        for block in container.inflate(part):
            reader.parser.Parse(block, False)
            if reader.count > last:
                break
    return reader.texts


class _TextReader:
    """Handlers of one expat parser over content.xml."""

    def __init__(self, container: Container, numbers: frozenset[int]) -> None:
        self.parser = new_parser(container.path)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.count = 0
        self.texts: dict[int, str] = {}
        self._numbers = numbers
        self._parts: list[str] = []
        self._left = MOST_LETTERS
        self._number = self._depth = self._notes = 0
        self._has_paragraph = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in CELLS:
            self.count += 1
            if self.count in self._numbers:
                self._begin()
        elif not self._number:
            return
        elif name == "office:annotation":
            self._notes += 1
        elif name == "text:p" and not self._notes:
            self._depth += 1
            if self._has_paragraph:
                self._add("\n")
            self._has_paragraph = True
        elif name == "text:s":
            self._add(" " * int(attributes.get("text:c", "1")))
        elif name in _SIGNS:
            self._add(_SIGNS[name])

    def _begin(self) -> None:
        self._number, self._parts = self.count, []
        self._depth = self._notes = 0
        self._has_paragraph = False
        self.parser.CharacterDataHandler, self.parser.EndElementHandler = self._add, self._end

    def _add(self, text: str) -> None:
        if self._notes or not self._depth:
            return
        self._left -= len(text)
        if self._left >= 0:
            self._parts.append(text)

    def _end(self, name: str) -> None:
        if name in CELLS:
            if self._left >= 0:
                self.texts[self._number] = "".join(self._parts)
            self._number = 0
            self.parser.CharacterDataHandler = self.parser.EndElementHandler = None
        elif name == "office:annotation":
            self._notes -= 1
        elif name == "text:p" and not self._notes:
            self._depth -= 1
