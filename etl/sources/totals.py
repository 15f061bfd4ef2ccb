"""Rows that are no data but the sum of those above them, told by their first word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = (
    "Total", "Totals", "Grand total", "Subtotal", "Sub-total", "Sum", "Overall total",
    "Suma", "Razem", "Łącznie", "Ogółem", "Suma końcowa", "Suma całkowita", "Suma częściowa", "Podsumowanie",
    "Summe", "Gesamt", "Gesamtsumme", "Gesamtergebnis", "Zwischensumme", "Insgesamt",
    "Totalt", "Summa", "Totalsumma", "Delsumma", "Slutsumma",
    "Total general", "Suma total", "Sumatorio", "Subtotales", "Totales",
    "Total général", "Somme", "Sous-total", "Totaux", "Ensemble",
    "Totale", "Totali", "Somma", "Totale complessivo", "Totale generale", "Subtotale",
)  # fmt: skip


def _as_typed(word: str) -> set[str]:
    return {f"{form}{end}" for form in (word, word.upper(), word.lower(), word.title()) for end in ("", ":", " :")}


LABELS: frozenset[str] = frozenset().union(*map(_as_typed, _WORDS))
"""What a total is called in English, Polish, German, Swedish, Spanish, French and Italian, as people type it."""

_NUMBER = re.compile(
    r"""
    \s* [-+(\u2212]? \s* (?:[€$£] | [^\W\d_]{1,3}\.?)? \s*        # sign, currency
    [-+\u2212]? [0-9][0-9\s.,'\u2019]*
    (?:[€$£%] | [^\W\d_]{1,3}\.?)? \s* \)? \s*
    """,
    re.VERBOSE,
)


def is_total(cells: Sequence[str]) -> bool:
    """Whether the row is a total: a total's name in its first filled cell, and numbers alone in the other filled ones.

    At least one number, and at least one blank cell (a row of two cells needs none): a row of data that starts with
    such a word, as the name of a brand, has all its cells.

    >>> is_total(["Razem:", "", "1 234,50 zł"]), is_total(["Total", "Energy", "12"]), is_total(["Total", "", ""])
    (True, False, False)
    """
    filled = [cell for cell in cells if cell and not cell.isspace()]
    if not filled or filled[0].strip() not in LABELS:
        return False
    numbers = filled[1:]
    if not numbers or not (len(cells) == 2 or len(filled) < len(cells)):
        return False
    return all(_NUMBER.fullmatch(cell) for cell in numbers)
