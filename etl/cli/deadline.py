"""`--deadline TIME` → Unix seconds. Pure: takes the time, and the zone, as arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from etl.errors import SettingsError
from etl.estimate import shown_moment

HINT = "write a time of day (06:00), how long from now (2h, 90m, 1h30m) or a moment (2026-11-25T06:00)"
MOST_HOURS = 24 * 366
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_SPAN = re.compile(r"(?=.)(?:([0-9]+) ?h)? ?(?:([0-9]+) ?m(?:in)?)? ?(?:([0-9]+) ?s)?", re.IGNORECASE)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*")
_DAYS = (0, 1)
"""Today and tomorrow: every time of day comes within them, but for one that a change of clocks leaves out."""


def parse_deadline(text: str | None, now: float, zone: tzinfo | None = None) -> float | None:
    """Return the moment that `text` means, in Unix seconds, None for None.

    `06:00`: the next time that clocks show it, whatever is done to them in between; `2h`: from `now` (Unix seconds); a
    date with a time is local unless it says otherwise. `zone`: the local one, None: this machine's.
    Raises SettingsError: not understood, past, or more than a year ahead.
    """
    if text is None:
        return None
    moment = _moment(text.strip(), now, zone)
    if moment is None:
        raise _refused(f"'{text}' is no time", HINT)
    if moment <= now:
        raise _refused(f"'{text}' is past: it is {shown_moment(now, now, zone)} now", "give a moment to come")
    if moment - now > MOST_HOURS * 3600:
        raise _refused(f"'{text}' is more than a year ahead", HINT)
    return moment


def _moment(text: str, now: float, zone: tzinfo | None) -> float | None:
    if clock := _CLOCK.fullmatch(text):
        return _next(now, zone, *(int(part or 0) for part in clock.groups()))
    if span := _SPAN.fullmatch(text):
        hours, minutes, seconds = (min(int(part or 0), MOST_HOURS * 3600) for part in span.groups())
        return now + hours * 3600 + minutes * 60 + seconds
    if _MOMENT.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
        except (ValueError, OverflowError):
            return None
    return None


def _next(now: float, zone: tzinfo | None, hour: int, minute: int, second: int) -> float | None:
    """Return when clocks show this next; where the hour is left out, when they would have."""
    try:
        today = datetime.fromtimestamp(now, zone).replace(
            hour=hour, minute=minute, second=second, microsecond=0, tzinfo=None
        )
    except ValueError:
        return None
    found = [moment for days in _DAYS for moment in _moments(today + timedelta(days=days), zone)]
    return min(moment for moment in found if moment > now)


def _moments(wall: datetime, zone: tzinfo | None) -> Iterator[float]:
    """Yield the moments at which clocks show `wall`: one, or two where they were set back."""
    either = [wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)]
    shown = [moment for moment in either if datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0) == wall]
    yield from shown or either[:1]


def _refused(message: str, hint: str) -> SettingsError:
    return SettingsError(message, code="bad-deadline", where="--deadline", hint=hint)
