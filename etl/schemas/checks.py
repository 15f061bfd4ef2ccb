"""The checks of the schemas: whole columns in, one bool a value out; none of them raises.

pandera reports a check that raises as one fault of the whole column and hides the rows behind it, so every check here
works on any text. What a failing value is told (`detail`) is worked out afterwards, for the failing values alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.contract import VALUE_MAX_DECIMALS, VALUE_MAX_DIGITS, Field
from etl.issues import as_text
from etl.records import Mask
from etl.schemas import addresses


@dataclass(frozen=True, slots=True)
class Rule:
    """One check of a field: its code, the test over a column, and what to tell of a failing value."""

    code: str
    passes: Callable[[pa.Array], Mask]
    detail: Callable[[str], str] = lambda _value: ""


def email_rules() -> tuple[Rule, ...]:
    """Return syntax and lengths (errors), and slips of the finger (a warning)."""
    return (
        Rule("email-syntax", addresses.is_email, addresses.why_not_email),
        Rule("email-too-long", addresses.length_fits, lambda value: f"{len(value)} characters"),
        Rule("email-typo", addresses.looks_right, addresses.meant),
    )


def length_rule(field: Field) -> Rule:
    """Return the check of the endpoint's length, in characters."""
    limit = field.max_length
    if limit is None:
        raise AssertionError(f"BUG: {field.path} has no length")
    return Rule(
        "too-long",
        lambda values: np.asarray(pc.less_equal(pc.utf8_length(values), limit)),
        lambda value: f"{len(value):,} characters where {limit:,} is the limit",
    )


def enumeration_rule(field: Field) -> Rule:
    """Return the check for one of the listed values, in their very spelling."""
    allowed = pa.array(field.values)
    listed = ", ".join(field.values)
    return Rule("not-in-enumeration", lambda values: np.asarray(pc.is_in(values, value_set=allowed)), lambda _: listed)


def number_rules() -> tuple[Rule, ...]:
    """Return digits and decimals, judged on the decimal text that the number was made of."""
    return (
        Rule("too-many-digits", lambda values: _digits(values) <= VALUE_MAX_DIGITS),
        Rule("too-many-decimals", lambda values: _decimals(values) <= VALUE_MAX_DECIMALS),
    )


def _digits(values: pa.Array) -> np.ndarray:
    """Return how many digits each number has, without the zeros in front and a fraction of nothing."""
    return np.asarray(pc.utf8_length(pc.replace_substring_regex(values, r"^[+-]?0*|\.0*$|\.", "")))


def _decimals(values: pa.Array) -> np.ndarray:
    """Return how many digits each number has after its point, without the zeros at the end."""
    fractions = pc.replace_substring_regex(values, r"^[^.]*\.?", "")
    return np.asarray(pc.utf8_length(pc.replace_substring_regex(fractions, r"0+$", "")))


def as_series_check(rule: Rule) -> Callable[[pd.Series[str]], pd.Series[bool]]:
    """Return the rule as pandera calls it: a Series without missing values in, a bool Series out."""

    def check(series: pd.Series[str]) -> pd.Series[bool]:
        return pd.Series(rule.passes(as_text(series)), index=series.index, dtype=bool)

    return check
