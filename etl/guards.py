"""Limits that somebody set: too many bad rows, deletions or cleared fields, and the run sends nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from etl.errors import SettingsError

_LEAST_ANSWERED = 100
_LIMIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(%?)")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `number` rows, or with `percent` that share of the rows read."""

    number: float
    percent: bool
    text: str

    def allows(self, count: int, rows: int) -> bool:
        """Whether `count` of `rows` is within the limit."""
        return count <= (rows * self.number / 100 if self.percent else self.number)


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits of a run; None: none."""

    fail_over: Limit | None = None
    max_deletes: Limit | None = None
    max_clears: Limit | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run sends nothing (more), and what to do. `exit_code`: see `errors`, and 128 and the signal's number."""

    code: str
    message: str
    exit_code: int = 3
    hint: str = ""


def parse_limit(text: str | None, flag: str) -> Limit | None:
    """Return `N` or `N%` as a Limit, None for None; raises SettingsError."""
    if text is None:
        return None
    match = _LIMIT.fullmatch(text.strip())
    if match is None or (match[2] and float(match[1]) > 100):
        point = "; decimals with a point: 2.5%" if "," in text else ""
        raise SettingsError(
            f"{flag} '{text}' is no limit", code="bad-limit", hint=f"write a number of rows (25) or a share (2%){point}"
        )
    if not match[2] and "." in match[1]:
        raise SettingsError(f"{flag} '{text}' is no number of rows", code="bad-limit", hint="write a whole number")
    return Limit(float(match[1]), match[2] == "%", text.strip())


def reject_limit(limit: Limit | None) -> Callable[[int, int], bool] | None:
    """Return whether so many rejected of so many answered are too many; a share counts from the hundredth answer on."""
    if limit is None:
        return None

    def is_broken(rejected: int, answered: int) -> bool:
        return not limit.allows(rejected, answered) and (answered >= _LEAST_ANSWERED or not limit.percent)

    return is_broken


def verdict(guards: Guards, *, rows: int, bad_rows: int, deletes: int, clears: int) -> Stop | None:
    """Return the first limit that the counts break, None if they keep all."""
    broken = (
        (guards.fail_over, bad_rows, "fail-over", "rows are invalid", "mend them, or raise the limit"),
        (guards.max_deletes, deletes, "max-deletes", "contacts would be deleted", "check the file, or raise the limit"),
        (guards.max_clears, clears, "max-clears", "fields would be cleared", "check the file, or raise the limit"),
    )
    for limit, count, code, what, hint in broken:
        if limit is not None and not limit.allows(count, rows):
            share = f" ({count / rows:.1%} of {rows:,} rows)" if limit.percent else ""
            allowed = f"{limit.text}, which is {int(rows * limit.number / 100):,}" if limit.percent else limit.text
            return Stop(code, f"{count:,} {what}{share}, and --{code} allows {allowed}", hint=hint)
    return None
