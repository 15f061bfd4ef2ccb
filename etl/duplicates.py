"""Which row of a key stands for all of them: an index on disk, so that memory does not grow with the file.

Keys are kept as 128-bit hashes (two runs of SipHash), in partitions by their first bits; each partition is sorted in
memory by itself. The losers then go into buckets of consecutive rows, which the second reading loads one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from etl.mapping.model import Duplicates
from etl.records import Mask, Rows

PARTITION_BITS = 6
BUCKET_BITS = 18
_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("position", "<i8")])
_LOSS = np.dtype([("loser", "<i8"), ("winner", "<i8")])
_HASH_KEYS = ("0123456789abcdef", "fedcba9876543210")


@dataclass(slots=True)
class Losers:
    """The rows that another row of their key stands for. `count`: how many; `folder`: where their buckets lie."""

    folder: Path
    count: int = 0
    _bucket: int = -1
    _held: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=_LOSS))

    def among(self, positions: Rows) -> tuple[Mask, Rows]:
        """Return, for ascending `positions`, which of them lost, and the position of the row that stands for each.

        The winner is 0 where the row did not lose.
        """
        lost = np.zeros(len(positions), dtype=bool)
        winners = np.zeros(len(positions), dtype=np.int64)
        if not self.count:
            return lost, winners
        buckets = positions >> BUCKET_BITS
        for bucket in np.unique(buckets):
            held = self._load(int(bucket))
            if not len(held):
                continue
            inside = np.flatnonzero(buckets == bucket)
            found = np.searchsorted(held["loser"], positions[inside])
            found[found == len(held)] = 0
            hit = held["loser"][found] == positions[inside]
            lost[inside[hit]] = True
            winners[inside[hit]] = held["winner"][found[hit]]
        return lost, winners

    def _load(self, bucket: int) -> np.ndarray:
        if bucket != self._bucket:
            path = self.folder / f"losers-{bucket}"
            held = np.fromfile(path, dtype=_LOSS) if path.exists() else np.empty(0, dtype=_LOSS)
            self._held = np.sort(held, order="loser")
            self._bucket = bucket
        return self._held


class KeyIndex:
    """Gathers the keys of one record's valid rows, then says which rows lose.

    `folder` must be empty; it belongs to the index and is removed by its owner.
    """

    def __init__(self, folder: Path, policy: Duplicates) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._policy = policy
        self._files: dict[int, BinaryIO] = {}

    def add(self, identities: pa.Array, positions: Rows) -> None:
        """Add the keys (string; null: none) of some rows."""
        if self._policy is Duplicates.ALL:
            return
        present = np.asarray(identities.is_valid())
        if not present.any():
            return
        entries = np.empty(int(present.sum()), dtype=_ENTRY)
        texts = identities.drop_null().to_numpy(zero_copy_only=False)
        for name, key in zip(("high", "low"), _HASH_KEYS, strict=True):
            entries[name] = pd.util.hash_array(texts, hash_key=key, categorize=False)
        entries["position"] = positions[present]
        partitions = entries["high"] >> np.uint64(64 - PARTITION_BITS)
        order = np.argsort(partitions, kind="stable")
        bounds = np.searchsorted(partitions[order], np.arange((1 << PARTITION_BITS) + 1, dtype=np.uint64))
        for partition in np.unique(partitions).tolist():
            chosen = entries[order[bounds[partition] : bounds[partition + 1]]]
            self._file(partition).write(chosen.tobytes())

    def losers(self) -> Losers:
        """Return the losers under the policy; the index is closed by it."""
        result = Losers(self._folder)
        for partition, stream in self._files.items():
            stream.close()
            losses = _losses(np.fromfile(self._path(partition), dtype=_ENTRY), self._policy)
            self._path(partition).unlink()
            result.count += len(losses)
            for bucket, rows in _by_bucket(losses):
                with (self._folder / f"losers-{bucket}").open("ab") as out:
                    out.write(rows.tobytes())
        self._files = {}
        return result

    def close(self) -> None:
        """Close the files of an index that is not read."""
        for stream in self._files.values():
            stream.close()

    def _path(self, partition: int) -> Path:
        return self._folder / f"keys-{partition}"

    def _file(self, partition: int) -> BinaryIO:
        if partition not in self._files:
            self._files[partition] = self._path(partition).open("wb")
        return self._files[partition]


def _losses(entries: np.ndarray, policy: Duplicates) -> np.ndarray:
    """Return (loser, winner) of every key that occurs more than once."""
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
    losses["loser"] = entries["position"][lost]
    losses["winner"] = entries["position"][winner[lost]]
    return losses


def _by_bucket(losses: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    losses = losses[np.argsort(losses["loser"], kind="stable")]
    buckets = losses["loser"] >> BUCKET_BITS
    for bucket in np.unique(buckets).tolist():
        yield bucket, losses[buckets == bucket]
