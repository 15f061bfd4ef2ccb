"""What earlier sittings of the same run know → receipts of rows that are not sent again. Decides; reads by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from etl.journal.model import NO_OUTCOME, SENDING, Past
from etl.load.journey import overtaken
from etl.mapping.model import RecordSpec, Unknown
from etl.outcomes import Lines
from etl.records import STATUSES, Delivery, Receipt, Status

_PLANNED = STATUSES.index(Status.PLANNED)
_LOST = "the run was cut off while the request was under way, and no answer came"


class Pasts(Protocol):
    """Whoever remembers deliveries: the journal."""

    def past(self, run_id: str, first: int, last: int) -> Mapping[tuple[int, int], Past]:
        """Return what is known by (position, record), for positions from `first` to `last`, both included."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier sittings of run `run_id`. `unknown_again`: a person asked that what is unknown be sent again.

    `attempts`: requests so far by (position, record), of the chunk that was settled last.
    """

    pasts: Pasts
    run_id: str
    unknown_again: bool = False
    attempts: dict[tuple[int, int], int] = field(default_factory=dict, init=False)

    def settle(self, lines: Sequence[Lines], records: Sequence[RecordSpec]) -> list[Receipt]:
        """Settle the planned lines of a chunk that need no sending any more; return their receipts, in order."""
        positions = lines[0].positions
        if not len(positions):
            return []
        known = self.pasts.past(self.run_id, int(positions[0]), int(positions[-1]))
        self.attempts.clear()
        self.attempts.update({place: past.attempts for place, past in known.items()})
        if not known:
            return []
        return list(self._settle(lines, records, known))

    def _settle(
        self, lines: Sequence[Lines], records: Sequence[RecordSpec], known: Mapping[tuple[int, int], Past]
    ) -> Iterator[Receipt]:
        positions = lines[0].positions
        for position in sorted({position for position, _ in known}):
            place = int(np.searchsorted(positions, position))
            earlier: Receipt | None = None
            for one, spec in zip(lines, records, strict=True):
                if one.status[place] != _PLANNED:
                    continue
                delivery = _delivery(position, spec)
                past = known.get((position, spec.number))
                if earlier is not None:
                    receipt = overtaken(delivery, earlier)
                elif past is None or (status := self._final(past, spec)) is None:
                    # Sent in this sitting, and the later records of the row after it.
                    break
                else:
                    receipt = _receipt(delivery, status, past)
                    if status is not Status.DELIVERED:
                        earlier = receipt
                one.settle(receipt)
                yield receipt

    def _final(self, past: Past, spec: RecordSpec) -> Status | None:
        """Return how the delivery has ended, None if it is to be sent (again)."""
        if past.state in {Status.DELIVERED, Status.REJECTED}:
            return Status(past.state)
        may_repeat = self.unknown_again or spec.unknown is Unknown.RETRY
        if past.state in {SENDING, Status.UNKNOWN} and not may_repeat:
            return Status.UNKNOWN
        return None


def _delivery(position: int, spec: RecordSpec) -> Delivery:
    """Return the delivery as far as a receipt needs it: its body was sent, or never will be."""
    return Delivery(position, spec.number, spec.action.endpoint, b"", None, spec.unknown is Unknown.RETRY)


def _receipt(delivery: Delivery, status: Status, past: Past) -> Receipt:
    lost = past.state == SENDING or past.code == NO_OUTCOME
    return Receipt(
        delivery, status, past.http_status, past.attempts, past.request_id,
        NO_OUTCOME if lost else past.code, _LOST if lost else past.message, past.sent_at, past.duration_ms,
    )  # fmt: skip
