"""The verbs: `check` reads and judges, `run` does the same and then sends, `resume` and `retry` go on with a run.

All of them account for every row.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pandera.config import get_config_context
from pydantic import ValidationError

from etl import sitting as sittings
from etl import wiring
from etl.deliver import CHANGED, mark_losers
from etl.errors import JournalError, SettingsError
from etl.finishing import finishing
from etl.going_on import require_agreed, require_same_settings, require_something_left, same_mapping
from etl.guards import Stop
from etl.history import find
from etl.job import Job, new_id, open_job
from etl.journal import key_of_masks, open_journal
from etl.journal.locks import died_note, locked
from etl.kept_options import from_kept, to_keep
from etl.mapping import Mapping, load_mapping
from etl.night import Night
from etl.observed import watched
from etl.options import Options
from etl.outcomes import in_order
from etl.plan_file import PlanFile, refuse_overwriting
from etl.planning import Draft, as_agreed, differs, refuse_changes, version_note
from etl.records import Counts
from etl.redaction import discreet
from etl.report import RunReport
from etl.reporting import Ending
from etl.reports.results_csv import ResultsCsv
from etl.retention import COPIES, prune
from etl.session import Session
from etl.settings import REPORTS_FOLDER, Settings, TargetSettings, load_settings
from etl.settings.problems import problems_of, raise_all
from etl.sitting import Sitting
from etl.survey import InterruptedRun, kept_lines, mark_known
from etl.view import View

if TYPE_CHECKING:
    from etl.journal import Journal

__all__ = ["Options", "check", "plan", "resume", "retry", "run"]

Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One spreadsheet, or several that are read one after the other. A text may be a pattern, a URL, or `-`."""
Config = str | os.PathLike[str] | None


def check(
    mapping: str | os.PathLike[str] | Mapping,
    files: Files,
    *,
    target: str | None = None,
    config: Config = None,
    options: Options | None = None,
    draft: Draft | None = None,
) -> RunReport:
    """Do everything but sending, and open no connection: what it plans is what `run` sends, byte for byte.

    `target` gives the wire form (default: `fields`), and what is remembered of it; `draft`: where a plan is made of it
    (`plan`). Raises MappingError, SourceError, SettingsError, JournalError.
    """
    settings = _settings(config)
    verb = "plan" if draft is not None else "check"
    with watched(verb, mapping, target, settings, options or Options()) as told:
        return _check(mapping, files, target, settings, told, draft)


def _check(
    mapping: str | os.PathLike[str] | Mapping,
    files: Files,
    target: str | None,
    settings: Settings,
    options: Options,
    draft: Draft | None,
) -> RunReport:
    options = _with_reports(options, settings)
    chosen = settings.target(target) if target or settings.default_target else None
    job = _open(_loaded(mapping), _given(files), chosen, options, settings)
    masks = _masks(options, settings)
    with (
        discreet(options.view),
        _remembered(settings, chosen) as journal,
        Session(job, options, journal=journal, masks=masks) as session,
    ):
        found = session.survey(keep_lines=True, digest=draft is not None)
        counts = Counts(rows=found.counts.rows)
        options.progress.begin("writing", found.counts.rows)
        with contextlib.closing(_listing(session)) as results:
            for lines in kept_lines(session.work):
                if options.interrupt.is_requested:
                    raise InterruptedRun
                mark_losers(job, found, lines, session.issues)
                mark_known(found, lines)
                if draft is not None:
                    draft.see(lines)
                for one in lines:
                    for status, count in one.counts().items():
                        counts.add(status, count)
                results.write_ordered(in_order(lines))
                options.progress.advance(len(lines[0].status), {})
            results.finish()
        session.list_missing(found)
        options.progress.end()
        stop = session.unexpected(found) or session.guard(found)
        report = session.publish(session.report(found, Ending(counts, dry_run=True, stop=stop)))
        # What a run would not send is nothing to agree on.
        if draft is None or report.stop is not None:
            return report
        return replace(report, plan=draft.keep(job, found, report, session.redaction))


def plan(
    mapping: str | os.PathLike[str] | Mapping,
    files: Files,
    *,
    target: str | None = None,
    config: Config = None,
    options: Options | None = None,
    file: Path | None = None,
    with_values: bool = False,
) -> RunReport:
    """Check, and keep what would be sent as a plan: in `file`, else plan.json in the folder of the reports.

    Where a guard would stop a run no plan is kept, and the report's `plan` is None. `with_values`: its samples show
    values, which are personal data. Raises what `check` raises, and SettingsError where the plan cannot be kept.
    """
    options = options or Options()
    settings = _settings(config)
    chosen = settings.target(target)
    if file is not None:
        refuse_overwriting(file)
    given = _given(files)
    draft = Draft(chosen, options, given, settings.file, file, with_values)
    return check(mapping, given, target=chosen.name, config=config, options=options, draft=draft)


def run(
    mapping: str | os.PathLike[str] | Mapping,
    files: Files,
    *,
    target: str | None = None,
    config: Config = None,
    options: Options | None = None,
    agreed: tuple[PlanFile, Path] | None = None,
) -> RunReport:
    """Read, transform, validate, send and report; every row of the files ends in exactly one status per record.

    `agreed`: a plan and where it is: exactly that is sent, or nothing; its flags hold where none of the kind is given.
    Raises MappingError, SourceError, SettingsError, TargetError, JournalError before anything is sent, and GuardError
    where another run of this mapping to this target is under way.
    """
    options, given = options or Options(), _given(files)
    with finishing("run", options, config=config, mapping=mapping, target=target, given=given) as night:
        settings = _settings(config)
        night.begin(settings, target)
        with watched("run", mapping, target, settings, options, night) as told:
            report = _run(mapping, given, night, settings, told, agreed)
        return night.end(report)


def _run(
    mapping: str | os.PathLike[str] | Mapping,
    given: list[str | os.PathLike[str]],
    night: Night,
    settings: Settings,
    options: Options,
    agreed: tuple[PlanFile, Path] | None,
) -> RunReport:
    options = _with_reports(options, settings)
    if agreed is not None:
        options = as_agreed(options, agreed[0])
    chosen = _overridden(settings.target(night.target or None), options)
    # A missing secret is told before the file is read.
    settings.credentials(chosen)
    loaded, run_id = _loaded(mapping), new_id()
    night.mapping, night.run_id = loaded.name, run_id
    options = replace(options, out=options.out or Path(REPORTS_FOLDER) / run_id)
    with _journal(settings) as journal, locked(settings, chosen.name, loaded.name, run_id) as lock:
        prune(journal, settings, options.timing.wall())
        job = _open(loaded, given, chosen, options, settings, run_id=run_id)
        if lock.died is not None:
            job = replace(job, notes=(*job.notes, died_note(lock.died)))
        if agreed is not None:
            refuse_changes(*agreed, job, chosen, options)
        where = sittings.Where(
            mapping_path=str(Path(loaded.file).absolute()) if Path(loaded.file).is_file() else "",
            given=tuple(os.fspath(one) for one in given),
            config=str(settings.file or ""),
            out=options.out or Path(),
            wall=options.timing.wall,
        )
        sitting = sittings.begin(
            job, chosen, journal, to_keep(options), where, holding=sittings.Holding(lock, options.interrupt)
        )
        return _send(job, settings, chosen, options, sitting, agreed[0] if agreed else None)


def resume(run_id: str, *, config: Config = None, options: Options | None = None) -> RunReport:
    """Go on with a run that stopped, was interrupted or died: what was confirmed is not sent again.

    Mapping, files, target, flags and reports folder are those of the run; of `options` only what is not about them is
    taken (`yes`, `confirm`, `rate`, `concurrency`, `deadline`, guards, progress). Requests of which no outcome is
    known are repeated where their record may be, else they end `unknown`.
    Raises JournalError: no such run, it is finished, or its mapping, files or target's settings have changed.
    """
    return _go_on(run_id, config, options or Options(), unknown_again=False)


def retry(run_id: str, *, config: Config = None, options: Options | None = None) -> RunReport:
    """Send the failed and the unknown rows of a run again, as `resume` does; a finished run as well."""
    return _go_on(run_id, config, options or Options(), unknown_again=True)


def _go_on(run_id: str, config: Config, options: Options, *, unknown_again: bool) -> RunReport:
    verb: Literal["resume", "retry"] = "retry" if unknown_again else "resume"
    with finishing(verb, options, config=config) as night:
        night.is_silent = True
        settings = _settings(config)
        with watched(verb, "", None, settings, options, night) as told:
            report = _gone_on(run_id, night, settings, told, unknown_again=unknown_again)
        return night.end(report)


def _gone_on(run_id: str, night: Night, settings: Settings, options: Options, *, unknown_again: bool) -> RunReport:
    with _journal(settings, create=False) as journal:
        record = find(journal, run_id)
        options.watch.named(record.new.mapping, record.new.target)
        night.mapping, night.run_id = record.new.mapping, record.id
        night.given, night.target = record.new.given, record.new.target
        night.settings, night.is_silent = settings, False
        new, options = record.new, _with_reports(from_kept(record, options, settings.report.shown), settings)
        chosen = _overridden(settings.target(new.target), options)
        settings.credentials(chosen)
        with locked(settings, new.target, new.mapping, new.id) as lock:
            record = journal.run(new.id)
            require_agreed(record)
            require_something_left(record, unknown_again=unknown_again)
            night.begin(settings, new.target)
            loaded = same_mapping(record)
            require_same_settings(record, chosen)
            files = sittings.same_files(record)
            job = open_job(
                loaded, [], chosen, sheet=options.sheet, limit=options.limit, taken=files, run_id=record.id,
                quotes=options.view in {None, View.FULL},
            )  # fmt: skip
            sitting = sittings.go_on(
                journal, record, files, options.timing.wall, holding=sittings.Holding(lock, options.interrupt),
                records=loaded.records, unknown_again=unknown_again,
            )  # fmt: skip
            return _send(job, settings, chosen, options, sitting)


def _send(
    job: Job,
    settings: Settings,
    target: TargetSettings,
    options: Options,
    sitting: Sitting,
    agreed: PlanFile | None = None,
) -> RunReport:
    masks = _masks(options, settings)
    with (
        discreet(options.view),
        sitting,
        Session(job, options, journal=sitting.journal, sitting=sitting, masks=masks) as session,
    ):
        found = session.survey(keep_lines=False, digest=agreed is not None)
        stop = differs(agreed, found) if agreed is not None else None
        stop = stop or session.unexpected(found) or session.guard(found) or session.unconfirmed(found) or _changed(job)
        if agreed is not None:
            session.say(version_note(agreed))
        if stop is None:
            session.announce(found)
        with wiring.sending(settings, target, options.timing) as sender:
            report = session.deliver(found, sender, stop)
        sitting.end(report)
        return session.publish(report)


@contextlib.contextmanager
def _journal(settings: Settings, *, create: bool = True) -> Iterator[Journal]:
    journal = open_journal(settings, create=create)
    if journal is None:
        raise JournalError(
            "there is no journal here, so no run is known", code="no-journal", where=str(settings.folder),
            hint="go to the folder of its etl.toml, or name that with --config",
        )  # fmt: skip
    with journal:
        yield journal


@contextlib.contextmanager
def _remembered(settings: Settings, target: TargetSettings | None) -> Iterator[Journal | None]:
    """Yield the journal, None where there is none yet or no target is meant: nothing is remembered then."""
    journal = open_journal(settings, create=False) if target is not None else None
    with journal if journal is not None else contextlib.nullcontext():
        yield journal


def _settings(config: Config) -> Settings:
    return load_settings(Path(config) if config is not None else None, os.environ, Path.cwd())


def _given(files: Files) -> list[str | os.PathLike[str]]:
    given: Iterable[str | os.PathLike[str]] = [files] if isinstance(files, str | os.PathLike) else files
    return list(given)


def _loaded(mapping: str | os.PathLike[str] | Mapping) -> Mapping:
    if not get_config_context().validation_enabled:
        raise SettingsError(
            "pandera's validation is switched off, so no row would be judged", code="validation-off",
            where="environment", hint="unset PANDERA_VALIDATION_ENABLED",
        )  # fmt: skip
    return mapping if isinstance(mapping, Mapping) else load_mapping(Path(mapping))


def _open(
    mapping: Mapping,
    files: Sequence[str | os.PathLike[str]],
    target: TargetSettings | None,
    options: Options,
    settings: Settings,
    run_id: str | None = None,
) -> Job:
    spool_in = settings.folder / COPIES if run_id else None
    return open_job(
        mapping, files, target, sheet=options.sheet, limit=options.limit,
        allow_private=settings.sources.allow_private, run_id=run_id, spool_in=spool_in,
        quotes=options.view in {None, View.FULL},
    )  # fmt: skip


def _masks(options: Options, settings: Settings) -> bytes | None:
    """Return the key of the tokens that stand for people, None where none is needed, or none is known."""
    return key_of_masks(settings) if options.view is View.PSEUDONYMOUS else None


def _listing(session: Session) -> ResultsCsv:
    return ResultsCsv(session.out / "results.csv", live=False, shown=session.redaction.results_shown)


def _with_reports(options: Options, settings: Settings) -> Options:
    """Return the options with the reports that are asked for: by a flag, else by etl.toml."""
    report = settings.report
    if options.view is not None and options.view.shows_more_than(report.shown):
        raise SettingsError(
            f"[report] asks for the view {report.shown}, which says less of people than {options.view}",
            code="view-loosened", where=str(settings.file or ""), hint="leave out --view, or change [report]",
        )  # fmt: skip
    return replace(options, reports=options.reports or tuple(report.formats), view=options.view or report.shown)


def _overridden(target: TargetSettings, options: Options) -> TargetSettings:
    given = {"rate": options.rate, "concurrency": options.concurrency, "canary": options.canary}
    changes = {name: value for name, value in given.items() if value is not None}
    try:
        return TargetSettings.model_validate({**target.model_dump(), **changes})
    except ValidationError as error:
        raise_all("options", list(problems_of(error, "options", tuple(given))))
        raise


def _changed(job: Job) -> Stop | None:
    return None if all(file.is_unchanged() for file in job.files) else CHANGED
