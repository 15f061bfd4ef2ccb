"""Progress: lines of a log by a clock of our own, and the line of a bar."""

from __future__ import annotations

import io
from datetime import datetime

from etl.cli.bars import Bars, LogLines, progress_on
from etl.progress import Silent


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def at_noon() -> datetime:
    return datetime(2026, 1, 2, 12, 0, 0)  # noqa: DTZ001 - a wall clock


def log(records: int = 1) -> tuple[LogLines, io.StringIO, Clock]:
    stream, clock = io.StringIO(), Clock()
    return LogLines(stream, records, clock, at_noon), stream, clock


def test_a_line_is_written_every_five_seconds_and_at_the_end() -> None:
    lines, stream, clock = log()
    lines.begin("sending", 1000)
    for _ in range(11):
        clock.seconds += 1
        lines.advance(50, {"delivered": 40, "invalid": 10})
    lines.end()

    assert stream.getvalue() == (
        "12:00:00 sending: 250 of 1,000 rows, 50 rows/s, 0:15 left, delivered 40, invalid 10\n"
        "12:00:00 sending: 500 of 1,000 rows, 50 rows/s, 0:10 left, delivered 40, invalid 10\n"
        "12:00:00 sent 550 rows in 11.0 s: delivered 40, invalid 10\n"
    )


def test_without_a_total_no_time_is_promised() -> None:
    lines, stream, clock = log()
    lines.begin("checking", None)
    clock.seconds += 5
    lines.advance(1000, {"planned": 1000})

    assert stream.getvalue() == "12:00:00 checking: 1,000 rows, 200 rows/s, planned 1,000\n"


def test_a_short_stage_without_counts_is_not_worth_a_line() -> None:
    lines, stream, clock = log()
    lines.begin("writing", 10)
    clock.seconds += 1
    lines.advance(10, {})
    lines.end()

    assert stream.getvalue() == ""


def test_rows_are_those_accounted_for_also_before_their_chunk_is_complete() -> None:
    lines, stream, clock = log(records=2)
    lines.begin("sending", 100)
    clock.seconds += 5
    lines.advance(0, {"delivered": 40})

    assert stream.getvalue() == "12:00:00 sending: 20 of 100 rows, 4 rows/s, 0:20 left, delivered 40\n"


def test_more_than_an_hour_is_told_in_hours() -> None:
    lines, stream, clock = log()
    lines.begin("sending", 10_000)
    clock.seconds += 5
    lines.advance(5, {})

    assert "2:46:35 left" in stream.getvalue()


def test_a_bar_shows_share_rate_time_left_and_counts() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, 1, clock)
    bars.begin("sending", 1000)
    clock.seconds += 10
    bars.advance(0, {"delivered": 240, "invalid": 10})

    assert "sending  25% ██       25 rows/s, 0:30 left, delivered 240, invalid 10" in screen.getvalue()
    bars.end()


def test_a_bar_is_drawn_ten_times_a_second_at_most() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, 1, clock)
    bars.begin("checking", None)
    before = screen.getvalue()
    clock.seconds += 0.05
    bars.advance(1, {"planned": 1})

    assert screen.getvalue() == before
    bars.end()


def test_a_line_never_wraps() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, 1, clock)
    bars.begin("sending", 10**9)
    clock.seconds += 10
    bars.advance(0, dict.fromkeys(("delivered", "invalid", "rejected", "failed", "unknown", "duplicate"), 10**8))
    bars.end()

    drawn = [line for part in screen.getvalue().split("\r") for line in part.split("\n")]
    assert max(map(len, drawn)) < 80


def test_quiet_shows_nothing_and_elsewhere_it_is_the_stream_that_decides() -> None:
    assert isinstance(progress_on(Screen(), quiet=True, records=1), Silent)
    assert isinstance(progress_on(Screen(), quiet=False, records=1), Bars)
    assert isinstance(progress_on(io.StringIO(), quiet=False, records=1), LogLines)
