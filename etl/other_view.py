"""The kept reports of a run → the same in a view that shows less of people: for support, or a chat channel.

Made from what lies in the folder, without the source file; only annotated.xlsx, which holds the person's own sheet,
needs the file, and is left out where it is not there any more as it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from etl.errors import EtlError, JournalError, SettingsError
from etl.history import find
from etl.job import open_job
from etl.journal import key_of_masks, open_journal
from etl.kept_reports import folder_of
from etl.mapping import load_mapping
from etl.masking import Masker
from etl.missing_deletes import COLUMNS as MISSING_COLUMNS
from etl.missing_deletes import FILE as MISSING
from etl.missing_deletes import RISKY as MISSING_RISKY
from etl.own_tables import own_tables
from etl.redaction import Redaction
from etl.report import RunReport
from etl.report_folder import put_aside
from etl.reports import issues_csv, results_csv, summary_json
from etl.reports.cells import inert
from etl.reports.csv_batches import batches
from etl.reports.csv_columns import CsvColumns
from etl.reports.material import Material, OwnTable
from etl.reports.shelf import fit_for, write_all
from etl.sitting import same_files
from etl.view import View

if TYPE_CHECKING:
    from etl.journal.model import RunRecord
    from etl.redaction import Shown
    from etl.settings import Settings

DEFAULT = ("csv", "html")


@dataclass(frozen=True, slots=True)
class Kept:
    """Reports that are kept. `record`: of the run, None: a check's, or one that the journal does not know."""

    folder: Path
    record: RunRecord | None = None


def kept(name: str, settings: Settings) -> Kept:
    """Return the reports in the folder of that name, or of the run (an id, the beginning of one, `last`).

    Raises JournalError: no such run, or its reports are gone.
    """
    journal = open_journal(settings, create=False)
    if journal is None and not Path(name).is_dir():
        raise JournalError(
            f"'{name}' is no folder, and there is no journal here that knows runs (a check enters none)",
            code="no-journal", where=str(settings.folder), hint="name the folder of the reports",
        )  # fmt: skip
    if Path(name).is_dir() or journal is None:
        folder = Path(name)
        if journal is None:
            return Kept(folder)
        with journal:
            known = [one for one in journal.runs() if folder_of(one) and folder_of(one) == folder.absolute()]
        return Kept(folder, known[0] if known else None)
    with journal:
        record = find(journal, name)
    found = folder_of(record)
    if found is None:
        raise JournalError(
            f"the reports of run {record.id} are gone", code="no-report", where=record.new.out, hint="name their folder"
        )
    return Kept(found, record)


def other_view(
    source: Kept, settings: Settings, view: View, out: Path, reports: Sequence[str] | None = None
) -> RunReport:
    """Write the reports into `out` as `view` shows them; return the report with their paths.

    `reports`: words of `view.WORDS`. Raises JournalError, and SettingsError where `view` shows more than what is kept.
    """
    report = summary_json.read(source.folder / "summary.json")
    if view.shows_more_than(report.view):
        raise SettingsError(
            f"these reports were made with the view {report.view}, which says less of people than {view}",
            code="view-loosened", where=str(source.folder), hint="make the reports anew from the file",
        )  # fmt: skip
    if out.absolute() == source.folder.absolute():
        raise SettingsError(
            "these are the reports that are to be shown otherwise", code="out", where=str(out),
            hint="name another folder with --out",
        )  # fmt: skip
    # What has tokens already keeps them.
    masker = Masker(key_of_masks(settings))
    redaction = Redaction(view if report.view is not view else View.FULL, masker)
    try:
        out.mkdir(parents=True, exist_ok=True)
        put_aside(out)
        _write_lines(source.folder, out, redaction)
        return _published(source, _shown(report, view, redaction, out), settings, Redaction(view, masker), reports)
    except OSError as error:
        raise SettingsError(
            f"the reports cannot be written: {error.strerror}", code="out", where=str(error.filename or out),
            hint="name a folder that you may write to, on a disk with room, with --out",
        ) from error  # fmt: skip


def _shown(report: RunReport, view: View, redaction: Redaction, out: Path) -> RunReport:
    """Return the report as it is shown: its sentences may quote cells, and cannot be said anew from here."""
    notes = report.notes
    if not redaction.is_full and report.view is View.FULL:
        notes = (f"{len(notes):,} notes of the full report are left out: they may quote cells",) if notes else ()
        report = replace(report, stop=redaction.stop_by_code(report.stop))
    return replace(redaction.report(replace(report, notes=notes)), view=view, out=out, plan=None, made=())


def _write_lines(folder: Path, out: Path, redaction: Redaction) -> None:
    known: tuple[tuple[str, Sequence[str], Iterable[str], Shown], ...] = (
        ("results.csv", results_csv.COLUMNS, results_csv.RISKY, redaction.results),
        ("issues.csv", issues_csv.COLUMNS, issues_csv.RISKY, redaction.issues),
        (MISSING, MISSING_COLUMNS, MISSING_RISKY, redaction.results),
    )
    for name, columns, risky, shown in known:
        if (folder / name).exists():
            written = CsvColumns(out / name, columns)
            try:
                for table in batches(folder / name, frozenset(risky)):
                    found = shown({column: table[column].combine_chunks() for column in columns})
                    written.write({n: inert(_one(found[n])) if n in risky else _one(found[n]) for n in columns})
            finally:
                written.close()


def _one(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values


def _published(
    source: Kept, report: RunReport, settings: Settings, redaction: Redaction, reports: Sequence[str] | None
) -> RunReport:
    asked, left_out = fit_for(report.view, reports or DEFAULT)
    tables, notes = _tables(source, settings) if "xlsx" in asked and report.view is not View.AGGREGATE else ((), ())
    if notes:
        asked = tuple(word for word in asked if word != "xlsx")
    work = Path(tempfile.mkdtemp(prefix=".work-", dir=report.out))
    timings: dict[str, float] = {}
    try:
        material = Material(
            report=report, tables=tables, work=work, shown=redaction.texts, begin=lambda _name, _total: None,
            advance=lambda _: None, is_interrupted=lambda: False,
        )  # fmt: skip
        made, failed = write_all(material, asked, timings)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report = replace(report, made=made, notes=(*report.notes, *left_out, *notes, *failed))
    summary_json.write(report, report.summary_path)
    return report


def _tables(source: Kept, settings: Settings) -> tuple[Sequence[OwnTable], tuple[str, ...]]:
    """Return the person's own tables, or a note on why they cannot be had any more."""
    record = source.record
    if record is None:
        return (), ("annotated.xlsx is not made: no run in the journal says which file it was",)
    new = record.new
    try:
        mapping = load_mapping(Path(new.mapping_path))
        if mapping.fingerprint != new.mapping_fingerprint:
            return (), ("annotated.xlsx is not made: the mapping has changed since",)
        options: Mapping[str, object] = new.options
        sheet, limit = options.get("sheet"), options.get("limit")
        job = open_job(
            mapping, [], settings.target(new.target), taken=same_files(record), run_id=record.id, quotes=False,
            sheet=sheet if isinstance(sheet, str) else None, limit=limit if isinstance(limit, int) else None,
        )  # fmt: skip
    except EtlError as error:
        return (), (f"annotated.xlsx is not made: {error.message}",)
    return own_tables(job), ()
