"""A RunReport → what the page says above its table: the state, facts, counts, steps, fill rates, files.

What a report says of people is decided before it comes here (`etl.redaction`): its texts are shown as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from etl.estimate import duration
from etl.report import OPEN
from etl.reports.page_text import MESSAGE_SHOWN, visible
from etl.view import View
from etl.wording import MEANINGS, cost_sentences, mending, next_step, plural, stop_sentence

if TYPE_CHECKING:
    from etl.report import FieldFill, RunReport

MOST_FIELDS = 200
_LEAST_SHARE = 0.006
"""Of the bar's width: a single row of a million is still to be seen."""

ORDER = (
    "delivered", "planned", "unchanged", "duplicate", "skipped", "blocked", "unknown", "failed", "rejected", "invalid",
)  # fmt: skip
"""The statuses from good to bad, as they stand in the bar."""
STATES = {"good": "Good", "look": "Needs a look", "stopped": "Stopped"}


@dataclass(frozen=True, slots=True)
class Share:
    """The records of one status. `x`, `width`: its part of the bar, in per cent; `share`: of all records, as text."""

    status: str
    count: int
    share: str
    meaning: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do; `command`: what to type, "" where it is no command."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """One field of the mapping; `width`: per cent of its rows that have a value."""

    field: str
    source: str
    transforms: str
    filled: int
    rows: int
    width: float
    share: str
    required: bool


@dataclass(frozen=True, slots=True)
class RecordFills:
    """The fields of one record of the mapping; `hidden`: how many more there are."""

    number: int
    action: str
    fields: tuple[Fill, ...]
    hidden: int


def state_of(report: RunReport) -> str:
    """Return `good`, `look` or `stopped`."""
    if report.stop is not None:
        return "stopped"
    return "good" if report.exit_code == 0 and report.rows else "look"


def facts_of(report: RunReport) -> tuple[tuple[str, str], ...]:
    """Return label and text of what identifies the run."""
    names = [Path(str(one["file"])).name for one in report.files]
    sheets = [str(table["sheet"]) for one in report.files for table in one.get("tables", ()) if table.get("sheet")]
    file = (
        f"{names[0]} and {len(names) - 1:,} more {plural(len(names) - 1, 'file')}" if len(names) > 1 else "".join(names)
    )
    if len(sheets) == 1:
        file += f", sheet {sheets[0]}"
    to = report.target or ""
    if report.dry_run:
        to = f"nothing was sent: a dry run{f' for {to}' if to else ''}"
    view = {
        View.FULL: "",
        View.PSEUDONYMOUS: "a token in the place of each key and value",
        View.AGGREGATE: "counts alone, nothing of a person",
    }[report.view]
    facts = [
        ("File", visible(file)), ("Mapping", visible(report.mapping)), ("Sent to", visible(to)), ("When", when(report)),
        ("Took", took(report)), ("Run", report.id), ("Shows", view),
    ]  # fmt: skip
    return tuple((label, text) for label, text in facts if text)


def when(report: RunReport) -> str:
    """Return when a run began, in the time of this machine; of a run that does not say it, the date in its id."""
    if report.started_at:
        return f"{_date(moment := datetime.fromtimestamp(report.started_at).astimezone())} {moment:%Z}"
    try:
        return _date(datetime.strptime(report.id[:15], "%Y%m%d-%H%M%S"))  # noqa: DTZ007 - the id holds no zone
    except ValueError:
        return ""


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def took(report: RunReport) -> str:
    """Return how long it took."""
    return time(report.timings["total"]) if "total" in report.timings else ""


def stages(report: RunReport) -> str:
    """Return how long its stages took, as a sentence: `Checking took 20 s, sending 1 min 44 s.`, "" if not known."""
    known = [(name, report.timings[name]) for name in ("checking", "sending") if name in report.timings]
    told = ", ".join(
        f"{name} {'took ' if not place else ''}{time(seconds)}" for place, (name, seconds) in enumerate(known)
    )
    return f"{told[:1].upper()}{told[1:]}." if told else ""


def time(seconds: float) -> str:
    """Return seconds as people read them, tenths where they are few."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def shares_of(report: RunReport) -> tuple[Share, ...]:
    """Return the statuses that occur, from good to bad, each with its part of the bar."""
    found = [(status, report.counts[status]) for status in ORDER if report.counts.get(status)]
    found += [(status, count) for status, count in report.counts.items() if status not in ORDER and count]
    total = sum(count for _, count in found)
    widths = [max(count / total, _LEAST_SHARE) for _, count in found]
    scale = 100 / sum(widths) if widths else 0.0
    shares, x = [], 0.0
    for (status, count), width in zip(found, widths, strict=True):
        told = MEANINGS.get(status, "")
        shares.append(Share(status, count, share(count, total), told, round(x, 3), round(width * scale, 3)))
        x += width * scale
    return tuple(shares)


def share(count: int, total: int) -> str:
    """Return a share of `total` (1 or more) as text that never rounds something to nothing, nor to all."""
    percent = 100 * count / total if total else 0.0
    if 0 < percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def steps_of(report: RunReport, names: Sequence[str]) -> tuple[Step, ...]:
    """Return what to do next. `names`: of the reports that were written."""
    steps = []
    if told := stop_sentence(report):
        steps.append(Step(visible(told.replace("   [", " ["), 2 * MESSAGE_SHOWN)))
    steps += [Step(visible(told, 2 * MESSAGE_SHOWN)) for told in cost_sentences(report)]
    if told := mending(report, names):
        steps.append(Step(told))
    if command := next_step(report):
        steps.append(Step(_go_on(report), command))
    if held := report.held_back:
        steps.append(
            Step(f"{held:,} {plural(held, 'row')} would bring back somebody who was deleted; --revive sends them.")
        )
    if report.dry_run and report.rows and report.stop is None:
        if report.plan is not None and report.view is not View.AGGREGATE:
            steps.append(Step("Send what was checked, and nothing else:", f"etl run --plan {report.plan}"))
        else:
            steps.append(Step("Nothing was sent. To send, give the same command with run in the place of check."))
    return tuple(steps) or (Step("Nothing: every row was delivered, or rightly left alone."),)


def _go_on(report: RunReport) -> str:
    if report.stop is not None:
        return "Go on with the run where it ended:"
    left = sum(counts.get(one.value, 0) for counts in (report.counts, report.missing) for one in OPEN)
    return f"Send again what did not arrive ({left:,} {plural(left, 'record')}):"


def fills_of(report: RunReport) -> tuple[RecordFills, ...]:
    """Return the fields of the mapping, by record."""
    found: dict[int, list[FieldFill]] = {}
    for one in report.fills:
        found.setdefault(one.record, []).append(one)
    return tuple(
        RecordFills(number, own[0].action, tuple(map(_fill, own[:MOST_FIELDS])), max(0, len(own) - MOST_FIELDS))
        for number, own in sorted(found.items())
    )


def _fill(one: FieldFill) -> Fill:
    return Fill(
        visible(one.field), visible(one.source), visible(", ".join(one.transforms)), one.filled, one.rows,
        round(100 * one.filled / one.rows, 2) if one.rows else 0.0, share(one.filled, one.rows) if one.rows else "–",
        one.required,
    )  # fmt: skip


def files_of(report: RunReport) -> tuple[tuple[str, str], ...]:
    """Return the names of the reports that are there beside the page, and what each is."""
    told = {
        "annotated.xlsx": "the sheet as it was, with each bad cell marked and explained",
        "results.csv": "what became of every row, one line for each record",
        "issues.csv": "every issue, one line for each",
        "missing.csv": "contacts that the file no longer holds",
        "results.parquet": "results.csv for programs",
        "summary.json": "the figures of the run, for programs",
    }
    fixes = {path.name: "the rows to mend, to be sent in again" for path in sorted(report.out.glob("to_fix*"))}
    # The summary is written anew behind this page.
    return tuple(
        (name, text)
        for name, text in {**fixes, **told}.items()
        if name == "summary.json" or (report.out / name).exists()
    )


def notes_of(report: RunReport) -> tuple[str, ...]:
    """Return the notes."""
    return tuple(visible(note, 2 * MESSAGE_SHOWN) for note in report.notes)
