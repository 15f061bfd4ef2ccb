"""Where the header stands among the first rows of a table. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from etl.sources.base import HeaderScore

SEARCHED_ROWS = 50
"""Non-blank rows among which the header is looked for."""

_VALUE = re.compile(
    r"""
      [-+(]?[0-9][0-9 \u00a0.,'/%:()-]*                  # numbers, phones, dates in digits, times
    | [0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+Z?           # date-times
    | [^@\s]+@[^@\s]+\.[^@\s]+                           # e-mail addresses
    """,
    re.VERBOSE,
)
_REMARK = re.compile(r"\s*#(?:#|\s+\S)")
_FILLED_SHARE = 0.6


def is_blank(cells: Sequence[object]) -> bool:
    """Whether all cells are empty or white space (a cell that is not text is not blank)."""
    for cell in cells:  # noqa: SIM110 (the generator of any() costs twice the time, and this runs once a row)
        if not isinstance(cell, str) or (cell and not cell.isspace()):
            return False
    return True


def is_remark(first_cell: str) -> bool:
    """Whether a row that starts with this cell reads like a comment (`# exported by`, `##`), not like a name (`#`)."""
    return _REMARK.match(first_cell) is not None


def find_header(rows: Sequence[Sequence[str]], score: HeaderScore | None = None) -> int | None:
    """Return which of `rows` (the first non-blank ones of a table) is the header; None if there are no rows.

    With `score`, the earliest of the rows with the highest score above 0. Else the first row that fills most of the
    table's width with distinct texts of which none looks like a number, a date or an e-mail address; failing that
    the first row that fills most of the width. A row that reads like a comment (`# exported by`) is only taken where
    no other will do.
    """
    rows = rows[:SEARCHED_ROWS]
    if not rows:
        return None
    best = best_score(rows, score)
    return best[1] if best else _by_looks(rows)


def best_score(rows: Sequence[Sequence[str]], score: HeaderScore | None) -> tuple[int, int] | None:
    """Return (score, place) of the best of `rows`, the earliest on ties; None where none scores above 0."""
    if score is None:
        return None
    scored = [(score([cell.strip() for cell in row]), -place) for place, row in enumerate(rows[:SEARCHED_ROWS])]
    if not scored or max(scored)[0] <= 0:
        return None
    value, place = max(scored)
    return value, -place


def _by_looks(rows: Sequence[Sequence[str]]) -> int:
    filled = [sum(not is_blank([cell]) for cell in row) for row in rows]
    # One overlong row (an extra separator) must not make the real header look narrow.
    width = sorted(filled)[-2] if len(filled) > 2 else max(filled)
    wide = [place for place, count in enumerate(filled) if count >= max(1, _FILLED_SHARE * width)]
    named = [place for place in wide if _reads_as_names(rows[place])] or wide
    return next((place for place in named if not is_remark(rows[place][0])), named[0])


def _reads_as_names(row: Sequence[str]) -> bool:
    names = [cell.strip() for cell in row if not is_blank([cell])]
    distinct = len({name.casefold() for name in names}) == len(names)
    return distinct and not any(_VALUE.fullmatch(name) for name in names)
