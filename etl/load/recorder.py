"""What the loader writes down, and when: the intent before a request leaves, the outcome after its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from etl.records import Intent, Outcome

Entry = Intent | Outcome


class Recorder(Protocol):
    """Keeps entries so that no crash loses them; used by many threads at once."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Return once all `entries` are kept, in their order; whatever it raises, nothing more may be sent."""


class NoRecorder:
    """Keeps nothing: for tests and for targets that are not worth it."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Return at once."""
