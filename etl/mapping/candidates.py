"""How well a column serves as a field: by its name, by its values, and why. Decides about one pair at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from etl.contract import ACTIONS
from etl.mapping.looks import Look, fold
from etl.mapping.synonyms import (
    ANY_ACTION,
    CONSENT,
    CONTACT,
    DATE,
    DELETE,
    EVENT,
    FIRST_NAME,
    FLAT,
    HOUSE,
    LAST_NAME,
    QUALIFIERS,
    STREET,
)

ACTIVE, POSSIBLE = 0.6, 0.4
"""Confidences from which a line is active, and from which it is offered as a comment."""
EXACT, QUALIFIED = 1.0, 0.9
NEAR = 0.8
"""A name that is merely alike counts for four fifths at the most: 'County' is one letter from 'Country'."""
MIN_ALIKE, MIN_LETTERS = 0.79, 5
"""Likeness below which two names are strangers; 0.79 keeps 'Emial' and 'Telefn', and drops 'Start' for 'Stadt'."""
SURE_ALIKE, SHORT_NAME = 0.86, 7
"""A shorter or less alike name is believed only where the values speak for it."""
CLEAR, FAINT = 0.6, 0.2
"""Shares of values from which they speak for a field, and below which they speak against it."""
MANY = 10
"""So few values say nothing against a name."""

NAMES = {"contact.upsert": CONTACT, "contact.delete": DELETE, "event.create": EVENT}
TEXT_TARGETS = frozenset(
    {
        "contact.name", "contact.company", "contact.address.streetAddress", "contact.address.city",
        "contact.address.country", "tags", FIRST_NAME, LAST_NAME, STREET,
    }
)  # fmt: skip
FREE_TARGETS = frozenset({"externalId", "description", "products", "location", HOUSE, FLAT})


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A header that resembles a name of `target`. `score`: 0 to 1; `language`: of the name, "" if it tells none."""

    target: str
    score: float
    language: str
    reason: str
    weak: bool = False


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


def candidates(column: Column, action: str) -> list[Candidate]:
    """Return everything that the column could be in a record of `action`, in no order."""
    found = {match.target: _weigh(column, match) for match in match_name(column.name, action)}
    for target, sure, told in _guesses(column.seen, action):
        named = found.get(target)
        if named is None:
            found[target] = Candidate(column, target, round(sure, 3), (told,))
        elif named.confidence < sure:
            # Name and values agree, each of them weakly; together they are believed more, within the limit of NEAR.
            found[target] = replace(named, confidence=round(min(NEAR, sure + 0.03), 3))
    return list(found.values())


def match_name(header: str, action: str) -> list[NameMatch]:
    """Return the targets that `header` names: exactly, beside qualifying words, or (only then) nearly."""
    tokens = name_tokens(header)
    index = _index(action)
    exact = index.get("".join(tokens))
    if exact:
        return [NameMatch(target, EXACT, language, f"name like '{name}'") for target, language, name in exact]
    bare = name_tokens(re.sub(r"\(.*?\)|\[.*?\]", " ", header))
    keys = ["".join(bare), *("".join(word for word in words if word not in QUALIFIERS) for words in (tokens, bare))]
    keys.append(_reordered(action).get(tuple(sorted(tokens)), ""))
    for key in keys:
        if key in index:
            return [
                NameMatch(target, QUALIFIED, language, f"name like '{name}', in other words")
                for target, language, name in index[key]
            ]
    return _near(tokens, index)


def name_tokens(header: str) -> list[str]:
    """Return the words of a header, folded: `firstName`, `First-name` and `FIRST NAME` are first, name.

    `e mail` is one word however it is written, since many languages write it with a hyphen.
    """
    spaced = re.sub(r"(?<=[a-ząćęłńóśźżäöüß])(?=[A-ZĄĆĘŁŃÓŚŹŻÄÖÜ])", " ", header)
    words = re.findall(r"[^\W_]+", fold(spaced))
    joined = " ".join(words)
    return re.sub(r"\be (mail|post)", r"e\1", joined).split()


Index = dict[str, list[tuple[str, str, str]]]


@cache
def _index(action: str) -> Index:
    """Return name (folded, joined) → its targets, each with the language and the name as the table has it."""
    index: Index = {}
    for names in (NAMES[action], ANY_ACTION):
        for target, by_language in names.items():
            for language, listed in by_language.items():
                for name in listed:
                    _enter(index, target, language, name)
    for field in ACTIONS[action].fields:
        if field.path not in {"properties", "dictionaryProperties"}:
            for name in (field.path, field.flat_name):
                _enter(index, field.path, "", name)
    return index


def _enter(index: Index, target: str, language: str, name: str) -> None:
    entries = index.setdefault("".join(name_tokens(name)), [])
    for place, (known, spoken, first) in enumerate(entries):
        if known == target:
            entries[place] = (target, spoken if spoken == language else "", first)
            return
    entries.append((target, language, name))


@cache
def _reordered(action: str) -> dict[tuple[str, ...], str]:
    """Return the words of each name of several words, sorted → the key of the name in `_index`."""
    names = (entry[2] for entries in _index(action).values() for entry in entries)
    several = (words for words in map(name_tokens, names) if len(words) > 1)
    return {tuple(sorted(words)): "".join(words) for words in several}


def _near(tokens: list[str], index: Index) -> list[NameMatch]:
    key = "".join(tokens)
    if len(key) < MIN_LETTERS:
        return []
    # A scorer that looks at words alone found 'first_name' for 'Surname'; letters in their order do not.
    names = [name for name in index if len(name) >= MIN_LETTERS]
    found = process.extractOne(key, names, scorer=OSA.normalized_similarity, score_cutoff=MIN_ALIKE)
    if found is None:
        return []
    alike = found[1]
    weak = alike < SURE_ALIKE or len(key) < SHORT_NAME
    return [
        NameMatch(target, NEAR * alike, language, f"name close to '{name}'", weak)
        for target, language, name in index[found[0]]
    ]


def _weigh(column: Column, match: NameMatch) -> Candidate:
    """Return the match with its confidence after a look at the values."""
    seen = column.seen
    if not seen.filled:
        return Candidate(column, match.target, 0.85 * match.score, (match.reason, "no values seen"), match.language)
    share, told = _fit(match.target, seen)
    if share is None:
        certainty = 0.75 if match.weak else 0.95
    elif share >= CLEAR:
        certainty = 0.9 + 0.09 * share
    else:
        certainty = 0.6 if share >= FAINT else 0.25
    reasons = (match.reason, told) if told else (match.reason,)
    return Candidate(column, match.target, round(match.score * certainty, 3), reasons, match.language)


def _fit(target: str, seen: Look) -> tuple[float | None, str]:
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
        wrong = max(seen.email, seen.date, seen.flag, 1 - max(seen.text, seen.email))
        return (0.0, "values are no such text") if wrong > 1 - FAINT else (None, "")
    if target in FREE_TARGETS:
        wrong = max(seen.email, seen.date, seen.flag if seen.filled >= MANY else 0.0)
        return (0.0, "values are of another kind") if wrong > 1 - FAINT and target not in {HOUSE, FLAT} else (None, "")
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


def _guesses(seen: Look, action: str) -> list[tuple[str, float, str]]:
    """Return (target, confidence, reason) for what the values alone make likely."""
    email = ACTIONS[action].person
    guesses = [(email, 0.75 * seen.email, f"{percent(seen.email)} of values are e-mail addresses")]
    if action == "contact.upsert":
        told = f"{percent(seen.international)} of values are telephone numbers with a country code"
        guesses.append(("contact.phone", 0.7 * seen.international, told))
    if action == "event.create":
        told = f"{percent(seen.event_type)} of values are event types"
        guesses.append(("contactExtEventType", 0.8 * seen.event_type, told))
    return [guess for guess in guesses if guess[1] > 0.3]


def percent(share: float) -> str:
    """Return `share` (0 to 1) as whole percents, rounded down so that 100 % means all."""
    return f"{int(100 * share + 1e-9)} %"
