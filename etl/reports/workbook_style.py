"""Colours and cell formats of the workbooks: calm, told apart without colour as well, and readable (WCAG AA).

Every ink has a contrast of 6.5 or more with its fill (tested).
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Any

from etl.records import Status

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

INK, QUIET_INK, LINE, BAND, DARK, PAPER = "#1F2A37", "#4B5768", "#D5DCE4", "#F3F6F9", "#243447", "#FFFFFF"
HEADER_FILL = "#E4EAF0"
FONT, FONT_SIZE, MONOSPACED = "Arial", 10, "Consolas"
"""Arial: where it is missing, a font of the same widths usually is there, which is not so of Calibri."""
ROW_HEIGHT, LINE_HEIGHT = 15.0, 12.75
"""Points: of a row, and of each line in a cell of several."""
A4 = 9
MOST_CODES = 200
"""Number formats of a workbook's own making: Excel holds 200 to 250 of them, depending on its language."""


DEFAULTS: dict[str, Any] = {"font_name": FONT, "font_size": FONT_SIZE, "font_scheme": "none"}


class Tone(Enum):
    """How a cell looks that has something to say: (fill, ink)."""

    ERROR = ("#FBD9D7", "#7F1D1D")
    WARNING = ("#FDEFC3", "#614700")
    REJECTED = ("#E6DDF8", "#45267F")
    WAITING = ("#FCE0CC", "#70350B")
    GOOD = ("#DDF2E3", "#14532D")
    QUIET = ("#EAEEF2", "#3B4756")

    @property
    def fill(self) -> str:
        """The colour behind."""
        return self.value[0]

    @property
    def ink(self) -> str:
        """The colour of the text."""
        return self.value[1]


TONES = {
    Status.PLANNED: Tone.GOOD,
    Status.DELIVERED: Tone.GOOD,
    Status.UNCHANGED: Tone.QUIET,
    Status.DUPLICATE: Tone.QUIET,
    Status.SKIPPED: Tone.QUIET,
    Status.INVALID: Tone.ERROR,
    Status.REJECTED: Tone.REJECTED,
    Status.FAILED: Tone.WAITING,
    Status.UNKNOWN: Tone.WAITING,
    Status.BLOCKED: Tone.WAITING,
}
BARS = {
    Status.PLANNED: "#2F8F5B",
    Status.DELIVERED: "#2F8F5B",
    Status.UNCHANGED: "#7FB69A",
    Status.DUPLICATE: "#A9B6C4",
    Status.SKIPPED: "#C3CCD6",
    Status.INVALID: "#C8423B",
    Status.REJECTED: "#7552C0",
    Status.FAILED: "#D9772B",
    Status.UNKNOWN: "#E2A03F",
    Status.BLOCKED: "#8B7355",
}
"""Of the bars of a chart: the tones of the statuses, darker."""


class Styles:
    """The cell formats of one workbook, each made once: Excel refuses more than 64,000 of them."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}
        self._cells: dict[tuple[int | str, Tone | None, bool], Format | None] = {}
        self._statuses: dict[tuple[Tone, bool], Format] = {}
        self._codes: set[str] = set()

    def of(self, **properties: Any) -> Format:
        """Return the format of these properties of XlsxWriter's; the font is ours."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({**DEFAULTS, **properties})
        return self._made[key]

    def cell(self, code: int | str = 0, tone: Tone | None = None, *, is_top: bool = False) -> Format | None:
        """Return the format of a person's cell; None where it has none. `code`: of a number format, 0 for none."""
        key = (code, tone, is_top)
        if key not in self._cells:
            self._cells[key] = self._cell(*key)
        return self._cells[key]

    def header(self, *, is_ours: bool) -> Format:
        """Return the format of a header's cell: the person's own are light, ours dark."""
        ink, fill = (PAPER, DARK) if is_ours else (INK, HEADER_FILL)
        place: dict[str, Any] = {"align": "left", "indent": 1} if is_ours else {}
        return self.of(bold=True, font_color=ink, bg_color=fill, valign="vcenter", bottom=1, bottom_color=DARK, **place)

    def status(self, tone: Tone, *, is_bold: bool) -> Format:
        """Return the format of a cell in the status column; `is_bold`: of a row that has something to say."""
        if (tone, is_bold) not in self._statuses:
            look: dict[str, Any] = {"bg_color": tone.fill, "valign": "top", "bold": True} if is_bold else {}
            self._statuses[tone, is_bold] = self.of(font_color=tone.ink, align="left", indent=1, **look)
        return self._statuses[tone, is_bold]

    def advice(self) -> Format:
        """Return the format of the text on what to do."""
        return self.of(text_wrap=True, valign="top", align="left", indent=1, font_color=INK)

    def number(self) -> Format:
        """Return the format of a row's number."""
        return self.of(num_format=3, valign="top", font_color=QUIET_INK)

    def _cell(self, code: int | str, tone: Tone | None, is_top: bool) -> Format | None:
        if isinstance(code, str) and code not in self._codes:
            if len(self._codes) >= MOST_CODES:
                return self.cell(0, tone, is_top=is_top)
            self._codes.add(code)
        properties: dict[str, Any] = {"num_format": code} if code else {}
        if is_top:
            properties["valign"] = "top"
        if tone is not None:
            # A line as well: who does not see the colour sees that.
            properties |= {"bg_color": tone.fill, "font_color": tone.ink, "border": 1, "border_color": tone.ink}
        return self.of(**properties) if properties else None


def lines_of(text: str, width: float, font_size: float = FONT_SIZE) -> int:
    """Return how many lines a text takes, about, in a column so wide (in digits, as a workbook counts)."""
    signs = max(width * 1.12 * FONT_SIZE / font_size, 1)
    return sum(max(1, math.ceil(len(line) / signs)) for line in text.split("\n"))
