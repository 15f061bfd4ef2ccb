"""summary.json: the run in figures, for programs; its JSON Schema stands beside this module.

No personal data but the few words that a remedy maps or empties, and cells that a note names as its proof.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from etl.errors import SettingsError
from etl.guards import Stop
from etl.moments import iso
from etl.report import FieldFill, ProblemGroup, Remedy, RunReport
from etl.timeline import Moment, Timeline
from etl.view import View

VERSION = 1
"""Of the form of summary.json; it grows when a member goes or changes its meaning, not where one comes."""
SCHEMA = Path(__file__).with_name("summary.schema.json")
_PROBLEM = ("code", "field", "severity", "count")
_GROUP = ("code", "field", "column", "severity", "count", "distinct")
_OUTCOME = ("status", "code", "example", "count")
_REMEDY = {
    "where": "where", "line": "line", "record": "record", "field": "field", "code": "code", "mends": "mended",
    "of": "tried", "rows": "rows",
}  # fmt: skip
_MOMENT = tuple(field.name for field in fields(Moment))


def as_dict(report: RunReport) -> dict[str, Any]:
    """Return the summary as plain values."""
    return {
        "version": VERSION,
        "id": report.id,
        "mapping": {"name": report.mapping, "version": report.mapping_fingerprint},
        "files": list(report.files),
        "target": report.target,
        "wire": report.wire,
        "dry_run": report.dry_run,
        "view": report.view.value,
        "started_at": iso(report.started_at),
        "ended_at": iso(report.ended_at),
        "rows": report.rows,
        "spanned_rows": report.spanned_rows,
        "records_per_row": report.records,
        "counts": dict(report.counts),
        "errors": report.errors,
        "warnings": report.warnings,
        "deletes": report.deletes,
        "clears": dict(report.clears),
        "problems": [dict(zip(_PROBLEM, problem, strict=True)) for problem in report.problems],
        "groups": [{name: getattr(group, name) for name in _GROUP} for group in report.groups],
        "fills": [{**asdict(fill), "transforms": list(fill.transforms)} for fill in report.fills],
        "outcomes": [dict(zip(_OUTCOME, outcome, strict=True)) for outcome in report.outcomes],
        "remedies": [{name: getattr(remedy, own) for name, own in _REMEDY.items()} for remedy in report.remedies],
        "notes": list(report.notes),
        "stopped": _stop(report.stop) if report.stop else None,
        "exit_code": report.exit_code,
        "timings_seconds": {name: round(seconds, 3) for name, seconds in report.timings.items()},
        "estimate": dict(report.estimate),
        "missing": dict(report.missing),
        "held_back": report.held_back,
        "news": dict(report.news),
        "delivery": dict(report.delivery),
        "timeline": _timeline(report.timeline),
        "reports": {
            "results": str(report.results_path),
            "issues": str(report.issues_path),
            **({"plan": str(report.plan)} if report.plan is not None else {}),
            "others": [str(path) for path in report.made],
        },
    }


def _timeline(timeline: Timeline) -> dict[str, Any] | None:
    """Return the moments by column, which is shorter by half; None where nothing was sent."""
    if not timeline.moments:
        return None
    columns = {name: [getattr(one, name) for one in timeline.moments] for name in _MOMENT}
    return {"started_at": iso(timeline.started_at), "seconds": timeline.seconds, **columns}


def _stop(stop: Stop) -> dict[str, str]:
    return {"code": stop.code, "message": stop.message, "hint": stop.hint}


def write(report: RunReport, path: Path) -> None:
    """Write the summary; the file is either the whole of it or not there."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(as_dict(report), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def read(path: Path) -> RunReport:
    """Return the report that a summary.json is of, with the reports in its folder; `groups` have no values.

    Raises SettingsError where there is none, or it is of another version.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        version = table["version"]
        report = _report_of(table, path.parent) if version == VERSION else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            "there is no whole report here", code="no-report", where=str(path.parent),
            hint="name a run, or a folder with the summary.json of one; one that was killed has none",
        ) from error  # fmt: skip
    if report is None:
        raise SettingsError(
            f"the report is of version {version}, and this program reads {VERSION}", code="no-report", where=str(path),
            hint="use the version of the program that made it",
        )  # fmt: skip
    return report


def _report_of(table: Mapping[str, Any], out: Path) -> RunReport:
    stopped, own = table["stopped"], {name: table[name] for name in _AS_THEY_ARE}
    return RunReport(
        **own,
        mapping=table["mapping"]["name"],
        mapping_fingerprint=table["mapping"]["version"],
        files=tuple(table["files"]),
        records=table["records_per_row"],
        problems=tuple((one["code"], one["field"], one["severity"], one["count"]) for one in table["problems"]),
        outcomes=tuple((one["status"], one["code"], one["example"], one["count"]) for one in table["outcomes"]),
        notes=tuple(table["notes"]),
        out=out,
        stop=Stop(stopped["code"], stopped["message"], table["exit_code"], stopped["hint"]) if stopped else None,
        timings=table["timings_seconds"],
        remedies=tuple(Remedy(**{own: one[name] for name, own in _REMEDY.items()}) for one in table["remedies"]),
        groups=tuple(ProblemGroup(**one) for one in table["groups"]),
        fills=tuple(FieldFill(**one | {"transforms": tuple(one["transforms"])}) for one in table["fills"]),
        timeline=_moments(table["timeline"]),
        view=View(table["view"]),
        started_at=_seconds(table["started_at"]),
        ended_at=_seconds(table["ended_at"]),
    )


_AS_THEY_ARE = (
    "id", "target", "wire", "dry_run", "rows", "spanned_rows", "counts", "errors", "warnings", "deletes", "clears",
    "estimate", "missing", "held_back", "delivery", "news",
)  # fmt: skip


def _moments(table: Mapping[str, Any] | None) -> Timeline:
    if table is None:
        return Timeline()
    columns = [table[name] for name in _MOMENT]
    moments = tuple(Moment(*values) for values in zip(*columns, strict=True))
    return Timeline(_seconds(table["started_at"]), table["seconds"], moments)


def _seconds(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()
