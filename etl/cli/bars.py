"""How far a run is: a bar on a terminal; elsewhere a line of log every five seconds and at the end of each stage."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TextIO

from tqdm import tqdm

from etl.cli.terminal import ControlEcho
from etl.cli.wording import plural
from etl.progress import Progress, Silent

REDRAW_SECONDS = 0.1
LOG_SECONDS = 5.0
_ENDED = {
    "checking": "checked",
    "comparing": "compared",
    "inspecting": "inspected",
    "writing": "wrote",
    "sending": "sent",
    "listing": "listed",
}
_TELLING = ("delivered", "planned", "invalid", "failed", "rejected", "unknown")
"""Counts worth more than the speed, the most telling first; the others come after it."""
_ORDER = (*_TELLING, "blocked", "skipped", "duplicate")
_NARROW = 100
"""Columns below which the bar gives way to what is told beside it."""


def progress_on(stream: TextIO, *, quiet: bool, records: int = 1) -> Progress:
    """Return what shows progress on `stream`; `records`: of each row, so that counts can be read as rows."""
    if quiet:
        return Silent()
    return Bars(stream, records) if stream.isatty() else LogLines(stream, records)


class _Stage:
    """Rows and counts of a stage under way.

    Rows are those accounted for, which the counts know first: a run tells of rows by whole chunks, in file order.
    """

    def __init__(self, name: str, total: int | None, records: int, clock: Callable[[], float]) -> None:
        self.name, self.total, self._records, self._clock = name, total, records, clock
        self.counts: Mapping[str, int] = {}
        self._rows = 0
        self.started = clock()

    def add(self, rows: int, counts: Mapping[str, int]) -> None:
        self._rows += rows
        self.counts = counts or self.counts

    @property
    def rows(self) -> int:
        rows = max(self._rows, sum(self.counts.values()) // self._records)
        return rows if self.total is None else min(rows, self.total)

    @property
    def seconds(self) -> float:
        return max(self._clock() - self.started, 1e-9)

    @property
    def rate(self) -> float:
        return self.rows / self.seconds

    def left(self) -> str:
        """Return `2:05 left`, "" where that cannot be told."""
        if self.total is None or not self.rows or self.rows >= self.total:
            return ""
        return f"{_clock_time((self.total - self.rows) / self.rate)} left"

    def told(self) -> str:
        """Return rows a second, the time left, and the counts by status, as far as they are known."""
        return ", ".join(part for part in (self.speed(), self.left(), self.counted()) if part)

    def told_in(self, cells: int) -> str:
        """Return as much of `told` as `cells` hold, in whole parts; the least telling are left out first."""
        # Taken once: time goes on, and they with it.
        counts, left, speed = self.parts(), self.left(), self.speed()
        telling = {status: text for status, text in counts.items() if status in _TELLING}
        others = [text for status, text in counts.items() if status not in telling]
        worth = [left, *telling.values(), speed, *others]
        shown = [speed, left, *counts.values()]
        while worth and len(", ".join(filter(None, shown))) > cells:
            shown.remove(worth.pop())
        return ", ".join(filter(None, shown))

    def speed(self) -> str:
        return f"{self.rate:,.0f} rows/s"

    def counted(self) -> str:
        """Return the counts by status, the most telling first."""
        return ", ".join(self.parts().values())

    def parts(self) -> dict[str, str]:
        """Return status → `delivered 1,204`, of those that occur, the most telling first."""
        places = {status: place for place, status in enumerate(_ORDER)}
        order = sorted(self.counts, key=lambda status: (places.get(status, len(places)), status))
        return {status: f"{status} {self.counts[status]:,}" for status in order if self.counts[status]}


class Bars:
    """A bar on a terminal, gone at the end of its stage."""

    def __init__(self, stream: TextIO, records: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._records, self._clock = stream, records, clock
        self.echo = ControlEcho(stream)
        self._stage: _Stage | None = None
        self._bar: tqdm[Any] | None = None
        self._drawn = 0.0

    def expect(self, records: int) -> None:
        """Read counts as so many records a row."""
        self._records = records

    def begin(self, stage: str, total: int | None) -> None:
        """Draw the bar of a stage."""
        self._stage = _Stage(stage, total, self._records, self._clock)
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

    def _format(self, stage: _Stage) -> str:
        """Return the line to draw, held within the terminal's width: a line that wraps could not be drawn over."""
        columns = self._columns()
        cells, head, done = 0, f"{stage.name}  ", f"{stage.rows:,} {plural(stage.rows, 'row')}"
        if stage.total is not None:
            cells = 5 if columns < _NARROW else 20
            head = f"{stage.name} {stage.rows / max(stage.total, 1):4.0%} "
            done = f" {stage.rows:,} of {stage.total:,}{' rows' * (columns >= _NARROW)}"
        room = max(columns - 1 - len(head) - cells, 0)
        told = stage.told_in(room - len(done) - 2)
        return f"{head}{f'{{bar:{cells}}}' if cells else ''}{f'{done}, {told}'.removesuffix(', ')[:room]}"

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80


class LogLines:
    """Lines of a log. `clock`: monotonic seconds; `now`: the time of day."""

    def __init__(
        self,
        stream: TextIO,
        records: int,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._stream, self._records, self._clock, self._now = stream, records, clock, now
        self._stage: _Stage | None = None
        self._logged = 0.0

    def expect(self, records: int) -> None:
        """Read counts as so many records a row."""
        self._records = records

    def begin(self, stage: str, total: int | None) -> None:
        """Remember when the stage began."""
        self._stage = _Stage(stage, total, self._records, self._clock)
        self._logged = self._clock()

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Take the numbers; write a line if five seconds have passed since the last."""
        if self._stage is None:
            return
        self._stage.add(rows, counts)
        if self._clock() - self._logged >= LOG_SECONDS:
            self._logged = self._clock()
            rows, total = self._stage.rows, self._stage.total
            of = "" if total is None else f" of {total:,}"
            noun = plural(rows if total is None else total, "row")
            self._write(f"{self._stage.name}: {rows:,}{of} {noun}, {self._stage.told()}")

    def end(self) -> None:
        """Write the line of the whole stage; of a short one without counts there is nothing to tell."""
        stage, self._stage = self._stage, None
        if stage is None or (not stage.counts and stage.seconds < LOG_SECONDS):
            return
        counts = stage.counted()
        verb = _ENDED.get(stage.name, stage.name)
        rows = f"{stage.rows:,} {plural(stage.rows, 'row')}"
        self._write(f"{verb} {rows} in {stage.seconds:.1f} s{': ' if counts else ''}{counts}")

    def _write(self, text: str) -> None:
        # Where nobody reads the log, or its disk is full, the run goes on.
        with contextlib.suppress(OSError):
            self._stream.write(f"{self._now():%H:%M:%S} {text}\n")
            self._stream.flush()


def _clock_time(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
