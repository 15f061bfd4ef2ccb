"""What a sandbox that serves has answered so far: a calm line on a terminal; elsewhere a line a thousand requests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from tqdm import tqdm

from etl.cli.terminal import ControlEcho
from etl.wording import plural

if TYPE_CHECKING:
    from etl.sandbox import Stats

LOOK_SECONDS = 0.5
"""Between two looks at the counts, so that there are two updates a second at most."""
LOGGED_REQUESTS = 1_000


class Counter(Protocol):
    """Shows the counts."""

    def show(self, stats: Stats) -> None:
        """Show them, if there is anything new."""


@contextlib.contextmanager
def counting_on(stream: TextIO) -> Iterator[Counter]:
    """Give what shows the counts on `stream`; it leaves a terminal as it was."""
    if not stream.isatty():
        yield RequestLog(stream)
        return
    echo = ControlEcho(stream)
    echo.off()
    # tqdm's watching thread would only redraw what is redrawn anyway.
    tqdm.monitor_interval = 0
    try:
        with tqdm(file=stream, leave=False, dynamic_ncols=True, bar_format="{desc}") as line:
            yield RequestLine(line)
    finally:
        echo.restore()


class RequestLine:
    """One line of a terminal, drawn over."""

    def __init__(self, line: tqdm[Any]) -> None:
        self._line = line
        self._shown = 0

    def show(self, stats: Stats) -> None:
        """Draw the counts if requests came."""
        if stats.requests != self._shown:
            self._shown = stats.requests
            self._line.set_description_str(told(stats))


class RequestLog:
    """Lines of a log. `now`: the time of day."""

    def __init__(self, stream: TextIO, now: Callable[[], datetime] = datetime.now) -> None:
        self._stream, self._now = stream, now
        self._thousands = 0

    def show(self, stats: Stats) -> None:
        """Write a line if another thousand is full; one for several that came at once."""
        if stats.requests // LOGGED_REQUESTS == self._thousands:
            return
        self._thousands = stats.requests // LOGGED_REQUESTS
        # Where nobody reads the log, the sandbox goes on.
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(f"{self._now():%H:%M:%S} {told(stats)}\n")
            self._stream.flush()


def told(stats: Stats) -> str:
    """Return `1,204 requests: 1,190 with 200, 14 with 503`."""
    by_status = ", ".join(f"{count:,} with {status}" for status, count in sorted(stats.by_status.items()))
    return f"{stats.requests:,} {plural(stats.requests, 'request')}{f': {by_status}' if by_status else ''}"
