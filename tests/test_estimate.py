"""How long a run will take, what a deadline would leave, and what `--deadline` means."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.cli.deadline import HINT, parse_deadline
from etl.errors import SettingsError
from etl.estimate import Estimate, duration, too_late

WARSAW = ZoneInfo("Europe/Warsaw")


def unix(text: str, zone: ZoneInfo = WARSAW, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Estimate(12_500, 50), "12,500 requests, at most 50 a second: at least 4 min 10 s"),
        (Estimate(1, 50), "1 request, at most 50 a second: under a second at that rate"),
        (Estimate(0, 50), ""),
        (Estimate(90, 0.5), "90 requests, at most 30 a minute: at least 3 min"),
    ],
    ids=["rate", "one", "none", "slow"],
)
def test_the_estimate_is_a_sentence(found, told):
    assert str(found) == told


def test_the_estimate_as_plain_values():
    assert Estimate(12_500, 50).as_dict() == {
        "requests": 12_500,
        "per_second": 50,
        "seconds": 250.0,
        "text": "12,500 requests, at most 50 a second: at least 4 min 10 s",
    }


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1, "1 s"), (59.9, "59 s"), (60, "1 min"), (250, "4 min 10 s"), (3_600, "1 h"), (7_530, "2 h 5 min"),
        (86_400, "1 d"), (273_600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds, told):
    assert duration(seconds) == told


@given(requests=st.integers(0, 10**9), rate=st.floats(0.1, 10_000), seconds=st.floats(-1e6, 1e6))
def test_what_is_left_is_never_more_than_there_is_nor_less_than_nothing(requests, rate, seconds):
    assert 0 <= Estimate(requests, rate).left_after(seconds) <= requests


@given(requests=st.integers(1, 10**9), rate=st.floats(0.1, 10_000))
def test_after_the_estimated_time_one_request_is_left_at_most(requests, rate):
    found = Estimate(requests, rate)
    assert found.left_after(found.seconds) <= 1


def test_a_run_that_cannot_finish_says_so_before_it_starts():
    now = unix("2026-11-24T05:57")
    assert too_late(Estimate(12_500, 50), unix("2026-11-24T06:00"), now, WARSAW) == (
        "this cannot be finished by 06:00: 12,500 requests, at most 50 a second: at least 4 min 10 s; "
        "at least 3,500 requests will be left, blocked, for `etl resume`"
    )


def test_a_run_that_can_finish_says_nothing():
    assert too_late(Estimate(12_500, 50), 251.0, 0.0) == ""


def test_a_deadline_of_another_day_is_shown_with_its_date():
    told = too_late(Estimate(10**8, 50), unix("2026-11-25T06:00"), unix("2026-11-24T22:00"), WARSAW)
    assert told.startswith("this cannot be finished by 2026-11-25 06:00: ")


SPRING, AUTUMN = "2026-03-29", "2026-10-25"
"""02:00 becomes 03:00; 03:00 becomes 02:00."""
MEANT = {
    "later today": ("06:00", unix("2026-11-24T05:00"), unix("2026-11-24T06:00")),
    "tomorrow": ("06:00", unix("2026-11-24T22:00"), unix("2026-11-25T06:00")),
    "now is not next": ("06:00", unix("2026-11-24T06:00"), unix("2026-11-25T06:00")),
    "one digit": ("6:00", unix("2026-11-24T05:00"), unix("2026-11-24T06:00")),
    "seconds": ("06:00:30", unix("2026-11-24T05:00"), unix("2026-11-24T06:00:30")),
    "midnight": ("00:00", unix("2026-11-24T22:00"), unix("2026-11-25T00:00")),
    "a night of 23 hours": ("06:00", unix("2026-03-28T22:00"), unix(f"{SPRING}T06:00")),
    "a night of 25 hours": ("06:00", unix("2026-10-24T22:00"), unix(f"{AUTUMN}T06:00")),
    "an hour left out": ("02:30", unix(f"{SPRING}T01:00"), unix(f"{SPRING}T03:30")),
    "an hour left out yesterday": ("02:30", unix(f"{SPRING}T04:00"), unix("2026-03-30T02:30")),
    "the first of two": ("02:30", unix(f"{AUTUMN}T01:00"), unix(f"{AUTUMN}T02:30")),
    "the second of two": ("02:30", unix(f"{AUTUMN}T02:45"), unix(f"{AUTUMN}T02:30", fold=1)),
    "hours": ("2h", 1000.0, 8200.0),
    "minutes": ("90m", 1000.0, 6400.0),
    "both": ("1h30m", 1000.0, 6400.0),
    "spaces": ("1h 30 min", 1000.0, 6400.0),
    "seconds from now": ("45s", 1000.0, 1045.0),
    "capitals": ("2H", 1000.0, 8200.0),
    "hours are hours when clocks change": ("2h", unix(f"{SPRING}T01:00"), unix(f"{SPRING}T04:00")),
    "a local moment": ("2026-11-25T06:00", unix("2026-11-24T22:00"), unix("2026-11-25T06:00")),
    "with a space": ("2026-11-25 06:00", unix("2026-11-24T22:00"), unix("2026-11-25T06:00")),
    "UTC": ("2026-11-25T05:00Z", unix("2026-11-24T22:00"), unix("2026-11-25T06:00")),
    "an offset": ("2026-11-25T05:00:00-01:00", unix("2026-11-24T22:00"), unix("2026-11-25T07:00")),
}


@pytest.mark.parametrize(("text", "now", "moment"), MEANT.values(), ids=MEANT)
def test_what_a_deadline_means(text, now, moment):
    assert parse_deadline(text, now, WARSAW) == moment


def test_no_deadline_is_none():
    assert parse_deadline(None, 0.0) is None


def test_without_a_zone_it_is_this_machines():
    now = datetime.fromisoformat("2026-11-24T22:00").timestamp()
    assert parse_deadline("06:00", now) == datetime.fromisoformat("2026-11-25T06:00").timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "6am",
        "90",
        "24:00",
        "06:60",
        "6",
        "1.5h",
        "-2h",
        "h",
        "2d",
        "2026-11-25",
        "2026-13-25T06:00",
        "tomorrow",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(SettingsError) as caught:
        parse_deadline(text, unix("2026-11-24T22:00"), WARSAW)
    assert str(caught.value) == f"--deadline: '{text}' is no time\n  hint: {HINT}   [bad-deadline]"


@pytest.mark.parametrize("text", ["2026-11-24T21:59", "0h", "0s"])
def test_what_is_past_is_refused(text):
    with pytest.raises(SettingsError) as caught:
        parse_deadline(text, unix("2026-11-24T22:00"), WARSAW)
    assert caught.value.exit_code == 2
    assert str(caught.value) == (
        f"--deadline: '{text}' is past: it is 22:00 now\n  hint: give a moment to come   [bad-deadline]"
    )


@pytest.mark.parametrize("text", ["9000h", "99999999999999999999m", "2036-01-01T00:00"])
def test_what_is_more_than_a_year_ahead_is_refused(text):
    with pytest.raises(SettingsError) as caught:
        parse_deadline(text, unix("2026-11-24T22:00"), WARSAW)
    assert str(caught.value) == f"--deadline: '{text}' is more than a year ahead\n  hint: {HINT}   [bad-deadline]"


@given(
    hour=st.integers(0, 23), minute=st.integers(0, 59), now=st.integers(1_700_000_000, 1_900_000_000),
    zone=st.sampled_from(["Europe/Warsaw", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)  # fmt: skip
def test_a_time_of_day_is_shown_by_the_clock_then_and_comes_within_a_day_and_an_hour(hour, minute, now, zone):
    there = ZoneInfo(zone)
    moment = parse_deadline(f"{hour:02}:{minute:02}", now, there)
    assert moment is not None
    assert now < moment <= now + 25 * 3600
    shown = datetime.fromtimestamp(moment, there)
    # Where clocks are set forward, the time may be left out; it is moved by as much, an hour at most.
    assert 0 <= (shown.hour - hour) * 60 + shown.minute - minute <= 60
