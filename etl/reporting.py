"""What a run found and did → its RunReport. Reads nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from etl.guards import Stop
from etl.job import Job
from etl.records import Counts
from etl.report import RunReport
from etl.run_notes import Outcomes, erased_notes, missing_notes, near_miss_notes
from etl.survey import Survey
from etl.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, beside what its first pass found.

    `said`: notes that were told on the way; `outcomes`, `delivery`, `missing`: as in RunReport; `quotes`: whether
    notes quote cells.
    """

    counts: Counts
    dry_run: bool
    stop: Stop | None = None
    said: Sequence[str] = ()
    delivery: Mapping[str, object] = field(default_factory=dict)
    outcomes: Outcomes = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    quotes: bool = True


def report_of(job: Job, found: Survey, ending: Ending, out: Path) -> RunReport:
    """Return the report, but for what the session alone knows: how long it took, takes, and what it may show."""
    mapping, counts = job.plan.mapping, ending.counts
    return RunReport(
        id=job.id,
        mapping=mapping.name,
        mapping_fingerprint=mapping.fingerprint,
        files=tuple(_files(job)),
        target=job.target.name if job.target else None,
        wire=job.plan.wire,
        dry_run=ending.dry_run,
        records=len(mapping.records),
        rows=counts.rows,
        spanned_rows=found.spanned_rows,
        counts=counts.by_name,
        errors=found.errors,
        warnings=found.warnings,
        deletes=deletes_of(job, found),
        clears={_named(job, record, path): count for (record, path), count in found.clears.items()},
        problems=tuple((*key, count) for key, count in found.issue_counts.most_common()),
        notes=tuple(_notes(job, found, ending)),
        out=out,
        stop=ending.stop,
        delivery=ending.delivery,
        missing=_missing(found, ending.missing),
        held_back=found.held_back,
        outcomes=ending.outcomes,
        remedies=found.remedies,
        groups=found.groups.found(found.suggestions),
        fills=found.fills.found(mapping, [bound.binding for bound in job.tables]),
        timeline=ending.timeline,
    )


def deletes_of(job: Job, found: Survey) -> int:
    """Return how many contacts are to be deleted: by rows, and because the file no longer holds them."""
    rows = sum(found.planned[r.number] for r in job.plan.mapping.records if r.action.endpoint.method == "DELETE")
    return rows + found.missing_deletes


def _notes(job: Job, found: Survey, ending: Ending) -> Iterator[str]:
    yield from ending.said
    yield from job.notes
    yield from near_miss_notes(found, quotes=ending.quotes)
    yield from found.damage
    yield from found.gone.notes if found.gone is not None else ()
    yield from erased_notes(found.held_back)
    yield from missing_notes(found.counts.rows - ending.counts.rows)


def _missing(found: Survey, counts: Mapping[str, int]) -> dict[str, int]:
    if found.gone is None:
        return {}
    return {"keys": found.gone.count, "to_delete": found.missing_deletes, **counts}


def _named(job: Job, record: int, path: str) -> str:
    return path if len(job.plan.mapping.records) == 1 else f"record {record}: {path}"


def _files(job: Job) -> Iterator[dict[str, object]]:
    for file in job.files:
        tables = [bound.table for bound in job.tables if bound.file is file]
        yield {
            "file": file.name,
            "bytes": file.fingerprint.size,
            "sha256": file.fingerprint.sha256,
            "tables": [{"sheet": t.ref.sheet, "header_row": t.header_row, **t.facts} for t in tables],
        }
