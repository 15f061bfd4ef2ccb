"""Fields that a sheet keeps in several columns: a name in two, a street with its house number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from etl.mapping.candidates import Candidate, Column
from etl.mapping.draft import in_braces
from etl.mapping.synonyms import FIRST_NAME, FLAT, HOUSE, LAST_NAME, STREET

_ALONE = 0.75
"""How much of its confidence a part keeps that stands for the whole field."""
_SURNAME_IS_CALLED_NAME = frozenset({"de", "fr", "sv", "nl"})
_HALF = 0.5

Best = Mapping[str, Candidate]


@dataclass(frozen=True, slots=True)
class Whole:
    """The columns that make one field, in order, with the confidence of the weakest and everybody's reasons."""

    columns: tuple[Column, ...]
    confidence: float
    reasons: tuple[str, ...]


def name_of(best: Best, sample: pd.DataFrame) -> Whole | None:
    """Return what feeds contact.name: the full name, or first and last name together, or what there is of them."""
    whole, first, last = (best.get(target) for target in ("contact.name", FIRST_NAME, LAST_NAME))
    if whole and first and not last and _is_surname(first, whole, sample):
        whole, last = None, whole
    if whole:
        return _joined(whole)
    if first and last:
        return _joined(first, last)
    return _part_alone(first or last)


def street_of(best: Best) -> Whole | None:
    """Return what feeds contact.address.streetAddress: street (or address), house and flat number."""
    street = best.get("contact.address.streetAddress") or best.get(STREET)
    house, flat = best.get(HOUSE), best.get(FLAT)
    if street is None:
        return None
    if house is None:
        return _joined(street)
    return _joined(street, house, flat) if flat else _joined(street, house)


def _joined(*parts: Candidate) -> Whole:
    written = [part for part in parts if len(parts) == 1 or in_braces(part.column.name) is not None]
    kept = written or [parts[0]]
    reasons = dict.fromkeys(reason for part in kept for reason in part.reasons)
    return Whole(tuple(part.column for part in kept), min(part.confidence for part in kept), tuple(reasons))


def _part_alone(part: Candidate | None) -> Whole | None:
    if part is None:
        return None
    reasons = (*part.reasons, "a part of the name alone")
    return Whole((part.column,), round(_ALONE * part.confidence, 3), reasons)


def _is_surname(first: Candidate, name: Candidate, sample: pd.DataFrame) -> bool:
    """Whether the column called name holds the surname: in German sheets it stands beside 'Vorname'."""
    pairs = sample[[first.column.position, name.column.position]].astype(object).to_numpy()
    filled = [(a.strip().casefold(), b.casefold()) for a, b in pairs if a.strip() and b.strip()]
    if not filled:
        return first.language in _SURNAME_IS_CALLED_NAME
    return sum(a in b for a, b in filled) / len(filled) < _HALF
