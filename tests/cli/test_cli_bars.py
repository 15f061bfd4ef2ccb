"""Progress: lines of a log by a clock of our own, and the line of a bar."""

from __future__ import annotations

import io
from datetime import datetime

import pytest

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


def drawn(total: int | None, counts: dict[str, int], seconds: float = 10) -> str:
    """Return the last line that was drawn, as a terminal of 80 columns holds it."""
    screen, clock = Screen(), Clock()
    bars = Bars(screen, 1, clock)
    bars.begin("sending", total)
    clock.seconds += seconds
    bars.advance(0, counts)
    line = screen.getvalue().split("\r")[-1]
    bars.end()
    return line.rstrip()


def test_a_bar_shows_share_rows_rate_time_left_and_counts() -> None:
    assert drawn(400, {"delivered": 90, "invalid": 10}) == (
        "sending  25% █▎    100 of 400, 10 rows/s, 0:30 left, delivered 90, invalid 10"
    )


def test_a_narrow_bar_leaves_out_whole_counts_the_least_telling_first() -> None:
    counts = {"duplicate": 100, "skipped": 200, "unknown": 3, "delivered": 13_000, "rejected": 4, "invalid": 427}

    assert drawn(30_000, counts, 60) == "sending  46% ██▎   13,734 of 30,000, 1:11 left, delivered 13,000, invalid 427"


def test_the_rows_done_stay_however_long_the_rest_is() -> None:
    line = drawn(10**12, dict.fromkeys(("delivered", "invalid", "rejected"), 10**11), 10**9)

    assert line.startswith("sending  30% █▌    300,000,000,000 of 1,000,000,000,000, ")


def test_a_clock_that_goes_on_while_a_line_is_made_does_no_harm() -> None:
    screen, ticks = Screen(), iter(range(100, 10_000, 7))
    bars = Bars(screen, 1, lambda: float(next(ticks)))
    bars.begin("sending", 10**6)
    for count in range(1_000, 50_000, 1_000):
        bars.advance(0, dict.fromkeys(("delivered", "invalid", "rejected", "failed", "skipped"), count))
    bars.end()

    assert "245,000 of 1,000,000, " in screen.getvalue()


def test_the_counts_stand_in_the_order_in_which_they_tell() -> None:
    order = ["planned", "invalid", "failed", "rejected", "unknown", "blocked", "skipped", "duplicate", "unchanged"]
    lines, stream, clock = log()
    lines.begin("checking", None)
    lines.advance(0, dict.fromkeys(reversed(order), 1))
    clock.seconds += 1
    lines.end()

    assert stream.getvalue() == f"12:00:00 checked 9 rows in 1.0 s: {', '.join(f'{status} 1' for status in order)}\n"


@pytest.mark.parametrize(
    ("stage", "verb"),
    [("checking", "checked"), ("writing", "wrote"), ("sending", "sent"), ("listing", "listed")],
    ids=["checking", "writing", "sending", "listing"],
)
def test_each_stage_has_a_word_for_its_end_and_one_row_is_one_row(stage: str, verb: str) -> None:
    lines, stream, clock = log()
    lines.begin(stage, 1)
    clock.seconds += 1
    lines.advance(1, {"blocked": 1})
    lines.end()

    assert stream.getvalue() == f"12:00:00 {verb} 1 row in 1.0 s: blocked 1\n"


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

    shown = [line for part in screen.getvalue().split("\r") for line in part.split("\n")]
    assert max(map(len, shown)) < 80


def test_quiet_shows_nothing_and_elsewhere_it_is_the_stream_that_decides() -> None:
    assert isinstance(progress_on(Screen(), quiet=True, records=1), Silent)
    assert isinstance(progress_on(Screen(), quiet=False, records=1), Bars)
    assert isinstance(progress_on(io.StringIO(), quiet=False, records=1), LogLines)
