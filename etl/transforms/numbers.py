"""Numbers as plain decimal text, read by a grammar of our own: `1e5`, `inf`, `1_000` and Arabic digits are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pycountry
from pydantic import BeforeValidator

from etl.records import text_series
from etl.transforms.arguments import Character, Expected, Places
from etl.transforms.columns import EDGES, as_mask, by_unique, to_arrow
from etl.transforms.registry import Example, Outcome, transform

# How else a sign is written: a space is often one that does not break, an apostrophe a typographic one.
_SPELLINGS = {" ": " \u00a0\u2009\u202f", "'": "'’"}
_SIGN = "[+\u2212-]"
EITHER = ""
"""As `decimal`: the column has both signs. What could then be read in two ways fails; the rest is read with a point."""
_TWO_READINGS = rf"\A{_SIGN}?[1-9][0-9]{{0,2}}\.[0-9]{{3}}\z"
_CURRENCY_WORDS = ("zł", "kr", "Kč", "Ft", "lei", "лв", "Fr.")


def _as_currency(given: Any) -> Any:
    if isinstance(given, str):
        return {"true": True, "false": False}.get(given.lower(), [given])
    return given


Currency = Annotated[
    bool | tuple[str, ...],
    BeforeValidator(_as_currency),
    Expected("true, or a text or a list of texts such as PLN"),
]


def _check_number(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    decimal, thousands = arguments.get("decimal", "."), arguments.get("thousands")
    if decimal == thousands:
        yield f"`number`: '{decimal}' cannot be both the decimal and the thousands sign; name the other one as well"
    for name, sign in (("decimal", decimal), ("thousands", thousands)):
        if sign is not None and sign in "0123456789+-\u2212()":
            yield f"`number`, argument '{name}': '{sign}' is part of the number itself"


def _check_integer(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    if arguments.get("thousands", ".") in "0123456789+-\u2212":
        yield f"`integer`, argument 'thousands': '{arguments['thousands']}' is part of the number itself"


@transform(
    code="not-a-number",
    check=_check_number,
    example=(
        Example({"decimal": ",", "thousands": "."}, "1.234,50", "1234.5"),
        Example({"decimal": ",", "thousands": " ", "currency": "true"}, "1 234,50 zł", "1234.5"),
        Example({"decimals": "2"}, "2.345", "2.35"),
        Example({"accounting": "true"}, "(12.50)", "-12.5"),
    ),
)
def number(
    text: pd.Series[str],
    *,
    decimal: Character = ".",
    thousands: Character | None = None,
    decimals: Places | None = None,
    currency: Currency = False,
    accounting: bool = False,
) -> Outcome:
    """Write a plain decimal number, such as 1234.5: digits and a point, no zeros that say nothing.

    `decimal` and `thousands`: the signs used in the cell; thousands must stand in groups of three. Where neither is
    given, they are proved by the whole column, and a column that reads both ways is refused. `decimals` rounds
    half up and gives exactly so many places. `currency: true` takes one currency sign or code off, a text or list
    just these. `accounting` reads (12) and 12- as -12. All else fails.
    """
    values = bare(text, currency, accounting)
    fits = pc.match_substring_regex(values, pattern=grammar(thousands, decimal or "."))
    if decimal == EITHER:
        fits = pc.and_not(fits, pc.match_substring_regex(values, pattern=_TWO_READINGS))
    plain = _plain(pc.if_else(fits, values, "0"), thousands, decimal or ".")
    numbers = text_series(plain, text.index)
    if decimals is not None:
        numbers = _with_places(numbers, decimals)
    return Outcome(numbers, as_mask(pc.invert(fits)))


@transform(
    code="not-an-integer",
    check=_check_integer,
    example=(Example({}, "0042", "42"), Example({"thousands": " "}, "-1 234", "-1234")),
)
def integer(text: pd.Series[str], *, thousands: Character | None = None) -> Outcome:
    """Write a whole number in digits alone; `12.0` fails. Not for postcodes and ids: leading zeros go."""
    values = pc.utf8_trim(to_arrow(text), characters=EDGES)
    fits = pc.match_substring_regex(values, pattern=grammar(thousands, None))
    plain = _plain(pc.if_else(fits, values, "0"), thousands, None)
    return Outcome(text_series(plain, text.index), as_mask(pc.invert(fits)))


def bare(text: pd.Series[str], currency: bool | tuple[str, ...] = False, accounting: bool = False) -> Any:
    """Return a large_string array of the numbers as `number` reads them: trimmed, without currency and brackets."""
    values = pc.utf8_trim(to_arrow(text), characters=EDGES)
    if currency:
        values = _without_currency(values, currency)
    if accounting:
        values = pc.replace_substring_regex(values, pattern=r"\A\(([^()+-]*)\)\z|\A([^()+-]*)-\z", replacement=r"-\1\2")
    return values


def grammar(thousands: str | None, decimal: str | None) -> str:
    """Return the pattern (RE2) of a number. Of several thousands signs each number has one."""
    # One number has one thousands sign: of its spellings, the same throughout is not asked for. Nobody groups the
    # digits of 0.123, which is a decimal whatever the mapping says.
    grouped = [f"[1-9][0-9]{{0,2}}(?:{_any_spelling(sign)}[0-9]{{3}})+" for sign in thousands or ""]
    whole = "|".join(["[0-9]+", *grouped])
    fraction = f"(?:{_any_spelling(decimal)}[0-9]+)?" if decimal else ""
    return rf"\A{_SIGN}?(?:{whole}){fraction}\z"


def _plain(values: Any, thousands: str | None, decimal: str | None) -> Any:
    """Return numbers that fit the grammar in their one spelling: no signs but `-` and `.`, no idle zeros."""
    if thousands:
        values = pc.replace_substring_regex(values, pattern=_any_spelling(thousands), replacement="")
    if decimal and decimal != ".":
        values = pc.replace_substring_regex(values, pattern=_any_spelling(decimal), replacement=".")
    values = pc.replace_substring_regex(
        values, pattern=r"\A(?:\+|([\x{2212}-]))?0*([0-9]+)(?:\.([0-9]*?)0*)?\z", replacement=r"\1\2.\3"
    )
    values = pc.replace_substring(pc.utf8_rtrim(values, characters="."), pattern="\u2212", replacement="-")
    return pc.if_else(pc.equal(values, "-0"), "0", values)


def _any_spelling(signs: str) -> str:
    return "[" + "".join(f"\\x{{{ord(one):x}}}" for sign in signs for one in _SPELLINGS.get(sign, sign)) + "]"


def _without_currency(values: Any, currency: bool | tuple[str, ...]) -> Any:
    names = _every_currency() if currency is True else [re.escape(name) for name in currency or ()]
    name = "(?:" + "|".join(sorted(names, key=len, reverse=True)) + ")"
    space = "[ \u00a0\u2009\u202f]*"
    # The first of the two, since a number with both is none; the sign of the number may stand on either side.
    pattern = rf"\A({_SIGN}?){space}{name}{space}|{space}{name}\z"
    return pc.replace_substring_regex(values, pattern=pattern, replacement=r"\1", max_replacements=1)


def _every_currency() -> list[str]:
    codes = [currency.alpha_3 for currency in pycountry.currencies]
    return [r"\p{Sc}", *codes, *(re.escape(word) for word in _CURRENCY_WORDS)]


def _with_places(numbers: pd.Series[str], places: int) -> pd.Series[str]:
    values = to_arrow(numbers)
    dotted = pc.if_else(pc.match_substring(values, "."), values, _joined(values, "."))
    padded = pc.replace_substring_regex(
        _joined(dotted, "0" * places), pattern=rf"\A(-?[0-9]+\.[0-9]{{{places}}})0*\z", replacement=r"\1"
    )
    shown = text_series(pc.utf8_rtrim(padded, characters="."), numbers.index)
    too_long = pc.match_substring_regex(values, pattern=rf"\.[0-9]{{{places + 1}}}")
    if not pc.any(too_long).as_py():
        return shown
    rounded = by_unique(text_series(values.filter(too_long)), partial(_rounded, places=places))
    return text_series(pc.replace_with_mask(to_arrow(shown), too_long, to_arrow(rounded)), numbers.index)


def _joined(values: Any, end: str) -> Any:
    wide = pa.large_string()
    return pc.binary_join_element_wise(values, pa.scalar(end, wide), pa.scalar("", wide))


def _rounded(value: str, places: int) -> str:
    # Half up on the decimal digits themselves; the context has room for all of them.
    exact = Context(prec=len(value) + places + 2)
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=exact)
    return format(abs(rounded) if rounded == 0 else rounded, "f")
