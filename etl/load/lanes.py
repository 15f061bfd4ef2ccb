"""Order per lane: which units may go now. Pure, and O(1) for each unit and lane.

A unit stands in the queues of all its lanes at once, in the order in which units are added; so there is one order for
all lanes, the oldest unit is always first in each of its own, and no two units can wait for one another.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from etl.records import Unit


class Ticket:
    """A unit's place in the queues: one object per unit added, alike units included."""

    __slots__ = ("lanes", "missing", "unit")

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.lanes = tuple(dict.fromkeys(d.lane for d in unit.deliveries if d.lane is not None))
        self.missing = 0


T = TypeVar("T", bound=Ticket)


class Lanes(Generic[T]):
    """The queues of all lanes that have units waiting or under way."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}
        self._abandoned = False

    def __len__(self) -> int:
        return len(self._queues)

    def add(self, ticket: T) -> bool:
        """Queue the ticket in its lanes; tell whether it may go at once."""
        if self._abandoned:
            return True
        for lane in ticket.lanes:
            queue = self._queues.get(lane)
            if queue is None:
                self._queues[lane] = deque((ticket,))
            else:
                queue.append(ticket)
                ticket.missing += 1
        return ticket.missing == 0

    def done(self, ticket: T) -> list[T]:
        """Take away a ticket that was first in its lanes; return those that may go now."""
        if self._abandoned:
            return []
        # Looked at before anything is changed, so that a fault leaves the queues whole.
        if any(self._queues.get(lane, (None,))[0] is not ticket for lane in ticket.lanes):
            raise AssertionError("BUG: a unit left a lane before its turn")
        ready: list[T] = []
        for lane in ticket.lanes:
            queue = self._queues[lane]
            queue.popleft()
            if not queue:
                del self._queues[lane]
                continue
            queue[0].missing -= 1
            if queue[0].missing == 0:
                ready.append(queue[0])
        return ready

    def abandon(self) -> list[T]:
        """Keep no order any more; return those that were still waiting, each once."""
        self._abandoned = True
        waiting = [ticket for queue in self._queues.values() for ticket in queue if ticket.missing]
        self._queues.clear()
        return list(dict.fromkeys(waiting))
