"""Numbers that a workbook shows with leading zeros: postcodes and phones typed as numbers. Pure."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field

_LITERALS = re.compile(r'\\(.)|"([^"]*)"')
_LOCALE = re.compile(r"\[\$-[0-9A-Fa-f]+\]")
_ZEROS = re.compile(r"0[0 ./-]*0")


def zeros_of(code: str) -> str | None:
    r"""Return the zeros of a number format with the signs between them; None for any other format.

    >>> zeros_of("00000"), zeros_of(r"[$-415]00\-000"), zeros_of("0.00")
    ('00000', '00-000', None)
    """
    # A dot that is no literal is the decimal sign.
    if "." in _LITERALS.sub("", code) or "/" in _LITERALS.sub("", code):
        return None
    plain = _LITERALS.sub(lambda found: found[1] or found[2] or "", _LOCALE.sub("", code))
    return plain if _ZEROS.fullmatch(plain) else None


def shown(digits: str, zeros: str) -> str:
    """Return a whole number as it stands on the screen; digits without a place of their own stand in front.

    >>> shown("950", "00000"), shown("950", "00-000"), shown("1234567", "00-000")
    ('00950', '00-950', '1234-567')
    """
    left = list(digits.zfill(zeros.count("0")))
    text = "".join([left.pop() if sign == "0" else sign for sign in reversed(zeros)])[::-1]
    return "".join(left) + text


@dataclass(slots=True)
class ZeroRuns:
    """The cells of one sheet that show leading zeros, as runs of rows. Rows from 1, columns from 0.

    `count`: the runs so far.
    """

    count: int = 0
    _runs: dict[tuple[int, str], array[int]] = field(default_factory=dict)

    def note(self, row: int, column: int, zeros: str, last_row: int = 0) -> None:
        """Take in one cell, or those below it down to `last_row` too."""
        last_row = last_row or row
        runs = self._runs.setdefault((column, zeros), array("I"))
        if runs and runs[-1] in (row - 1, row):
            runs[-1] = last_row
        else:
            runs.extend((row, last_row))
            self.count += 1

    def by_column(self) -> dict[int, tuple[tuple[int, int, str], ...]]:
        """Return by column the runs (first row, last row, zeros)."""
        found: dict[int, tuple[tuple[int, int, str], ...]] = {}
        for (column, zeros), runs in self._runs.items():
            pairs = zip(runs[::2], runs[1::2], strict=True)
            found[column] = found.get(column, ()) + tuple((first, last, zeros) for first, last in pairs)
        return found
