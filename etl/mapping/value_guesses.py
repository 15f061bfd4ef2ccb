"""What a column may be by its values alone, each with a confidence and a reason. Knows no names.

An address and a telephone number with its country code are believed under any header. What more than one field could
hold (an amount, a date, a postcode) is believed in full only where the header says nothing: 'Column1', 'B'.
"""

from __future__ import annotations

from typing import NamedTuple

from etl.contract import ACTIONS
from etl.mapping.looks import Look, plain_postcodes
from etl.mapping.synonyms import CURRENCY, DATE, FIRST_NAME

UNDER_A_NAME = 0.7
"""How much of a soft guess is left under a header that says something, though nothing known."""
_LEAST = 0.3
"""Guesses below this are not worth telling."""
_CLEARLY, _OFTEN, _KNOWN_ENOUGH = 0.8, 0.4, 0.3
_FEW = 3
"""Repeated values fewer than this are a status or a code rather than a person's or a place's."""


class Guess(NamedTuple):
    """A target that the values speak for. `hard`: nothing else looks like it."""

    target: str
    confidence: float
    reason: str
    hard: bool


def guesses(seen: Look, action: str, regions: tuple[str, ...], *, generic: bool) -> list[Guess]:
    """Return what the values alone make likely in a record of `action`.

    `regions`: where the sheet's people live, for postcodes of digits alone; `generic`: the header says nothing.
    """
    found = [Guess(ACTIONS[action].person, 0.75 * seen.email, _told(seen.email, "e-mail addresses"), hard=True)]
    if action == "contact.upsert":
        told = _told(seen.international, "telephone numbers with a country code")
        found.append(Guess("contact.phone", 0.7 * seen.international, told, hard=True))
        found += _of_a_person(seen, regions)
    if action == "event.create":
        told = _told(seen.event_type, "event types")
        found.append(Guess("contactExtEventType", 0.8 * seen.event_type, told, hard=True))
        found += _of_an_event(seen)
    factor = 1.0 if generic else UNDER_A_NAME
    weighed = [one if one.hard else one._replace(confidence=factor * one.confidence) for one in found]
    return [one for one in weighed if one.confidence > _LEAST]


def _of_a_person(seen: Look, regions: tuple[str, ...]) -> list[Guess]:
    found = [*_postcode(seen, regions), *_name(seen)]
    if seen.local >= _CLEARLY and seen.local > seen.amount:
        told = _told(seen.local, "telephone numbers without a country code")
        found.append(Guess("contact.phone", 0.65 * seen.local, told, hard=False))
    if seen.country >= _CLEARLY and not seen.flag:
        told = _told(seen.country, "countries")
        found.append(Guess("contact.address.country", 0.7 * seen.country, told, hard=False))
    if seen.town >= _KNOWN_ENOUGH:
        told = f"{percent(seen.town)} of values are well-known towns"
        found.append(Guess("contact.address.city", 0.6 + 0.1 * seen.town, told, hard=False))
    if seen.company >= _OFTEN:
        told = f"{percent(seen.company)} of values end as companies' names do (GmbH, S.A., Ltd)"
        found.append(Guess("contact.company", 0.6 + 0.1 * seen.company, told, hard=False))
    if seen.street >= _CLEARLY and seen.distinct >= _FEW:
        told = f"{percent(seen.street)} of values look like a street with a number"
        found.append(Guess("contact.address.streetAddress", 0.63 * seen.street, told, hard=False))
    if seen.date >= _CLEARLY:
        found.append(Guess(DATE, 0.7 * seen.date, _told(seen.date, "dates"), hard=False))
    return found


def _postcode(seen: Look, regions: tuple[str, ...]) -> list[Guess]:
    if seen.telling >= _CLEARLY:
        return [Guess("contact.address.zipCode", 0.7 * seen.telling, _told(seen.telling, "postcodes"), hard=False)]
    if seen.postcode < _CLEARLY or seen.distinct < _FEW or seen.amount:
        return []
    share = plain_postcodes(seen, regions)
    if share < _CLEARLY:
        return []
    told = f"{percent(share)} of values may be postcodes ({', '.join(regions[:3])})"
    return [Guess("contact.address.zipCode", 0.62 * share, told, hard=False)]


def _name(seen: Look) -> list[Guess]:
    if seen.person < _KNOWN_ENOUGH or seen.distinct < _FEW:
        return []
    told = f"{percent(seen.person)} of values hold a well-known given name"
    target = "contact.name" if seen.words >= 2 else FIRST_NAME
    return [Guess(target, 0.6 + 0.1 * seen.person, told, hard=False)]


def _of_an_event(seen: Look) -> list[Guess]:
    found = []
    if seen.amount >= _OFTEN and seen.number >= _CLEARLY:
        found.append(Guess("value", 0.65 * seen.number, _told(seen.number, "amounts"), hard=False))
    if seen.date >= _CLEARLY:
        found.append(Guess(DATE, 0.7 * seen.date, _told(seen.date, "dates"), hard=False))
    if seen.currency >= _CLEARLY:
        found.append(Guess(CURRENCY, 0.7 * seen.currency, _told(seen.currency, "currencies"), hard=False))
    return found


def percent(share: float) -> str:
    """Return `share` (0 to 1) as whole percents, rounded down so that 100 % means all."""
    return f"{int(100 * share + 1e-9)} %"


def _told(share: float, what: str) -> str:
    return f"{percent(share)} of values are {what}"
