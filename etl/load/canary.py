"""The first deliveries of an action go alone: a mistake in the mapping shows before a hundred thousand rows have it."""

from __future__ import annotations

from etl.records import Status

MOST_REJECTED = 100
"""Rejections, with nothing delivered, after which it is the mapping that is wrong and not the rows."""


class Canary:
    """Lets `wanted` deliveries of one action go alone; once so many were delivered, all may go. Pure.

    After a rejected one the next row goes, and after a failed one too: whether the endpoint is down, others decide.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._flying = 0
        self._delivered = 0
        self._rejected = 0

    @property
    def is_over(self) -> bool:
        """Whether all may go."""
        return self._delivered >= self._wanted

    @property
    def is_hopeless(self) -> bool:
        """Whether a hundred were rejected, and none delivered."""
        return not self.is_over and self._delivered == 0 and self._rejected >= MOST_REJECTED

    def may_go(self) -> bool:
        """Whether one more delivery may begin."""
        return self._delivered + self._flying < self._wanted or self.is_over

    def begin(self) -> bool:
        """Note that a delivery begins; tell whether it is one of those that go alone."""
        if self.is_over:
            return False
        self._flying += 1
        return True

    def end(self, status: Status) -> None:
        """Note how one of them ended."""
        self._flying -= 1
        self._delivered += status is Status.DELIVERED
        self._rejected += status is Status.REJECTED
