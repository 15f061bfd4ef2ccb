"""missing.csv: the contacts that a full export no longer holds, and what became of each that was to be deleted for it.

They are no rows of the file: results.csv and its counts do not know them. Their deliveries have positions behind the
last table of the run, so that the journal keeps them like all others.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from etl.columns import Column
from etl.contract import ACTIONS, Wire
from etl.digests import digests_of, in_hex
from etl.mapping.model import Missing
from etl.missing import Gone, Lost
from etl.moments import iso
from etl.payloads import bodies
from etl.pipeline import KEY_SEPARATOR
from etl.records import Delivery, Receipt, Status, Unit
from etl.reports.cells import inert
from etl.reports.csv_columns import CsvColumns

FILE = "missing.csv"
COLUMNS = (
    "key", "confirmed_at", "run", "file", "sheet", "row", "status", "http_status", "attempts", "request_id", "code",
    "message", "payload_sha256", "sent_at", "duration_ms", "record",
)  # fmt: skip
"""A promise to other programs: these columns, in this order."""
RISKY = ("key", "file", "sheet", "request_id", "message")
"""Columns whose text is not ours alone: no spreadsheet may take it for a formula."""
_MAX_OPEN = 16
Shown = Callable[[Mapping[str, pa.Array]], Mapping[str, pa.Array]]
_DELETE = ACTIONS["contact.delete"]


@dataclass(frozen=True, slots=True)
class Wiring:
    """How deletions are written: the target's wire form, and whether a group key stands beside the data."""

    wire: Wire = "fields"
    has_group_key: bool = False

    def bodies(self, batch: list[Lost]) -> pa.Array:
        """Return the body of each deletion (string)."""
        parts = [lost.text.partition(KEY_SEPARATOR) for lost in batch]
        field = _DELETE.field(_DELETE.person)
        emails = pa.array([email for _, _, email in parts], pa.string())
        column = Column(
            _DELETE.person, field, field.flat_name if field else "", emails, np.zeros(len(batch), dtype=bool), ()
        )
        groups = pa.array([group for group, _, _ in parts], pa.string()) if self.has_group_key else None
        return bodies([column], len(batch), self.wire, groups)


@dataclass(slots=True)
class _Open:
    """Some keys on their way. `receipts`: by position, of those that have one."""

    batch: list[Lost]
    digests: list[str]
    receipts: dict[int, Receipt]
    pending: int


class MissingDeletes:
    """Deletes who is missing, and writes missing.csv, in the order of the keys. `counts`: deletions by status.

    Used from one thread that sends, and from those of the loader, which settle.
    """

    def __init__(
        self, gone: Gone, path: Path, wiring: Wiring, *, dry_run: bool = False, shown: Shown | None = None
    ) -> None:
        """Open the file. `shown`: turns its columns into what they show of people, None: all of it."""
        self._gone = gone
        self._shown = shown
        self._wiring = wiring
        self._dry_run = dry_run
        self._csv = CsvColumns(path, COLUMNS)
        self._open: deque[_Open] = deque()
        self._lock = threading.Lock()
        self._completed = threading.Condition(self._lock)
        self.counts: Counter[Status] = Counter()

    def send(self, submit: Callable[[Unit], None]) -> None:
        """Hand every deletion to `submit` (the loader's); returns before all have their receipts."""
        for batch in self._gone:
            made = self._wiring.bodies(batch)
            deliveries = list(self._deliveries(batch, made)) if self._gone.deletes else []
            with self._lock:
                while len(self._open) >= _MAX_OPEN:
                    self._completed.wait()
                self._open.append(_Open(batch, in_hex(digests_of(made)).to_pylist(), {}, len(deliveries)))
                self._write_complete()
            for delivery in deliveries:
                submit(Unit((delivery,)))

    @property
    def by_status(self) -> dict[str, int]:
        """Deletions by the word of their status."""
        return {status.value: count for status, count in self.counts.items()}

    def settle(self, receipt: Receipt) -> None:
        """Write down what became of one deletion. Raises OSError."""
        with self._lock:
            self.counts[receipt.status] += 1
            one = next(one for one in reversed(self._open) if one.batch[0].position <= receipt.delivery.position)
            one.receipts[receipt.delivery.position] = receipt
            one.pending -= 1
            self._write_complete()

    def close(self) -> None:
        """Close the file. Raises OSError."""
        self._csv.close()

    def _deliveries(self, batch: list[Lost], made: pa.Array) -> Iterator[Delivery]:
        if self._dry_run:
            return
        for lost, body in zip(batch, made.to_pylist(), strict=True):
            if lost.text:
                yield Delivery(
                    position=lost.position, record=self._gone.spec.number, endpoint=_DELETE.endpoint,
                    body=body.encode(), lane=lost.text, repeat_unknown=True, action=_DELETE.name, key=lost.text,
                )  # fmt: skip

    def _write_complete(self) -> None:
        while self._open and self._open[0].pending == 0:
            one = self._open.popleft()
            self._completed.notify()
            lines = [self._line(lost, one.receipts.get(lost.position), hexed) for lost, hexed in _pairs(one)]
            columns = dict(zip(COLUMNS, map(list, zip(*lines, strict=True)), strict=True))
            texts: Mapping[str, pa.Array] = {
                name: pa.array(map(_text, values), pa.string()) for name, values in columns.items()
            }
            texts = self._shown(texts) if self._shown else texts
            self._csv.write({name: inert(text) if name in RISKY else text for name, text in texts.items()})

    def _line(self, lost: Lost, receipt: Receipt | None, digest: str) -> tuple[object, ...]:
        start = (lost.shown, lost.confirmed_at, lost.run, lost.file, lost.sheet, lost.row)
        number = self._gone.spec.number
        if receipt is None:
            status, code, message = self._unsent(lost)
            planned = digest if status == Status.PLANNED else ""
            return (*start, status, "", "", "", code, message, planned, "", "", number)
        return (
            *start, receipt.status.value, receipt.http_status, receipt.attempts or None, receipt.request_id,
            receipt.code, receipt.message, digest, iso(receipt.sent_at), receipt.duration_ms, number,
        )  # fmt: skip

    def _unsent(self, lost: Lost) -> tuple[str, str, str]:
        if self._gone.policy is Missing.REPORT:
            return "", "", ""
        if self._gone.held:
            return Status.BLOCKED.value, "missing-held-back", f"not deleted: {self._gone.held}"
        if not lost.text:
            return Status.BLOCKED.value, "key-unknown", "not deleted: only a hash of the key was kept at its delivery"
        return Status.PLANNED.value, "", ""


def _pairs(one: _Open) -> Iterator[tuple[Lost, str]]:
    return zip(one.batch, one.digests, strict=True)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
