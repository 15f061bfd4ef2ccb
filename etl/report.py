"""What a run or a check came to: counts, paths, and the rows as DataFrames when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.guards import Stop
from etl.records import Status
from etl.timeline import Timeline
from etl.view import View

if TYPE_CHECKING:
    import pandas as pd

OPEN = (Status.FAILED, Status.UNKNOWN)
"""Statuses of what `etl retry` sends again."""
BAD = (Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN)
"""Statuses that make the exit code 1."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """A line to paste into the mapping, which mends `mended` of the `tried` bad rows on whose cells it was run.

    `where`: the mapping and the line that it takes the place of (a new `when`: below which it stands), `file:line`;
    `rows`: issues of this `code` in the `field` in all, of record `record` (from 1).
    """

    where: str
    line: str
    record: int
    field: str
    code: str
    mended: int
    tried: int
    rows: int

    def __str__(self) -> str:
        return f"{self.where}: {self.line}"


@dataclass(frozen=True, slots=True)
class Example:
    """One issue of a group. `where`: as a person names it (`Contacts!F1042`, `row 17`); `value`: the cell's text."""

    where: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Issues of one kind: the same `code`, `field`, source `column`s and `severity`; `count` of them.

    `values`: the most frequent cell texts as (text, count), the most frequent first; `distinct`: how many different
    ones there are, None where they are too many to be counted (the counts of values are lower bounds then);
    `suggestion`: what would mend it ("did you mean PL?"); `record`: from 1, 0 where every record of the row is meant.
    """

    code: str
    field: str
    column: str
    severity: str
    count: int
    hint: str = ""
    values: tuple[tuple[str, int], ...] = ()
    distinct: int | None = None
    examples: tuple[Example, ...] = ()
    suggestion: str = ""
    record: int = 0


@dataclass(frozen=True, slots=True)
class FieldFill:
    """How often a field of a record has a value: in `filled` of the `rows` for which the record's condition is true.

    `record`: from 1; `source`: where it comes from, in a person's words (a column's name, a template, a constant).
    """

    record: int
    action: str
    field: str
    source: str
    transforms: tuple[str, ...]
    filled: int
    rows: int
    required: bool = False


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of `check` or `run`.

    `counts`: records by status (their sum is rows times records); `rows`: source rows read; `spanned_rows`: rows that a
    workbook merely spans; `deletes`: contacts that would be or were to be deleted; `clears`: rows by field whose value
    is cleared; `problems`: issues as (code, field, severity, count); `outcomes`: what was sent and not delivered, as
    (status, code, an example of the endpoint's message, count), the most frequent first; `timings`: seconds by stage;
    `remedies`: lines to paste into the mapping, each tried on the bad cells, the most useful first; `estimate`: the
    least time that sending takes (`etl.estimate`), nothing without a target; `plan`: where it was kept as a plan;
    `missing`: contacts that a full export no longer holds (`keys`), and deletions of them by status; `held_back`: rows
    that would bring back somebody who was deleted. `groups`: the problems, the most frequent first; `fills`: the
    mapping's fields, in its order; `timeline`: of sending; `view`: what the reports show of people; `made`: the
    optional reports that were written (`etl.reports.shelf`); `news`: which kinds of problems earlier runs did not
    have (`etl.news`), {} where nothing is remembered; `started_at`, `ended_at`: of this sitting, Unix seconds.
    """

    id: str
    mapping: str
    mapping_fingerprint: str
    files: tuple[dict[str, Any], ...]
    target: str | None
    wire: str
    dry_run: bool
    records: int
    rows: int
    spanned_rows: int
    counts: Mapping[str, int]
    errors: int
    warnings: int
    deletes: int
    clears: Mapping[str, int]
    problems: tuple[tuple[str, str, str, int], ...]
    notes: tuple[str, ...]
    out: Path
    stop: Stop | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    delivery: Mapping[str, Any] = field(default_factory=dict)
    outcomes: tuple[tuple[str, str, str, int], ...] = ()
    remedies: tuple[Remedy, ...] = ()
    estimate: Mapping[str, Any] = field(default_factory=dict)
    plan: Path | None = None
    missing: Mapping[str, int] = field(default_factory=dict)
    held_back: int = 0
    groups: tuple[ProblemGroup, ...] = ()
    fills: tuple[FieldFill, ...] = ()
    timeline: Timeline = field(default_factory=Timeline)
    view: View = View.FULL
    made: tuple[Path, ...] = ()
    news: Mapping[str, Any] = field(default_factory=dict)
    started_at: float = 0.0
    ended_at: float = 0.0

    @property
    def results_path(self) -> Path:
        """results.csv: one line per source row and record."""
        return self.out / "results.csv"

    @property
    def issues_path(self) -> Path:
        """issues.csv: one line an issue."""
        return self.out / "issues.csv"

    @property
    def summary_path(self) -> Path:
        """summary.json: the counts, for programs."""
        return self.out / "summary.json"

    @property
    def exit_code(self) -> int:
        """0, 1 (some rows are BAD), or the stop's: 2, 3, 130, 143."""
        if self.stop is not None:
            return self.stop.exit_code
        bad = any(self.counts.get(status.value) or self.missing.get(status.value) for status in BAD)
        return 1 if bad or self.held_back else 0

    @property
    def results(self) -> pd.DataFrame:
        """results.csv as a frame: text columns; `row`, `record`, `http_status`, `attempts` nullable Int64."""
        return _frame(self.results_path)

    @property
    def issues(self) -> pd.DataFrame:
        """issues.csv as a frame: text columns; `row` nullable Int64."""
        return _frame(self.issues_path)


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    for name in ("row", "record", "http_status", "attempts"):
        if name in frame:
            frame[name] = pd.to_numeric(frame[name].where(frame[name] != "")).astype("Int64")
    if "duration_ms" in frame:
        frame["duration_ms"] = pd.to_numeric(frame["duration_ms"].where(frame["duration_ms"] != ""))
    return frame
