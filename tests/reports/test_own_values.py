"""Typed cells as values for XlsxWriter, and the number formats that show them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from etl.own_looks import KIND_FORMATS, kinds_of, zero_formats
from etl.reports.own_values import num_format, values_of
from etl.sources.cell_text import cell_text

CODES = ("General", "00000", r"00\-000", "dd.mm.yyyy", "0")


def one(text: str, code: str = "General"):
    formats = np.array([CODES.index(code)], dtype=np.int16)
    return values_of(pa.array([text]), np.array([True]), formats, CODES)[0]


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("950", "General", 950.0),
        ("-1234.5", "General", -1234.5),
        ("00950", "00000", 950.0),
        ("00-950", r"00\-000", 950.0),
        ("123456", r"00\-000", 123456.0),
        ("00950", "General", "00950"),
        ("1990-01-05", "dd.mm.yyyy", datetime(1990, 1, 5)),  # noqa: DTZ001 - a workbook knows no zones
        ("2026-11-24 18:35:02.500", "General", datetime(2026, 11, 24, 18, 35, 2, 500_000)),  # noqa: DTZ001
        ("1066-10-14", "General", "1066-10-14"),
        ("12:30:00", "General", timedelta(hours=12, minutes=30)),
        ("37:30:00", "General", timedelta(hours=37, minutes=30)),
        ("-01:00:00", "General", "-01:00:00"),
        ("TRUE", "General", True),
        ("12345678901234567000", "General", 12345678901234567000.0),
        ("12345678901234567", "General", "12345678901234567"),
        ("0.12345678901234568", "General", 0.12345678901234568),
        ("a;b", "General", "a;b"),
    ],
    ids=str,
)
def test_a_typed_cell_becomes_the_value_that_looks_so(text, code, value):
    assert one(text, code) == value
    assert type(one(text, code)) is type(value)


def test_text_stays_text_whatever_it_looks_like_and_blank_cells_are_empty():
    texts = pa.array(["950", "", "TRUE", "=1+1"])
    assert values_of(texts) == ["950", "", "TRUE", "=1+1"]
    assert values_of(texts, np.array([True, False, False, False])) == [950.0, "", "TRUE", "=1+1"]


@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-(10**15), 10**15) | st.booleans()
        | st.dates(min_value=date(1900, 3, 1)) | st.datetimes(min_value=datetime(1900, 3, 1)) | st.times(),  # noqa: DTZ001
        min_size=1,
    )
)  # fmt: skip
def test_every_typed_cell_is_told_in_the_same_text_as_before(cells):
    texts = [cell_text(cell) for cell in cells]
    values = values_of(pa.array(texts), np.ones(len(texts), dtype=bool))

    def again(value):
        if isinstance(value, datetime) and value.time() == time():
            return value.date().isoformat()
        return cell_text(value)

    told = [again(value) for value in values]
    assert [text.removesuffix(" 00:00:00") for text in told] == [text.removesuffix(" 00:00:00") for text in texts]


@pytest.mark.parametrize(("code", "taken"), [("mm-dd-yy", 14), ("@", 49), ("General", 0), ("dd.mm.yyyy", "dd.mm.yyyy")])
def test_built_in_formats_are_given_by_number_so_that_a_locale_may_show_them_its_way(code, taken, tmp_path):
    assert num_format(code) == taken
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_format({"num_format": taken})


def test_cells_of_a_file_that_names_no_formats_get_the_one_that_shows_their_text():
    codes = KIND_FORMATS + zero_formats({3: ((2, 9, "00-000"),)})
    texts = pa.array(["12", "1990-01-05", "1990-01-05 10:00:00", "10:00:00", "00-950", "text"])
    found = kinds_of(texts, np.array([True] * 5 + [False]), codes)
    assert [codes[place] for place in found.tolist()] == [
        "General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "[hh]:mm:ss", r"00\-000", "General",
    ]  # fmt: skip
