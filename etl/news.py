"""What is wrong in a run, by kind, and which of it is new. Pure: knows no journal, no clock and no cell.

A kind is a problem of a field (`issue`), the endpoint's trouble (`endpoint`), rows that end badly for another reason
(`row`), or why the run stopped (`stop`). Warnings are none: they keep nobody awake.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from etl.errors import impersonal
from etl.journal.model import KnownKind
from etl.records import Severity

if TYPE_CHECKING:
    from etl.report import RunReport

KNOWN_SECONDS = 30 * 86_400
"""A kind that was not seen for so long is new when it comes back."""
_SHOWN = 20
_DIGITS = re.compile(r"[0-9]+")
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of trouble. `field`: a path of the contract, of the endpoint's trouble the status of its rows."""

    what: str
    code: str
    field: str = ""
    rows: int = 0

    @property
    def print(self) -> str:
        """Its fingerprint, 16 hex digits: the same for fields that differ by capitals or numbers alone."""
        normal = _DIGITS.sub("#", self.field.casefold())
        return hashlib.sha256(f"{self.what}|{self.code}|{normal}".encode()).hexdigest()[:16]

    def __str__(self) -> str:
        place = {"issue": f" in {self.field}", "endpoint": f" ({self.field})"}.get(self.what, "") if self.field else ""
        return f"{self.code}{place}"


@dataclass(frozen=True, slots=True)
class News:
    """What is new in a run, and what is known from earlier ones; the most frequent kinds first.

    `before`: by fingerprint, the rows of known kinds when each was last seen; `gone`: kinds of the last run that are no
    more.
    """

    new: tuple[Kind, ...] = ()
    known: tuple[Kind, ...] = ()
    before: Mapping[str, int] = field(default_factory=dict)
    gone: int = 0

    @property
    def known_before(self) -> int:
        """Rows of the known kinds when each was last seen."""
        return sum(self.before.get(kind.print, kind.rows) for kind in self.known)

    def for_whom(self, told: Collection[str]) -> News:
        """Return the same for somebody who was told of the kinds of these fingerprints, and of no others."""
        kinds = sorted((*self.new, *self.known), key=lambda kind: -kind.rows)
        new = tuple(kind for kind in kinds if kind.print not in told)
        return replace(self, new=new, known=tuple(kind for kind in kinds if kind.print in told))

    @property
    def trend(self) -> str:
        """Whether the rows of the known kinds are rising, falling or steady; "" where there is no known kind."""
        rows = sum(kind.rows for kind in self.known)
        if not self.known:
            return ""
        return "steady" if rows == self.known_before else "falling" if rows < self.known_before else "rising"

    def __str__(self) -> str:
        if not self.new and not self.known:
            return ""
        rows = sum(kind.rows for kind in self.known)
        known = f"{len(self.known):,} known{f', {_rows(rows)} ({self.trend})' if rows else ''}" if self.known else ""
        if not self.new:
            return f"nothing new; {known}"
        new_rows = sum(kind.rows for kind in self.new)
        kinds = "1 new kind" if len(self.new) == 1 else f"{len(self.new):,} new kinds"
        return "; ".join(filter(None, (f"{kinds}{f', {_rows(new_rows)}' if new_rows else ''}", known)))

    def as_dict(self) -> dict[str, Any]:
        """Return it for summary.json: `kinds` are the most frequent ones, the new ones first."""
        listed = [(kind, True) for kind in self.new] + [(kind, False) for kind in self.known]
        return {
            "new_kinds": len(self.new),
            "new_rows": sum(kind.rows for kind in self.new),
            "known_kinds": len(self.known),
            "known_rows": sum(kind.rows for kind in self.known),
            "known_rows_before": self.known_before,
            "trend": self.trend,
            "gone_kinds": self.gone,
            "kinds": [
                {"what": kind.what, "code": kind.code, "field": kind.field, "rows": kind.rows, "new": is_new}
                for kind, is_new in listed[:_SHOWN]
            ],
        }


def kinds_of(report: RunReport) -> tuple[Kind, ...]:
    """Return what is wrong in a run, the most frequent kind first; nothing where all is good."""
    merged: dict[str, Kind] = {}
    for kind in _all(report):
        known = merged.get(kind.print)
        merged[kind.print] = (
            kind if known is None else Kind(known.what, known.code, known.field, known.rows + kind.rows)
        )
    return tuple(sorted(merged.values(), key=lambda kind: (-kind.rows, kind.what, kind.code, kind.field)))


def _all(report: RunReport) -> Iterator[Kind]:
    if report.stop is not None:
        yield Kind("stop", report.stop.code)
    for code, path, severity, count in report.problems:
        if severity == Severity.ERROR:
            yield Kind("issue", code, safe_path(path), count)
    for status, code, _, count in report.outcomes:
        yield Kind("endpoint", code, status, count)
    for status, count in report.missing.items():
        if status in {"rejected", "failed", "unknown"} and count:
            yield Kind("row", "missing-not-deleted", status, count)
    if report.held_back:
        yield Kind("row", "held-back", "", report.held_back)


def safe_path(path: str) -> str:
    """Return the path of a field without what looks like somebody's: a header may hold anything."""
    return impersonal(path)[:_LONGEST]


def compared(kinds: Sequence[Kind], remembered: Sequence[KnownKind], run: str, now: float) -> News:
    """Return which of a run's kinds are new; `now`: Unix seconds. What this very run has seen before is no older."""
    fresh = {one.print: one for one in remembered if one.first_run != run and now - one.last_at <= KNOWN_SECONDS}
    known = tuple(kind for kind in kinds if kind.print in fresh)
    latest = max((one.last_at for one in fresh.values()), default=0.0)
    here = {kind.print for kind in kinds}
    return News(
        new=tuple(kind for kind in kinds if kind.print not in fresh),
        known=known,
        before={kind.print: fresh[kind.print].rows for kind in known},
        gone=sum(one.last_at == latest and one.print not in here for one in fresh.values()),
    )


def to_remember(kinds: Sequence[Kind], run: str, now: float) -> list[KnownKind]:
    """Return a run's kinds as the journal keeps them."""
    return [KnownKind(kind.print, kind.what, kind.code, kind.field, kind.rows, now, run, now) for kind in kinds]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as far as it is told. `code`: of what stopped it; `kinds`: what was wrong."""

    exit_code: int
    code: str = ""
    kinds: tuple[Kind, ...] = field(default=())

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look."""
        return self.exit_code != 0

    @property
    def ending(self) -> str:
        """The class of its exit code: "0" to "4", or "interrupted"."""
        return "interrupted" if self.exit_code > 128 else str(self.exit_code)


def ending_of_report(report: RunReport) -> Ending:
    """Return how a run ended that came to a report."""
    code = report.stop.code if report.stop is not None else ""
    return Ending(report.exit_code, code, kinds_of(report) if report.exit_code else ())


def ending_of_error(exit_code: int, code: str) -> Ending:
    """Return how a run ended that came to none."""
    return Ending(exit_code, code, (Kind("stop", code),))


def summary_of(report: RunReport, remembered: Sequence[KnownKind], now: float) -> dict[str, Any]:
    """Return the news of a report for its summary."""
    return compared(kinds_of(report), remembered, report.id, now).as_dict()
