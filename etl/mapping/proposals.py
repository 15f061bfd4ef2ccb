"""Which transforms suit the values of a column in a field, and in which region its telephone numbers are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from etl.mapping.candidates import percent
from etl.mapping.draft import Call
from etl.mapping.looks import Look
from etl.mapping.synonyms import CURRENCY_REGION, DOMAIN_REGIONS, LANGUAGE_REGIONS
from etl.records import Lists, text_series
from etl.transforms import CATALOGUE
from etl.transforms.registry import as_outcome

_INTERNATIONAL, _VALID = 0.95, 0.7
_LOOKED_AT = 100
_DATE_WORDS = {"%d": "DD", "%m": "MM", "%y": "YY", "%Y": "YYYY", "%H": "HH", "%M": "mm", "%S": "ss"}
EMAIL_PATHS = frozenset({"contact.email", "email", "newEmail"})


@dataclass(frozen=True, slots=True)
class Hints:
    """What the rest of the sheet says of where its people live. `regions`: codes, the best guess first."""

    regions: tuple[str, ...] = ()


def hints(languages: Iterable[str], countries: Look | None, currencies: Look | None, emails: Look | None) -> Hints:
    """Return the regions that a country column, a currency, the headers' languages and the addresses speak for."""
    found: list[str] = []
    if countries is not None and countries.filled:
        found += _converted("country", countries.values)
    if currencies is not None:
        found += [CURRENCY_REGION[v.upper()] for v in currencies.values if v.upper() in CURRENCY_REGION]
    for language in languages:
        found += LANGUAGE_REGIONS.get(language, ())
    if emails is not None:
        ends = [address.rsplit(".", 1)[-1].upper() for address in emails.values]
        found += [{"UK": "GB"}.get(end, end) for end in dict.fromkeys(ends) if end in DOMAIN_REGIONS]
    return Hints(tuple(dict.fromkeys(found)))


def propose(path: str, seen: Look, near: Hints) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    """Return the transforms for a column that feeds `path`, and what a person should know about them."""
    if path in EMAIL_PATHS:
        # `email` writes domains with other letters the way they are sent; `lower` is enough, and clearer, elsewhere.
        return (("strip", None), ("lower", None) if seen.ascii > 0.999 or not seen.filled else ("email", None)), ()
    if path in {"contact.phone", "contact.fax"}:
        return _phone(seen, near)
    if path == "value":
        return _number(seen)
    if path == "tags":
        return _tags(seen)
    if path == "contactExtEventType":
        return (("strip", None),) if seen.capitals or not seen.filled else (("strip", None), ("upper", None)), ()
    if path in {"contact.address.zipCode", "externalId", "shopDomain"}:
        return (("strip", None),), ()
    return (("squeeze", None),), ()


def propose_free(seen: Look) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    """Return the transforms for a column under a key of one's own: dates become ISO dates, amounts plain numbers.

    The rest stays, whole numbers too: a postcode or a customer number may start with a nought.
    """
    if _is_amount(seen):
        return _number(seen)
    if seen.date < _VALID or not seen.date_format:
        return (), ()
    if seen.date_format.startswith("%Y-%m-%d"):
        return (), ()
    if seen.day_or_month_unsure:
        return (("date", None),), ("days and months cannot be told apart here: the whole column will decide",)
    return (("date", _in_words(seen.date_format)),), ()


def _in_words(date_format: str) -> str:
    """Return strptime's codes as people write them: `%d.%m.%Y` is DD.MM.YYYY."""
    return re.sub("%[dmyYHMS]", lambda code: _DATE_WORDS[code[0]], date_format)


def _is_amount(seen: Look) -> bool:
    if seen.number < _VALID or max(seen.date, seen.phone, seen.postcode) >= _VALID:
        return False
    if seen.signs.currency or seen.signs.thousands:
        return True
    return any(re.search("[0-9][.,][0-9]", value) for value in seen.values)


def _phone(seen: Look, near: Hints) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    if not seen.phone:
        return (("strip", None),), ()
    if seen.international >= _INTERNATIONAL * seen.phone:
        return (("phone", None),), ("numbers carry their country code",)
    local = [v for v in seen.values if not v.startswith(("+", "00")) and sum(c in "0123456789" for c in v) > 5]
    for region in near.regions:
        share = len(_converted("phone", local, region=region)) / max(len(local[:_LOOKED_AT]), 1)
        if share >= _VALID:
            return (("phone", region),), (f"{percent(share)} of numbers without a country code are valid in {region}",)
    return (("strip", None),), ("some numbers lack the country code: write {phone: XX} with their region",)


def _converted(name: str, values: Sequence[str], **arguments: str) -> list[str]:
    """Return what the transform makes of the first values, without those on which it fails."""
    column = text_series(list(values[:_LOOKED_AT]))
    outcome = as_outcome(CATALOGUE[name].call(column, **arguments))
    if isinstance(outcome.values, Lists):
        raise AssertionError(f"BUG: {name} gives lists")
    good = outcome.values if outcome.failed is None else outcome.values[~outcome.failed]
    return [str(value) for value in good]


def _number(seen: Look) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    signs = seen.signs
    arguments = {
        name: value
        for name, value, usual in (
            ("decimal", signs.decimal, "."),
            ("thousands", signs.thousands, ""),
            ("currency", "true" if signs.currency else "", ""),
        )
        if value != usual
    }
    told = ("'1.234' and '1,234' can be read in two ways: check the signs",) if signs.unsure else ()
    return (("number", arguments or None),), told


def _tags(seen: Look) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    if not seen.separator:
        return (("squeeze", None),), ()
    return (("split", seen.separator),), ()
