"""What happens around run, resume and retry: how they end is remembered, and whoever listens is told.

with finishing("run", options, config=..., mapping=..., target=..., given=...) as night:
    night.begin(settings, target)      once it is known who listens
    night.end(report)                  unless an error ends it, which is told and raised again
"""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from etl.errors import EtlError, JournalError
from etl.guards import Stop
from etl.journal import open_journal
from etl.journal.model import Condition, RunRecord
from etl.logs import LogWish, open_log
from etl.mapping.parser import read_yaml
from etl.news import Ending, compared, ending_of_error, ending_of_report, to_remember
from etl.night import Night, Verb
from etl.options import Options
from etl.settings import CONFIG_NAME, Settings
from etl.settings.journal import read_journal
from etl.settings.on_finish import read_on_finish
from etl.settings.problems import SettingProblem
from etl.sources.addresses import shown_name
from etl.survey import InterruptedRun

INTERNAL_ERROR = 4
_LOOKED_AT = 500
ANSWERS = frozenset({"unknown-run", "ambiguous-run", "no-runs", "no-journal", "run-finished", "nothing-to-retry"})
"""Codes of errors that answer who asks to go on with a run: nothing has happened, so nobody else is told."""
LISTENERS: list[str] = ["etl.notify.telling"]
"""Modules that listen: `began(night)` once settings are read, `ended(night)` at the end; their faults are notes."""


class Listener(Protocol):
    """What such a module offers."""

    def began(self, night: Night) -> None:
        """Hear of a beginning; returns at once."""

    def ended(self, night: Night) -> None:
        """Hear of the end; returns within seconds."""


@contextlib.contextmanager
def finishing(
    verb: Verb,
    options: Options,
    *,
    config: str | os.PathLike[str] | None = None,
    mapping: object = "",
    target: str | None = None,
    given: Sequence[object] = (),
) -> Iterator[Night]:
    """Yield what is to be told of this call; once it has a report, and at any error, tell it. Errors are raised again.

    `mapping`: its path or the mapping itself; `target`: as it was given. Never raises anything of its own.
    """
    night = Night(
        verb=verb, wall=options.timing.wall, began_at=options.timing.wall(), tell=options.complain, target=target or "",
        mapping=name_of(mapping), given=tuple(shown_name(str(one)) for one in given), on_begin=_began,
        log=lambda note: _log(night, options, note),
    )  # fmt: skip
    try:
        yield night
    except BaseException as error:
        night.error = error
        _finish(night, options, config, mapping)
        raise
    # Without a report it only got ready, and the run itself is told by itself.
    if night.report is not None:
        _finish(night, options, config, mapping)


def name_of(mapping: object) -> str:
    """Return a mapping's name; of a file that cannot be loaded the one that is written in it, else the file's own."""
    name = getattr(mapping, "name", None)
    if isinstance(name, str) and not isinstance(mapping, os.PathLike):
        return name
    path = Path(str(mapping))
    with contextlib.suppress(OSError, ValueError):
        root = read_yaml(path.read_text(encoding="utf-8-sig")).root
        if isinstance(root, dict) and isinstance(root.get("name"), str) and root["name"].strip():
            return str(root["name"]).strip()
    return path.stem


def _began(night: Night) -> None:
    for listener in _listeners(night):
        _heard(night, listener.began)


def _finish(night: Night, options: Options, config: object, mapping: object) -> None:
    code = night.error.code if isinstance(night.error, EtlError) else ""
    if night.is_silent or (night.verb != "run" and code in ANSWERS):
        return
    night.ended_at = night.wall()
    night.ending = _ending(night, options.interrupt.stop)
    if night.settings is None:
        night.settings = _salvaged(config)
        night.target = night.target or (night.settings.default_target if night.settings else None) or ""
    with contextlib.ExitStack() as stack:
        if night.settings is not None:
            _remember(night, night.settings, mapping, stack)
        for listener in _listeners(night):
            _heard(night, listener.ended)
        night.book = None


def _ending(night: Night, interrupted: Stop) -> Ending:
    if night.error is None:
        if night.report is None:
            raise AssertionError("BUG: an end without a report and without an error")
        return ending_of_report(night.report)
    if isinstance(night.error, InterruptedRun | KeyboardInterrupt):
        return ending_of_error(interrupted.exit_code, "interrupted")
    if isinstance(night.error, EtlError):
        return ending_of_error(night.error.exit_code, night.error.code)
    return ending_of_error(INTERNAL_ERROR, "internal-error")


def _remember(night: Night, settings: Settings, mapping: object, stack: contextlib.ExitStack) -> None:
    """Write down what was wrong, and compare it with what was known; the journal stays open for those who listen."""
    ending = night.ending
    # With nobody to tell, a run that began nothing leaves no journal behind.
    create = night.report is not None or bool(settings.on_finish)
    night.news = compared(ending.kinds, (), night.run_id, night.ended_at)
    if isinstance(night.error, JournalError) and night.error.code.startswith("journal-"):
        return
    try:
        journal = open_journal(settings, create=create)
        if journal is None:
            return
        stack.enter_context(journal)
        if night.report is None and not night.run_id:
            night.mapping = _known_name(journal.runs(limit=_LOOKED_AT), mapping) or night.mapping
        night.is_known = bool(night.run_id) and journal.find(night.run_id) is not None
        book = journal.news
        at = night.ended_at
        night.news = compared(ending.kinds, book.kinds(night.target, night.mapping), night.run_id, at)
        night.before = book.told("", night.target, night.mapping)
        now = Condition(
            ending.is_trouble, at, at, night.run_id, ending.ending, tuple(one.print for one in ending.kinds)
        )
        night.now = book.note(night.target, night.mapping, now, to_remember(ending.kinds, night.run_id, at))
        night.book = book
    except JournalError as error:
        night.log(f"how the run ended is not remembered: {error.code}")


def _known_name(runs: Sequence[RunRecord], mapping: object) -> str:
    """Return the name that a mapping had which cannot be read now, "" where none is known or it can be read."""
    if not isinstance(mapping, str | os.PathLike) or name_of(mapping) != Path(mapping).stem:
        return ""
    path = str(Path(mapping).absolute())
    return next((run.new.mapping for run in runs if run.new.mapping_path == path), "")


def _salvaged(config: object) -> Settings | None:
    """Return what can be read of an etl.toml that is wrong elsewhere: who is told, and the journal."""
    path = Path(str(config)) if config is not None else Path(CONFIG_NAME)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    journal_problems: list[SettingProblem] = []
    journal = read_journal(table.get("journal", {}), journal_problems)
    told = read_on_finish(table.get("on_finish", {}), [])
    default = table.get("default_target")
    if journal_problems or not told:
        return None
    return Settings(
        folder=Path.cwd() / path.parent, file=path, environ=dict(os.environ), journal=journal, on_finish=told,
        default_target=default if isinstance(default, str) else None,
    )  # fmt: skip


def _listeners(night: Night) -> Iterator[Listener]:
    for name in LISTENERS if night.settings is not None else ():
        yield cast(Listener, import_module(name))


def _log(night: Night, options: Options, note: str) -> None:
    """Put a line in the log, which the run has closed by now; on stderr it is told by itself."""
    if night.settings is None:
        return
    with contextlib.suppress(EtlError, OSError):
        log = open_log(replace(options.log or LogWish(), stream=None), night.settings.log, night.settings.folder)
        with contextlib.closing(log):
            log.logger.warning("finishing", run=night.run_id or None, mapping=night.mapping, reason=note)


def _heard(night: Night, hear: Callable[[Night], None]) -> None:
    try:
        hear(night)
    except Exception as error:  # noqa: BLE001 - whoever listens never changes how a run ends
        note = f"a fault of the program while telling how the run ended: {type(error).__name__}"
        night.tell(note)
        night.log(note)
