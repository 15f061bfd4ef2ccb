"""What the values of a column look like, for drafting a mapping. Judges a sample; never changes a value.

Every share is between 0 and 1, of the cells that are not blank. Work is done on unique values, weighted by how often
they occur: in plain lists and with compiled patterns, each asked only of the values that can match it. A call of pandas
costs more than a pattern on a hundred values, and a wide sheet has thousands of such columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.contract import EVENT_TYPES
from etl.mapping.figures import PLAIN, Signs, among, chosen, figures_of, flags, format_of, full, plain_share, signs_of
from etl.mapping.synonyms import NO, YES
from etl.mapping.wordlists import CITIES, CURRENCIES, GIVEN_NAMES, LEGAL_FORM
from etl.records import Mask
from etl.transforms.countries import find_country
from etl.transforms.folding import fold_accents

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}")
_STREET = re.compile(
    r"[^\W\d_][^0-9@]{3,} [0-9]{1,4} ?[A-Za-z]?(?:[ /-]+[0-9A-Za-z]{1,4})?"
    r"|[0-9]{1,4}[A-Za-z]?,? [^\W\d_][^0-9@]{4,}"
)
_PERSON = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:[ '’-]+[^\W\d_][^\W\d_.]*){0,4}")
_COMPANY = re.compile(rf".+\s{LEGAL_FORM}")
_BETWEEN_NAMES = re.compile(r"[\s,-]+")
_ENOUGH_KNOWN = 200
_DOMAIN = re.compile(r"(?:https?://)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}/?")
_LETTER = re.compile(r"[^\W0-9_]")
_SPACE = re.compile(r"\s+")
_SEPARATORS = (";", "|", ",")
_LIST_SHARE = 0.15
_ITEM_LENGTH = 32
_FLAG_WORDS = 6

Weights = npt.NDArray[np.int64]


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
    signs: Signs = PLAIN
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
    values, total = text.tolist(), weights.sum()

    def share(mask: Mask) -> float:
        return float(weights[mask].sum() / total)

    upper, lower, folded = text.str.upper().tolist(), text.str.lower().tolist(), [fold(value) for value in values]
    spaces = [len(_SPACE.findall(value)) for value in values]
    is_yes, is_no = among(folded, YES), among(folded, NO)
    email = full(_EMAIL, values, flags("@" in value for value in values))
    figures = figures_of(values)
    separator, listed = _separator(values, weights, ~email & ~figures.number & ~figures.dated)
    date_format, unsure = format_of(figures.dates, mostly_compact=share(figures.compact) > 0.5)
    one_word = flags(not count for count in spaces)
    return Look(
        rows=rows,
        filled=int(total),
        distinct=len(values),
        text=share(flags(_LETTER.search(value) is not None for value in values) & ~email),
        email=share(email),
        ascii=share(flags(value.isascii() for value in values)),
        phone=share(figures.phone),
        international=share(figures.international),
        number=share(figures.number),
        date=share(figures.dated),
        postcode=share(figures.postcode),
        local=share(figures.local),
        amount=share(figures.amount),
        telling=share(figures.telling),
        company=share(full(_COMPANY, lower, ~one_word)),
        street=share(full(_STREET, values, figures.any & ~figures.dated & ~figures.number)),
        currency=share(among(upper, CURRENCIES)),
        words=float(np.median(spaces)) + 1,
        **_known(values[:_ENOUGH_KNOWN], folded[:_ENOUGH_KNOWN]),
        domain=share(full(_DOMAIN, lower, one_word & flags("." in value for value in values))),
        event_type=share(among(upper, EVENT_TYPES)),
        flag=share(is_yes | is_no) if len(values) <= _FLAG_WORDS else 0.0,
        listed=listed,
        signs=signs_of(chosen(values, figures.number)),
        date_format=date_format,
        day_or_month_unsure=unsure,
        capitals=values == upper,
        separator=separator,
        yes=tuple(chosen(values, is_yes)),
        no=tuple(chosen(values, is_no)),
        values=tuple(values),
    )


def plain_postcodes(seen: Look, regions: tuple[str, ...]) -> float:
    """Return the share of values that may be postcodes of digits alone in one of `regions`; years are none."""
    return plain_share(seen.values, regions)


def _known(values: Sequence[str], folded: Sequence[str]) -> dict[str, float]:
    """Return the shares of the unique values that are countries, persons' names and towns as far as they are known."""
    known = [not GIVEN_NAMES.isdisjoint(_BETWEEN_NAMES.split(value)[:3]) for value in folded]
    return {
        "country": float(np.mean([find_country(value) is not None for value in values])),
        "person": float(full(_PERSON, values, np.array(known, dtype=bool)).mean()),
        "town": float(among(folded, CITIES).mean()),
    }


def fold(text: str) -> str:
    """Return `text` case-folded and without accents: `Zażółć` becomes `zazolc`, `Straße` `strasse`."""
    return text.lower() if text.isascii() else fold_accents(unicodedata.normalize("NFKC", text)).casefold()


def _separator(values: Sequence[str], weights: Weights, eligible: Mask) -> tuple[str, float]:
    """Return the sign that most cells hold between short pieces, and the share of the cells that hold it."""
    best, best_share = "", 0.0
    for sign in _SEPARATORS:
        holds = flags(sign in value for value in values) & eligible
        share = float(weights[holds].sum() / weights.sum())
        if share < max(_LIST_SHARE, best_share + 1e-9):
            continue
        lengths = [len(piece.strip()) for value in chosen(values, holds) for piece in value.split(sign)]
        if np.quantile(lengths, 0.9) <= _ITEM_LENGTH:
            best, best_share = sign, share
    return best, best_share
