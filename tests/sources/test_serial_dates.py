"""Days kept as whole numbers, and the formats that show them."""

from __future__ import annotations

import datetime as dt

import pytest

from etl.sources.serial_dates import date_of, is_date_format

DAYS = {
    "first": (1, False, dt.date(1900, 1, 1)),
    "before the day that never was": (59, False, dt.date(1900, 2, 28)),
    "after it": (61, False, dt.date(1900, 3, 1)),
    "of today": (45293, False, dt.date(2024, 1, 2)),
    "last": (2_958_465, False, dt.date(9999, 12, 31)),
    "too far": (2_958_466, False, None),
    "none": (0, False, None),
    "first of 1904": (0, True, dt.date(1904, 1, 1)),
    "of 1904": (43831, True, dt.date(2024, 1, 2)),
    "last of 1904": (2_957_003, True, dt.date(9999, 12, 31)),
    "too far of 1904": (2_957_004, True, None),
}


@pytest.mark.parametrize(("serial", "is_1904", "day"), DAYS.values(), ids=DAYS)
def test_a_serial_is_the_day_that_excel_shows(serial: int, is_1904: bool, day: dt.date | None) -> None:
    assert date_of(serial, is_1904=is_1904) == day


@pytest.mark.parametrize("code", ["yyyy-mm-dd", "[$-415]d mmm yyyy", 'dd"/"mm', "[h]:mm", "mmm", "[Red]d"])
def test_a_format_of_dates_is_known_by_its_codes(code: str) -> None:
    assert is_date_format(164, {164: code})


@pytest.mark.parametrize("code", ["0.00", "General", '0 "days"', "0.00E+00", r"0\d", "[Red]0", "@", "# ##0 [$zd-415]"])
def test_another_format_is_none(code: str) -> None:
    assert not is_date_format(164, {164: code})


@pytest.mark.parametrize(("number", "is_date"), [(0, False), (14, True), (22, True), (49, False), (44, False)])
def test_formats_of_excel_itself_are_known_by_number(number: int, is_date: bool) -> None:
    assert is_date_format(number, {}) is is_date
