"""A workbook's typed cell as the text that stands for it. Pure; imports nothing of etl: `workbook_child` loads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias

Cell: TypeAlias = str | bool | int | float | date | time | timedelta
"""What python-calamine gives for a cell; datetime is a date."""

_EXACT = 10**15  # a workbook keeps 15 digits; beyond them the shortest decimal is the honest one


def cell_text(value: Cell) -> str:
    """Return the text of one cell; text stays exactly what it is.

    Whole numbers are plain digits, other numbers the shortest decimal that means them, never with an exponent; dates
    are ISO, times to the second (to the millisecond where they have any); TRUE and FALSE.

    >>> [cell_text(v) for v in (48600123456.0, 1.5, 1e-7, True, "00-950")]
    ['48600123456', '1.5', '0.0000001', 'TRUE', '00-950']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, time):
        return _moment(datetime.combine(date(2000, 1, 1), value)).partition(" ")[2]
    if isinstance(value, timedelta):
        return _duration(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def column_texts(values: Sequence[Cell]) -> tuple[list[str], list[bool] | None]:
    """Return the texts of many cells, and which of them the workbook holds typed; None: none of them."""
    kinds = set(map(type, values))
    if kinds <= {str}:
        return list(values), None  # type: ignore[arg-type]
    texts = [value if type(value) is str else cell_text(value) for value in values]
    return texts, [type(value) is not str for value in values]


def is_blank(values: Sequence[Cell]) -> bool:
    """Whether all cells are empty or white space (a cell that is not text is not blank)."""
    for value in values:  # noqa: SIM110 (the generator of any() costs twice the time, and this runs once a row)
        if type(value) is not str or (value and not value.isspace()):
            return False
    return True


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _moment(value: datetime) -> str:
    """Return date and time; a workbook's fractions of a day are good to a millisecond, not to a microsecond."""
    rounded = value + timedelta(microseconds=500)
    text = rounded.isoformat(sep=" ", timespec="milliseconds")
    return text.removesuffix(".000")


def _duration(value: timedelta) -> str:
    milliseconds = round(value / timedelta(milliseconds=1))
    sign = "-" if milliseconds < 0 else ""
    seconds, rest = divmod(abs(milliseconds), 1000)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:03}" if rest else text
