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
from etl.mapping.wordlists import CITIES, CURRENCIES, GIVEN_NAMES, LEGAL_FORM
from etl.records import Mask
from etl.transforms.countries import find_country
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
_TELLING_POSTCODE = (
    r"[0-9]{2}-[0-9]{3}|[A-Z]{1,2}-[0-9]{4,5}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{5}-[0-9]{4}|[0-9]{4}-[0-9]{3}"
    r"|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
)
_PLAIN_POSTCODE = {
    4: frozenset({"AT", "BE", "CH", "DK", "HU", "NO"}),
    5: frozenset({"DE", "ES", "FI", "FR", "IT", "US"}),
}
_YEAR = "(?:19|20)[0-9]{2}"
_GROUPED_DIGITS = r"(?:\+|00)?[0-9(][0-9()]*(?:[ /.\-\u00a0()]+[0-9]+)+"
_STREET = (
    r"[^\W\d_][^0-9@]{3,} [0-9]{1,4} ?[A-Za-z]?(?:[ /-]+[0-9A-Za-z]{1,4})?"
    r"|[0-9]{1,4}[A-Za-z]?,? [^\W\d_][^0-9@]{4,}"
)
_PERSON = r"[^\W\d_][^\W\d_'’.-]*(?:[ '’-]+[^\W\d_][^\W\d_.]*){0,4}"
_ENOUGH_KNOWN = 200
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
_LOCAL_DIGITS = 9
_MOSTLY = 0.5

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
    `local`: one written in groups or with a leading nought, without it; `amount`: a number with decimals, groups or a
    currency; `telling`: a postcode that can be nothing else; `person`, `town`: of well-known names (far from all);
    `words`: how many a cell has, the median; `date_format`: as strptime reads it, "" where no date; `capitals`: no
    small letter anywhere; `yes` and `no`: the words that stand in the cells; `separator`: "" where no lists.
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
    local: float = 0.0
    amount: float = 0.0
    telling: float = 0.0
    country: float = 0.0
    person: float = 0.0
    town: float = 0.0
    company: float = 0.0
    street: float = 0.0
    currency: float = 0.0
    words: float = 0.0
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
    text: pd.Series[str] = counts.index.to_series().reset_index(drop=True).astype(column.dtype)
    return look_at_values(text, np.asarray(counts, dtype=np.int64), len(column))


def look_at_values(text: pd.Series[str], weights: Weights, rows: int) -> Look:
    """Return what a column of `rows` cells looks like, of which `text` are the values: unique, trimmed, none blank.

    `weights`: int64, how often each of them occurs.
    """
    if text.empty:
        return Look(rows, 0, 0)

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
        rows=rows,
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
        local=share(phone & ~international & ~_full(text, _POSTCODE) & _is_local(text)),
        amount=share(number & ~phone & ~dated & (text.str.contains(r"[.,][0-9]|[^0-9.,+ -]")).to_numpy()),
        telling=share(_full(text, _TELLING_POSTCODE)),
        company=share(_full(text.str.lower(), rf".+\s{LEGAL_FORM}")),
        street=share(_full(text, _STREET) & ~dated & ~number),
        currency=share(text.str.upper().isin(CURRENCIES)),
        words=float(text.str.count(r"\s+").add(1).median()),
        **_known(text.head(_ENOUGH_KNOWN), folded.head(_ENOUGH_KNOWN)),
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


def plain_postcodes(seen: Look, regions: tuple[str, ...]) -> float:
    """Return the share of values that may be postcodes of digits alone in one of `regions`; years are none."""
    lengths = [length for length, countries in _PLAIN_POSTCODE.items() if not countries.isdisjoint(regions)]
    values: pd.Series[str] = pd.Series(seen.values, dtype="str")
    if not lengths or not len(values) or _full(values, _YEAR).mean() > _MOSTLY:
        return 0.0
    return float(_full(values, "|".join(f"[0-9]{{{length}}}" for length in lengths)).mean())


def _is_local(text: pd.Series[str]) -> Mask:
    """Return which telephone numbers are written as nothing else is: grouped, or with a nought before them."""
    grouped = _full(text, _GROUPED_DIGITS) & ~_full(text, r"[0-9]+[.,][0-9]+|[0-9]{1,2}(?: [0-9]{3})+")
    digits = text.str.count("[0-9]").to_numpy()
    return (grouped & (digits >= _LOCAL_DIGITS)) | (_full(text, "0[1-9][0-9]+") & (digits > _LOCAL_DIGITS))


def _known(text: pd.Series[str], folded: pd.Series[str]) -> dict[str, float]:
    """Return the shares of the unique values that are countries, persons' names and towns as far as they are known."""
    names = _full(text, _PERSON)
    known = folded.str.split(r"[\s,-]+").map(lambda words: not GIVEN_NAMES.isdisjoint(words[:3])).to_numpy(dtype=bool)
    return {
        "country": float(text.map(lambda value: find_country(value) is not None).mean()),
        "person": float((names & known).mean()),
        "town": float(folded.isin(CITIES).mean()),
    }


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
