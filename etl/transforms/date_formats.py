"""Date formats as people write them: `DD.MM.YYYY`, `D/M/YY`, `D MMMM YYYY`; or in the codes of strptime.

    YYYY %Y  year                     HH  %H  hour, 0 to 23
    YY   %y  year, two digits         mm  %M  minute (small letters, unlike the month)
    MM   %m  month       (M: same)    ss  %S  second
    DD   %d  day         (D: same)    MMM, MMMM, %b, %B  name of the month, long or short

Everything else stands for itself. Two-digit years 69 to 99 are of the 20th century, 00 to 68 of the 21st (as in POSIX).
Names of months are English, Polish, German and Swedish. One digit does for a day or a month unless the next part
follows without a sign between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

_TOKEN = re.compile("%.|YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|H|mm|ss")
_PART_OF = {
    "YYYY": "year", "%Y": "year", "YY": "short_year", "%y": "short_year",
    "MM": "month", "M": "month", "%m": "month", "MMM": "month_name", "MMMM": "month_name", "%b": "month_name",
    "%B": "month_name", "DD": "day", "D": "day", "%d": "day", "HH": "hour", "H": "hour", "%H": "hour",
    "mm": "minute", "%M": "minute", "ss": "second", "%S": "second",
}  # fmt: skip
_WIDTH = {"year": 4, "short_year": 2, "month": 2, "day": 2, "hour": 2, "minute": 2, "second": 2}
_ONE_DIGIT_DOES = {"month", "day", "hour"}
_ONE_DIGIT_WRITTEN = {"M", "D", "H"}

_NAMES = (
    "january jan styczeń stycznia sty januar jan januari jan jänner",
    "february feb luty lutego lut februar feb februari feber",
    "march mar marzec marca mar märz mrz mars mär",
    "april apr kwiecień kwietnia kwi",
    "may maj maja mai",
    "june jun czerwiec czerwca cze juni",
    "july jul lipiec lipca lip juli",
    "august aug sierpień sierpnia sie augusti",
    "september sep wrzesień września wrz sept",
    "october oct październik października paź oktober okt",
    "november nov listopad listopada lis",
    "december dec grudzień grudnia gru dezember dez",
)
MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}


class DateFormatError(ValueError):
    """A date format cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A format taken apart. `parts`: (kind, as written), kind being "" for text that stands for itself."""

    written: str
    parts: tuple[tuple[str, str], ...]
    pattern: re.Pattern[str]

    def read(self, value: str) -> datetime | None:
        """Return the date and time that `value` stands for; None if it is not of this format, or no day there is."""
        match = self.pattern.fullmatch(value)
        return None if match is None else _moment(match.groupdict())

    def write(self, moment: datetime) -> str:
        """Return `moment` in this format."""
        return "".join(_written(kind, text, moment) if kind else text for kind, text in self.parts)


@cache
def date_format(written: str) -> DateFormat:
    """Return the format that `written` describes. Raises DateFormatError."""
    parts = _parts(written)
    kinds = [kind for kind, _ in parts if kind]
    for kind in set(kinds):
        if kinds.count(kind) > 1:
            raise DateFormatError(f"the {kind.replace('_', ' ')} stands in it twice")
    if len({"year", "short_year"} & set(kinds)) != 1:
        raise DateFormatError("it needs one year, YYYY or YY")
    if len({"month", "month_name"} & set(kinds)) != 1 or "day" not in kinds:
        raise DateFormatError("it needs a month (MM or MMM) and a day (DD)")
    pattern = "".join(_pattern(kind, text, _touches(parts, place)) for place, (kind, text) in enumerate(parts))
    return DateFormat(written, parts, re.compile(pattern, re.IGNORECASE))


def _parts(written: str) -> tuple[tuple[str, str], ...]:
    parts: list[tuple[str, str]] = []
    end = 0
    for match in _TOKEN.finditer(written):
        token = match.group()
        if token.startswith("%") and token not in _PART_OF:
            raise DateFormatError(f"'{token}' is not known; use %Y %y %m %b %d %H %M %S")
        if match.start() > end:
            parts.append(("", written[end : match.start()]))
        parts.append((_PART_OF[token], token))
        end = match.end()
    if end < len(written):
        parts.append(("", written[end:]))
    for kind, text in parts:
        if not kind and re.search(r"[A-Za-z]{2}|[YMDHms0-9]|(?<!\w)[ydh](?!\w)", text):
            raise DateFormatError(f"'{text.strip()}' is not known; use YYYY YY MM MMM DD (in capitals), HH mm ss")
    return tuple(parts)


def _touches(parts: tuple[tuple[str, str], ...], place: int) -> bool:
    """Return whether digits stand directly before or behind the part at `place`."""
    beside = [parts[other][0] for other in (place - 1, place + 1) if 0 <= other < len(parts)]
    return any(kind in _WIDTH for kind in beside)


def _pattern(kind: str, text: str, touches: bool) -> str:
    if not kind:
        return re.escape(text)
    if kind == "month_name":
        return r"(?P<month_name>[^\W\d_]+)\.?"
    least = 1 if kind in _ONE_DIGIT_DOES and not touches else _WIDTH[kind]
    return f"(?P<{kind}>[0-9]{{{least},{_WIDTH[kind]}}})"


def _moment(found: dict[str, str]) -> datetime | None:
    if "month_name" in found:
        month = MONTHS.get(found["month_name"].lower())
        if month is None:
            return None
    else:
        month = int(found["month"])
    year = int(found["year"]) if "year" in found else _century(int(found["short_year"]))
    hour, minute, second = (int(found.get(part, 0)) for part in ("hour", "minute", "second"))
    try:
        return datetime(year, month, int(found["day"]), hour, minute, second)  # noqa: DTZ001 -- a sheet's dates have no zone
    except ValueError:
        return None


def _century(two_digits: int) -> int:
    return two_digits + (1900 if two_digits >= 69 else 2000)


def _written(kind: str, text: str, moment: datetime) -> str:
    value = {"short_year": moment.year % 100}.get(kind)
    if value is None:
        value = getattr(moment, kind)
    return str(value) if text in _ONE_DIGIT_WRITTEN else f"{value:0{_WIDTH[kind]}}"
