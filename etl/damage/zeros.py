"""Whether the lengths of a column's numbers say that leading zeros were lost: 1067 among postcodes of five digits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from etl.records import Rows

_POSTCODE = re.compile(
    r"plz|postleit|zip|kod.?poczt|post.?code|postal|postnr|postnummer|\bcap\b|c[oó]digo.?post|code.?post|poczt",
    re.IGNORECASE,
)
_PHONE = re.compile(r"tele?fon|\btel\b|phone|mobil|kom[oó]rk|handy|m[oó]vil|cellulare|portable|\bfax\b", re.IGNORECASE)
_LEAST = 10
"""Numbers below which nothing is said."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`narrowest`: the least width that is judged; `share`: of the numbers that have it; `lost`: zeros at most."""

    narrowest: int
    share: float
    lost: int


_RULES = {"postcode": _Rule(4, 0.5, 2), "phone": _Rule(7, 0.8, 1), "code": _Rule(8, 0.8, 3)}
"""A code of eight digits (EAN-8) or more: shorter ones may be numbers that simply count."""


@dataclass(frozen=True, slots=True)
class Lost:
    """`count` numbers are shorter than `width` digits; the `first` of them stands in this row."""

    count: int
    width: int
    first: int


@dataclass(slots=True)
class Lengths:
    """How many numbers (digits alone) have how many digits, and how many begin with 0."""

    count: int = 0
    noughts: int = 0
    by_length: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(65, dtype=np.int64))
    first: dict[int, int] = field(default_factory=dict)

    def add(self, lengths: npt.NDArray[np.int64], numbers: Rows, noughts: int) -> None:
        """Count numbers of these `lengths` (64 at most), in these rows; `noughts` of them begin with 0."""
        counts = np.bincount(lengths, minlength=65)
        for length in np.flatnonzero(counts).tolist():
            if length not in self.first:
                self.first[length] = int(numbers[np.flatnonzero(lengths == length)[0]])
        self.by_length += counts
        self.count += len(lengths)
        self.noughts += noughts

    def lost(self, purpose: str) -> Lost | None:
        """Return the numbers that lost their zeros, None where nothing says so. `purpose`: see `purpose_of`."""
        rule = _RULES[purpose]
        if self.count < _LEAST or self.noughts:
            return None
        width = int(self.by_length.argmax())
        shorter = np.flatnonzero(self.by_length[:width])
        if width < rule.narrowest or not len(shorter) or int(shorter[0]) < width - rule.lost:
            return None
        if self.by_length[width] < rule.share * self.count or self.by_length[width + 1 :].any():
            return None
        return Lost(int(self.by_length[:width].sum()), width, min(self.first[length] for length in shorter.tolist()))


def purpose_of(name: str, paths: tuple[str, ...]) -> str:
    """Return what the numbers of a column are by its name and the fields that it feeds: postcode, phone or code."""
    if any(path.endswith("zipCode") for path in paths) or _POSTCODE.search(name):
        return "postcode"
    if any(path.endswith((".phone", ".fax")) for path in paths) or _PHONE.search(name):
        return "phone"
    return "code"
