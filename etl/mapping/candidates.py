"""How well a column serves as a field: by its name, by its values, and why. Decides about one pair at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from etl.mapping.header_names import (
    EXACT,
    NEAR,
    QUALIFIED,
    NameMatch,
    Votes,
    is_generic,
    match_name,
    name_tokens,
    sheet_languages,
)
from etl.mapping.looks import Look
from etl.mapping.synonyms import CONSENT, DATE, FIRST_NAME, FLAT, HOUSE, LANGUAGE_REGIONS, LAST_NAME, STREET
from etl.mapping.value_guesses import guesses, percent
from etl.transforms.countries import find_country

__all__ = [
    "ACTIVE", "EXACT", "NEAR", "POSSIBLE", "QUALIFIED", "Candidate", "Column", "Context", "NameMatch", "candidates",
    "fit", "match_name", "name_tokens", "percent",
]  # fmt: skip

ACTIVE, POSSIBLE = 0.6, 0.4
"""Confidences from which a line is active, and from which it is offered as a comment."""
CLEAR, FAINT = 0.6, 0.2
"""Shares of values from which they speak for a field, and below which they speak against it."""
MANY = 10
"""So few values say nothing against a name."""
_SAYS_WHERE = 0.8
"""Share of countries among its values from which a column tells where the sheet's people live."""

TEXT_TARGETS = frozenset(
    {
        "contact.name", "contact.company", "contact.address.streetAddress", "contact.address.city",
        "contact.address.country", "tags", FIRST_NAME, LAST_NAME, STREET,
    }
)  # fmt: skip
FREE_TARGETS = frozenset({"externalId", "description", "products", "location", HOUSE, FLAT})


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a mapping can name: its position in the header, its name (trimmed), what its values look like."""

    position: int
    name: str
    seen: Look


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column as a field (or another target). `confidence`: 0 to 1; `reasons`: for a person, most telling first."""

    column: Column
    target: str
    confidence: float
    reasons: tuple[str, ...]
    language: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What the whole sheet says of each of its columns. `regions`: where its people live, the best guess first."""

    votes: Votes = field(default_factory=dict)
    regions: tuple[str, ...] = ()

    @classmethod
    def of(cls, columns: Iterable[Column], action: str) -> Context:
        """Return the context of a sheet with these columns, for a record of `action`."""
        columns = list(columns)
        votes = sheet_languages((column.name for column in columns), action)
        told = [
            code
            for column in columns
            if column.seen.country >= _SAYS_WHERE
            for value in column.seen.values[:20]
            if (code := find_country(value)) is not None
        ]
        spoken = [code for language in sorted(votes, key=lambda one: -votes[one]) for code in _regions(language)]
        return cls(votes, tuple(dict.fromkeys([*told, *spoken])))


def _regions(language: str) -> tuple[str, ...]:
    return LANGUAGE_REGIONS.get(language, ())


def candidates(column: Column, action: str, context: Context | None = None) -> list[Candidate]:
    """Return everything that the column could be in a record of `action`, in no order."""
    context = context or Context()
    matches = match_name(column.name, action, context.votes)
    found = {match.target: _weigh(column, match) for match in matches}
    said = any(not match.weak for match in matches)
    generic = not matches and is_generic(column.name)
    for target, sure, told, hard in guesses(column.seen, action, context.regions, generic=generic):
        named = found.get(target)
        if named is None and (hard or not said):
            found[target] = Candidate(column, target, round(sure, 3), (told,))
        elif named is not None and named.confidence < sure:
            # Name and values agree, each of them weakly; together they are believed more, within the limit of NEAR.
            found[target] = replace(named, confidence=round(min(NEAR, sure + 0.03), 3))
    return list(found.values())


def _weigh(column: Column, match: NameMatch) -> Candidate:
    """Return the match with its confidence after a look at the values."""
    seen = column.seen
    if not seen.filled:
        sure = round(0.85 * match.score, 3)
        return Candidate(column, match.target, sure, (match.reason, "no values seen"), match.language)
    share, told = fit(match.target, seen)
    if share is None:
        certainty = 0.75 if match.weak else 0.95
    elif share >= CLEAR:
        certainty = 0.9 + 0.09 * share
    else:
        certainty = 0.6 if share >= FAINT else 0.25
    reasons = (match.reason, told) if told else (match.reason,)
    return Candidate(column, match.target, round(match.score * certainty, 3), reasons, match.language)


def fit(target: str, seen: Look) -> tuple[float | None, str]:
    """Return the share of values that suit `target`, and this in words; None where values cannot tell."""
    if target in _KINDS:
        kind, words = _KINDS[target]
        share = getattr(seen, kind)
        if target == CONSENT and share < CLEAR:
            return 0.0, f"few values are {words}"
        return share, f"{percent(share)} of values are {words}"
    if target in TEXT_TARGETS:
        if target == "tags" and seen.separator and seen.text >= CLEAR:
            return 1.0, f"{percent(seen.listed)} of values are lists with '{seen.separator}'"
        if target == "contact.address.country" and seen.country >= CLEAR:
            return seen.country, f"{percent(seen.country)} of values are countries"
        wrong = max(seen.email, seen.date, seen.flag, 1 - max(seen.text, seen.email))
        return (0.0, "values are no such text") if wrong > 1 - FAINT else (None, "")
    if target in FREE_TARGETS:
        wrong = max(seen.email, seen.date, seen.flag if seen.filled >= MANY else 0.0)
        wrong = seen.email if target in {HOUSE, FLAT} else wrong
        return (0.0, "values are of another kind") if wrong > 1 - FAINT else (None, "")
    return None, ""


_KINDS = {
    "contact.email": ("email", "e-mail addresses"),
    "email": ("email", "e-mail addresses"),
    "newEmail": ("email", "e-mail addresses"),
    "contact.phone": ("phone", "telephone numbers"),
    "contact.fax": ("phone", "telephone numbers"),
    "contact.address.zipCode": ("postcode", "postcodes"),
    "value": ("number", "numbers"),
    "contactExtEventType": ("event_type", "event types"),
    "shopDomain": ("domain", "domains"),
    CONSENT: ("flag", "yes or no"),
    DATE: ("date", "dates"),
}
