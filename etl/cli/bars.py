"""How far a run is: a bar on a terminal; elsewhere the log tells (`etl.telemetry.events`)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from tqdm import tqdm

from etl.cli.terminal import ControlEcho
from etl.progress import Progress, Silent, Stage
from etl.wording import plural

REDRAW_SECONDS = 0.1
_TELLING = ("delivered", "planned", "invalid", "failed", "rejected", "unknown")
"""Counts worth more than the speed, the most telling first; the others come after it."""
_ORDER = (*_TELLING, "blocked", "skipped", "duplicate")
_NARROW = 100
"""Columns below which the bar gives way to what is told beside it."""


def bars_on(stream: TextIO, *, quiet: bool) -> Progress:
    """Return what draws bars on a terminal; elsewhere nothing is drawn: the run's log tells how far it is."""
    return Bars(stream, 1) if stream.isatty() and not quiet else Silent()


def progress_on(stream: TextIO, *, quiet: bool, records: int = 1) -> Progress:
    """Return what shows progress on `stream`, of a command without a log: a bar, or JSON lines where it is none."""
    if quiet:
        return Silent()
    if stream.isatty():
        return Bars(stream, records)
    # They load structlog and pandas; whoever asks for help need not wait for them.
    from etl.logs import shown_log
    from etl.telemetry.events import ProgressEvents

    progress = ProgressEvents(shown_log(stream))
    progress.expect(records)
    return progress


def beside_bars(stream: TextIO) -> Callable[[str], None]:
    """Return what writes a line on a terminal above the bar that is drawn there, if one is."""

    def write(line: str) -> None:
        # Where nobody reads the log any more, the run goes on.
        with contextlib.suppress(OSError, ValueError), tqdm.external_write_mode(file=stream):
            stream.write(f"{line}\n")
            stream.flush()

    return write


def told_in(stage: Stage, cells: int) -> str:
    """Return rows a second, the time left, and the counts by status, as far as they are known and `cells` hold them.

    Whole parts are left out, the least telling first.
    """
    # Taken once: time goes on, and they with it.
    counts, left, speed = _parts(stage.counts), _left(stage), f"{stage.rate:,.0f} rows/s"
    telling = {status: text for status, text in counts.items() if status in _TELLING}
    others = [text for status, text in counts.items() if status not in telling]
    worth = [left, *telling.values(), speed, *others]
    shown = [speed, left, *counts.values()]
    while worth and len(", ".join(filter(None, shown))) > cells:
        shown.remove(worth.pop())
    return ", ".join(filter(None, shown))


def _left(stage: Stage) -> str:
    """Return `2:05 left`, "" where that cannot be told."""
    seconds = stage.seconds_left
    return "" if seconds is None else f"{_clock_time(seconds)} left"


def _parts(counts: Mapping[str, int]) -> dict[str, str]:
    """Return status → `delivered 1,204`, of those that occur, the most telling first."""
    places = {status: place for place, status in enumerate(_ORDER)}
    order = sorted(counts, key=lambda status: (places.get(status, len(places)), status))
    return {status: f"{status} {counts[status]:,}" for status in order if counts[status]}


class Bars:
    """A bar on a terminal, gone at the end of its stage."""

    def __init__(self, stream: TextIO, records: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._records, self._clock = stream, records, clock
        self.echo = ControlEcho(stream)
        self._stage: Stage | None = None
        self._bar: tqdm[Any] | None = None
        self._drawn = 0.0

    def expect(self, records: int) -> None:
        """Read counts as so many records a row."""
        self._records = records

    def begin(self, stage: str, total: int | None) -> None:
        """Draw the bar of a stage."""
        self._stage = Stage(stage, total, self._records, self._clock)
        self.echo.off()
        # tqdm's watching thread would only redraw what we redraw ourselves.
        tqdm.monitor_interval = 0
        self._bar = tqdm(
            total=total,
            file=self._stream,
            leave=False,
            dynamic_ncols=True,
            bar_format=self._format(self._stage),
            ascii=None if (self._stream.encoding or "").lower().startswith("utf") else " -#",
        )
        self._draw()

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Take the numbers; draw them ten times a second at most."""
        if self._stage is None:
            return
        self._stage.add(rows, counts)
        if self._clock() - self._drawn >= REDRAW_SECONDS:
            self._draw()

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
        self._bar = self._stage = None
        self.echo.restore()

    def _draw(self) -> None:
        if self._bar is None or self._stage is None:
            return
        self._drawn = self._clock()
        self._bar.n = self._stage.rows
        self._bar.bar_format = self._format(self._stage)
        self._bar.refresh()

    def _format(self, stage: Stage) -> str:
        """Return the line to draw, held within the terminal's width: a line that wraps could not be drawn over."""
        columns = self._columns()
        cells, head, done = 0, f"{stage.name}  ", f"{stage.rows:,} {plural(stage.rows, 'row')}"
        if stage.total is not None:
            cells = 5 if columns < _NARROW else 20
            head = f"{stage.name} {stage.rows / max(stage.total, 1):4.0%} "
            done = f" {stage.rows:,} of {stage.total:,}{' rows' * (columns >= _NARROW)}"
        room = max(columns - 1 - len(head) - cells, 0)
        told = told_in(stage, room - len(done) - 2)
        return f"{head}{f'{{bar:{cells}}}' if cells else ''}{f'{done}, {told}'.removesuffix(', ')[:room]}"

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80


def _clock_time(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
