"""What the values of a column look like, for drafting a mapping. Judges a sample; never changes a value.

Every share is between 0 and 1, of the cells that are not blank. Work is done on unique values, weighted by how often
they occur.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.contract import EVENT_TYPES
from etl.mapping.synonyms import NO, YES
from etl.records import Mask
from etl.transforms.folding import fold_accents

_EMAIL = r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}"
_PHONE = r"(?:\+|00)?[0-9(][0-9 ()/.\-\u00a0]{5,18}[0-9]"
_CURRENCY = r"(?:zł|zl|pln|eur|euro|€|\$|usd|£|gbp|chf|sek|kr|kč|czk|dkk|nok|huf|ft)"
_GROUPED = r"[0-9]{1,3}([ .,'’\u00a0\u202f])[0-9]{3}(?:\1[0-9]{3})*(?:[.,][0-9]+)?"
_NUMBER = rf"[+-]?(?:{_CURRENCY}\s?)?[+-]?(?:{_GROUPED}|[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:\s?{_CURRENCY}\.?)?"
_POSTCODE = (
    r"[0-9]{2}-[0-9]{3}|(?:[A-Z]{1,2}-)?[0-9]{4,5}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{5}-[0-9]{4}"
    r"|[0-9]{4}-[0-9]{3}|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
)
_DOMAIN = r"(?:https?://)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}/?"
_DATE = (
    r"(?P<a>[0-9]{1,4})(?P<sign>[./-])(?P<b>[0-9]{1,2})(?P=sign)(?P<c>[0-9]{4}|[0-9]{1,2})"
    r"(?P<time>(?P<t>[ T])[0-9]{1,2}:[0-9]{2}(?P<seconds>:[0-9]{2})?)?"
)
_COMPACT_DATE = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_SEPARATORS = (";", "|", ",")
_LIST_SHARE = 0.15
_ITEM_LENGTH = 32
_FLAG_WORDS = 6

Weights = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Signs:
    """How numbers are written. `unsure`: every number with a sign could be read in two ways ("1.234")."""

    decimal: str = "."
    thousands: str = ""
    unsure: bool = False
    currency: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What a column's values look like; every share is of the `filled` cells.

    `text`: has a letter and is no e-mail address; `international`: a telephone number with its country code;
    `date_format`: as strptime reads it, "" where no date; `capitals`: no small letter anywhere; `yes` and `no`: the
    words that stand in the cells; `separator`: "" where no lists.
    """

    rows: int
    filled: int
    distinct: int
    text: float = 0.0
    email: float = 0.0
    ascii: float = 0.0
    phone: float = 0.0
    international: float = 0.0
    number: float = 0.0
    date: float = 0.0
    postcode: float = 0.0
    domain: float = 0.0
    event_type: float = 0.0
    flag: float = 0.0
    listed: float = 0.0
    signs: Signs = Signs()
    date_format: str = ""
    day_or_month_unsure: bool = False
    capitals: bool = False
    separator: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def fill(self) -> float:
        """The share of the rows in which the cell is not blank."""
        return self.filled / self.rows if self.rows else 0.0


def look(column: pd.Series[str]) -> Look:
    """Return what `column` (text, no missing values) looks like; nothing but sizes where all cells are blank."""
    trimmed = column.str.strip()
    counts = trimmed[trimmed != ""].value_counts()
    if counts.empty:
        return Look(len(column), 0, 0)
    text: pd.Series[str] = counts.index.to_series().reset_index(drop=True).astype(column.dtype)
    weights: Weights = np.asarray(counts, dtype=np.int64)

    def share(mask: Any) -> float:
        return float(weights[np.asarray(mask, dtype=bool)].sum() / weights.sum())

    email = _full(text, _EMAIL)
    dates = text.str.extract(rf"^{_DATE}\Z")
    compact = _full(text, _COMPACT_DATE)
    dated = _plausible(dates) | compact
    phone = _full(text, _PHONE) & ~dated & text.str.count("[0-9]").between(7, 15).to_numpy()
    international = phone & text.str.startswith(("+", "00")).to_numpy()
    number = _full(text, f"(?i:{_NUMBER})") & ~international
    folded = text.map(fold)
    is_yes, is_no = folded.isin(YES).to_numpy(), folded.isin(NO).to_numpy()
    separator, listed = _separator(text, weights, ~email & ~number & ~dated)
    date_format, unsure = _date_format(dates[_plausible(dates)], mostly_compact=share(compact) > 0.5)
    return Look(
        rows=len(column),
        filled=int(weights.sum()),
        distinct=len(text),
        text=share(text.str.contains(r"[^\W0-9_]").to_numpy() & ~email),
        email=share(email),
        ascii=share(_full(text, r"[\x00-\x7f]*")),
        phone=share(phone),
        international=share(international),
        number=share(number),
        date=share(dated),
        postcode=share(_full(text, _POSTCODE)),
        domain=share(_full(text.str.lower(), _DOMAIN)),
        event_type=share(text.str.upper().isin(EVENT_TYPES)),
        flag=share(is_yes | is_no) if len(text) <= _FLAG_WORDS else 0.0,
        listed=listed,
        signs=_signs(text[number]),
        date_format=date_format,
        day_or_month_unsure=unsure,
        capitals=bool((text == text.str.upper()).all()),
        separator=separator,
        yes=tuple(text[is_yes]),
        no=tuple(text[is_no]),
        values=tuple(text),
    )


def fold(text: str) -> str:
    """Return `text` case-folded and without accents: `Zażółć` becomes `zazolc`, `Straße` `strasse`."""
    return fold_accents(unicodedata.normalize("NFKC", text)).casefold()


def _full(text: pd.Series[str], pattern: str) -> Mask:
    return np.asarray(text.str.fullmatch(f"(?:{pattern})"), dtype=bool)


def _plausible(dates: pd.DataFrame) -> Mask:
    """Return which rows of the taken-apart dates have a year at one end and days and months in range."""
    a, b, c = (dates[part].fillna("0").astype("int64") for part in ("a", "b", "c"))
    digits_a, digits_c = dates["a"].str.len(), dates["c"].str.len()
    year_first = digits_a.eq(4) & b.between(1, 12) & c.between(1, 31) & digits_c.le(2)
    day_and_month = a.between(1, 31) & b.between(1, 31) & (a.le(12) | b.le(12))
    year_last = digits_a.le(2) & day_and_month & digits_c.isin((2, 4))
    return np.asarray(year_first | year_last, dtype=bool)


def _date_format(dates: pd.DataFrame, *, mostly_compact: bool) -> tuple[str, bool]:
    """Return the format that most of the dates have, and whether days and months cannot be told apart."""
    if mostly_compact:
        return "%Y%m%d", False
    if dates.empty:
        return "", False
    sign = str(dates["sign"].mode()[0])
    same = dates[dates["sign"] == sign]
    unsure = False
    if same["a"].str.len().eq(4).mean() > 0.5:
        day = f"%Y{sign}%m{sign}%d"
    else:
        year = "%Y" if same["c"].str.len().eq(4).mean() > 0.5 else "%y"
        first_is_day = bool((pd.to_numeric(same["a"]) > 12).any())
        second_is_day = bool((pd.to_numeric(same["b"]) > 12).any())
        unsure = sign != "." and first_is_day == second_is_day
        order = ("%m", "%d") if second_is_day and not first_is_day else ("%d", "%m")
        day = sign.join((*order, year))
    if same["time"].notna().mean() <= 0.5:
        return day, unsure
    between = str(same["t"].mode()[0])
    seconds = ":%S" if same["seconds"].notna().mean() > 0.5 else ""
    return f"{day}{between}%H:%M{seconds}", unsure


def _signs(numbers: pd.Series[str]) -> Signs:
    """Return the decimal and thousands signs that most of `numbers` (unique, as written) show."""
    bare = numbers.str.replace(f"(?i)\\s?{_CURRENCY}\\.?\\s?", "", regex=True)
    currency = bool((bare != numbers).any())
    parts = bare.str.extract(r"^[+-]?(?P<whole>[0-9 .,'’\u00a0\u202f]*?)(?:(?P<sign>[.,])(?P<rest>[0-9]+))?\Z")
    sign, rest, whole = parts["sign"].fillna(""), parts["rest"].fillna(""), parts["whole"].fillna("")
    grouping = whole.str.extract(r"([ .,'’\u00a0\u202f])", expand=False).fillna("")
    # A lone sign before exactly three digits may be either: "1.234". The same sign twice groups: "1.234.567".
    repeated = (sign != "") & (sign == grouping)
    either = (sign != "") & (grouping == "") & rest.str.len().eq(3) & whole.str.fullmatch("[1-9][0-9]{0,2}")
    decimals = sign[(sign != "") & ~repeated & ~either]
    groups = pd.concat([grouping[(grouping != "") & (grouping != sign)], sign[repeated]])
    thousands = _most(groups)
    if not decimals.empty:
        decimal = _most(decimals)
        return Signs(decimal, "" if thousands == decimal else thousands, currency=currency)
    if not either.any():
        return Signs("," if thousands == "." else ".", thousands, currency=currency)
    lone = _most(sign[either])
    if thousands == lone:
        return Signs("," if lone == "." else ".", lone, currency=currency)
    return Signs(lone, thousands, unsure=True, currency=currency)


def _most(signs: pd.Series[str]) -> str:
    return "" if signs.empty else _SPELLED.get(str(signs.mode()[0]), str(signs.mode()[0]))


_SPELLED = {"\u00a0": " ", "\u202f": " ", "’": "'"}
"""Signs that the transform `number` takes for the plain one."""


def _separator(text: pd.Series[str], weights: Weights, eligible: Mask) -> tuple[str, float]:
    """Return the sign that most cells hold between short pieces, and the share of the cells that hold it."""
    best, best_share = "", 0.0
    for sign in _SEPARATORS:
        holds = np.asarray(text.str.contains(re.escape(sign)), dtype=bool) & eligible
        share = float(weights[holds].sum() / weights.sum())
        if share < max(_LIST_SHARE, best_share + 1e-9):
            continue
        pieces = text[holds].str.split(sign, regex=False).explode().str.strip()
        if pieces.str.len().quantile(0.9) <= _ITEM_LENGTH:
            best, best_share = sign, share
    return best, best_share
