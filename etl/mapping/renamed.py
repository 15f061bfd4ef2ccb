"""Columns that a mapping names and a header lacks: which of the others each was renamed to, how surely, and why.

All missing columns are weighed at once, by name and by a look at some rows, and paired one to one. Nothing is decided
here about a run: `binding` takes what `is_sure`, where the mapping allows it, and tells the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from rapidfuzz.distance import OSA

from etl.cells import column_letters
from etl.contract import ACTIONS
from etl.mapping.assignment import Scores, assign
from etl.mapping.candidates import fit
from etl.mapping.header_names import EXACT, QUALIFIED, NameMatch, match_name
from etl.mapping.looks import Look, look
from etl.mapping.model import FieldSpec
from etl.mapping.nearest import squash
from etl.mapping.synonyms import DATE, FIRST_NAME, FLAT, HOUSE, LAST_NAME, OTHER, STREET
from etl.mapping.value_guesses import percent

SURE, MARGIN = 0.85, 0.1
"""The score from which a column is taken for the missing one, and how far the second best must be behind it."""
LIKELY = 0.5
"""The score from which it is told of."""
_NAME, _VALUES = 0.55, 0.45
_NAME_ALONE = 0.9
_SAME, _QUALIFIED, _SAME_FIELD = 0.97, 0.9, 0.8
_ANOTHER_FIELD, _ANOTHER_NUMBER = 0.4, 0.7
_CLOSE = 0.55
_DENIED, _FITTING = 0.2, 0.8
_PARTS = {"contact.name": {FIRST_NAME, LAST_NAME}, "contact.address.streetAddress": {STREET, HOUSE, FLAT}}
_BY_TRANSFORM = {"email": "contact.email", "phone": "contact.phone", "number": "value", "date": DATE}

Sample = Callable[[], pd.DataFrame]
"""Reads some rows of all columns: dtype `str`, columns 0 .. len(header) - 1."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A column that the header lacks. `names`: it and its alternatives; `spec`: what it feeds, None for a condition.

    `action`: of the record, "" where there is none; `fixed`: it may decide who is deleted or left out, so that no other
    column is ever taken for it.
    """

    names: tuple[str, ...]
    spec: FieldSpec | None = None
    action: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Renamed:
    """The column that a missing one was probably renamed to. `score`: 0 to 1; `margin`: ahead of the second best."""

    position: int
    name: str
    score: float
    margin: float
    reasons: tuple[str, ...]
    is_sure: bool

    @property
    def shown(self) -> str:
        """Its name and its letters, as messages say them."""
        return f"'{self.name}' ({column_letters(self.position)})"


@dataclass(frozen=True, slots=True)
class _Pair:
    score: float
    name: float
    values: float | None
    reasons: tuple[str, ...]


def find_renamed(
    missing: Sequence[Missing], header: Sequence[str], free: Sequence[int], sample: Sample
) -> dict[int, Renamed]:
    """Return place in `missing` → the column that it was probably renamed to, where there is one.

    `free`: positions in `header` that the mapping uses for nothing; `sample` is read once, where there are any.
    """
    free = [position for position in free if header[position].strip()]
    if not missing or not free:
        return {}
    rows = sample()
    looks = {position: look(rows[position]) for position in free}
    pairs = [[_weigh(one, header[position], looks[position]) for position in free] for one in missing]
    scores = np.array([[pair.score for pair in row] for row in pairs])
    found = {}
    for place, column in assign(np.where(scores < LIKELY, -np.inf, scores)).items():
        pair, margin = pairs[place][column], _margin(scores, place, column)
        filled = looks[free[column]].filled > 0
        found[place] = Renamed(
            free[column], header[free[column]].strip(), round(pair.score, 3), round(margin, 3), pair.reasons,
            is_sure=filled and not missing[place].fixed and _is_sure(pair, margin),
        )  # fmt: skip
    return found


def _margin(scores: Scores, place: int, column: int) -> float:
    """Return how far the pair is ahead of the name's second best column and of the column's second best name."""
    others = [*np.delete(scores[place], column), *np.delete(scores[:, column], place)]
    return float(scores[place, column] - max(others, default=0.0))


def _is_sure(pair: _Pair, margin: float) -> bool:
    # Values alone are not enough: a sheet may well have a second column of addresses.
    fitting = pair.values is None or pair.values >= _FITTING
    return pair.score >= SURE and pair.name >= SURE and margin >= MARGIN and fitting


def _weigh(missing: Missing, name: str, seen: Look) -> _Pair:
    alike, told = max((_alike(one, name, missing) for one in missing.names), key=lambda found: found[0])
    share, values = _wanted(missing.spec, seen)
    reasons = tuple(reason for reason in (told, values) if reason)
    if share is None:
        return _Pair(_NAME_ALONE * alike if seen.filled else 0.8 * alike, alike, None, reasons)
    if share < _DENIED:
        return _Pair(0.3 * alike, alike, share, reasons)
    return _Pair(_NAME * alike + _VALUES * share, alike, share, reasons)


def _alike(missing: str, name: str, where: Missing) -> tuple[float, str]:
    """Return how alike two names are, in letters or in what they mean, and this in words ("" where they are not)."""
    letters = float(OSA.normalized_similarity(squash(missing), squash(name)))
    if _numbers(missing) != _numbers(name):
        # 'E-mail 2' is one letter from 'E-mail', and somebody else's address.
        letters = min(letters, _ANOTHER_NUMBER)
        return letters, "name close" if letters >= _CLOSE else ""
    meant, means = _meaning(missing, where.action), _meaning(name, where.action)
    wanted = set(meant) or _targets(where.spec)
    shared = wanted & set(means)
    if shared:
        surest = max(means[target].score for target in shared)
        likeness = (_SAME if surest >= EXACT else _QUALIFIED) if meant else _SAME_FIELD
        return max(letters, likeness), "name close" if letters >= _CLOSE else "another name of the same"
    if means and wanted:
        return min(letters, _ANOTHER_FIELD), ""
    return letters, "name close" if letters >= _CLOSE else ""


@cache
def _meaning(name: str, action: str) -> dict[str, NameMatch]:
    """Return the targets that a name means for certain, with the match."""
    actions = (action,) if action else tuple(ACTIONS)
    matches = [match for one in actions for match in match_name(name, one)]
    return {match.target: match for match in matches if match.score >= _TOLD_BY_NAME and match.target != OTHER}


_TOLD_BY_NAME = QUALIFIED * QUALIFIED


def _targets(spec: FieldSpec | None) -> set[str]:
    if spec is None:
        return set()
    return {spec.path} | _PARTS.get(spec.path, set())


def _numbers(name: str) -> str:
    """Return the digits of a name but a lone 1: 'E-mail 1' is the e-mail."""
    digits = "".join(letter for letter in name if letter in "0123456789")
    return "" if digits == "1" else digits


def _wanted(spec: FieldSpec | None, seen: Look) -> tuple[float | None, str]:
    """Return the share of values that suit the field, by its transforms or its path, and this in words."""
    if spec is None or not seen.filled:
        return None, ""
    for call in spec.transforms:
        if call.name in _BY_TRANSFORM:
            return fit(_BY_TRANSFORM[call.name], seen)
        if call.name == "country":
            return seen.country, f"{percent(seen.country)} of values are countries"
        listed = call.arguments.get("values")
        if call.name == "map" and isinstance(listed, dict):
            share = sum(value in listed for value in seen.values) / len(seen.values)
            return (share, f"{percent(share)} of values are in its map") if share else (None, "")
    return fit(spec.path, seen)
