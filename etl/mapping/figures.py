"""Values with digits in them: which are numbers, dates, telephone numbers and postcodes, and how they are written.

For drafting alone. A value is one string of a column, unique, trimmed and not blank; a mask has one flag a value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt

from etl.records import Mask

_PHONE = re.compile(r"(?:\+|00)?[0-9(][0-9 ()/.\-\u00a0]{5,18}[0-9]")
_CURRENCY = r"(?:zł|zl|pln|eur|euro|€|\$|usd|£|gbp|chf|sek|kr|kč|czk|dkk|nok|huf|ft)"
_CURRENCY_PART = re.compile(f"(?i)\\s?{_CURRENCY}\\.?\\s?")
_GROUPED = r"[0-9]{1,3}([ .,'’\u00a0\u202f])[0-9]{3}(?:\1[0-9]{3})*(?:[.,][0-9]+)?"
_NUMBER = re.compile(
    rf"[+-]?(?:{_CURRENCY}\s?)?[+-]?(?:{_GROUPED}|[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:\s?{_CURRENCY}\.?)?",
    re.IGNORECASE,
)
_NUMBER_PARTS = re.compile(r"[+-]?(?P<whole>[0-9 .,'’\u00a0\u202f]*?)(?:(?P<sign>[.,])(?P<rest>[0-9]+))?")
_GROUPING = re.compile(r"[ .,'’\u00a0\u202f]")
_NOT_WHOLE = re.compile(r"[.,][0-9]|[^0-9.,+ -]")
_POSTCODE = re.compile(
    r"[0-9]{2}-[0-9]{3}|(?:[A-Z]{1,2}-)?[0-9]{4,5}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{5}-[0-9]{4}"
    r"|[0-9]{4}-[0-9]{3}|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
)
_TELLING_POSTCODE = re.compile(
    r"[0-9]{2}-[0-9]{3}|[A-Z]{1,2}-[0-9]{4,5}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{5}-[0-9]{4}|[0-9]{4}-[0-9]{3}"
    r"|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
)
_PLAIN_POSTCODE = {
    4: frozenset({"AT", "BE", "CH", "DK", "HU", "NO"}),
    5: frozenset({"DE", "ES", "FI", "FR", "IT", "US"}),
}
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_GROUPED_DIGITS = re.compile(r"(?:\+|00)?[0-9(][0-9()]*(?:[ /.\-\u00a0()]+[0-9]+)+")
_DECIMAL_OR_THOUSANDS = re.compile(r"[0-9]+[.,][0-9]+|[0-9]{1,2}(?: [0-9]{3})+")
_LEADING_NOUGHT = re.compile("0[1-9][0-9]+")
_DATE = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<sign>[./-])(?P<b>[0-9]{1,2})(?P=sign)(?P<c>[0-9]{4}|[0-9]{1,2})"
    r"(?P<time>(?P<t>[ T])[0-9]{1,2}:[0-9]{2}(?P<seconds>:[0-9]{2})?)?"
)
_COMPACT_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_DIGIT = re.compile("[0-9]")
_LONGEST_POSTCODE = len("12345-6789")
_LOCAL_DIGITS = 9
_MOSTLY = 0.5
_SPELLED = {"\u00a0": " ", "\u202f": " ", "’": "'"}
"""Signs that the transform `number` takes for the plain one."""


@dataclass(frozen=True, slots=True)
class Signs:
    """How numbers are written. `unsure`: every number with a sign could be read in two ways ("1.234")."""

    decimal: str = "."
    thousands: str = ""
    unsure: bool = False
    currency: bool = False


PLAIN = Signs()
"""A dot, and nothing between thousands."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the values with a digit (`any`) may be, a mask each; `dates`: the `dated` ones but for the `compact`.

    `international`, `local`, `amount`, `telling`: as in `Look`.
    """

    any: Mask
    dated: Mask
    compact: Mask
    phone: Mask
    international: Mask
    number: Mask
    postcode: Mask
    telling: Mask
    local: Mask
    amount: Mask
    dates: list[re.Match[str]]


def figures_of(values: Sequence[str]) -> Figures:
    """Return what each of `values` may be; a pattern is asked of those alone that have as many digits."""
    digits = np.array([len(_DIGIT.findall(value)) for value in values])
    has_digit = digits > 0
    dates, with_signs = [], np.zeros(len(values), dtype=bool)
    for place in np.flatnonzero(has_digit).tolist():
        found = _DATE.fullmatch(values[place])
        if found is not None and _is_plausible(found):
            dates.append(found)
            with_signs[place] = True
    compact = full(_COMPACT_DATE, values, digits == 8)
    dated = with_signs | compact
    phone = full(_PHONE, values, ~dated & (digits >= 7) & (digits <= 15))
    international = phone & flags(value.startswith(("+", "00")) for value in values)
    number = full(_NUMBER, values, has_digit & ~international)
    short = flags(len(value) <= _LONGEST_POSTCODE for value in values)
    postcode = full(_POSTCODE, values, has_digit & short)
    return Figures(
        any=has_digit,
        dated=dated,
        compact=compact,
        phone=phone,
        international=international,
        number=number,
        postcode=postcode,
        telling=full(_TELLING_POSTCODE, values, postcode),
        local=_local(values, phone & ~international & ~postcode, digits),
        amount=matching(_NOT_WHOLE.search, values, number & ~phone & ~dated),
        dates=dates,
    )


def _local(values: Sequence[str], where: Mask, digits: npt.NDArray[np.int64]) -> Mask:
    """Return which telephone numbers are written as nothing else is: grouped, or with a nought before them."""
    grouped = full(_GROUPED_DIGITS, values, where & (digits >= _LOCAL_DIGITS))
    return (grouped & ~full(_DECIMAL_OR_THOUSANDS, values, grouped)) | full(
        _LEADING_NOUGHT, values, where & (digits > _LOCAL_DIGITS)
    )


def plain_share(values: Sequence[str], regions: tuple[str, ...]) -> float:
    """Return the share of `values` that may be postcodes of digits alone in one of `regions`; years are none."""
    lengths = [length for length, countries in _PLAIN_POSTCODE.items() if not countries.isdisjoint(regions)]
    if not lengths or not values or np.mean([_YEAR.fullmatch(value) is not None for value in values]) > _MOSTLY:
        return 0.0
    return float(np.mean([len(value) in lengths and not _DIGIT.sub("", value) for value in values]))


def _is_plausible(date: re.Match[str]) -> bool:
    """Whether a date that was taken apart has a year at one end and days and months in range."""
    written_a, written_c = date["a"], date["c"]
    a, b, c = int(written_a), int(date["b"]), int(written_c)
    if len(written_a) == 4:
        return 1 <= b <= 12 and 1 <= c <= 31 and len(written_c) <= 2
    day_and_month = 1 <= a <= 31 and 1 <= b <= 31 and (a <= 12 or b <= 12)
    return day_and_month and len(written_a) <= 2 and len(written_c) in {2, 4}


def format_of(dates: Sequence[re.Match[str]], *, mostly_compact: bool) -> tuple[str, bool]:
    """Return the format that most of the dates have, and whether days and months cannot be told apart."""
    if mostly_compact:
        return "%Y%m%d", False
    if not dates:
        return "", False
    sign = _mode(date["sign"] for date in dates)
    same = [date for date in dates if date["sign"] == sign]
    most = _MOSTLY * len(same)
    unsure = False
    if sum(len(date["a"]) == 4 for date in same) > most:
        day = f"%Y{sign}%m{sign}%d"
    else:
        year = "%Y" if sum(len(date["c"]) == 4 for date in same) > most else "%y"
        first_is_day = any(int(date["a"]) > 12 for date in same)
        second_is_day = any(int(date["b"]) > 12 for date in same)
        unsure = sign != "." and first_is_day == second_is_day
        order = ("%m", "%d") if second_is_day and not first_is_day else ("%d", "%m")
        day = sign.join((*order, year))
    timed = [date for date in same if date["time"] is not None]
    if len(timed) <= most:
        return day, unsure
    between = _mode(date["t"] for date in timed)
    seconds = ":%S" if sum(date["seconds"] is not None for date in timed) > most else ""
    return f"{day}{between}%H:%M{seconds}", unsure


def signs_of(numbers: Sequence[str]) -> Signs:
    """Return the decimal and thousands signs that most of `numbers` (unique, as written) show."""
    currency = False
    decimals: list[str] = []
    either: list[str] = []
    groups: list[str] = []
    for number in numbers:
        bare = _CURRENCY_PART.sub("", number)
        currency |= bare != number
        parts = _NUMBER_PARTS.fullmatch(bare)
        if parts is None:
            continue
        whole, sign = parts["whole"], parts["sign"] or ""
        first = _GROUPING.search(whole)
        grouping = first.group() if first else ""
        # A lone sign before exactly three digits may be either: "1.234". The same sign twice groups: "1.234.567".
        repeated = sign != "" and sign == grouping
        if grouping:
            groups.append(grouping)
        if sign and not grouping and len(parts["rest"]) == 3 and len(whole) <= 3 and whole[:1] not in {"", "0"}:
            either.append(sign)
        elif sign and not repeated:
            decimals.append(sign)
    return _told(decimals, either, groups, currency=currency)


def _told(decimals: Sequence[str], either: Sequence[str], groups: Sequence[str], *, currency: bool) -> Signs:
    thousands = _most(groups)
    if decimals:
        decimal = _most(decimals)
        return Signs(decimal, "" if thousands == decimal else thousands, currency=currency)
    if not either:
        return Signs("," if thousands == "." else ".", thousands, currency=currency)
    lone = _most(either)
    if thousands == lone:
        return Signs("," if lone == "." else ".", lone, currency=currency)
    return Signs(lone, thousands, unsure=True, currency=currency)


def _most(signs: Sequence[str]) -> str:
    if not signs:
        return ""
    sign = _mode(signs)
    return _SPELLED.get(sign, sign)


def _mode(words: Iterable[str]) -> str:
    """Return the word that occurs most, the first in the alphabet of those."""
    return min(Counter(words).items(), key=lambda one: (-one[1], one[0]))[0]


def flags(answers: Iterable[bool]) -> Mask:
    """Return the answers as a mask."""
    return np.fromiter(answers, dtype=np.bool_)


def among(values: Iterable[str], known: Container[str]) -> Mask:
    """Return which values are `known`."""
    return flags(value in known for value in values)


def full(pattern: re.Pattern[str], values: Sequence[str], where: Mask) -> Mask:
    """Return which values of those of `where` match `pattern` from end to end."""
    return matching(pattern.fullmatch, values, where)


def matching(match: Callable[[str], object], values: Sequence[str], where: Mask) -> Mask:
    """Return which values `match`, of those of `where`; the others are not asked and do not."""
    found = np.zeros(len(values), dtype=bool)
    places = np.flatnonzero(where)
    found[places] = [match(values[place]) is not None for place in places.tolist()]
    return found


def chosen(values: Sequence[str], where: Mask) -> list[str]:
    """Return the values of `where`."""
    return list(compress(values, where.tolist()))
