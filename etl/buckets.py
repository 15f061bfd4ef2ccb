"""Facts about rows, by position, on disk: one file for each stretch of rows, read one at a time.

What the first reading finds out about single rows is put aside here until the second reading comes by them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from etl.records import Mask, Rows

BUCKET_BITS = 18
"""A bucket holds the facts of 2^18 consecutive positions: some megabytes at most."""


class Buckets:
    """Entries of one dtype, whose field `position` (int64) says which row each is about.

    `folder` must be there, and belongs to the buckets alone; it is removed by its owner.
    """

    def __init__(self, folder: Path, entry: np.dtype[np.void]) -> None:
        self._folder = folder
        self._entry = entry
        self._there: set[int] = set()
        self._loaded = -1
        self._held = np.empty(0, dtype=entry)

    def add(self, entries: np.ndarray) -> None:
        """Add entries, in any order."""
        entries = entries[np.argsort(entries["position"], kind="stable")]
        buckets = entries["position"] >> BUCKET_BITS
        for bucket in np.unique(buckets).tolist():
            with self._path(bucket).open("ab") as out:
                out.write(entries[buckets == bucket].tobytes())
            self._there.add(bucket)
        self._loaded = -1

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each bucket's number and its entries, ascending by position."""
        for bucket in sorted(self._there):
            yield bucket, self._load(bucket)

    def replace(self, bucket: int, entries: np.ndarray) -> None:
        """Put `entries`, ascending by position, in the place of all that the bucket holds."""
        entries.tofile(self._path(bucket))
        self._loaded = -1

    def find(self, positions: Rows) -> tuple[Mask, np.ndarray]:
        """Return, for ascending `positions`, which of them have an entry, and these entries."""
        hit = np.zeros(len(positions), dtype=bool)
        found = []
        buckets = positions >> BUCKET_BITS
        for bucket in np.unique(buckets).tolist():
            held = self._load(bucket)
            if not len(held):
                continue
            inside = np.flatnonzero(buckets == bucket)
            places = np.searchsorted(held["position"], positions[inside])
            places[places == len(held)] = 0
            there = held["position"][places] == positions[inside]
            hit[inside[there]] = True
            found.append(held[places[there]])
        return hit, np.concatenate(found) if found else np.empty(0, dtype=self._entry)

    def _load(self, bucket: int) -> np.ndarray:
        if bucket not in self._there:
            return np.empty(0, dtype=self._entry)
        if bucket != self._loaded:
            held = np.fromfile(self._path(bucket), dtype=self._entry)
            self._held = held[np.argsort(held["position"], kind="stable")]
            self._loaded = bucket
        return self._held

    def _path(self, bucket: int) -> Path:
        return self._folder / f"rows-{bucket}"
