"""What the loader writes down → requests that have ended, and troubles with the endpoints.

A recorder of ours stands around the one that keeps entries. Where all goes well and nobody wants each request, it costs
a look at each entry.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from etl.records import Intent, Outcome, Status
from etl.telemetry.base import Asked, Event, Trouble

SLOWED_SECONDS = 30.0
"""Between two events about one endpoint that slows us down."""
THROTTLED = "throttled"
"""The code of a 429 (`etl.targets.answers`)."""


class Recorder(Protocol):
    """The loader's recorder (`etl.load.recorder`)."""

    def write(self, entries: Sequence[Intent | Outcome]) -> None:
        """Return once all entries are kept."""


class Sending(Protocol):
    """What is asked of the loader."""

    @property
    def found(self) -> Mapping[str, Any]:
        """What was found out about each endpoint, by path: its `rate`, `openings` and `given_up`."""

    @property
    def held(self) -> frozenset[str]:
        """The paths of the endpoints whose breaker is open."""

    @property
    def stopped(self) -> Any:
        """Why nothing more is sent, None where that is not so; its `code`, `message`."""


@dataclass(slots=True)
class _Endpoint:
    """What was told of one endpoint. `refused`: answers 429 since then; `told_at`: monotonic seconds."""

    openings: int = 0
    is_open: bool = False
    given_up: str = ""
    refused: int = 0
    told_at: float | None = None


class Endings:
    """Tells of requests and troubles. `clock`: monotonic seconds."""

    def __init__(self, tell: Callable[[Event], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self.loader: Sending | None = None
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._endpoints: dict[str, _Endpoint] = {}
        self._troubled = False
        self._stopped = False
        self._waiting: dict[tuple[int, int], int] = {}

    def recorder(self, inner: Recorder, *, each: bool) -> Recorder:
        """Return a recorder around `inner`; `each`: whether somebody wants to be told of each request."""
        return _Observing(inner, self, each)

    def note(self, outcomes: Sequence[Outcome], *, each: bool) -> None:
        """Tell what outcomes that were just kept say. Never raises: a fault here is not the run's."""
        with contextlib.suppress(Exception):
            self._note(outcomes, each=each)

    def _note(self, outcomes: Sequence[Outcome], *, each: bool) -> None:
        if each:
            asked = [one for one in outcomes if self._is_request(one)]
            if asked:
                self._tell(Asked(asked))
        for one in outcomes:
            if one.receipt.code == THROTTLED and not one.is_final:
                with self._lock:
                    self._endpoint(one.receipt.delivery.endpoint.path).refused += 1
        if self._troubled or any(one.receipt.status is not Status.DELIVERED for one in outcomes):
            self._look()

    def look(self) -> None:
        """Tell what has changed with the endpoints since the last look. Never raises."""
        with contextlib.suppress(Exception):
            self._look()

    def _look(self) -> None:
        loader = self.loader
        if loader is None:
            return
        # One looks at a time, lest an older look be taken for a newer; whoever finds another looking need not.
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._look_at(loader)
        finally:
            self._looking.release()

    def _look_at(self, loader: Sending) -> None:
        # Asked before our lock is taken: the loader has one of its own.
        found, held, stopped = loader.found, loader.held, loader.stopped
        with self._lock:
            troubles = [one for path, facts in found.items() for one in self._changes(path, facts, path in held)]
            self._troubled = bool(held)
            if stopped is not None and not self._stopped:
                self._stopped = True
                troubles.append(Trouble("stopped", {"code": stopped.code, "reason": stopped.message}))
        for trouble in troubles:
            self._tell(trouble)

    def _changes(self, path: str, facts: Any, is_open: bool) -> list[Trouble]:
        known, told = self._endpoint(path), []
        if facts.openings > known.openings and not known.is_open:
            told.append(Trouble("breaker-opened", {"endpoint": path, "openings": facts.openings}))
            known.is_open = True
        if known.is_open and not is_open:
            told.append(Trouble("breaker-closed", {"endpoint": path}))
        known.openings, known.is_open = facts.openings, is_open
        now = self._clock()
        if known.refused and (known.told_at is None or now - known.told_at >= SLOWED_SECONDS):
            slowed = {"endpoint": path, "refused": known.refused, "rate": facts.rate}
            told.append(Trouble("slowed-down", slowed))
            known.refused, known.told_at = 0, now
        if facts.given_up and not known.given_up:
            known.given_up = facts.given_up
            told.append(Trouble("endpoint-given-up", {"endpoint": path, "code": facts.given_up}))
        return told

    def _endpoint(self, path: str) -> _Endpoint:
        return self._endpoints.setdefault(path, _Endpoint())

    def _is_request(self, outcome: Outcome) -> bool:
        """Whether a request has ended with it: what is called off while it waits for its next try has an outcome too.

        Only what waits is remembered, so this is bounded by the loader's window.
        """
        receipt = outcome.receipt
        delivery = receipt.delivery
        place = (delivery.position, delivery.record)
        before = self._waiting.pop(place, delivery.before)
        if not outcome.is_final:
            self._waiting[place] = receipt.attempts
        return receipt.attempts > before


class _Observing:
    """A recorder that keeps first, and tells then."""

    def __init__(self, inner: Recorder, endings: Endings, each: bool) -> None:
        self._write = inner.write
        self._endings, self._each = endings, each

    def write(self, entries: Sequence[Intent | Outcome]) -> None:
        """Return once all `entries` are kept. Raises what the inner recorder raises."""
        self._write(entries)
        outcomes = [entry for entry in entries if isinstance(entry, Outcome)]
        if outcomes:
            self._endings.note(outcomes, each=self._each)
