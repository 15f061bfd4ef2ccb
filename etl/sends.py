"""What will be sent, in one fingerprint: record, position and payload digest of every row that goes out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from etl.comparison import Marks
from etl.digests import SIZE, Digests
from etl.duplicates import Losers
from etl.missing import Gone
from etl.records import Rows

_ENTRY = np.dtype([("record", "<i8"), ("position", "<i8"), ("digest", f"S{SIZE}")])
_BLOCK = 65_536


class Sends:
    """Gathers the planned rows on disk, a file for each record. `folder` belongs to it, and is removed by its owner."""

    def __init__(self, folder: Path, records: int) -> None:
        folder.mkdir(parents=True)
        self._paths = [folder / f"sends-{number}" for number in range(1, records + 1)]
        self._streams = [path.open("wb") for path in self._paths]

    def add(self, record: int, digests: Digests, positions: Rows) -> None:
        """Add the planned rows of a chunk: `positions` ascending, and above those added before."""
        entries = np.empty(len(positions), dtype=_ENTRY)
        entries["record"], entries["position"], entries["digest"] = record, positions, digests
        self._streams[record - 1].write(entries.tobytes())

    def fingerprint(self, losers: Sequence[Losers], marks: Sequence[Marks], gone: Gone | None) -> str:
        """Return the SHA-256, in hex digits, of all that is left to send: record by record, row by row."""
        self.close()
        whole = hashlib.sha256()
        for number, path in enumerate(self._paths):
            with path.open("rb") as stream:
                while block := stream.read(_ENTRY.itemsize * _BLOCK):
                    entries = np.frombuffer(block, dtype=_ENTRY)
                    held, _ = losers[number].among(entries["position"])
                    if marks:
                        held |= marks[number].among(entries["position"])[0]
                    whole.update(entries[~held].tobytes())
        for batch in gone if gone is not None and gone.deletes else ():
            for lost in batch:
                whole.update(f"delete {lost.text}\n".encode())
        return whole.hexdigest()

    def close(self) -> None:
        """Close the files."""
        for stream in self._streams:
            stream.close()
