from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from etl.sources.cell_text import Cell, cell_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("NA", "NA"),
        (" 00-950 ", " 00-950 "),
        (48600123456.0, "48600123456"),
        (3.0, "3"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-7, "0.0000001"),
        (123456789.125, "123456789.125"),
        (1e21, "1000000000000000000000"),
        (1.234567890123457e19, "12345678901234570000"),
        (-4.86e10, "-48600000000"),
        (7, "7"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2024, 1, 31), "2024-01-31"),
        (datetime(2024, 1, 31, 12, 30), "2024-01-31 12:30:00"),  # noqa: DTZ001 (a workbook knows no zones)
        (datetime(2024, 1, 31, 12, 30, 15, 500_000), "2024-01-31 12:30:15.500"),  # noqa: DTZ001
        (datetime(2024, 1, 31, 23, 59, 59, 999_999), "2024-02-01 00:00:00"),  # noqa: DTZ001
        (time(12, 30), "12:30:00"),
        (timedelta(hours=30), "30:00:00"),
        (timedelta(minutes=-1), "-00:01:00"),
        (timedelta(seconds=1, milliseconds=20), "00:00:01.020"),
    ],
    ids=repr,
)
def test_a_cell_is_written_as_a_person_would(value: Cell, text: str) -> None:
    assert cell_text(value) == text
