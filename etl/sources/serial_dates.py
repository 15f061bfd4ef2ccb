"""Days that a workbook keeps as whole numbers, and which number formats show a number as a date."""

from __future__ import annotations

import datetime as dt
import re

_BUILT_IN = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Number formats of dates and times that a workbook need not define: ECMA-376 18.8.30."""
_NO_CODES = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general|e[+-]', re.IGNORECASE)
_DATE_CODES = re.compile(r"[dmyhs]", re.IGNORECASE)
_LAST_DAY = 2_958_465
"""9999-12-31, the last day that Excel knows."""


def is_date_format(number: int, codes: dict[int, str]) -> bool:
    """Return whether a number format shows dates or times; `codes`: those that the workbook defines."""
    code = codes.get(number)
    return number in _BUILT_IN if code is None else bool(_DATE_CODES.search(_NO_CODES.sub("", code)))


def date_of(serial: int, *, is_1904: bool) -> dt.date | None:
    """Return the day of a serial number; None for one that is no day.

    In the system of 1900 the days up to 59 stand before a 29 February 1900 that never was.
    """
    first, last = (0, _LAST_DAY - 1462) if is_1904 else (1, _LAST_DAY)
    if not first <= serial <= last:
        return None
    if is_1904:
        return dt.date(1904, 1, 1) + dt.timedelta(serial)
    return dt.date(1899, 12, 31 if serial < 60 else 30) + dt.timedelta(serial)
