"""How far a run is, told to whoever shows it: a bar, log lines, a page, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Told by the run as it goes; called from one thread at a time."""

    def expect(self, records: int) -> None:
        """Take note of how many records a row has, so that counts can be read as rows."""

    def begin(self, stage: str, total: int | None) -> None:
        """Start a stage of `total` rows, None if not known."""

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Count `rows` more as done; `counts` is records by status so far."""

    def end(self) -> None:
        """End the stage."""


class Silent:
    """Shows nothing."""

    def expect(self, records: int) -> None:
        """Do nothing."""

    def begin(self, stage: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
