"""Words that were probably meant. Knows words alone, no mapping and no file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rapidfuzz import fuzz, process

_CLOSE = 60
"""Below this likeness (0 to 100) a word is no help; 60 keeps `emial`, `trim_spaces` and `contact.mail`."""


def squash(name: str) -> str:
    """Return `name` case-folded, in one Unicode form, without spaces and punctuation; "" if there is nothing else."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] not in "PSZC")


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` that `word` was probably meant to be, or None.

    The same word in another case or with other punctuation first; then the one with the same last part
    (`email`: `contact.email`); then the most alike.
    """
    choices = list(dict.fromkeys(words))
    bare = squash(word)
    for choice in choices:
        if bare and squash(choice) == bare:
            return choice
    last = squash(word.rsplit(".", 1)[-1])
    for choice in choices:
        if last and squash(choice.rsplit(".", 1)[-1]) == last:
            return choice
    return most_alike(word, choices)


def most_alike(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` that is spelled most like `word`, or None where none is close."""
    found = process.extractOne(word, list(words), scorer=_likeness, processor=str.lower, score_cutoff=_CLOSE)
    return None if found is None else str(found[0])


def did_you_mean(word: str, words: Iterable[str], otherwise: str = "") -> str:
    """Return the hint `did you mean '...'?`, or `otherwise` where nothing is near."""
    near = nearest(word, words)
    return otherwise if near is None else f"did you mean '{near}'?"


def listed(words: Iterable[str], last: str = "or") -> str:
    """Return `a, b or c`."""
    *most, final = list(words)
    return f"{', '.join(most)} {last} {final}" if most else final


def _likeness(one: str, other: str, *, score_cutoff: float | None = None) -> float:
    whole = fuzz.ratio(one, other)
    tail = fuzz.ratio(one, other.rsplit(".", 1)[-1]) - 1
    return max(whole, tail)
