"""Which sheets of a workbook are meant: names, positions, patterns, `all`. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SourceError
from etl.sources.sheet_scan import SheetPart

ALL = "all"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sheet that is to be read. `is_named`: by its name or position, so that it must hold something."""

    sheet: SheetPart
    is_named: bool


def choose(path: Path, sheets: Sequence[SheetPart], wanted: Sequence[str]) -> list[Chosen]:
    """Return the sheets that `wanted` means, in its order, each once.

    Each is a name (exact, else ignoring case), else a position from 1 among all sheets, else `all` (the visible ones),
    else a pattern, in which `*` stands for any text, over the visible ones. Raises SourceError where one means nothing.
    """
    found: dict[str, Chosen] = {}
    for one in wanted:
        for chosen in _meant(path, sheets, one):
            known = found.get(chosen.sheet.name)
            if known is None or (chosen.is_named and not known.is_named):
                found[chosen.sheet.name] = chosen
    return list(found.values())


def _meant(path: Path, sheets: Sequence[SheetPart], one: str) -> list[Chosen]:
    for matches in (
        [sheet for sheet in sheets if sheet.name == one],
        [sheet for sheet in sheets if sheet.name.casefold() == one.casefold()],
    ):
        if matches:
            return [Chosen(matches[0], is_named=True)]
    if re.fullmatch("[0-9]{1,4}", one) and 0 < int(one) <= len(sheets):
        return [Chosen(sheets[int(one) - 1], is_named=True)]
    visible = [sheet for sheet in sheets if sheet.is_visible]
    if one.casefold() == ALL:
        return [Chosen(sheet, is_named=False) for sheet in visible]
    if "*" not in one:
        raise _unknown(path, sheets, f"the workbook has no sheet '{one}'", one)
    pattern = re.compile(".*".join(map(re.escape, one.split("*"))), re.IGNORECASE | re.DOTALL)
    matching = [Chosen(sheet, is_named=False) for sheet in visible if pattern.fullmatch(sheet.name)]
    if not matching:
        raise _unknown(path, sheets, f"no visible sheet of the workbook matches '{one}'", "")
    return matching


def _unknown(path: Path, sheets: Sequence[SheetPart], message: str, name: str) -> SourceError:
    names = [sheet.name for sheet in sheets]
    near = difflib.get_close_matches(name, names, n=1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return SourceError(message, code="sheet-unknown", where=str(path), hint=f"{guess}its sheets are {', '.join(names)}")
