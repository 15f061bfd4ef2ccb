"""Which fields a header names, in any of the languages of `synonyms`. Looks at names alone, never at a value.

    header → words, folded → exactly a name → a name beside qualifying words → nearly a name

A name that means different things by language (CAP, Ort, nombre) is settled by the other headers of its sheet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from etl.contract import ACTIONS
from etl.mapping.looks import fold
from etl.mapping.synonyms import ANY_ACTION, CONTACT, DELETE, EVENT, OTHER, QUALIFIERS

EXACT, QUALIFIED = 1.0, 0.9
NEAR = 0.8
"""A name that is merely alike counts for four fifths at the most: 'County' is one letter from 'Country'."""
MIN_ALIKE, MIN_LETTERS = 0.79, 5
"""Likeness below which two names are strangers; 0.79 keeps 'Emial' and 'Telefn', and drops 'Start' for 'Stadt'."""
SURE_ALIKE, SHORT_NAME = 0.86, 7
"""A shorter or less alike name is believed only where the values speak for it."""
_TIED, _FOREIGN = 0.9, 0.55
"""What is left of a name that two fields share and nothing settles, and of its meaning in another language."""
_ABBREVIATION, _RARE = 4, 0.3
"""Names so short mean other things elsewhere: below this share of the sheet's language they are doubted."""

NAMES = {"contact.upsert": CONTACT, "contact.delete": DELETE, "event.create": EVENT}
_NUMBER_WORDS = frozenset({"n", "no", "nr", "num", "nro", "numero", "numer", "number", "nummer"})
_LOWER, _UPPER = "a-ząćęłńóśźżäöüßåéèêëáàâíìîïóòôúùûçñ", "A-ZĄĆĘŁŃÓŚŹŻÄÖÜÅÉÈÊÁÀÂÍÌÎÓÒÔÚÙÛÇÑ"
_GENERIC = re.compile(
    r"(?:column|col|field|feld|spalte|kolumna|kol|pole|kolumn|falt|columna|campo|colonne|champ|colonna|unnamed"
    r"|var|variable|attribute|f|x)?[\W_]*[0-9]+|[a-z]{1,2}"
)

Votes = Mapping[str, float]
"""Language → how many headers of the sheet speak it; a header of two languages is half a vote for each."""


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A header that resembles a name of `target`. `score`: 0 to 1; `languages`: in which it is one, none if in any."""

    target: str
    score: float
    languages: tuple[str, ...]
    reason: str
    weak: bool = False

    @property
    def language(self) -> str:
        """The one language in which it is a name, "" where there are several."""
        return self.languages[0] if len(self.languages) == 1 else ""


def is_generic(header: str) -> bool:
    """Whether a header says nothing of what is below it: 'Column1', 'Field 7', 'B', '3'."""
    return not header.strip() or _GENERIC.fullmatch(fold(header).strip()) is not None


def sheet_languages(headers: Iterable[str], action: str) -> Votes:
    """Return how strongly each language is spoken by `headers`; names that are merely alike have no vote."""
    votes: Counter[str] = Counter()
    for header in headers:
        spoken = {language for match in _exact(header, action) for language in match.languages}
        for language in spoken:
            votes[language] += 1 / len(spoken)  # type: ignore[assignment]
    return votes


def match_name(header: str, action: str, votes: Votes | None = None) -> list[NameMatch]:
    """Return the targets that `header` names: exactly, beside qualifying words, or (only then) nearly.

    `votes`: of the whole sheet (`sheet_languages`); without them no meaning is preferred.
    """
    votes = votes or {}
    return _settled(_exact(header, action) or _near(name_tokens(header), action, votes), votes, header)


def name_tokens(header: str) -> list[str]:
    """Return the words of a header, folded: `firstName`, `First-name` and `FIRST NAME` are first, name.

    `e mail` is one word however it is written, since many languages write it with a hyphen; so are the words and
    signs for a number (`N°`, `Nr`, `número`).
    """
    spaced = re.sub(f"(?<=[{_LOWER}])(?=[{_UPPER}])", " ", header.replace("°", "o ").replace("º", "o "))
    words = re.findall(r"[^\W_]+", fold(spaced))
    joined = re.sub(r"\be (mail|post|pos)\b", r"e\1", " ".join(words))
    joined = re.sub(r"\be (mail|post)", r"e\1", joined)
    return ["nr" if word in _NUMBER_WORDS else word for word in joined.split()]


Index = dict[str, list[tuple[str, tuple[str, ...], str]]]


def _exact(header: str, action: str) -> list[NameMatch]:
    """Return the targets of which the header is a name, as it stands or without qualifying words."""
    tokens = name_tokens(header)
    index = _index(action)
    found = index.get("".join(tokens))
    if found:
        return [NameMatch(target, EXACT, spoken, f"name like '{name}'") for target, spoken, name in found]
    bare = name_tokens(re.sub(r"\(.*?\)|\[.*?\]", " ", header))
    keys = ["".join(bare), *("".join(_unqualified(words)) for words in (tokens, bare))]
    keys.append(_reordered(action).get(tuple(sorted(tokens)), ""))
    for key in keys:
        entries = index.get(key) or _bare_index(action).get(key)
        if entries:
            return [
                NameMatch(target, QUALIFIED, spoken, f"name like '{name}', in other words")
                for target, spoken, name in entries
            ]
    return []


def _unqualified(tokens: Iterable[str]) -> list[str]:
    return [word for word in tokens if word not in QUALIFIERS]


@cache
def _index(action: str) -> Index:
    """Return name (folded, joined) → its targets, each with its languages and the name as the table has it."""
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
    spoken = (language,) if language else ()
    entries = index.setdefault("".join(name_tokens(name)), [])
    for place, (known, others, first) in enumerate(entries):
        if known == target:
            entries[place] = (target, others if language in others else (*others, *spoken), first)
            return
    entries.append((target, spoken, name))


@cache
def _bare_index(action: str) -> Index:
    """Return the names of several words without their qualifying words: 'numero de pedido' as `nr pedido`."""
    index: Index = {}
    for entries in list(_index(action).values()):
        for target, spoken, name in entries:
            words = name_tokens(name)
            bare = _unqualified(words)
            if target != OTHER and 1 < len(bare) < len(words) and "".join(bare) not in _index(action):
                for language in spoken:
                    _enter(index, target, language, " ".join(bare))
    return index


@cache
def _reordered(action: str) -> dict[tuple[str, ...], str]:
    """Return the words of each name of several words, sorted → the key of the name in `_index`."""
    names = (entry[2] for entries in _index(action).values() for entry in entries)
    several = (words for words in map(name_tokens, names) if len(words) > 1)
    return {tuple(sorted(words)): "".join(words) for words in several}


@cache
def _long_names(action: str) -> list[str]:
    return [name for name in _index(action) if len(name) >= MIN_LETTERS]


def _near(tokens: list[str], action: str, votes: Votes) -> list[NameMatch]:
    key = "".join(tokens)
    if len(key) < MIN_LETTERS:
        return []
    # A scorer that looks at words alone found 'first_name' for 'Surname'; letters in their order do not.
    found = process.extract(
        key, _long_names(action), scorer=OSA.normalized_similarity, score_cutoff=MIN_ALIKE, limit=None
    )
    if not found:
        return []
    index = _index(action)
    closest = [name for name, alike, _ in found if alike > found[0][1] - 0.001]
    name = max(closest, key=lambda one: max(_support(spoken, votes) for _, spoken, _ in index[one]))
    alike = found[0][1]
    weak = alike < SURE_ALIKE or len(key) < SHORT_NAME
    return [
        NameMatch(target, NEAR * alike, spoken, f"name close to '{written}'", weak)
        for target, spoken, written in index[name]
    ]


def _support(spoken: tuple[str, ...], votes: Votes) -> float:
    """Return the most votes that one of the languages has; a name of no language is one of each."""
    return max((votes.get(language, 0.0) for language in spoken or votes), default=0.0)


def _settled(found: list[NameMatch], votes: Votes, header: str) -> list[NameMatch]:
    """Return the matches with less belief in what the sheet's language does not mean by the name."""
    if len({match.target for match in found}) > 1:
        most = max(_support(match.languages, votes) for match in found)
        ties = sum(_support(match.languages, votes) == most for match in found) > 1
        return [_believed(match, _support(match.languages, votes), most, ties=ties) for match in found]
    if len("".join(name_tokens(header))) > _ABBREVIATION or not votes:
        return found
    most = max(votes.values())
    return [
        replace(match, score=match.score * (_TIED - 0.1))
        if match.languages and _support(match.languages, votes) < _RARE * most
        else match
        for match in found
    ]


def _believed(match: NameMatch, support: float, most: float, *, ties: bool) -> NameMatch:
    if support == most:
        return replace(match, score=match.score * _TIED) if ties else match
    share = support / most if most else 1.0
    return replace(match, score=match.score * (_FOREIGN + 0.3 * share))
