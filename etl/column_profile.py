"""A column, chunk by chunk → how full it is, how many values it has, and a sample of them; in constant memory.

The sample is of the distinct values: those with the smallest hashes, so that each has the same chance, wherever in the
file it stands. Up to its size it holds every value, and counts are exact; beyond, the hashes tell how many there are
about (k minimum values; Bar-Yossef et al. 2002, within 2 % for 10,000). The values that the first rows hold most often
are always in it: a word such as `none` that half of the cells hold must not be missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.issues import as_text
from etl.records import text_series

KEPT_VALUES = 10_000
FREQUENT_VALUES = 250
KEPT_CHARACTERS = 200
SHOWN_EXAMPLES = 3
_FIRST_BITS = 20
_FIRST = np.uint64(2**64 - 1) >> np.uint64(_FIRST_BITS)
"""Values that are always kept have hashes below this one; of the others one in a million has."""

_Hashes = npt.NDArray[np.uint64]
Sample = tuple["pd.Series[str]", npt.NDArray[np.int64]]
"""Distinct values, and how many cells each stands for."""


@dataclass(slots=True)
class ColumnProfile:
    """What is known of a column so far. `kept`: how many distinct values the sample holds at the most.

    `cells`: all of them; `filled`: those that are not blank; `longest`: characters of the longest value; `examples`:
    the first distinct values, trimmed.
    """

    kept: int = KEPT_VALUES
    cells: int = 0
    filled: int = 0
    longest: int = 0
    examples: list[str] = field(default_factory=list)
    _hashes: _Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    _values: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    _counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _frequent: _Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))

    def add(self, column: pd.Series[str]) -> None:
        """Take the next cells: text, no missing values."""
        self.cells += len(column)
        found = pc.value_counts(pc.utf8_trim_whitespace(as_text(column)))
        filled = found.filter(pc.not_equal(found.field("values"), ""))
        if not len(filled):
            return
        values, counts = filled.field("values"), np.asarray(filled.field("counts"), dtype=np.int64)
        self.filled += int(counts.sum())
        self.longest = max(self.longest, pc.max(pc.utf8_length(values)).as_py())
        self._take_examples(values)
        hashes = pd.util.hash_array(np.asarray(values.to_numpy(zero_copy_only=False), dtype=object), categorize=False)
        if not len(self._hashes):
            often = np.argsort(-counts, kind="stable")[: min(FREQUENT_VALUES, self.kept // 4)]
            self._frequent = np.sort(hashes[often])
        self._merge(self._ranked(hashes), values, counts)

    @property
    def is_exact(self) -> bool:
        """Whether the sample holds every value."""
        return len(self._hashes) < self.kept

    @property
    def distinct(self) -> int:
        """How many different values there are; two significant digits where they were not all kept."""
        if self.is_exact:
            return len(self._hashes)
        usual = self._hashes[self._hashes > _FIRST]
        share = float(usual[-1]) / 2.0**64
        estimate = (len(usual) - 1) / share + len(self._hashes) - len(usual)
        digits = len(str(int(estimate))) - 2
        return max(self.kept, int(round(estimate / 10**digits) * 10**digits))

    def sample(self, most: int = KEPT_VALUES) -> Sample:
        """Return distinct values (cut at KEPT_CHARACTERS, none blank) and how many cells each of them stands for.

        `most`: so many values at the most, those that are always kept first.
        """
        counts, usual = self._counts[:most], self._hashes[:most] > _FIRST
        weights = counts.astype(np.float64)
        if usual.any():
            others = self.filled - int(counts[~usual].sum())
            weights[usual] *= others / int(counts[usual].sum())
        return text_series(self._values[:most]), np.maximum(np.rint(weights), 1).astype(np.int64)

    def _take_examples(self, values: pa.Array) -> None:
        if len(self.examples) < SHOWN_EXAMPLES:
            # The values of the next chunk may be the same ones.
            fresh = [value for value in values[: 2 * SHOWN_EXAMPLES].to_pylist() if value not in self.examples]
            self.examples += fresh[: SHOWN_EXAMPLES - len(self.examples)]

    def _ranked(self, hashes: _Hashes) -> _Hashes:
        """Return the hashes, those of the values that are always kept made small."""
        at = np.minimum(np.searchsorted(self._frequent, hashes), len(self._frequent) - 1)
        return np.where(self._frequent[at] == hashes, hashes >> np.uint64(_FIRST_BITS), hashes)

    def _merge(self, hashes: _Hashes, values: pa.Array, counts: npt.NDArray[np.int64]) -> None:
        if not self.is_exact:
            near = hashes <= self._hashes[-1]
            hashes, values, counts = hashes[near], values.filter(pa.array(near)), counts[near]
        if not len(hashes):
            return
        cut = pc.utf8_slice_codeunits(values, 0, KEPT_CHARACTERS)
        every, first, place = np.unique(np.concatenate([self._hashes, hashes]), return_index=True, return_inverse=True)
        totals = np.bincount(place, weights=np.concatenate([self._counts, counts])).astype(np.int64)
        self._hashes, self._counts = every[: self.kept], totals[: self.kept]
        self._values = pa.concat_arrays([self._values, cut]).take(pa.array(first[: self.kept]))
