"""Who is missing: contacts that were delivered before, and that a full export no longer holds.

The keys of all rows of the file, also of those that are skipped or refused, go to disk as hashes; the keys that the
journal has confirmed pass by them in order. A key counts as the file's own only where it was last confirmed by a run of
this very mapping (by its name): another mapping's contacts are in another spreadsheet. Where the run is not remembered
any more, nobody can say whose the key is, and it is left alone. The records of one mapping are one: what any of them
has in the file is there. Nobody is deleted where the file, or a row's key, could not be read whole.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etl.duplicates import PARTITION_BITS, Partitions
from etl.errors import SettingsError
from etl.issues import WHOLE_ROW, error_places
from etl.journal.model import NewRun, Remembered
from etl.mapping import Binding
from etl.mapping.model import Mapping, Missing, RecordSpec
from etl.moments import iso
from etl.pipeline import KEY_SEPARATOR, Plan, Prepared, key_identities
from etl.records import POSITION_BITS, STATUSES, Status

ACTION = "contact.upsert"
BATCH = 1_000
_KEY_BYTES = 16
_ENTRY = np.dtype([("high", "<u8"), ("key", f"V{_KEY_BYTES}")])
_ROW_MASK = (1 << POSITION_BITS) - 1
_INVALID, _SKIPPED = (STATUSES.index(status) for status in (Status.INVALID, Status.SKIPPED))


class Confirmed(Protocol):
    """What is remembered of all keys confirmed at one target."""

    def confirmed_keys(self, action: str) -> Iterator[Remembered]:
        """Yield the confirmed keys of `action`, ascending by their hash; without those deleted through us since."""
        ...

    def hash_keys(self, keys: pa.Array) -> npt.NDArray[np.bytes_]:
        """Return the keyed hash of each identity (string, no nulls), dtype S16."""
        ...


RunOf = Callable[[str], NewRun | None]
"""Returns a run by its id, None where it is not remembered any more."""


class Lost(NamedTuple):
    """One key that the file no longer holds.

    `position`: of its delivery, should there be one; `shown`: the key, or a token that stands for it; `text`: the
    identity, "" where only its hash is known; the rest: when and by which row it was last confirmed.
    """

    position: int
    shown: str
    text: str
    confirmed_at: str
    run: str
    file: str
    sheet: str
    row: int


@dataclass(slots=True)
class Gone:
    """All keys that the file no longer holds, on disk.

    `policy`: what to do; `held`: why it is not done all the same, "" if it is; `count`: keys; `deletes`: of these, how
    many contacts are to be deleted; `unnamed`: how many cannot be, since only their hash is known.
    """

    spec: RecordSpec
    policy: Missing
    path: Path
    held: str = ""
    count: int = 0
    deletes: int = 0
    unnamed: int = 0

    def __iter__(self) -> Iterator[list[Lost]]:
        """Yield the keys, some at a time, ascending by position."""
        if not self.count:
            return
        with self.path.open("rb") as stream:
            while True:
                try:
                    yield pickle.load(stream)  # noqa: S301 - our own file, in a folder of this run alone
                except EOFError:
                    return

    @property
    def notes(self) -> list[str]:
        """What to tell of it, in sentences."""
        if not self.count:
            return [f"nobody is deleted for being missing: {self.held}"] if self.held and self._may_delete else []
        contacts = "1 contact" if self.count == 1 else f"{self.count:,} contacts"
        start = f"{contacts} delivered before {'is' if self.count == 1 else 'are'} missing from the file (missing.csv)"
        if not self._may_delete:
            return [f"{start}; it may be in a row whose key could not be read: {self.held}" if self.held else start]
        if self.held:
            return [f"{start}; nobody is deleted: {self.held}"]
        if self.unnamed:
            return [f"{start}; {self.unnamed:,} cannot be deleted: only hashes were kept when they were delivered"]
        return [start]

    @property
    def _may_delete(self) -> bool:
        return self.policy is Missing.DELETE


class Watch:
    """Looks at every row of a file, and then says who is missing. `folder` is empty, and belongs to it."""

    def __init__(self, mapping: Mapping, confirmed: Confirmed, folder: Path, run_of: RunOf, *, plain: bool) -> None:
        folder.mkdir(parents=True)
        self._spec = next(record for record in mapping.records if record.missing is not None)
        self._contacts = {record.number for record in mapping.records if record.action.idempotent and record.key}
        self._mapping = mapping
        self._confirmed = confirmed
        self._folder = folder
        self._run_of = _Remembering(run_of)
        self._plain = plain
        self._seen = Partitions(folder, _ENTRY)
        self._seen_keys = 0
        self._hidden = 0

    def see(self, prepared: Prepared, plan: Plan, binding: Binding) -> None:
        """Take in the keys of a chunk's rows."""
        chunk = prepared.chunk
        broken = np.zeros(len(chunk.blank), dtype=bool)
        broken[error_places([batch for batch in prepared.issues if batch.record == WHOLE_ROW])] = True
        hidden = broken & ~chunk.blank
        for record in prepared.records:
            if record.spec.number not in self._contacts:
                continue
            identities, unreadable = key_identities(chunk, plan, binding, record.spec)
            absent = np.asarray(identities.is_null())
            hidden |= (record.status == _INVALID) & absent
            hidden |= (record.reasons == "when-false") & unreadable
            self._add(identities.drop_null())
        self._hidden += int(hidden.sum())

    def _add(self, keys: pa.Array) -> None:
        if not len(keys):
            return
        hashes = np.ascontiguousarray(self._confirmed.hash_keys(keys))
        entries = np.empty(len(hashes), dtype=_ENTRY)
        entries["high"] = hashes.view(">u8")[::2]
        entries["key"] = hashes.view(f"V{_KEY_BYTES}")
        self._seen.add(entries)
        self._seen_keys += len(keys)

    def gone(self, *, limit: int | None, tables: int, is_part: bool = False) -> Gone:
        """Return who is missing, once all rows were seen; `tables`: how many tables the run reads.

        `is_part`: whether one of them holds rows alone that were handed back to be mended.
        """
        policy = self._spec.missing or Missing.REPORT
        found = Gone(self._spec, policy, self._folder / "gone", self._held(limit, is_part=is_part))
        if limit is not None or is_part:
            return found
        with found.path.open("wb") as out:
            batch: list[Lost] = []
            position = tables << POSITION_BITS
            for one in self._absent():
                # By the hash, not by a running number: it is the same when the run is resumed with fewer left.
                position = max(position + 1, tables << POSITION_BITS | int.from_bytes(one.key[: POSITION_BITS // 8]))
                batch.append(self._lost(one, position))
                found.count += 1
                found.unnamed += not one.text
                if len(batch) == BATCH:
                    pickle.dump(batch, out, protocol=5)
                    batch = []
            if batch:
                pickle.dump(batch, out, protocol=5)
        if policy is Missing.DELETE and not found.held:
            found.deletes = found.count - found.unnamed
        return found

    def close(self) -> None:
        """Close the files of a watch that is not asked."""
        self._seen.close()

    def _held(self, limit: int | None, *, is_part: bool) -> str:
        if limit is not None:
            return "--limit reads a part of the file alone"
        if is_part:
            return "the file holds rows to mend alone"
        if self._hidden:
            rows = "1 row has a key" if self._hidden == 1 else f"{self._hidden:,} rows have keys"
            return f"{rows} that cannot be read, and may be theirs"
        return "" if self._seen_keys else "no row of the file has a key"

    def _absent(self) -> Iterator[Remembered]:
        loaded, seen = -1, frozenset[bytes]()
        for one in self._confirmed.confirmed_keys(ACTION):
            partition = one.key[0] >> (8 - PARTITION_BITS)
            if partition != loaded:
                loaded, seen = partition, frozenset(self._seen.load(partition)["key"].tolist())
            if one.key not in seen and self._is_ours(one):
                yield one

    def _is_ours(self, one: Remembered) -> bool:
        run = self._run_of(one.run)
        return run is not None and run.mapping == self._mapping.name

    def _lost(self, one: Remembered, position: int) -> Lost:
        run = self._run_of(one.run)
        table = one.position >> POSITION_BITS
        file, sheet = run.tables[table] if run is not None and table < len(run.tables) else ("", "")
        text = one.text if self._plain else ""
        _, _, key = text.partition(KEY_SEPARATOR)
        when = iso(one.confirmed_at, "seconds")
        shown = key.replace(KEY_SEPARATOR, " ") or one.key.hex()
        return Lost(position, shown, text, when, one.run, file, sheet, one.position & _ROW_MASK)


@dataclass(slots=True)
class _Remembering:
    """Asks for each run once."""

    ask: RunOf
    known: dict[str, NewRun | None] = field(default_factory=dict)

    def __call__(self, run: str) -> NewRun | None:
        if run not in self.known:
            self.known[run] = self.ask(run)
        return self.known[run]


def looks_for_missing(records: Sequence[RecordSpec]) -> bool:
    """Whether a record asks who is missing."""
    return any(record.missing is not None for record in records)


def require_plain_keys(mapping: Mapping, *, plain: bool) -> None:
    """Refuse `missing: delete` where the journal keeps but hashes of keys. Raises SettingsError."""
    deleting = [record for record in mapping.records if record.missing is Missing.DELETE]
    if deleting and not plain:
        raise SettingsError(
            "missing: delete needs the addresses of contacts, and the journal keeps only hashes of them",
            code="keys-hashed", where=f"{mapping.file}:{deleting[0].line}",
            hint='set keys = "plain" under [journal] in etl.toml, or write missing: report',
        )  # fmt: skip
