"""How a spreadsheet names its columns. Imports nothing from etl."""

from __future__ import annotations


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
