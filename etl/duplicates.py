"""Which row of a key stands for all of them: an index on disk, so that memory does not grow with the file.

Keys are kept as 128-bit hashes (two runs of SipHash), in partitions by their first bits; each partition is sorted in
memory by itself. The losers then go into buckets of consecutive rows, which the second reading loads one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from etl.buckets import Buckets
from etl.mapping.model import Duplicates
from etl.records import Mask, Rows

PARTITION_BITS = 6
_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("position", "<i8")])
_LOSS = np.dtype([("position", "<i8"), ("winner", "<i8")])
_HASH_KEYS = ("0123456789abcdef", "fedcba9876543210")


@dataclass(slots=True)
class Losers:
    """The rows that another row of their key stands for. `count`: how many; `rows`: which, and who stands for each."""

    rows: Buckets
    count: int = 0

    def among(self, positions: Rows) -> tuple[Mask, Rows]:
        """Return, for ascending `positions`, which of them lost, and the position of the row that stands for each.

        The winner is 0 where the row did not lose.
        """
        winners = np.zeros(len(positions), dtype=np.int64)
        if not self.count:
            return np.zeros(len(positions), dtype=bool), winners
        lost, found = self.rows.find(positions)
        winners[lost] = found["winner"]
        return lost, winners


class Partitions:
    """Entries on disk by the first bits of their field `high` (uint64, a hash), each partition to be read by itself.

    `folder` is there and empty; it is removed by its owner.
    """

    def __init__(self, folder: Path, entry: np.dtype[np.void]) -> None:
        self._folder = folder
        self._entry = entry
        self._files: dict[int, BinaryIO] = {}

    def add(self, entries: np.ndarray) -> None:
        """Add entries, in any order."""
        partitions = entries["high"] >> np.uint64(64 - PARTITION_BITS)
        order = np.argsort(partitions, kind="stable")
        bounds = np.searchsorted(partitions[order], np.arange((1 << PARTITION_BITS) + 1, dtype=np.uint64))
        for partition in np.unique(partitions).tolist():
            chosen = entries[order[bounds[partition] : bounds[partition + 1]]]
            self._file(partition).write(chosen.tobytes())

    def load(self, partition: int) -> np.ndarray:
        """Return the entries of one partition, by its number; nothing can be added any more."""
        self.close()
        if partition not in self._files:
            return np.empty(0, dtype=self._entry)
        return np.fromfile(self._path(partition), dtype=self._entry)

    def drain(self) -> Iterator[np.ndarray]:
        """Yield the entries of each partition that has some, ascending by `high`'s first bits; they are gone then."""
        self.close()
        for partition in sorted(self._files):
            path = self._path(partition)
            yield np.fromfile(path, dtype=self._entry)
            path.unlink()
        self._files = {}

    def close(self) -> None:
        """Close the files."""
        for stream in self._files.values():
            stream.close()

    def _path(self, partition: int) -> Path:
        return self._folder / f"part-{partition}"

    def _file(self, partition: int) -> BinaryIO:
        if partition not in self._files:
            self._files[partition] = self._path(partition).open("wb")
        return self._files[partition]


class KeyIndex:
    """Gathers the keys of one record's valid rows, then says which rows lose.

    `folder` must be empty; it belongs to the index and is removed by its owner.
    """

    def __init__(self, folder: Path, policy: Duplicates) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._policy = policy
        self._partitions = Partitions(folder, _ENTRY)

    def add(self, identities: pa.Array, positions: Rows) -> None:
        """Add the keys (string; null: none) of some rows."""
        if self._policy is Duplicates.ALL:
            return
        present = np.asarray(identities.is_valid())
        if not present.any():
            return
        entries = np.empty(int(present.sum()), dtype=_ENTRY)
        entries["high"], entries["low"] = hashes_of(identities.drop_null())
        entries["position"] = positions[present]
        self._partitions.add(entries)

    def losers(self) -> Losers:
        """Return the losers under the policy; the index is closed by it."""
        result = Losers(Buckets(self._folder, _LOSS))
        for entries in self._partitions.drain():
            losses = _losses(entries, self._policy)
            result.count += len(losses)
            result.rows.add(losses)
        return result

    def close(self) -> None:
        """Close the files of an index that is not read."""
        self._partitions.close()


def hashes_of(texts: pa.Array) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return two hashes of 64 bits of each text (string, no nulls)."""
    values = texts.to_numpy(zero_copy_only=False)
    high, low = (pd.util.hash_array(values, hash_key=key, categorize=False) for key in _HASH_KEYS)
    return high, low


def _losses(entries: np.ndarray, policy: Duplicates) -> np.ndarray:
    """Return (position of the loser, winner) of every key that occurs more than once."""
    entries = entries[np.lexsort((entries["position"], entries["low"], entries["high"]))]
    same = (entries["high"][1:] == entries["high"][:-1]) & (entries["low"][1:] == entries["low"][:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    lengths = np.diff(np.concatenate([starts, [len(entries)]]))
    group = np.repeat(np.arange(len(starts)), lengths)
    first, last = starts[group], (starts + lengths - 1)[group]
    own = np.arange(len(entries))
    if policy is Duplicates.ERROR:
        winner = np.where(own == first, last, first)
        lost = lengths[group] > 1
    else:
        winner = last if policy is Duplicates.LAST else first
        lost = own != winner
    losses = np.empty(int(lost.sum()), dtype=_LOSS)
    losses["position"] = entries["position"][lost]
    losses["winner"] = entries["position"][winner[lost]]
    return losses
