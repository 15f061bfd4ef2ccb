"""How long a run will take at the allowed rate, and what a deadline would leave. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Estimate:
    """The least time that `requests` take at `pace` (requests a second), which holds if each is answered at once."""

    requests: int
    pace: float

    @property
    def seconds(self) -> float:
        """The least time in seconds."""
        return self.requests / self.pace

    def left_after(self, seconds: float) -> int:
        """Return how many requests are left, at least, after so many seconds; all of them where there are none."""
        return max(0, self.requests - int(self.pace * max(0.0, seconds)))

    def __str__(self) -> str:
        """Return it as a sentence: `12,500 requests, at most 50 a second: at least 4 min 10 s`; "" for none."""
        if not self.requests:
            return ""
        noun = "1 request" if self.requests == 1 else f"{self.requests:,} requests"
        time = "under a second at that rate" if self.seconds < 1 else f"at least {duration(self.seconds)}"
        return f"{noun}, at most {_pace(self.pace)}: {time}"

    def as_dict(self) -> dict[str, int | float | str]:
        """Return it as plain values, for summaries and plans."""
        return {
            "requests": self.requests, "per_second": round(self.pace, 3), "seconds": round(self.seconds, 3),
            "text": str(self),
        }  # fmt: skip


def too_late(expected: Estimate, deadline: float, now: float, zone: tzinfo | None = None) -> str:
    """Return what to say before a run that cannot finish by its deadline, "" where it can.

    `deadline`, `now`: Unix seconds; `zone`: of the person who reads it, None: this machine's.
    """
    left = expected.left_after(deadline - now)
    if not left:
        return ""
    verb = "request" if left == 1 else "requests"
    return (
        f"this cannot be finished by {shown_moment(deadline, now, zone)}: {expected}; "
        f"at least {left:,} {verb} will be left, blocked, for `etl resume`"
    )


def shown_moment(moment: float, now: float, zone: tzinfo | None = None) -> str:
    """Return a Unix time as a clock on the wall shows it, with the date unless that is today's."""
    local, today = (datetime.fromtimestamp(one, zone) for one in (moment, now))
    clock = f"{local:%H:%M}" if local.second == 0 else f"{local:%H:%M:%S}"
    return clock if local.date() == today.date() else f"{local:%Y-%m-%d} {clock}"


def duration(seconds: float) -> str:
    """Return a time of a second or more in its two largest units, rounded down: `4 min 10 s`, `2 h 5 min`, `3 d`."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def _two(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large:,} {large_name}" + (f" {rest} {small_name}" if rest else "")


def _pace(pace: float) -> str:
    if pace >= 1:
        return f"{pace:,.1f}".removesuffix(".0") + " a second"
    return f"{pace * 60:,.1f}".removesuffix(".0") + " a minute"
