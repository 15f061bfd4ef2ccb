"""A run that has ended → its optional reports, and the summary that names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from etl.job import Job
from etl.options import Options
from etl.own_tables import own_tables
from etl.redaction import FULL, Redaction
from etl.report import RunReport
from etl.reports import summary_json
from etl.reports.material import Material
from etl.reports.shelf import AT_ONCE, fit_for, write_all


def publish(report: RunReport, job: Job, options: Options, work: Path, redaction: Redaction = FULL) -> RunReport:
    """Write the reports that `options` asks for, then the summary anew; return the report with their paths.

    `work`: a folder for what is put aside meanwhile; `redaction`: what is shown of people. Raises OSError where the
    summary cannot be written.
    """
    work.mkdir(exist_ok=True)
    material = Material(
        report=report,
        tables=own_tables(job),
        work=work,
        shown=redaction.texts,
        begin=options.progress.begin,
        advance=lambda rows: options.progress.advance(rows, {}),
        is_interrupted=lambda: options.interrupt.is_requested and report.stop is None,
    )
    timings = dict(report.timings)
    asked, left_out = fit_for(redaction.view, options.reports or ())
    if report.stop is not None and report.stop.code == "interrupted":
        # Whoever interrupts wants to be gone, and the run that goes on writes them of all rows.
        asked = tuple(word for word in asked if word in AT_ONCE)
    made, notes = write_all(material, asked, timings)
    options.progress.end()
    report = replace(report, made=made, notes=(*report.notes, *left_out, *notes), timings=timings)
    summary_json.write(report, report.summary_path)
    return report
