"""How a spreadsheet names its columns. Imports nothing from etl."""

from __future__ import annotations

from collections.abc import Sequence


def column_letters(position: int) -> str:
    """Return the letters that a spreadsheet gives the column at `position`, from 0: A, B, ..., Z, AA, ...

    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def letters_at(position: int, columns: int | Sequence[int]) -> str:
    """Return the letters of the column at `position` of a header.

    `columns`: where the table starts in its sheet, from 0; or of each position the sheet's column, where some are left
    out.

    >>> letters_at(1, 2), letters_at(1, (0, 5))
    ('D', 'F')
    """
    return column_letters(position + columns if isinstance(columns, int) else columns[position])
