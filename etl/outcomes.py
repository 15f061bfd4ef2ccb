"""What became of the rows of one chunk: the prepared statuses, then the receipts, one line per row and record.

Identity is the row's position and the record's number; a receipt finds its line by both. Lines know no cells and no
bodies, so they can be put aside on disk (pickled) until the whole file has been read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.comparison import MEANING, Marks, dates_of
from etl.digests import Digests, digests_of, in_hex
from etl.duplicates import Losers
from etl.issues import WHOLE_ROW, IssueBatch, Judge
from etl.mapping.model import Duplicates, RecordSpec
from etl.moments import iso
from etl.pipeline import Prepared, PreparedRecord
from etl.records import STATUSES, Receipt, Rows, SourceRef, Status

_NUMBERS = {status: number for number, status in enumerate(STATUSES)}
Locate = Callable[[int], str]
"""Returns how a person names the row at a position: `row 17`."""

SKIPPED_BECAUSE = {
    "blank-row": "every cell of the row is blank",
    "when-false": "the mapping's condition is false",
    "row-hidden": "the row is hidden in the sheet, and the mapping leaves hidden rows out",
    "comment-row": "the row is a comment",
    "total-row": "the row is a total, and the mapping leaves totals out",
}


@dataclass(slots=True)
class Lines:
    """The lines of one record of a chunk's rows; every array has one value per row.

    `status`: int8, places in STATUSES; `keys`, `codes`, `fields`, `messages`, `digests`: string, null or "" for none.
    """

    source: SourceRef
    number: int
    action: str
    rows: Rows
    positions: Rows
    status: npt.NDArray[np.int8]
    keys: pa.Array
    codes: pa.Array
    fields: pa.Array
    messages: pa.Array
    digests: pa.Array
    receipts: dict[int, Receipt] = field(default_factory=dict)

    def lose(self, spec: RecordSpec, losers: Losers, locate: Locate) -> IssueBatch | None:
        """Mark the planned rows that another row of their key stands for; with policy `error`, return the issues."""
        planned = np.flatnonzero(self.status == STATUSES.index(Status.PLANNED)).astype(np.int64)
        lost, winners = losers.among(self.positions[planned])
        hit = planned[lost]
        if not len(hit):
            return None
        told = [locate(int(position)) for position in winners[lost]]
        if spec.duplicates is Duplicates.ERROR:
            details = [f"also in {name}" for name in told]
            keys = self.keys.take(pa.array(hit))
            batch = Judge(self.number, {}).issue("duplicate-key", hit, keys, field=spec.key[0], detail=details)
            self._mark(hit, Status.INVALID, "duplicate-key", batch.messages, field=spec.key[0])
            return batch
        messages = pa.array([f"{name} of the same key stands for it" for name in told], pa.string())
        self._mark(hit, Status.DUPLICATE, "duplicate", messages)
        return None

    def remember(self, marks: Marks) -> None:
        """Mark the planned rows of which the comparison with earlier runs has something to say."""
        planned = np.flatnonzero(self.status == STATUSES.index(Status.PLANNED)).astype(np.int64)
        marked, kinds, times = marks.among(self.positions[planned])
        for kind, (status, code, message) in MEANING.items():
            chosen = kinds == kind
            if not chosen.any():
                continue
            places = planned[marked][chosen]
            before, _, after = message.partition("{date}")
            told = pc.binary_join_element_wise(before, dates_of(times[chosen]), after, "")
            own = pc.coalesce(self.messages.take(pa.array(places)), "")
            told = pc.if_else(pc.equal(own, ""), told, pc.binary_join_element_wise(told, own, "; "))
            self._mark(places, status, code, told)

    def _mark(self, places: Rows, status: Status, code: str, messages: pa.Array, field: str = "") -> None:
        mask = np.zeros(len(self.status), dtype=bool)
        mask[places] = True
        self.status[places] = STATUSES.index(status)
        self.codes = pc.if_else(pa.array(mask), code, self.codes)
        self.fields = pc.if_else(pa.array(mask), field, self.fields)
        self.messages = pc.replace_with_mask(self.messages, pa.array(mask), messages)

    def settle(self, receipt: Receipt) -> int:
        """Write down the receipt of one delivery; return its place."""
        place = int(self.positions.searchsorted(receipt.delivery.position))
        self.status[place] = _NUMBERS[receipt.status]
        self.receipts[place] = receipt
        return place

    def counts(self) -> dict[Status, int]:
        """Return how many lines are in each status."""
        totals = np.bincount(self.status, minlength=len(STATUSES))
        return {status: int(count) for status, count in zip(STATUSES, totals, strict=True) if count}

    def columns(self) -> dict[str, pa.Array]:
        """Return the lines as the columns of results.csv."""
        count = len(self.status)
        columns = {
            "file": _same(self.source.file, count),
            "sheet": _same(self.source.sheet, count),
            "row": pa.array(self.rows),
            "action": _same(self.action, count),
            "key": self.keys,
            "status": pa.array([status.value for status in STATUSES]).take(pa.array(self.status)),
            "field": self.fields,
            "code": self.codes,
            "message": self.messages,
            "payload_sha256": self.digests,
            "record": pa.array(np.full(count, self.number, dtype=np.int64)),
        }
        return columns | self._receipt_columns()

    def line(self, place: int) -> list[object]:
        """Return the values of the settled line at `place`, in the order of results.csv."""
        receipt = self.receipts[place]
        code, message = _told(receipt, self.codes[place].as_py(), self.messages[place].as_py())
        return [
            self.source.file, self.source.sheet, int(self.rows[place]), self.action, self.keys[place].as_py(),
            receipt.status.value, receipt.http_status, receipt.attempts or None, receipt.request_id,
            self.fields[place].as_py(), code, message, self.digests[place].as_py(), iso(receipt.sent_at),
            receipt.duration_ms, self.number,
        ]  # fmt: skip

    def _receipt_columns(self) -> dict[str, pa.Array]:
        count = len(self.status)
        if not self.receipts:
            return {
                "http_status": pa.nulls(count, pa.int64()),
                "attempts": pa.nulls(count, pa.int64()),
                "request_id": pa.nulls(count, pa.string()),
                "sent_at": pa.nulls(count, pa.string()),
                "duration_ms": pa.nulls(count, pa.float64()),
            }
        found = [self.receipts.get(place) for place in range(count)]
        codes, messages = self.codes.to_pylist(), self.messages.to_pylist()
        told = [_told(r, code, own) if r else None for r, code, own in zip(found, codes, messages, strict=True)]
        return {
            "http_status": pa.array([r and r.http_status for r in found], pa.int64()),
            "attempts": pa.array([(r and r.attempts) or None for r in found], pa.int64()),
            "request_id": pa.array([r and r.request_id for r in found], pa.string()),
            "sent_at": pa.array([r and iso(r.sent_at) for r in found], pa.string()),
            "duration_ms": pa.array([r and r.duration_ms for r in found], pa.float64()),
            "code": pa.array([t[0] if t else own for t, own in zip(told, codes, strict=True)], pa.string()),
            "message": pa.array([t[1] if t else own for t, own in zip(told, messages, strict=True)], pa.string()),
        }


def lines_of(prepared: Prepared, digests: Sequence[Digests] | None = None) -> tuple[Lines, ...]:
    """Return the lines of every record of a prepared chunk, before anything that only the whole file shows.

    `digests`: of each record's bodies, where they are known already.
    """
    if digests is None:
        digests = [digests_of(record.bodies) for record in prepared.records]
    return tuple(_lines(prepared, record, own) for record, own in zip(prepared.records, digests, strict=True))


def in_order(lines: Sequence[Lines]) -> dict[str, pa.Array]:
    """Return the lines of all records of a chunk as columns of results.csv: row by row, record by record."""
    parts = [one.columns() for one in lines]
    if len(parts) == 1:
        return parts[0]
    rows = len(lines[0].status)
    order = pa.array(np.arange(rows * len(lines)).reshape(len(lines), rows).T.reshape(-1))
    return {name: pa.concat_arrays([part[name] for part in parts]).take(order) for name in parts[0]}


def _told(receipt: Receipt, code: str | None, message: str | None) -> tuple[str, str]:
    """Return code and message of a settled line: the endpoint's word first, then the line's own warnings."""
    both = "; ".join((receipt.message, message)) if receipt.message and message else receipt.message or message
    return receipt.code or code or "", both or ""


def _lines(prepared: Prepared, record: PreparedRecord, digests: Digests) -> Lines:
    rows = len(record.status)
    codes, fields, messages = _summary(prepared.issues, record.spec.number, rows)
    for code, message in SKIPPED_BECAUSE.items():
        chosen = record.reasons == code
        codes[chosen], messages[chosen] = code, message
    return Lines(
        source=prepared.chunk.source,
        number=record.spec.number,
        action=record.spec.action.name,
        rows=prepared.chunk.rows,
        positions=prepared.chunk.positions,
        status=record.status.copy(),
        keys=record.keys,
        codes=pa.array(codes, pa.string()),
        fields=pa.array(fields, pa.string()),
        messages=pa.array(messages, pa.string()),
        digests=_digests(record, digests, rows),
    )


def _digests(record: PreparedRecord, digests: Digests, rows: int) -> pa.Array:
    """Return the SHA-256 of each body in hex digits, null for a row that has none."""
    has_body = np.zeros(rows, dtype=bool)
    has_body[record.places] = True
    return pc.replace_with_mask(pa.nulls(rows, pa.string()), pa.array(has_body), in_hex(digests))


def _summary(batches: Sequence[IssueBatch], number: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, per row, the code and the field of its first issue (errors first) and all its messages joined."""
    codes, fields, messages = (np.full(rows, "", dtype=object) for _ in range(3))
    own = [batch for batch in batches if batch.record in {WHOLE_ROW, number} and len(batch)]
    if not own:
        return codes, fields, messages
    own.sort(key=lambda batch: batch.severity.value)
    places = np.concatenate([batch.places for batch in own])
    order = np.argsort(places, kind="stable")
    which = np.repeat(np.arange(len(own)), [len(batch) for batch in own])[order]
    places = places[order]
    starts = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
    rows_hit = places[starts]
    codes[rows_hit] = np.array([batch.code for batch in own], dtype=object)[which[starts]]
    fields[rows_hit] = np.array([batch.field for batch in own], dtype=object)[which[starts]]
    texts = pa.concat_arrays([_located(batch) for batch in own]).take(pa.array(order))
    lists = pa.ListArray.from_arrays(pa.array(np.append(starts, len(places)), pa.int32()), texts)
    messages[rows_hit] = pc.binary_join(lists, "; ").to_numpy(zero_copy_only=False)
    return codes, fields, messages


def _located(batch: IssueBatch) -> pa.Array:
    """Return the messages with the field in front."""
    if not batch.field:
        return batch.messages
    return pc.binary_join_element_wise(f"{batch.field}: ", batch.messages, "")


def _same(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), count)
