"""A request to stop: set by a signal handler, looked at by the run."""

from __future__ import annotations

from collections.abc import Callable

from etl.guards import Stop


class Interrupt:
    """Whether, and by which signal, the run was asked to stop: 2 for SIGINT (Ctrl-C), 15 for SIGTERM, 1 for SIGHUP."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._tell: Callable[[Stop], None] | None = None

    @property
    def is_requested(self) -> bool:
        """Whether the run was asked to stop."""
        return self.number is not None

    @property
    def stop(self) -> Stop:
        """The stop that it means, with the exit code that shells expect (128 and the signal's number)."""
        names = {2: "Ctrl-C", 15: "SIGTERM", 1: "SIGHUP (the terminal closed)"}
        name = names.get(self.number or 0, f"signal {self.number}")
        return Stop("interrupted", f"interrupted by {name} before it was sent", 128 + (self.number or 2))

    def request(self, number: int) -> None:
        """Ask the run to stop; safe to call from a signal handler, and more than once."""
        if self.number is None:
            self.number = number
            if self._tell is not None:
                self._tell(self.stop)

    def tell(self, callback: Callable[[Stop], None]) -> None:
        """Have `callback` called when the run is asked to stop; at once if it has been."""
        self._tell = callback
        if self.is_requested:
            callback(self.stop)
