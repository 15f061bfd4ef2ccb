"""How a spreadsheet names its columns and cells. Imports nothing from etl."""

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


def cell_name(column: int, row: int, *, first_column: int = 0) -> str:
    """Return the cell's name in a spreadsheet; `column` is a position in the header, `first_column` where that starts.

    >>> cell_name(5, 1042), cell_name(0, 6, first_column=1)
    ('F1042', 'B6')
    """
    return f"{column_letters(first_column + column)}{row}"
