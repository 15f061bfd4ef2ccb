"""Drafts a mapping from a header and some rows: START HERE for `etl init`. Pure; opens no file.

    header, sample → looks → action → candidates → one column a field → lines → Draft

What is active is likely, what is merely possible stands commented out, and each line says how sure it is and why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from etl.contract import ACTIONS, FieldType
from etl.mapping.actions import choose_action, conditions
from etl.mapping.assignment import assign
from etl.mapping.candidates import ACTIVE, POSSIBLE, Candidate, Column, Context, candidates, percent
from etl.mapping.draft import Draft, FieldLine, Suggestion, Use, render, shown
from etl.mapping.looks import fold, look
from etl.mapping.parts import Whole, name_of, street_of
from etl.mapping.proposals import Hints, hints, propose, propose_free
from etl.mapping.synonyms import CONSENT, CURRENCY, DATE, FIRST_NAME, FLAT, HOUSE, LAST_NAME, OPT_OUT, STREET
from etl.records import text_series

__all__ = ["ACTIVE", "POSSIBLE", "Draft", "Suggestion", "Use", "looks_like_data", "render", "suggest"]

_PARTS = frozenset({FIRST_NAME, LAST_NAME, STREET, HOUSE, FLAT})
_ROLES = frozenset({CONSENT, OPT_OUT, DATE})
_MOSTLY = 0.5
_SURE_OVER_MANY = 4
"""The power of a confidence that is summed up: 0.96 alone outweighs 0.95 with 0.5."""
_WHOLES = {FIRST_NAME: "contact.name", LAST_NAME: "contact.name", STREET: "contact.address.streetAddress"}


def suggest(
    header: Sequence[str],
    sample: pd.DataFrame,
    name: str,
    action: str | None = None,
    *,
    source: Mapping[str, str | int] | None = None,
) -> Draft:
    """Return a draft for a sheet with this `header`, of which `sample` holds some rows.

    `sample`: dtype `str`, no missing values, its columns 0 .. len(header) - 1; may have no rows. `name`: what the
    mapping is called, also looked at for the action. `action`: None to choose one; another name than the contract's
    is a KeyError. `source` is pinned in the mapping as it stands.
    """
    columns, refused = _columns(header, sample)
    chosen, why = (action, (f"{action}, as asked.",)) if action else choose_action(columns, len(refused), name)
    sheet = _Sheet(chosen, columns, *_assign(columns, chosen), sample)
    fields, offered = _fields(sheet), _offered(sheet)
    used = {line.path for line in fields}
    return Draft(
        name=_slug(name, "-") or "mapping",
        action=chosen,
        why=why,
        suggestions=tuple(sorted([*sheet.said.values(), *refused], key=lambda s: s.position)),
        fields=fields,
        offered=offered,
        conditions=conditions(columns, sample) if chosen == "contact.upsert" else (),
        notes=tuple(f"{shown(s.column)}: {'; '.join(s.reasons)}" for s in [*sheet.unused(), *refused]),
        missing=tuple(f.path for f in ACTIONS[chosen].fields if f.required and f.path not in used),
        source=dict(source or {}),
    )


def looks_like_data(header: Sequence[str]) -> bool:
    """Whether a header holds what names no column: an e-mail address, or mostly numbers, dates and the like."""
    seen = look(text_series(list(header)))
    return seen.email > 0 or max(seen.number, seen.phone) + seen.date > _MOSTLY


@dataclass(slots=True)
class _Sheet:
    """What is known while the lines are made. `best`: target → its column; `said`: position → what became of it.

    `without`: position → why the column went without the field that it looks like.
    """

    action: str
    columns: list[Column]
    best: dict[str, Candidate]
    without: dict[int, str]
    sample: pd.DataFrame
    said: dict[int, Suggestion] = field(default_factory=dict)

    def say(self, columns: Iterable[Column], use: Use, line: FieldLine) -> None:
        """Record what `line` does with each of `columns`."""
        for c in columns:
            told = self.without.get(c.position)
            reasons = (*line.reasons, told) if told and told not in line.reasons else line.reasons
            self.said[c.position] = Suggestion(
                c.name, c.position, use, line.path, line.confidence, reasons, line.transforms
            )

    def unused(self) -> list[Suggestion]:
        """Return what is said of the columns that no line names."""
        return [s for s in self.said.values() if s.use is Use.UNUSED]

    def hints(self) -> Hints:
        """Return where the sheet's people seem to live."""
        spoken = Counter(c.language for c in self.best.values() if c.language not in {"", "en"})
        seen = {target: c.column.seen for target, c in self.best.items()}
        email = seen.get("contact.email") or seen.get("email")
        languages = [language for language, _ in spoken.most_common()]
        return hints(languages, seen.get("contact.address.country"), seen.get(CURRENCY), email)


def _columns(header: Sequence[str], sample: pd.DataFrame) -> tuple[list[Column], list[Suggestion]]:
    """Return the columns that a mapping can name, and what is to be said of the others."""
    names = [name.strip() for name in header]
    places = {name: [n + 1 for n, other in enumerate(names) if other == name] for name in names}
    columns, refused = [], []
    for position, name in enumerate(names):
        if not name:
            why = f"column {position + 1} has no name: give it one in the header"
        elif len(places[name]) > 1:
            listed = " and ".join(map(str, places[name]))
            why = f"stands more than once in the header (columns {listed}): rename, a mapping cannot tell them apart"
        elif any("\ud800" <= letter <= "\udfff" for letter in name):
            why = "its name holds half a character, which no mapping can write: rename it"
        else:
            columns.append(Column(position, name, look(sample[position])))
            continue
        refused.append(Suggestion(name, position, Use.UNUSED, reasons=(why,)))
    return columns, refused


def _assign(columns: Sequence[Column], action: str) -> tuple[dict[str, Candidate], dict[int, str]]:
    """Return target → the column that serves best, and position → why a column went without the field it looks like.

    Each column and each target once, so that the sum of the squared squares of the confidences is the greatest: a sure
    pair outweighs two guesses. What is no field (consent, a date) may be served by many.
    """
    context = Context.of(columns, action)
    everything = [c for column in columns for c in candidates(column, action, context) if c.confidence >= POSSIBLE]
    everything.sort(key=lambda c: (-c.confidence, c.column.position))
    paired = [one for one in everything if _is_exclusive(one.target, action)]
    places = {column.position: place for place, column in enumerate(columns)}
    targets = list(dict.fromkeys(one.target for one in paired))
    scores = np.zeros((len(columns), len(targets)))
    # To be a role takes nothing from another column, so what it is worth is what a field must be worth more than.
    roles = _surest_roles([one for one in everything if one.target in _ROLES and one.confidence >= ACTIVE])
    for one in paired:
        worth = one.confidence**_SURE_OVER_MANY - roles.get(one.column.position, 0.0) ** _SURE_OVER_MANY
        scores[places[one.column.position], targets.index(one.target)] = worth
    pairs = assign(scores)
    chosen = {columns[row].position: targets[place] for row, place in pairs.items()}
    best = {one.target: one for one in paired if chosen.get(one.column.position) == one.target}
    for one in everything:
        if one.column.position not in chosen and not _is_exclusive(one.target, action):
            best.setdefault(one.target, one)
    return best, _went_without(paired, best, chosen)


def _is_exclusive(target: str, action: str) -> bool:
    return ACTIONS[action].field(target) is not None or target in _PARTS


def _surest_roles(found: Iterable[Candidate]) -> dict[int, float]:
    """Return position → the confidence of the surest of the roles; `found` has the surest first."""
    roles: dict[int, float] = {}
    for one in found:
        roles.setdefault(one.column.position, one.confidence)
    return roles


def _went_without(
    paired: Iterable[Candidate], best: Mapping[str, Candidate], chosen: Mapping[int, str]
) -> dict[int, str]:
    """Return position → the sentence on the field that a column looks like most and another column serves."""
    told: dict[int, str] = {}
    for one in paired:
        other = best.get(one.target)
        if other is None or other.column.position == one.column.position or one.column.position in told:
            continue
        got = best.get(chosen.get(one.column.position, ""))
        if got is None or got.confidence < one.confidence:
            what = f"looks like {one.target.strip('<>').replace('_', ' ')} too ({percent(one.confidence)})"
            told[one.column.position] = f"{what}, which {shown(other.column.name)} serves ({percent(other.confidence)})"
    return told


def _fields(sheet: _Sheet) -> tuple[FieldLine, ...]:
    """Return the active lines, in the contract's order."""
    lines = []
    near = sheet.hints()
    for goal in ACTIONS[sheet.action].fields:
        whole = _whole(sheet, goal.path)
        if whole is None or whole.confidence < ACTIVE:
            if goal.type is FieldType.ENUMERATION:
                lines.append(_event_type(sheet, goal.path))
            continue
        line = _line(goal.path, whole, near, required=goal.required)
        sheet.say(whole.columns, Use.PART if len(whole.columns) > 1 else Use.FIELD, line)
        lines.append(line)
    return tuple(lines)


def _whole(sheet: _Sheet, path: str) -> Whole | None:
    sure = {target: one for target, one in sheet.best.items() if one.confidence >= ACTIVE}
    if path == "contact.name":
        return name_of(sure, sheet.sample)
    if path == "contact.address.streetAddress":
        return street_of(sure)
    found = sure.get(path)
    return None if found is None else Whole((found.column,), found.confidence, found.reasons)


def _line(path: str, whole: Whole, near: Hints, *, required: bool = False) -> FieldLine:
    calls, told = propose(path, whole.columns[0].seen, near)
    return FieldLine(
        path,
        tuple(c.name for c in whole.columns),
        transforms=calls,
        required=required,
        confidence=whole.confidence,
        reasons=(*whole.reasons, *told),
    )


def _event_type(sheet: _Sheet, path: str) -> FieldLine:
    if "value" in sheet.best:
        return FieldLine(
            path, value="PURCHASE", confidence=0.7, reasons=("no column holds event types; there are amounts",)
        )
    return FieldLine(path, value="OTHER", confidence=0.5, reasons=("no column holds event types: choose one",))


def _offered(sheet: _Sheet) -> tuple[FieldLine, ...]:
    """Return the lines to be commented out, for the columns that no active line names; says of the rest why not."""
    near = sheet.hints()
    roles = {one.column.position: one for one in sheet.best.values()}
    paths = _free_paths(sheet)
    lines = []
    for column in sheet.columns:
        if column.position in sheet.said:
            continue
        line = _possible(sheet, roles.get(column.position), near) or _free(sheet, column, paths)
        if line is None:
            reasons = _content(column) if column.seen.filled else ("holds no values",)
            sheet.said[column.position] = Suggestion(column.name, column.position, Use.UNUSED, reasons=reasons)
            continue
        sheet.say((column,), Use.OFFERED, line)
        lines.append(line)
    return tuple(lines)


def _possible(sheet: _Sheet, one: Candidate | None, near: Hints) -> FieldLine | None:
    """Return the line of a field that nothing feeds yet and the column may serve as."""
    if one is None:
        return None
    path = _WHOLES.get(one.target, one.target)
    if ACTIONS[sheet.action].field(path) is None or path in {s.path for s in sheet.said.values()}:
        return None
    return _line(path, Whole((one.column,), one.confidence, one.reasons), near)


def _free(sheet: _Sheet, column: Column, paths: Iterator[str]) -> FieldLine | None:
    """Return the line that keeps the column under a key of its own, or None where nothing would be kept."""
    if sheet.action == "contact.delete" or (column.seen.rows and not column.seen.filled):
        return None
    path = _property(sheet, column) if sheet.action == "contact.upsert" else next(paths, None)
    if path is None:
        return None
    calls, told = propose_free(column.seen)
    without = [sheet.without[column.position]] if column.position in sheet.without else []
    reasons = (*_content(column), *told, *without)
    if sheet.action == "event.create" and column.seen.date >= ACTIVE:
        reasons = (*reasons, "the endpoint stamps events with the time of import: a detail keeps this date")
    return FieldLine(path, (column.name,), transforms=calls, confidence=0.0, reasons=reasons)


def _content(column: Column) -> tuple[str, ...]:
    seen = column.seen
    if not seen.rows:
        return ("no values seen",)
    differ = f"with {seen.distinct} different values" if seen.distinct > 1 else "all the same"
    return (f"{percent(seen.fill)} of cells are filled, {differ}",)


def _property(sheet: _Sheet, column: Column) -> str:
    key = _slug(column.name, "_") or f"column_{column.position + 1}"
    path, number = f"properties.{key}", 1
    while any(said.path == path for said in sheet.said.values()):
        number += 1
        path = f"properties.{key}_{number}"
    return path


def _free_paths(sheet: _Sheet) -> Iterator[str]:
    """Yield the details of an event that no column serves as."""
    fields = (goal.path for goal in ACTIONS[sheet.action].fields if goal.path.startswith("detail"))
    return (path for path in list(fields) if path not in sheet.best)


def _slug(text: str, joint: str) -> str:
    return joint.join(re.findall("[a-z0-9]+", fold(text)))
