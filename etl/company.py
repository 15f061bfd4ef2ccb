"""People to whom one file sends more than one request about their contact: what each does depends on the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from etl.buckets import Buckets
from etl.duplicates import Partitions, hashes_of
from etl.mapping.model import Duplicates, RecordSpec
from etl.records import Mask, Rows

_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("record", "<i8"), ("key", "<u8"), ("position", "<i8")])
_ROW = np.dtype([("position", "<i8")])


class Company:
    """Gathers the contact requests of a file by person, on disk, and says which rows are not alone.

    Rows of which duplicates leave one count as one. `folder` is empty, and belongs to it.
    """

    def __init__(self, folder: Path, records: Sequence[RecordSpec]) -> None:
        self._folder = folder
        self._records = records
        self._partitions = Partitions(folder, _ENTRY)
        contacts = [record for record in records if record.action.idempotent]
        # One record whose key is the person: what is left of duplicates is alone by itself.
        self._is_needed = len(contacts) > 1 or any(
            record.duplicates is Duplicates.ALL or record.key != (record.action.person,) for record in contacts
        )

    def add(self, spec: RecordSpec, lanes: pa.Array, keys: pa.Array, positions: Rows, sent: Mask) -> None:
        """Add a record's planned rows at `positions`: their lanes and identities; `sent`: those that may go out."""
        if not (self._is_needed and spec.action.idempotent and sent.any()):
            return
        lanes, keys = lanes.filter(pa.array(sent)), keys.filter(pa.array(sent))
        entries = np.empty(len(lanes), dtype=_ENTRY)
        entries["high"], entries["low"] = hashes_of(lanes)
        entries["record"] = spec.number
        entries["position"] = positions[sent]
        entries["key"] = entries["position"].astype(np.uint64)
        if spec.duplicates is not Duplicates.ALL:
            present = np.asarray(keys.is_valid())
            entries["key"][present] = hashes_of(keys.drop_null())[0]
        self._partitions.add(entries)

    def together(self) -> tuple[Buckets, ...]:
        """Return, for each record, its rows that are not alone; the last call."""
        found = []
        for record in self._records:
            folder = self._folder / f"record-{record.number}"
            folder.mkdir()
            found.append(Buckets(folder, _ROW))
        for entries in self._partitions.drain():
            crowded = _crowded(entries)
            for record, rows in zip(self._records, found, strict=True):
                own = crowded[crowded["record"] == record.number]
                rows.add(own[["position"]].astype(_ROW))
        return tuple(found)

    def close(self) -> None:
        """Close the files of people who are not looked at."""
        self._partitions.close()


def _crowded(entries: np.ndarray) -> np.ndarray:
    """Return the entries of people with more than one (record, key)."""
    entries = entries[np.lexsort((entries["key"], entries["record"], entries["low"], entries["high"]))]
    new_person = _differs(entries, "high", "low")
    new_key = new_person | _differs(entries, "record", "key")
    person = np.cumsum(new_person) - 1
    requests = np.bincount(person, weights=new_key)
    crowded: np.ndarray = entries[requests[person] > 1]
    return crowded


def _differs(entries: np.ndarray, *names: str) -> Mask:
    """Return whether each entry differs from the one before it in one of the fields; the first does."""
    differs = np.ones(len(entries), dtype=bool)
    differs[1:] = np.logical_or.reduce([entries[name][1:] != entries[name][:-1] for name in names])
    return differs
