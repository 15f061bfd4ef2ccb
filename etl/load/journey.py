"""A unit on its way through the loader, and the receipts that it leaves."""

from __future__ import annotations

from etl.load.lanes import Ticket
from etl.records import Delivery, Receipt, Status, Unit
from etl.targets.answers import Verdict


class Journey(Ticket):
    """A unit on its way: which delivery is its turn, and what has happened to that one.

    `free`: attempts that use up no try; `is_begun`: its intent may be written down; `is_flying`: it holds a slot of its
    endpoint; `is_renewed`: it was refused with credentials that were replaced since.
    """

    __slots__ = (
        "attempts", "clock_corrected", "delivery", "duration_ms", "entered", "free", "is_begun", "is_canary",
        "is_flying", "is_probe", "is_renewed", "place", "sent_at", "spent", "throttled", "verdict",
    )  # fmt: skip

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self.place = -1
        self.turn()

    def turn(self) -> None:
        """Come to the next delivery of the unit."""
        self.place += 1
        self.delivery: Delivery = self.unit.deliveries[self.place]
        self.attempts = self.throttled = self.free = self.spent = 0
        self.clock_corrected = self.entered = False
        self.is_begun = self.is_canary = self.is_flying = self.is_probe = self.is_renewed = False
        self.verdict: Verdict | None = None
        self.sent_at: float | None = None
        self.duration_ms: float | None = None

    @property
    def later(self) -> tuple[Delivery, ...]:
        """The deliveries after the one whose turn it is."""
        return self.unit.deliveries[self.place + 1 :]

    def receipt(self, status: Status, code: str, message: str) -> Receipt:
        """Return the receipt of the delivery whose turn it is."""
        verdict = self.verdict
        return Receipt(
            self.delivery, status, verdict.http_status if verdict else None,
            self.delivery.before + self.attempts,
            verdict.request_id if verdict else "", code, message, self.sent_at, self.duration_ms,
        )  # fmt: skip


def overtaken(delivery: Delivery, earlier: Receipt) -> Receipt:
    """Return the receipt of a delivery whose row had an earlier one that was not delivered."""
    if earlier.status is Status.BLOCKED:
        return Receipt(delivery, Status.BLOCKED, code=earlier.code, message=earlier.message)
    message = f"record {earlier.delivery.record} of this row was not delivered ({earlier.status})"
    return Receipt(delivery, Status.FAILED, code="earlier-record-failed", message=message)
