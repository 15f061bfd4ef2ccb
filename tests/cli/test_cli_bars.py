"""Progress: the line of a bar by a clock of our own, and what stands beside it."""

from __future__ import annotations

import io
import json

from etl.cli.bars import Bars, bars_on, beside_bars, progress_on, told_in
from etl.progress import Silent, Stage
from etl.telemetry.events import ProgressEvents


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


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
    clock = Clock()
    stage = Stage("checking", None, 1, clock)
    stage.add(0, dict.fromkeys(reversed(order), 1))
    clock.seconds += 1

    assert told_in(stage, 200) == f"9 rows/s, {', '.join(f'{status} 1' for status in order)}"


def test_more_than_an_hour_is_told_in_hours() -> None:
    assert "2:46:35 left" in drawn(10_000, {"delivered": 5}, 5)


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


def test_a_line_of_the_log_stands_above_the_bar_which_is_drawn_again() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, 1, clock)
    bars.begin("sending", 10)
    beside_bars(screen)("12:00:00 warning slowed-down endpoint=/contacts")
    bars.end()

    before, line, after = screen.getvalue().partition("12:00:00 warning slowed-down endpoint=/contacts\n")
    assert before.endswith("\r")
    assert line
    assert after.lstrip("\r").startswith("sending   0%")


def test_quiet_shows_nothing_and_elsewhere_it_is_the_stream_that_decides() -> None:
    assert isinstance(progress_on(Screen(), quiet=True), Silent)
    assert isinstance(progress_on(Screen(), quiet=False), Bars)
    assert isinstance(progress_on(io.StringIO(), quiet=False), ProgressEvents)
    assert isinstance(bars_on(Screen(), quiet=False), Bars)
    assert isinstance(bars_on(io.StringIO(), quiet=False), Silent)


def test_a_command_without_a_log_of_its_own_writes_json_lines_off_a_terminal() -> None:
    stream = io.StringIO()
    progress = progress_on(stream, quiet=False, records=2)
    progress.begin("inspecting", 2)
    progress.advance(0, {"planned": 4})
    progress.end()

    (event,) = map(json.loads, stream.getvalue().splitlines())
    assert (event["event"], event["stage"], event["rows"], event["counts"]) == (
        "stage-ended", "inspecting", 2, {"planned": 4},
    )  # fmt: skip
