"""Dates: given formats, day or month first, Excel's day numbers, and how they are written."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.records import text_series
from etl.transforms import apply, check_arguments

AMBIGUOUS = "day or month first? the mapping's `date` needs `day_first` or `formats`"
NO_DAY = "there is no such day"


def _date(value: str, given: object = None) -> tuple[str | None, str]:
    arguments, problems = check_arguments("date", given)
    assert problems == []
    outcome = apply("date", text_series([value]), arguments)
    return (None, outcome.details_at([0])[0]) if outcome.failed is not None else (str(outcome.values.iloc[0]), "")


READ = [
    ("2024-01-31", None, "2024-01-31"),
    ("2024-01-31 12:30:00", None, "2024-01-31"),
    ("2024-01-31T12:30:00.123Z", None, "2024-01-31"),
    ("2024-01-31T23:30:00+02:00", None, "2024-01-31"),
    ("2024-01-31 12:30:00", "DD.MM.YYYY", "2024-01-31"),
    ("31/01/2024", None, "2024-01-31"),
    ("01/31/2024", None, "2024-01-31"),
    ("5.5.2024", None, "2024-05-05"),
    ("2024/3/1", None, "2024-03-01"),
    ("1/2/2024", {"day_first": "true"}, "2024-02-01"),
    ("1-2-2024 10:15", {"day_first": "true"}, "2024-02-01"),
    ("1/2/24", {"day_first": "false"}, "2024-01-02"),
    ("1.2.2024", "DD.MM.YYYY", "2024-02-01"),
    ("01022024", "DDMMYYYY", "2024-02-01"),
    ("1/2/69", "D/M/YY", "1969-02-01"),
    ("1/2/68", "D/M/YY", "2068-02-01"),
    ("01/02/24", ["DD.MM.YYYY", "%m/%d/%y"], "2024-01-02"),
    ("3 stycznia 2024", "D MMMM YYYY", "2024-01-03"),
    ("3. März 2024", "D. MMMM YYYY", "2024-03-03"),
    ("Okt. 3, 2024", "MMM D, YYYY", "2024-10-03"),
    ("29.02.2024", "DD.MM.YYYY", "2024-02-29"),
    ("45322", {"excel_serials": "true"}, "2024-01-31"),
    ("43860", {"excel_serials": "true", "date1904": "true"}, "2024-01-31"),
    ("45322.5", {"excel_serials": "true", "output": "YYYY-MM-DD HH:mm:ss"}, "2024-01-31 12:00:00"),
    ("2024-01-03 09:05:07", {"output": "D.M.YY H:mm"}, "3.1.24 9:05"),
    ("2024-01-03", {"output": "%Y%m%d"}, "20240103"),
]


@pytest.mark.parametrize(("value", "given", "expected"), READ, ids=[f"{value}-{given}" for value, given, _ in READ])
def test_a_date_is_read(value: str, given: object, expected: str) -> None:
    assert _date(value, given) == (expected, "")


REFUSED = [
    ("01/02/2024", None, AMBIGUOUS),
    ("1.2.24", None, AMBIGUOUS),
    ("2024-02-30", None, NO_DAY),
    ("2024-01-31 25:00", None, NO_DAY),
    ("32/13/2024", None, NO_DAY),
    ("2024/13/01", None, NO_DAY),
    ("soon", None, "expected YYYY-MM-DD"),
    ("1/2.2024", {"day_first": "true"}, "expected YYYY-MM-DD or DD.MM.YYYY"),
    ("1/31/2024", {"day_first": "true"}, "expected DD.MM.YYYY"),
    ("31/1/2024", {"day_first": "false"}, "expected MM/DD/YYYY"),
    ("1.2.2024", ["D/M/YYYY", "YYYYMMDD"], "expected D/M/YYYY or YYYYMMDD or YYYY-MM-DD"),
    ("1022024", "DDMMYYYY", "expected DDMMYYYY or YYYY-MM-DD"),
    ("29.02.2023", "DD.MM.YYYY", "expected DD.MM.YYYY or YYYY-MM-DD"),
    ("3 brumaire 2024", "D MMMM YYYY", "expected D MMMM YYYY or YYYY-MM-DD"),
    ("٣1.01.2024", "DD.MM.YYYY", "expected DD.MM.YYYY or YYYY-MM-DD"),
    ("45322", None, "a day number of Excel? the mapping's `date` needs `excel_serials: true`"),
    ("19999", {"excel_serials": "true"}, "expected YYYY-MM-DD"),
    ("60001", {"excel_serials": "true"}, "expected YYYY-MM-DD"),
]


@pytest.mark.parametrize(("value", "given", "why"), REFUSED, ids=[f"{value}-{given}" for value, given, _ in REFUSED])
def test_what_is_no_date_fails_with_the_reason(value: str, given: object, why: str) -> None:
    assert _date(value, given) == (None, why)


@given(st.integers(20_000, 60_000))
def test_excel_serials_count_from_the_day_before_1900(serial: int) -> None:
    # 61 is 1900-03-01, whatever Excel believes of 1900-02-29.
    expected = date(1900, 3, 1) + timedelta(days=serial - 61)
    assert _date(str(serial), {"excel_serials": "true"}) == (expected.isoformat(), "")


@given(st.dates(), st.sampled_from(["DD.MM.YYYY", "M/D/YYYY", "YYYYMMDD", "%d-%m-%Y"]))
def test_a_date_written_in_a_format_is_read_back(day: date, written: str) -> None:
    shown, _ = _date(day.isoformat(), {"output": written})
    assert _date(shown or "", written) == (day.isoformat(), "")
