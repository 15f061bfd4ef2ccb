"""What a file that was handed back to be mended has more than the person's own: a column of reasons, and apostrophes.

Both are put there by the report `to_fix` and are no data: readers take them off again, in whatever format and in
whatever place they come back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from etl.formulas import as_it_was, inert
from etl.utf8 import holds_any

_T = TypeVar("_T")

REASON_COLUMN = "etl: what to mend"
"""The name of the column that says what is wrong with a row; a number of columns may stand behind it."""

_NAME = re.compile(rf"{re.escape(REASON_COLUMN)}(?: \(([0-9]{{1,4}}) columns\))?")
_IN_FRONT = re.compile(rf"{re.escape(REASON_COLUMN)} \(([0-9]{{1,4}}) columns\): ")


def place_of_reasons(header: Sequence[str]) -> int | None:
    """Return where in a header the column of reasons stands, from 0; None where there is none, or nothing else."""
    if len(header) < 2:
        return None
    return next((place for place, name in enumerate(header) if _NAME.fullmatch(name.strip())), None)


def place_without_header(cells: Sequence[str]) -> tuple[int, int] | None:
    """Return where the reason stands in the first row of a file without a header, and how many columns are beside it.

    None where there is none. See `reason_without_header`.
    """
    for place, cell in enumerate(cells):
        found = _IN_FRONT.match(cell)
        if found:
            return place, int(found[1])
    return None


def reason_without_header(reason: str, columns: int) -> str:
    """Return a reason for a file whose columns have no names: that of the reasons stands in each of its cells."""
    return f"{REASON_COLUMN} ({columns} columns): {reason}"


def name_of_reasons(header: Sequence[str]) -> str:
    """Return the name for the column of reasons beside these columns.

    A spreadsheet program makes all rows as long as the longest, and what is too much in one looks like a column
    without a name then. So where columns without names are the last ones, the name says how many there are.
    """
    return f"{REASON_COLUMN} ({len(header)} columns)" if header and not header[-1].strip() else REASON_COLUMN


def without(cells: Sequence[_T], place: int | None) -> list[_T]:
    """Return the cells of a row but the one at `place`."""
    return list(cells) if place is None else [*cells[:place], *cells[place + 1 :]]


def columns_beside(header: Sequence[str], place: int) -> tuple[str, ...]:
    """Return the person's own columns: those that the name of the reasons counts, else down to the last with a name."""
    own = without(header, place)
    told = _NAME.fullmatch(header[place].strip())
    if told and told[1]:
        return tuple((own + [""] * int(told[1]))[: int(told[1])])
    named = [number for number, name in enumerate(own, start=1) if name.strip()]
    return tuple(own[: max(named, default=len(own))])


def kept_apart(cells: pa.Array) -> pa.Array:
    """Return the text cells of a workbook so that `formulas.as_it_was` gives them back as they are.

    There no text is a formula, so that apostrophes are put only where a cell holds one that would be taken off.
    """
    if not holds_any(cells, b"'"):
        return cells
    same = pc.equal(as_it_was(cells), cells)
    return cells if pc.all(same).as_py() else pc.if_else(same, cells, inert(cells))
