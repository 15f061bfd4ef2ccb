"""Numbers: what is one, and the one way to write it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from list_rows import failed_rows

from etl.records import text_series
from etl.transforms import apply, check_arguments


def _number(value: str, given: object = None, name: str = "number") -> str | None:
    arguments, problems = check_arguments(name, given)
    assert problems == []
    outcome = apply(name, text_series([value]), arguments)
    return None if failed_rows(outcome)[0] else str(outcome.values.iloc[0])


POLISH = {"decimal": ",", "thousands": " "}
MONEY = {**POLISH, "currency": "true"}
READ = [
    ("1", None, "1"), ("+5", None, "5"), ("-0", None, "0"), ("-0.00", None, "0"), ("007", None, "7"), ("1.50", None, "1.5"),
    ("\u22123", None, "-3"), (" 12 ", None, "12"), ("0.10", None, "0.1"), ("12345678901234567890.5", None, "12345678901234567890.5"),
    ("1 234,5", POLISH, "1234.5"), ("1\u00a0234\u202f567", POLISH, "1234567"), ("1234", POLISH, "1234"),
    ("1'234", {"thousands": "'"}, "1234"), ("1’234", {"thousands": "'"}, "1234"), ("1,234,567.5", {"thousands": ","}, "1234567.5"),
    ("1.234,50", {"decimal": ",", "thousands": "."}, "1234.5"),
    ("5 zł", MONEY, "5"), ("-€5", MONEY, "-5"), ("€ -5", MONEY, "-5"), ("PLN 5", MONEY, "5"), ("5,10 SEK", MONEY, "5.1"),
    ("5 szt.", {"currency": "szt."}, "5"), ("(5.5)", {"accounting": "true"}, "-5.5"), ("5-", {"accounting": "true"}, "-5"),
    ("1.005", {"decimals": "2"}, "1.01"), ("-2.5", {"decimals": "0"}, "-3"), ("2", {"decimals": "2"}, "2.00"), ("-0.004", {"decimals": "2"}, "0.00"),
    ("100", {"decimals": "0"}, "100"), ("9.999", {"decimals": "2"}, "10.00"), ("1.2", {"decimals": "30"}, "1.2" + "0" * 29),
]  # fmt: skip
REFUSED = [
    ("1e5", None), ("inf", None), ("nan", None), ("1_000", None), ("٣", None), ("(5)", None), ("5-", None), ("1,23", None),
    (".5", None), ("5.", None), ("1 000", None), ("--5", None), ("5\n6", None), ("0x10", None), ("12%", None), ("5 zł", None),
    ("1,23", {"thousands": ","}), ("1234,567", {"thousands": ","}), ("12,,345", {"thousands": ","}), (",345", {"thousands": ","}),
    ("1,234,5", {"thousands": ","}), ("1.234", POLISH), ("5 zł €", MONEY), ("€5€", MONEY), ("5 abc", MONEY), ("€", MONEY), ("-€-5", MONEY),
    ("5 zł", {"currency": "szt."}), ("(-5)", {"accounting": "true"}), ("(5)-", {"accounting": "true"}), ("-5-", {"accounting": "true"}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "given", "expected"), READ, ids=[f"{value!a}" for value, _, _ in READ])
def test_a_number_is_written_in_its_one_way(value: str, given: object, expected: str) -> None:
    assert _number(value, given) == expected


@pytest.mark.parametrize(("value", "given"), REFUSED, ids=[f"{value!a}" for value, _ in REFUSED])
def test_what_is_no_number_fails(value: str, given: object) -> None:
    assert _number(value, given) is None


INTEGERS = [("0042", None, "42"), ("-0", None, "0"), ("+7", None, "7"), ("12.0", None, None), ("1 234", None, None), ("1 234", " ", "1234"), ("1e3", None, None)]  # fmt: skip


@pytest.mark.parametrize(("value", "given", "expected"), INTEGERS, ids=[value for value, _, _ in INTEGERS])
def test_an_integer_is_digits_alone(value: str, given: object, expected: str | None) -> None:
    assert _number(value, given, "integer") == expected


@given(value=st.decimals(-(10**12), 10**12, allow_nan=False, places=4), places=st.integers(0, 6))
def test_rounding_is_that_of_exact_decimals(value: Decimal, places: int) -> None:
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    assert Decimal(_number(format(value, "f"), {"decimals": str(places)}) or "nan") == rounded
