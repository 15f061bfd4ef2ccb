"""How far this machine's clock is from the endpoint's, by the Date header of its answers. Pure."""

from __future__ import annotations

from collections.abc import Callable

MOST_SECONDS = 60.0
"""Signatures are refused beyond 300 s; Date has whole seconds, and an answer may take some."""


class Skew:
    """Corrects the clock that signs before a signature is refused: where two answers in a row say that it is wrong.

    `correct` takes the endpoint's Unix time and tells whether it helps (`Signer.correct_clock`). One answer alone could
    come from a cache, with a date of its own.
    """

    def __init__(self, correct: Callable[[float], bool]) -> None:
        self._correct = correct
        self._matters = True
        self._offset = 0.0
        self._suspected: float | None = None

    def note(self, server_time: float | None, wall: float) -> None:
        """Note an answer's date; `wall`: this machine's Unix time."""
        if not self._matters or server_time is None:
            return
        offset = server_time - wall
        if abs(offset - self._offset) <= MOST_SECONDS:
            self._suspected = None
        elif self._suspected is not None and abs(offset - self._suspected) <= MOST_SECONDS:
            self.correct(server_time, wall)
        else:
            self._suspected = offset

    def correct(self, server_time: float, wall: float) -> bool:
        """Take the endpoint's time for ours from now on; tell whether that helps."""
        self._offset = server_time - wall
        self._suspected = None
        self._matters = self._correct(server_time)
        return self._matters
