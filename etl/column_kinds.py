"""What a column holds, in a word, and whether it is likely to be about people: from its name and a sample of values.

A judgement for a person who looks at a file. Nothing that is sent depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.mapping.header_names import QUALIFIED, match_name
from etl.mapping.looks import Look, fold, look_at_values
from etl.mapping.synonyms import FIRST_NAME, FLAT, HOUSE, LAST_NAME, STREET
from etl.mapping.value_guesses import percent
from etl.transforms.countries import find_country

SURE, LIKELY = 0.9, 0.6
"""Shares of the values from which a kind is believed where its name does not speak for it, and where it does."""
_FEW = 0.1
"""A share of e-mail addresses or telephone numbers from which a column counts as one about people."""
_ENOUGH = 5
"""Values below which a sign between words makes no list."""
_DATE_PARTS = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%H": "HH", "%M": "MM", "%S": "SS"}
_BIRTH = re.compile(r"birth|\bdob\b|urodz|geburt|geb\.?\s?dat|fodel|naiss|nacim|nascita|complean|cumple")
_NAMES = {
    FIRST_NAME: "a person's name",
    LAST_NAME: "a person's name",
    "contact.name": "a person's name",
    STREET: "an address",
    HOUSE: "an address",
    FLAT: "an address",
    "contact.address.streetAddress": "an address",
    "contact.address.zipCode": "an address",
    "contact.address.city": "an address",
    "contact.phone": "a telephone number",
    "contact.fax": "a telephone number",
}
_PESEL_WEIGHTS = np.array([1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1])

KINDS = (
    "email", "phone", "date", "date-time", "number", "whole-number", "postcode", "country", "yes-no", "list",
    "web-address", "text", "mixed", "empty",
)  # fmt: skip
"""The names of the kinds: stable, a program may rely on them."""

Weights = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column holds: one of KINDS; `detail`: how it is written; `share`: of the filled cells, 0 to 1."""

    name: str
    detail: str = ""
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Personal:
    """Why a column is likely to hold personal data: `kind` (a person's name, ...) and `why`."""

    kind: str
    why: str


def kind_of_column(header: str, values: pd.Series[str], weights: Weights) -> tuple[Kind, tuple[Personal, ...]]:
    """Return what a column holds; `values`: distinct, trimmed, none blank; `weights`: how many cells have each."""
    if values.empty:
        return Kind("empty"), ()
    seen = look_at_values(values, weights, int(weights.sum()))
    targets = {match.target for match in match_name(header, "contact.upsert") if match.score >= QUALIFIED}
    kind = _kind(seen, values, weights, targets)
    return kind, tuple(_personal(header, kind, seen, values, weights, targets))


def _kind(seen: Look, values: pd.Series[str], weights: Weights, targets: set[str]) -> Kind:
    is_phone, is_postcode = bool(targets & {"contact.phone", "contact.fax"}), "contact.address.zipCode" in targets
    # The first that holds: what is more particular stands before what holds of more.
    candidates = (
        (seen.email >= LIKELY, Kind("email", "", seen.email)),
        (seen.flag >= SURE, Kind("yes-no", _two_words(seen), seen.flag)),
        (seen.date >= LIKELY, _date(seen)),
        (is_phone and seen.phone >= LIKELY, Kind("phone", "", seen.phone)),
        (is_postcode and seen.postcode >= LIKELY, Kind("postcode", "", seen.postcode)),
        (seen.international >= LIKELY or (seen.phone >= SURE and seen.number < LIKELY), Kind("phone", "", seen.phone)),
        (seen.postcode >= SURE and max(seen.number, seen.text) < LIKELY, Kind("postcode", "", seen.postcode)),
        (seen.number >= LIKELY, _number(seen, values)),
        (seen.domain >= LIKELY, Kind("web-address", "", seen.domain)),
    )
    for holds, kind in candidates:
        if holds:
            return kind
    countries = _share(weights, [find_country(value) is not None for value in values])
    if countries >= SURE or (countries >= LIKELY and "contact.address.country" in targets):
        return Kind("country", "", countries)
    if seen.separator and seen.text >= LIKELY and seen.filled >= _ENOUGH:
        return Kind("list", f"by '{seen.separator}'")
    # Codes such as 0001-17 are no kind of their own.
    return _mixed(seen) if seen.text < LIKELY and _parts(seen) else Kind("text")


def _date(seen: Look) -> Kind:
    written = seen.date_format
    for part, letters in _DATE_PARTS.items():
        written = written.replace(part, letters)
    detail = f"{written}, or month first" if seen.day_or_month_unsure else written
    return Kind("date-time" if "%H" in seen.date_format else "date", detail, seen.date)


def _number(seen: Look, values: pd.Series[str]) -> Kind:
    if values.str.fullmatch("[+-]?[0-9]+").to_numpy(dtype=bool).all():
        has_zeros = values.str.match("0[0-9]").to_numpy(dtype=bool).any()
        return Kind("whole-number", "leading zeros" if has_zeros else "", seen.number)
    return Kind("number", _written(seen, has_decimals=bool(values.str.contains("[.,]").any())), seen.number)


def _written(seen: Look, *, has_decimals: bool) -> str:
    """Return a number as the column writes it: `1.234,5`."""
    signs = seen.signs
    if signs.unsure:
        return f"1{signs.decimal}234 (thousands or decimals?)"
    decimals = f"{signs.decimal}5" if has_decimals else ""
    return f"1{signs.thousands}234{decimals}{' and currency' if signs.currency else ''}"


def _two_words(seen: Look) -> str:
    return ", ".join([*seen.yes[:1], *seen.no[:1]])


def _mixed(seen: Look) -> Kind:
    most = _parts(seen)[:2]
    return Kind("mixed", ", ".join(f"{percent(share)} {name}" for share, name in most), most[0][0])


def _parts(seen: Look) -> list[tuple[float, str]]:
    """Return what a part of the cells holds, the largest part first."""
    shares = {
        "text": seen.text, "e-mail": seen.email, "phones": seen.international, "numbers": seen.number,
        "dates": seen.date, "postcodes": seen.postcode if seen.number < _FEW else 0.0,
    }  # fmt: skip
    return sorted(((share, name) for name, share in shares.items() if share >= _FEW), reverse=True)


def _personal(
    header: str, kind: Kind, seen: Look, values: pd.Series[str], weights: Weights, targets: set[str]
) -> Iterator[Personal]:
    if seen.email >= _FEW:
        yield Personal("an e-mail address", f"{percent(seen.email)} of the values are e-mail addresses")
    if kind.name == "phone":
        yield Personal("a telephone number", f"{percent(seen.phone)} of the values are telephone numbers")
    elif seen.international >= _FEW:
        yield Personal("a telephone number", f"{percent(seen.international)} of the values are telephone numbers")
    for name, is_one in (("PESEL", is_pesel), ("IBAN", is_iban), ("payment card", is_card)):
        share = _share(weights, [is_one(value) for value in values])
        if share >= LIKELY:
            yield Personal(f"a {name} number" if name != "IBAN" else "an IBAN", f"{percent(share)} of the values are")
    if _BIRTH.search(fold(header)) and kind.name not in {"yes-no", "email"}:
        yield Personal("a date of birth", "by name")
    suits = kind.name not in {"yes-no", "date", "date-time", "email"}
    named = next((_NAMES[target] for target in sorted(targets) if target in _NAMES), None)
    if named is not None and suits and not (named == "a telephone number" and kind.name == "phone"):
        yield Personal(named, "by name")
    elif kind.name in {"text", "mixed"} and seen.person >= LIKELY:
        yield Personal("a person's name", "many values are well-known first names")
    elif kind.name in {"text", "mixed"} and seen.street >= LIKELY:
        yield Personal("an address", f"{percent(seen.street)} of the values look like a street")


def is_pesel(value: str) -> bool:
    """Whether `value` is a Polish person's number: eleven digits, a month, and the right check digit."""
    if re.fullmatch("[0-9]{11}", value) is None or not 1 <= int(value[2:4]) % 20 <= 12:
        return False
    return int(np.dot(_PESEL_WEIGHTS, [int(digit) for digit in value])) % 10 == 0


def is_iban(value: str) -> bool:
    """Whether `value` is a bank account's number by ISO 13616, spaces or none, with the right check digits."""
    bare = value.replace(" ", "").upper()
    if re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", bare) is None:
        return False
    return int("".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4])) % 97 == 1


def is_card(value: str) -> bool:
    """Whether `value` is the number of a payment card: 13 to 19 digits, a known first one, and Luhn's check digit."""
    bare = re.sub("[ -]", "", value)
    if re.fullmatch("[3-6][0-9]{12,18}", bare) is None:
        return False
    doubled = [int(digit) * 2 for digit in bare[-2::-2]]
    return (sum(int(digit) for digit in bare[::-2]) + sum(two - 9 * (two > 9) for two in doubled)) % 10 == 0


def _share(weights: Weights, mask: list[bool]) -> float:
    return float(weights[np.asarray(mask, dtype=bool)].sum() / weights.sum())
