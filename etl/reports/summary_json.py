"""summary.json: the run in figures, for programs; no personal data but the few words that a remedy maps or empties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etl.guards import Stop
    from etl.report import RunReport


def as_dict(report: RunReport) -> dict[str, Any]:
    """Return the summary as plain values."""
    return {
        "id": report.id,
        "mapping": {"name": report.mapping, "version": report.mapping_fingerprint},
        "files": list(report.files),
        "target": report.target,
        "wire": report.wire,
        "dry_run": report.dry_run,
        "rows": report.rows,
        "spanned_rows": report.spanned_rows,
        "records_per_row": report.records,
        "counts": dict(report.counts),
        "errors": report.errors,
        "warnings": report.warnings,
        "deletes": report.deletes,
        "clears": dict(report.clears),
        "problems": [
            {"code": code, "field": field, "severity": severity, "count": count}
            for code, field, severity, count in report.problems
        ],
        "outcomes": [
            {"status": status, "code": code, "example": example, "count": count}
            for status, code, example, count in report.outcomes
        ],
        "remedies": [
            {
                "where": remedy.where,
                "line": remedy.line,
                "record": remedy.record,
                "field": remedy.field,
                "code": remedy.code,
                "mends": remedy.mended,
                "of": remedy.tried,
                "rows": remedy.rows,
            }
            for remedy in report.remedies
        ],
        "notes": list(report.notes),
        "stopped": _stop(report.stop) if report.stop else None,
        "exit_code": report.exit_code,
        "timings_seconds": {name: round(seconds, 3) for name, seconds in report.timings.items()},
        "estimate": dict(report.estimate),
        "missing": dict(report.missing),
        "delivery": dict(report.delivery),
        "reports": {
            "results": str(report.results_path),
            "issues": str(report.issues_path),
            **({"plan": str(report.plan)} if report.plan is not None else {}),
        },
    }


def _stop(stop: Stop) -> dict[str, str]:
    return {"code": stop.code, "message": stop.message, "hint": stop.hint}


def write(report: RunReport, path: Path) -> None:
    """Write the summary; the file is either the whole of it or not there."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(as_dict(report), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
