"""What the cells of one column say about the way in which it is written: witnesses, not values, so memory stays flat.

A column of dates is read day first or month first, one of amounts with a decimal point or a decimal comma. A cell
that only one of the two ways can read rules out the other; a cell that neither reads rules out nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import Mask, Rows
from etl.transforms.columns import EDGES, to_arrow
from etl.transforms.dates import both_orders
from etl.transforms.numbers import bare, grammar

_SHOWN = 40
_NEITHER, _FIRST, _SECOND, _SAME, _EITHER = range(5)
_CLOCK = "(?:[ T](?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,9})?)?)?"
_NUMERIC = "|".join(f"[0-9]{{1,2}}[{sign}][0-9]{{1,2}}[{sign}](?:[0-9]{{4}}|[0-9]{{2}})" for sign in "./-")
_YEAR_LAST = rf"\A(?P<date>{_NUMERIC}){_CLOCK}\z"
_TYPED_DAY = r"\A[0-9]{4}-[0-9]{2}-(?P<day>[0-9]{2})(?:[ T].*)?\z"
_POINT, _COMMA = grammar(", '", "."), grammar(". '", ",")
_ONE_GROUP = r"\A[+\x{2212}-]?[1-9][0-9]{0,2}[.,][0-9]{3}\z"
_GROUPING = {
    ",": r"[0-9],[0-9]{3}",
    ".": r"[0-9]\.[0-9]{3}",
    " ": "[0-9][ \u00a0\u2009\u202f][0-9]",
    "'": "[0-9]['’][0-9]",
}


class Way(Enum):
    """What the evidence comes to: one of the two ways, no cell that they read differently, both, or no telling."""

    FIRST = 0
    SECOND = 1
    SAME = 2
    MIXED = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Witness:
    """A cell that says something: its row, as a person sees it, and its value, shortened."""

    row: int
    value: str


@dataclass(slots=True)
class Sides:
    """The first cell that only the one way reads (`only`, in the order of `Way`), and that both read differently."""

    only: list[Witness | None] = field(default_factory=lambda: [None, None])
    either: Witness | None = None

    @property
    def way(self) -> Way:
        """What the cells seen so far come to."""
        first, second = self.only
        if first and second:
            return Way.MIXED
        if first or second:
            return Way.FIRST if first else Way.SECOND
        return Way.UNKNOWN if self.either else Way.SAME

    def note(self, codes: npt.NDArray[np.int8], values: Any, rows: Rows) -> None:
        """Keep the first cells of each kind that are not known yet. `codes`: one per value."""
        for number, code in enumerate((_FIRST, _SECOND)):
            self.only[number] = self.only[number] or _first(codes == code, values, rows)
        self.either = self.either or _first(codes == _EITHER, values, rows)


class Evidence(Protocol):
    """Evidence about one column, taken up chunk by chunk."""

    sides: Sides

    def look(self, text: pd.Series[str], rows: Rows, typed: Mask | None) -> None:
        """Take up some cells, in order: their text, their rows, and which of them the file holds as typed."""

    def is_settled(self, pin: int | None) -> bool:
        """Whether no further cell changes what is said; `pin`: the way that the mapping names (0 or 1), if any."""


@dataclass(slots=True)
class Dates:
    """Whether dates are day first or month first.

    `real_low`: the first date that the file holds as one, where day and month could have been exchanged (day up to
    12); `has_real_high`: whether one was seen whose day is higher.
    """

    sides: Sides = field(default_factory=Sides)
    real_low: Witness | None = None
    has_real_high: bool = False

    def look(self, text: pd.Series[str], rows: Rows, typed: Mask | None) -> None:
        """See `Evidence`."""
        if typed is not None:
            self._look_at_real(text[typed], rows[typed])
            text, rows = text[~typed], rows[~typed]
        values = pc.utf8_trim(to_arrow(text), characters=EDGES)
        parts = pc.struct_field(pc.extract_regex(values, _YEAR_LAST), "date")
        encoded = parts.fill_null("").dictionary_encode()
        kinds = np.array([_kind(part) for part in encoded.dictionary.to_pylist()], dtype=np.int8)
        if kinds.any():
            self.sides.note(kinds[encoded.indices.to_numpy(zero_copy_only=False)], values, rows)

    def _look_at_real(self, text: pd.Series[str], rows: Rows) -> None:
        values = to_arrow(text)
        day = pc.struct_field(pc.extract_regex(values, _TYPED_DAY), "day").fill_null("")
        found = np.asarray(pc.not_equal(day, ""))
        high = np.asarray(pc.greater(day, "12"))
        self.has_real_high |= bool(high.any())
        self.real_low = self.real_low or _first(found & ~high, values, rows)

    def is_settled(self, pin: int | None) -> bool:
        """See `Evidence`."""
        if self.real_low and not self.has_real_high:
            return False
        return bool(self.sides.only[pin]) if pin is not None else self.sides.way is Way.MIXED

    @property
    def is_half_converted(self) -> bool:
        """Whether a program took the cells for dates that it could, by its own order, and left the others as text."""
        return bool(self.real_low and not self.has_real_high and (self.sides.only[0] or self.sides.only[1]))


@dataclass(slots=True)
class Amounts:
    """Whether amounts have a decimal point or a decimal comma; `signs`: the thousands signs seen, by way."""

    currency: bool | tuple[str, ...] = False
    accounting: bool = False
    sides: Sides = field(default_factory=Sides)
    signs: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))

    def look(self, text: pd.Series[str], rows: Rows, typed: Mask | None) -> None:
        """See `Evidence`."""
        if typed is not None:
            text, rows = text[~typed], rows[~typed]
        values = bare(text, self.currency, self.accounting)
        point, comma = (np.asarray(pc.match_substring_regex(values, one)) for one in (_POINT, _COMMA))
        codes = np.where(point, _FIRST, _NEITHER) + np.where(comma, _SECOND, _NEITHER)
        codes[np.asarray(pc.match_substring_regex(values, _ONE_GROUP))] = _EITHER
        self.sides.note(codes.astype(np.int8), pc.utf8_trim(to_arrow(text), characters=EDGES), rows)
        for reads, signs, decimal in zip((point, comma), self.signs, ".,", strict=True):
            told = values.filter(pa.array(reads))
            for sign in _GROUPING.keys() - {decimal} - signs:
                if pc.any(pc.match_substring_regex(told, _GROUPING[sign])).as_py():
                    signs.add(sign)

    def is_settled(self, pin: int | None) -> bool:
        """See `Evidence`."""
        return bool(self.sides.only[pin]) if pin is not None else self.sides.way is Way.MIXED


def _first(where: Mask, values: Any, rows: Rows) -> Witness | None:
    if not where.any():
        return None
    place = int(np.argmax(where))
    text = values[place].as_py()
    return Witness(int(rows[place]), text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


@lru_cache(maxsize=65_536)
def _kind(date: str) -> int:
    by_day, by_month = both_orders(date)
    if by_day and by_month:
        return _SAME if by_day == by_month else _EITHER
    return _FIRST if by_day else _SECOND if by_month else _NEITHER
