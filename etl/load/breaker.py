"""Whether an endpoint is asked at all: a circuit breaker. Pure: takes the time as an argument, never sleeps.

    closed -- 10 failed attempts in a row --> open -- 1 s ... 30 s --> half-open -- an answer --> closed
                                               ^---- the probe failed ----'

Source: M. Nygard, "Release It!", and Google's SRE book ("Handling overload": always leave probes).
"""

from __future__ import annotations

import math

FAILURES_TO_OPEN = 10
"""More than one row's tries (5), so that no row opens it alone; few enough that hardly a row runs out of tries."""
FIRST_OPEN_SECONDS = 1.0
LONGEST_OPEN_SECONDS = 30.0


class Breaker:
    """Opens after ten failed attempts in a row, and lets one probe through now and then until one is answered.

    `patience`: seconds that the endpoint may stay down; after them the last probe decides, and it is hopeless.
    A rejection shows that the endpoint is there, but only a delivery that it is well: it alone ends the count of
    failures and the time that the endpoint has been down.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._failures = 0
        self._open_until: float | None = None
        self._is_probing = False
        self._down_since: float | None = None
        self._open_seconds = FIRST_OPEN_SECONDS
        self.openings = 0

    @property
    def is_closed(self) -> bool:
        """Whether requests go through as they come."""
        return self._open_until is None

    def wait(self, now: float) -> float:
        """Return the seconds until a request may go (0.0: now); infinite while a probe is under way."""
        if self._open_until is None:
            return 0.0
        return math.inf if self._is_probing else max(0.0, self._open_until - now)

    def begin(self) -> bool:
        """Note that a request goes; tell whether it is a probe."""
        self._is_probing = self._open_until is not None
        return self._is_probing

    def on_delivered(self) -> None:
        """Note that all is well."""
        self._failures = 0
        self._down_since = None
        self._open_seconds = FIRST_OPEN_SECONDS
        self._close()

    def on_rejected(self) -> None:
        """Note that it answers, if with a refusal."""
        if self._open_until is not None:
            self._failures = 0
            self._close()

    def on_nothing(self, *, was_probe: bool) -> None:
        """Note a request that says nothing (throttled, called off): another probe may go."""
        if was_probe:
            self._is_probing = False

    def on_failure(self, now: float, *, was_probe: bool) -> bool:
        """Note a failed attempt; tell whether the endpoint has been down for longer than one has patience."""
        if self._open_until is None:
            self._failures += 1
            if self._failures < FAILURES_TO_OPEN:
                return False
            if self._down_since is None:
                self._down_since = now
            self.openings += 1
        elif was_probe:
            self._open_seconds = min(LONGEST_OPEN_SECONDS, self._open_seconds * 2)
        else:
            # It left before the breaker opened, and says nothing new.
            return False
        self._is_probing = False
        since = self._down_since if self._down_since is not None else now
        self._open_until = min(now + self._open_seconds, max(now, since + self._patience))
        return now - since >= self._patience

    def _close(self) -> None:
        self._open_until = None
        self._is_probing = False
