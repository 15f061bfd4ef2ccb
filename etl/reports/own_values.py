"""The typed cells of a person's sheet as values for XlsxWriter: they look there as they looked at home.

Write them with `Worksheet.write_number`, `write_boolean`, `write_datetime` and `write_string`, by their type: a text is
text whatever it looks like, so nothing becomes a formula or a link.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import Mask

Value: TypeAlias = str | float | bool | date | timedelta
"""datetime is a date."""
_NUMBER = "^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?$"
_ZEROS = "^[0-9][0-9 ./-]*$"
_EXACT_DIGITS = 15
_FIRST_YEAR = 1900
_BUILT_IN = {
    "General": 0, "0": 1, "0.00": 2, "#,##0": 3, "#,##0.00": 4, "0%": 9, "0.00%": 10, "0.00E+00": 11, "# ?/?": 12,
    "# ??/??": 13, "mm-dd-yy": 14, "d-mmm-yy": 15, "d-mmm": 16, "mmm-yy": 17, "h:mm AM/PM": 18, "h:mm:ss AM/PM": 19,
    "h:mm": 20, "h:mm:ss": 21, "m/d/yy h:mm": 22, "#,##0 ;(#,##0)": 37, "#,##0 ;[Red](#,##0)": 38,
    "#,##0.00;(#,##0.00)": 39, "#,##0.00;[Red](#,##0.00)": 40, "mm:ss": 45, "[h]:mm:ss": 46, "mmss.0": 47,
    "##0.0E+0": 48, "@": 49,
}  # fmt: skip


def num_format(code: str) -> int | str:
    """Return what `Workbook.add_format` takes: a built-in format by its number, since a locale may show it its way."""
    return _BUILT_IN.get(code, code)


def values_of(
    texts: pa.Array,
    typed: Mask | None = None,
    formats: npt.NDArray[np.int16] | None = None,
    codes: Sequence[str] = (),
) -> list[Value]:
    """Return the values of one column, one per row; blank cells are "".

    `texts`: string; `typed`, `formats` as in `OwnRows`, None: of no cell; `codes`: `Look.formats`, by which digits such
    as `00-950` are told for the number 950. What has no number that means it exactly stays text.
    """
    values: list[Value] = texts.to_pylist()
    if typed is None or not typed.any():
        return values
    numbers = typed & _matching(texts, _NUMBER)
    exact = numbers & np.asarray(pc.utf8_length(texts)).__le__(_EXACT_DIGITS)
    if exact.all():
        return pc.cast(texts, pa.float64()).to_pylist()  # type: ignore[no-any-return]
    places = np.flatnonzero(exact)
    found = pc.cast(texts.take(pa.array(places)), pa.float64()).to_pylist()
    for place, number in zip(places.tolist(), found, strict=True):
        values[place] = number
    zeros = _zeros(texts, typed & ~numbers, formats, codes)
    for place in np.flatnonzero(typed & ~exact).tolist():
        text = str(values[place])
        values[place] = float("".join(filter(str.isdecimal, text))) if zeros[place] else _value(text)
    return values


def _zeros(texts: pa.Array, left: Mask, formats: npt.NDArray[np.int16] | None, codes: Sequence[str]) -> Mask:
    """Return which cells are whole numbers that their format shows with leading zeros."""
    if formats is None or not left.any():
        return np.zeros(len(left), dtype=np.bool_)
    are_zeros = np.array(["00" in code or "0\\" in code for code in codes] or [False], dtype=np.bool_)
    found: Mask = (
        left & are_zeros[formats] & _matching(texts, _ZEROS) & ~_matching(texts, "^[0-9]{4}-[0-9]{2}-[0-9]{2}")
    )
    return found


def _value(text: str) -> Value:
    """Return the value of one cell that is no short number."""
    if text in {"TRUE", "FALSE"}:
        return text == "TRUE"
    with contextlib.suppress(ValueError, OverflowError):
        if text[4:5] == "-" and len(text) >= len("2026-11-24"):
            moment = datetime.fromisoformat(text)
            # Before it a workbook knows no days.
            return text if moment.year < _FIRST_YEAR or moment.tzinfo else moment
        if text.count(":") == 2:
            return _duration(text)
        number = float(text)
        plain = format(Decimal(repr(number)), "f").removesuffix(".0")
        return number if plain == text else text
    return text


def _duration(text: str) -> Value:
    hours, minutes, seconds = text.removeprefix("-").split(":")
    span = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return text if text.startswith("-") else span


def _matching(texts: pa.Array, pattern: str) -> Mask:
    found: Mask = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found
