"""The two verbs: `check` reads and judges, `run` does the same and then sends. Both account for every row."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from pandera.config import get_config_context
from pydantic import ValidationError

from etl import wiring
from etl.deliver import CHANGED, mark_losers
from etl.errors import SettingsError
from etl.guards import Stop
from etl.job import Job, open_job
from etl.mapping import Mapping, load_mapping
from etl.outcomes import in_order
from etl.records import Counts
from etl.report import RunReport
from etl.reports.results_csv import ResultsCsv
from etl.session import Options, Session
from etl.settings import Settings, TargetSettings, load_settings
from etl.settings_problems import problems_of, raise_all
from etl.survey import InterruptedRun, kept_lines

__all__ = ["Options", "check", "run"]

Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One spreadsheet, or several that are read one after the other. A text may be a pattern, a URL, or `-`."""


def check(
    mapping: str | os.PathLike[str] | Mapping,
    files: Files,
    *,
    target: str | None = None,
    config: str | os.PathLike[str] | None = None,
    options: Options | None = None,
) -> RunReport:
    """Do everything but sending, and open no connection: what it plans is what `run` sends, byte for byte.

    `target` gives the wire form (default: `fields`). Raises MappingError, SourceError, SettingsError.
    """
    options = options or Options()
    settings = _settings(config)
    chosen = settings.target(target) if target or settings.default_target else None
    job = _open(mapping, files, chosen, options, settings)
    with Session(job, options) as session:
        found = session.survey(keep_lines=True)
        counts = Counts(rows=found.counts.rows)
        options.progress.begin("writing", found.counts.rows)
        with contextlib.closing(ResultsCsv(session.out / "results.csv", live=False)) as results:
            for lines in kept_lines(session.work):
                if options.interrupt.is_requested:
                    raise InterruptedRun
                mark_losers(job, found, lines, session.issues)
                for one in lines:
                    for status, count in one.counts().items():
                        counts.add(status, count)
                results.write_ordered(in_order(lines))
                options.progress.advance(len(lines[0].status), {})
            results.finish()
        options.progress.end()
        return session.report(found, counts, dry_run=True, stop=session.guard(found))


def run(
    mapping: str | os.PathLike[str] | Mapping,
    files: Files,
    *,
    target: str | None = None,
    config: str | os.PathLike[str] | None = None,
    options: Options | None = None,
) -> RunReport:
    """Read, transform, validate, send and report; every row of the files ends in exactly one status per record.

    Raises MappingError, SourceError, SettingsError, TargetError before anything is sent.
    """
    options = options or Options()
    settings = _settings(config)
    chosen = _overridden(settings.target(target), options)
    # A missing secret is told before the file is read.
    settings.credentials(chosen)
    job = _open(mapping, files, chosen, options, settings)
    with Session(job, options) as session:
        found = session.survey(keep_lines=False)
        stop = session.guard(found) or session.unconfirmed(found) or _changed(job)
        with wiring.sending(settings, chosen, options.timing) as sender:
            return session.deliver(found, sender, stop)


def _settings(config: str | os.PathLike[str] | None) -> Settings:
    return load_settings(Path(config) if config is not None else None, os.environ, Path.cwd())


def _open(
    mapping: str | os.PathLike[str] | Mapping,
    files: Files,
    target: TargetSettings | None,
    options: Options,
    settings: Settings,
) -> Job:
    if not get_config_context().validation_enabled:
        raise SettingsError(
            "pandera's validation is switched off, so no row would be judged", code="validation-off",
            where="environment", hint="unset PANDERA_VALIDATION_ENABLED",
        )  # fmt: skip
    loaded = mapping if isinstance(mapping, Mapping) else load_mapping(Path(mapping))
    given: Iterable[str | os.PathLike[str]] = [files] if isinstance(files, str | os.PathLike) else files
    return open_job(
        loaded, list(given), target, sheet=options.sheet, limit=options.limit,
        allow_private=settings.sources.allow_private,
    )  # fmt: skip


def _overridden(target: TargetSettings, options: Options) -> TargetSettings:
    given = {"rate": options.rate, "concurrency": options.concurrency}
    changes = {name: value for name, value in given.items() if value is not None}
    try:
        return TargetSettings.model_validate({**target.model_dump(), **changes})
    except ValidationError as error:
        raise_all("options", list(problems_of(error, "options", tuple(given))))
        raise


def _changed(job: Job) -> Stop | None:
    return None if all(file.is_unchanged() for file in job.files) else CHANGED
