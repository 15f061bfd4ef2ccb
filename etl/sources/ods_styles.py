"""Which cell styles of an OpenDocument spreadsheet show numbers with leading zeros. Facts: ODF 1.3, part 3, 16.29."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from etl.sources.leading_zeros import zeros_of
from etl.sources.workbook_parts import Container
from etl.sources.workbook_xml import feed, new_parser

_PART = "styles.xml"
_MOST_DIGITS = 30
_MOST_PARENTS = 20
_SIGN = re.compile("[0 ./-]{1,5}")
_SPOILERS = frozenset(("number:text", "number:fraction", "number:scientific-number", "style:map"))
"""What makes a number format more than digits in one form for all numbers."""


@dataclass(slots=True)
class _Format:
    """A number format: its least digits, and the signs within them by the number of digits to their right."""

    digits: int = 0
    signs: dict[int, str] = field(default_factory=dict)
    is_plain: bool = True

    def zeros(self) -> str | None:
        if not self.is_plain or any(not 0 < place < self.digits for place in self.signs):
            return None
        if not all(map(_SIGN.fullmatch, self.signs.values())):
            return None
        signs = {place: f'"{sign}"' for place, sign in self.signs.items()}
        return zeros_of("".join(signs.get(place, "") + "0" for place in range(self.digits, 0, -1)))


class ZeroStyles:
    """Takes in the elements of styles that one expat parser comes by, outside of tables."""

    def __init__(self, parser: Any) -> None:
        """`parser`: the one that calls `start`; its handlers of text and of ends are borrowed for single elements."""
        self._parser = parser
        self._formats: dict[str, _Format] = {}
        self._format: _Format | None = None
        self._styles: dict[str, tuple[str, str]] = {}
        self._zeros: dict[str, str] | None = None
        self._place = 0
        self._text: list[str] = []
        self._is_over = False

    def take_named(self, container: Container) -> None:
        """Take in the named styles, which stand in a part of their own. Raises SourceError."""
        if _PART not in container.parts:
            return
        own, self._parser = self._parser, new_parser(container.path)
        self._parser.StartElementHandler = self._start_named
        feed(container, _PART, self._parser)
        self._parser, self._format = own, None

    def zeros(self) -> dict[str, str]:
        """Return the zeros that the styles of cells show, by the name of the style; only of those that do."""
        if self._zeros is None:
            formats = {name: one.zeros() for name, one in self._formats.items()}
            found = ((name, formats.get(self._format_of(name))) for name in self._styles)
            self._zeros = {name: zeros for name, zeros in found if zeros is not None}
        return self._zeros

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take in an element."""
        if name == "style:style":
            self._format = None
            if attributes.get("style:family") == "table-cell":
                parts = attributes.get("style:data-style-name", ""), attributes.get("style:parent-style-name", "")
                self._styles[attributes.get("style:name", "")] = parts
                self._zeros = None
        elif name == "number:number-style":
            self._format = self._formats[attributes.get("style:name", "")] = _Format()
            self._zeros = None
        elif self._format is not None:
            self._part(self._format, name, attributes)

    def _part(self, one: _Format, name: str, attributes: dict[str, str]) -> None:
        if name == "number:number":
            decimals = attributes.get("number:decimal-places", "0"), attributes.get("number:display-factor", "1")
            one.is_plain &= not one.digits and decimals == ("0", "1") and attributes.get("number:grouping") != "true"
            one.digits = min(_whole(attributes.get("number:min-integer-digits", "")), _MOST_DIGITS + 1)
            one.is_plain &= one.digits <= _MOST_DIGITS
        elif name == "number:embedded-text":
            self._place = _whole(attributes.get("number:position", ""))
            self._text = []
            self._parser.CharacterDataHandler, self._parser.EndElementHandler = self._text.append, self._end_text
        elif name in _SPOILERS:
            one.is_plain = False
        elif name.startswith("number:") and name.endswith("-style"):
            self._format = None

    def _end_text(self, _name: str) -> None:
        self._parser.CharacterDataHandler = self._parser.EndElementHandler = None
        if self._format is not None:
            self._format.signs[self._place] = self._format.signs.get(self._place, "") + "".join(self._text)

    def _start_named(self, name: str, attributes: dict[str, str]) -> None:
        # Those that follow are for headers and footers, under names that content.xml may use for others.
        self._is_over = self._is_over or name == "office:automatic-styles"
        if not self._is_over:
            self.start(name, attributes)

    def _format_of(self, style: str) -> str:
        """Return the number format of a cell style: its own, else that of the nearest one above it that has any."""
        for _ in range(_MOST_PARENTS):
            own, style = self._styles.get(style, ("", ""))
            if own or not style:
                return own
        return ""


def _whole(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 3 else 0
