"""Dates: read by the formats that the mapping names, written in one; nothing is guessed (`etl.proofs` proves)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from etl.transforms.arguments import Words
from etl.transforms.columns import EDGES, Failure, convert
from etl.transforms.date_formats import DateFormat, DateFormatError, date_format
from etl.transforms.registry import Example, Outcome, transform

ISO = "YYYY-MM-DD"

_TIME = r"(?:[ T](?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?))?"
_ISO = re.compile(rf"(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_TIME}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?")
_YEAR_FIRST = re.compile(rf"(?P<a>[0-9]{{4}})(?P<sign>[./-])(?P<b>[0-9]{{1,2}})(?P=sign)(?P<c>[0-9]{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(
    rf"(?P<a>[0-9]{{1,2}})(?P<sign>[./-])(?P<b>[0-9]{{1,2}})(?P=sign)(?P<c>[0-9]{{4}}|[0-9]{{2}}){_TIME}"
)
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_SERIALS = range(20_000, 60_001)
# Excel counts from 1900-01-01 as day 1 and believes in a 1900-02-29 (day 60), which moves day 0 of all later days back
# to 1899-12-30; in workbooks of the 1904 system day 0 is 1904-01-01.
_DAY_ZERO, _DAY_ZERO_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001

_AMBIGUOUS = "day or month first? the mapping's `date` needs `day_first` or `formats`"


@dataclass(frozen=True, slots=True)
class _Reading:
    """How one column's dates are read and written; the arguments of `date`, made ready."""

    formats: tuple[DateFormat, ...]
    day_first: bool | None
    day_zero: datetime | None
    output: DateFormat


def _check_date(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    for written in arguments.get("formats", ()):
        try:
            kinds = [kind for kind, _ in date_format(written).parts if kind]
        except DateFormatError as error:
            yield f"`date`, argument 'formats': '{written}' is not a date format: {error}"
            continue
        if kinds[:3] == ["year", "day", "month"] and date_format(written).parts[1] == ("", "-"):
            yield f"`date`, argument 'formats': '{written}' would read ISO dates, {ISO}, with day and month exchanged"
    if arguments.get("formats") == ():
        yield "`date`, argument 'formats': expected at least one format, such as DD.MM.YYYY"
    if "formats" in arguments and "day_first" in arguments:
        yield "`date`: 'day_first' is for dates without 'formats'; leave one of the two out"
    if arguments.get("date1904") and not arguments.get("excel_serials"):
        yield "`date`: 'date1904' says how 'excel_serials' are counted, and these are not asked for"
    if "output" in arguments:
        yield from _check_output(arguments["output"])


def _check_output(written: str) -> Iterator[str]:
    try:
        output = date_format(written)
    except DateFormatError as error:
        yield f"`date`, argument 'output': '{written}' is not a date format: {error}"
        return
    if any(kind == "month_name" for kind, _ in output.parts):
        yield f"`date`, argument 'output': '{written}': names of months can be read, not written"


@transform(
    code="not-a-date",
    check=_check_date,
    example=(
        Example({"formats": ["DD.MM.YYYY", "D MMMM YYYY"]}, "31.01.2024", "2024-01-31"),
        Example({"formats": "D MMMM YYYY"}, "3 maja 2024", "2024-05-03"),
        Example({"day_first": "true"}, "1/2/2024", "2024-02-01"),
        Example({"excel_serials": "true"}, "45322", "2024-01-31"),
        Example({"output": "DD.MM.YYYY HH:mm"}, "2024-01-31 12:30:00", "31.01.2024 12:30"),
    ),
)
def date(
    text: pd.Series[str],
    *,
    formats: Words | None = None,
    day_first: bool | None = None,
    output: str = ISO,
    excel_serials: bool = False,
    date1904: bool = False,
) -> Outcome:
    """Write a date as YYYY-MM-DD (or as `output` says), read by `formats` in their order, or as `day_first` says.

    Formats: YYYY YY MM M MMM DD D HH mm ss, or %Y %y %m %b %d %H %M %S. ISO dates, and the dates of workbooks, are
    always read. Without `formats`, whether 1/2/2024 (also with . or -) is in January or in February is proved by the
    column's other cells, or said by `day_first`; a column that reads both ways is refused. A time of day is dropped
    unless `output` has it; no zone is converted.
    `excel_serials` reads the day numbers 20000 to 60000 as Excel counts them, with `date1904` from 1904.
    """
    day_zero = (_DAY_ZERO_1904 if date1904 else _DAY_ZERO) if excel_serials else None
    reading = _Reading(tuple(map(date_format, formats or ())), day_first, day_zero, date_format(output))
    return convert(text, lambda value: _convert(value.strip(EDGES), reading))


def _convert(value: str, reading: _Reading) -> str | Failure:
    moment = _read(value, reading)
    return moment if isinstance(moment, Failure) else reading.output.write(moment)


def _read(value: str, reading: _Reading) -> datetime | Failure:
    for one in reading.formats:
        moment = one.read(value)
        if moment is not None:
            return moment
    match = _ISO.fullmatch(value)
    if match:
        year, month, day = match["date"].split("-")
        return _day(year, month, day, match["time"]) or Failure("there is no such day")
    if _SERIAL.fullmatch(value) and int(value[:5]) in _SERIALS:
        return _serial(value, reading)
    if not reading.formats:
        return _numeric(value, reading.day_first)
    expected = " or ".join(dict.fromkeys([*(one.written for one in reading.formats), ISO]))
    return Failure(f"expected {expected}")


def _serial(value: str, reading: _Reading) -> datetime | Failure:
    if reading.day_zero is None:
        return Failure("a day number of Excel? the mapping's `date` needs `excel_serials: true`")
    return reading.day_zero + timedelta(seconds=round(float(value) * 86_400))


def _numeric(value: str, day_first: bool | None) -> datetime | Failure:
    match = _YEAR_FIRST.fullmatch(value)
    if match:
        return _day(match["a"], match["b"], match["c"], match["time"]) or Failure("there is no such day")
    if not _YEAR_LAST.fullmatch(value):
        return Failure(f"expected {ISO}" if day_first is None else f"expected {ISO} or {_expected(day_first)}")
    by_day, by_month = both_orders(value)
    if day_first is not None:
        return (by_day if day_first else by_month) or Failure(f"expected {_expected(day_first)}")
    if by_day and by_month and by_day != by_month:
        return Failure(_AMBIGUOUS)
    return by_day or by_month or Failure("there is no such day")


def both_orders(value: str) -> tuple[datetime | None, datetime | None]:
    """Return what a date with its year last (`1/2/2024`, `1-2-24 10:15`) is, read day first and read month first.

    None: no such day, or not of this form.
    """
    match = _YEAR_LAST.fullmatch(value)
    if not match:
        return None, None
    by_day = _day(match["c"], match["b"], match["a"], match["time"])
    return by_day, _day(match["c"], match["a"], match["b"], match["time"])


def _expected(day_first: bool) -> str:
    return "DD.MM.YYYY" if day_first else "MM/DD/YYYY"


def _day(year: str, month: str, day: str, time: str | None) -> datetime | None:
    year_kind = "YYYY" if len(year) == 4 else "YY"
    clock = (time or "0:00").partition(".")[0].split(":")
    written = f"{year} {month} {day} " + " ".join(part.zfill(2) for part in [*clock, "00"][:3])
    return date_format(f"{year_kind} MM DD HH mm ss").read(written)
