"""Runs of the journal → the terminal: a table of them, or all that is known of one."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from etl.cli import output
from etl.cli.inspection_view import size_in_words
from etl.cli.remembering import moment, short_moment, span
from etl.cli.verdict import COLOURS
from etl.moments import iso
from etl.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.history import RunTold

FATES = {"finished": "", "running": "cyan", "stopped": "yellow", "interrupted": "yellow", "died": "red"}
"""How a run ended, and the colour of it."""
STATUSES = {**COLOURS, "sending": "yellow"}
STATES = {"sending": "sent, and no answer is known", "waiting": "to be sent again"}
"""States of a delivery that are no status of a row, in words."""
_WITH_TIME = 92
"""Columns from which the time is shown beside the id, which begins with it."""
_LEAST_NAME = 8
_TIME = len("24 Nov 02:00")
_GAP = 2
_LABEL = 10
_MOST_WIDTH = 120
_SHOWN_DIGITS = 12
_SHOWN_NEXT = 3


def show_runs(runs: Sequence[RunTold]) -> None:
    """Print a table of runs, and what can be done about the newest of those that did not end well."""
    width = min(output.console(sys.stdout).width, _MOST_WIDTH)
    output.say(_table(runs, width))
    for run in [run for run in runs if run.can_resume][:_SHOWN_NEXT]:
        if run.missing_files:
            missing = ", ".join(run.missing_files)
            output.tell(f"The run {run.record.id} {_ended_in_words(run)}; it can be resumed when {missing} is back.")
        else:
            output.tell(f"next:  etl resume {run.record.id}    goes on with the run that {_ended_in_words(run)}")


def _table(runs: Sequence[RunTold], width: int) -> Table:
    with_time = width >= _WITH_TIME
    numbers = {
        "rows": [_number(run.record.rows or None) for run in runs],
        "delivered": [_number(run.delivered if run.counts else None) for run in runs],
        "bad": [_number(run.bad if run.counts else None) for run in runs],
    }
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    shown.add_column("run", no_wrap=True)
    if with_time:
        shown.add_column("when", no_wrap=True, style="dim")
    fixed = [max(len(run.record.id) for run in runs), max(len("ended"), *(len(run.fate) for run in runs))]
    fixed += [max(len(name), *map(len, cells)) for name, cells in numbers.items()] + [_TIME] * with_time
    names = max(width - sum(fixed) - _GAP * (len(fixed) + 2), 2 * _LEAST_NAME)
    longest = max(len("mapping"), *(len(run.record.new.mapping) for run in runs))
    targets = max(len("target"), *(len(run.record.new.target) for run in runs))
    targets = min(targets, max(names * 2 // 5, names - longest))
    mappings = min(longest, names - targets)
    shown.add_column("mapping", width=mappings, no_wrap=True, overflow="ellipsis")
    shown.add_column("target", width=targets, no_wrap=True, overflow="ellipsis")
    shown.add_column("ended", no_wrap=True)
    for name in numbers:
        shown.add_column(name, justify="right", no_wrap=True)
    for place, run in enumerate(runs):
        time = [short_moment(run.record.new.started_at)] if with_time else []
        shown.add_row(
            output.visible(run.record.id), *time, output.visible(run.record.new.mapping),
            output.visible(run.record.new.target), Text(run.fate, style=FATES[run.fate]),
            *(cells[place] for cells in numbers.values()),
        )  # fmt: skip
    return shown


def show_run(run: RunTold) -> None:
    """Print all that is known of a run, and what comes next."""
    width = min(output.console(sys.stdout).width, _MOST_WIDTH)
    new = run.record.new
    title = output.visible(f"{run.record.id}: {new.mapping} to {new.target}, {_ended_in_words(run)}")
    head = [Text(line, style="bold") for line in textwrap.wrap(title, width)]
    head[-1].highlight_words([_ended_in_words(run)], style=FATES[run.fate])
    facts = [line for label, text in _facts(run) for line in _labelled(label, text, width)]
    output.say_lines([*head, Text(""), *facts])
    if run.counts:
        output.say(Text(""), _counts(run))
    following = _next(run)
    if following:
        output.tell(f"next:  {following}")


def as_dict(run: RunTold) -> dict[str, Any]:
    """Return a run as plain values; times as ISO 8601 in UTC."""
    record, new = run.record, run.record.new
    return {
        "id": record.id,
        "state": str(run.fate),
        "resumable": run.can_resume and not run.missing_files,
        "retryable": run.can_retry and not run.missing_files,
        "missing_files": list(run.missing_files),
        "started_at": iso(new.started_at),
        "ended_at": iso(record.ended_at) or None,
        "exit_code": record.exit_code,
        "stopped": {"code": record.stop_code, "message": record.stop_message} if record.stop_code else None,
        "sittings": record.sittings,
        "who": new.who,
        "pid": new.pid,
        "mapping": {"name": new.mapping, "version": new.mapping_fingerprint, "path": new.mapping_path},
        "target": new.target,
        "files": [{name: file.get(name) for name in ("name", "path", "bytes", "sha256")} for file in new.files],
        "rows": record.rows,
        "counts": dict(run.counts),
        "reports": str(run.reports) if run.reports else None,
        "version": new.version,
    }


def _facts(run: RunTold) -> list[tuple[str, str]]:
    record, new = run.record, run.record.new
    facts = [("started", f"{moment(new.started_at)}, by {new.who} (process {new.pid})")]
    if record.ended_at is not None:
        took = f", after {span(record.ended_at - new.started_at)}" if record.sittings == 1 else ""
        code = "" if record.exit_code is None else f"; exit code {record.exit_code}"
        facts.append(("ended", f"{moment(record.ended_at)}{took}{code}"))
    if record.stop_message:
        facts.append(("why", f"{record.stop_message}   [{record.stop_code}]"))
    if record.sittings > 1:
        again = record.sittings - 1
        facts.append(("sittings", f"{record.sittings}: resumed or retried {again} {plural(again, 'time')}"))
    path = f" ({output.shown_path(new.mapping_path)})" if new.mapping_path else ""
    facts.append(("mapping", f"{new.mapping}, version {new.mapping_fingerprint[:_SHOWN_DIGITS]}{path}"))
    for place, file in enumerate(new.files):
        gone = "" if Path(str(file["path"])).exists() else "; no longer there"
        size, digest = size_in_words(int(file["bytes"])), str(file["sha256"])[:_SHOWN_DIGITS]
        label = "" if place else plural(len(new.files), "file")
        facts.append((label, f"{output.shown_path(str(file['name']))}, {size}, sha256 {digest}{gone}"))
    where = output.shown_path(run.reports) if run.reports else f"{output.shown_path(new.out)}; no longer there"
    facts.append(("reports", where))
    if record.rows:
        facts.append(("rows", f"{record.rows:,}"))
    return facts


def _labelled(label: str, text: str, width: int) -> list[Text]:
    first, *rest = textwrap.wrap(output.visible(text), width - _LABEL, break_long_words=False) or [""]
    return [Text.assemble((f"{label:{_LABEL}}", "dim"), first), *(Text(" " * _LABEL + line) for line in rest)]


def _counts(run: RunTold) -> Padding:
    shown = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column(justify="right")
    shown.add_column()
    for status, count in run.counts.items():
        said = Text(status, style=STATUSES.get(status, ""))
        if status in STATES:
            said.append(f" ({STATES[status]})", style="dim")
        shown.add_row(f"{count:,}", said)
    return Padding(shown, (0, 0, 0, _LABEL))


def _next(run: RunTold) -> str:
    """Return the command that comes next, and what it does; "" where there is nothing to do."""
    if run.missing_files and (run.can_resume or run.can_retry):
        missing = ", ".join(run.missing_files)
        return f"put {missing} back, then: etl {'resume' if run.can_resume else 'retry'} {run.record.id}"
    if run.can_resume:
        return f"etl resume {run.record.id}    goes on where it stopped; what was delivered is not sent again"
    if run.can_retry:
        rows = "the row that failed or is" if run.open == 1 else f"the {run.open:,} rows that failed or are"
        return f"etl retry {run.record.id}    sends {rows} unknown again"
    return ""


def _ended_in_words(run: RunTold) -> str:
    return {"running": "under way", "interrupted": "was interrupted", "stopped": "was stopped"}.get(run.fate, run.fate)


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
