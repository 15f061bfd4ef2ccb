"""`etl watch` at work: looks, takes one finished file after the other, runs it, and puts it away by its outcome.

It looks, and does not have itself told (inotify): shares of other machines tell nothing of what others write there, a
queue that overflows loses files, and whatever came before the start has to be looked for anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from etl import verbs
from etl.errors import EtlError, JournalError, MappingError, SettingsError, SourceError, TargetError
from etl.interrupt import Interrupt
from etl.mapping import Mapping, load_mapping
from etl.options import Options
from etl.settings.watch import WatchRule
from etl.survey import InterruptedRun
from etl.watch.archive import Archive, cannot_archive
from etl.watch.decisions import (
    CANNOT_GO_ON,
    CHECKED,
    OF_ALL,
    Arrival,
    Next,
    Outcome,
    Sightings,
    after_run,
    finished,
    pause_seconds,
    rule_of,
    sighted,
)
from etl.watch.folder import WatchFolder

if TYPE_CHECKING:
    from etl.journal.model import RunRecord
    from etl.report import RunReport

INTERNAL = 4


@dataclass(frozen=True, slots=True)
class Ways:
    """How to watch. `marker`: ending of the file that says another one is whole, None: whatever settles is whole."""

    rules: tuple[WatchRule, ...]
    config: Path | None = None
    settle_seconds: float = 5.0
    interval_seconds: float = 2.0
    marker: str | None = None
    once: bool = False
    dry_run: bool = False


class Say(Protocol):
    """Hears of an event: its name and fields for a log, and what a person reads; `is_trouble`: what one should see."""

    def __call__(self, event: str, text: str, *, is_trouble: bool = False, **fields: object) -> None:
        """Take the event."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who hears what happens; `wait`: what is waited for, "" for nothing any more.

    `idle` sleeps so many seconds, or raises KeyboardInterrupt. `sentence`: a report's; `fault`: writes down a fault of
    ours, and returns what to say of it.
    """

    say: Say
    wait: Callable[[str], None]
    idle: Callable[[float], None]
    sentence: Callable[[RunReport], str]
    fault: Callable[[Exception], str]


@dataclass(slots=True)
class _Trouble:
    """What befalls every file of a target: until when it is waited for, and how often it came in a row."""

    until: float = 0.0
    times: int = 0


@dataclass(slots=True)
class _Ended:
    """How a run ended: `exit_code`, the code of its stop or error, what to say, and its id where it has one."""

    exit_code: int
    code: str
    said: str
    run: str | None = None
    why: str = ""


@dataclass(slots=True)
class Watcher:
    """Watches one folder until it is asked to stop; what it keeps in mind is of files that are there."""

    folder: WatchFolder
    archive: Archive
    ways: Ways
    options: Callable[[WatchRule, Path], Options]
    interrupt: Interrupt
    voice: Voice
    clock: Callable[[], float] = time.monotonic
    worst: int = 0
    _sightings: Sightings = field(default_factory=dict)
    _left: dict[str, Arrival] = field(default_factory=dict)
    _unclaimed: set[str] = field(default_factory=set)
    _troubles: dict[str, _Trouble] = field(default_factory=dict)
    _is_away: bool = False

    def watch(self) -> int:
        """Take files until a signal comes, with `once` until none is left; return the exit code: the worst, or 128+n.

        Raises EtlError for what stands in the way: of the first file, or of putting one away.
        """
        try:
            if not self.ways.dry_run:
                self.archive.recover()
            started, first = self.clock(), None
            while not self.interrupt.is_requested:
                found = self._look()
                first = first if first is not None or not self.ways.once else set(self._sightings)
                chosen = self._chosen(found, first)
                if chosen is not None:
                    self._take(*chosen)
                elif self.ways.once and (not first or self.clock() - started >= self._once_seconds):
                    return self.worst
                else:
                    self.voice.wait(self._waiting_for())
                    self.voice.idle(min(self.ways.interval_seconds, self._once_seconds or self.ways.interval_seconds))
        except KeyboardInterrupt:
            pass
        except OSError as error:
            raise cannot_archive(self.folder.path, error) from error
        return 128 + (self.interrupt.number or 2)

    @property
    def _once_seconds(self) -> float:
        """How long `once` looks at files before it takes none of them to be written to any more."""
        return self.ways.settle_seconds if self.ways.once and self.ways.marker is None else 0.0

    def _look(self) -> list[Arrival]:
        """Return the files that are finished, in order; none while the folder is away (a share that is not there)."""
        try:
            arrivals, names = self.folder.look(self.ways.marker)
        except (OSError, JournalError) as error:
            reason = error.message if isinstance(error, JournalError) else error.strerror
            if self.ways.once:
                raise _gone(self.folder.path, reason) from error
            if not self._is_away:
                text = f"{self.folder.path}: {reason}; waiting until it is back"
                self.voice.say("folder-away", text, is_trouble=True, reason=reason)
            self._is_away = True
            return []
        self._is_away = False
        self._sightings = sighted(arrivals, self._sightings, self.clock())
        self._left = {name: one for name, one in self._left.items() if name in names}
        self._unclaimed &= names
        return finished(self._sightings, self.clock(), self.ways.settle_seconds, self.ways.marker, names)

    def _chosen(self, found: list[Arrival], first: set[str] | None) -> tuple[Arrival, WatchRule] | None:
        """Return the next file to take and its rule, None where there is nothing to do now."""
        for arrival in found:
            if first is not None and arrival.name not in first:
                continue
            rule = rule_of(arrival.name, self.ways.rules)
            if rule is None:
                if arrival.name not in self._unclaimed:
                    self._unclaimed.add(arrival.name)
                    text = f"{arrival.name}: no rule has a pattern for it; it stays"
                    self.voice.say("file-unclaimed", text, is_trouble=True, file=arrival.name)
                continue
            trouble = self._troubles.get(rule.target or "")
            if self._left.get(arrival.name) == arrival or (trouble and self.clock() < trouble.until):
                continue
            return arrival, rule
        return None

    def _waiting_for(self) -> str:
        held = [one for one in self._troubles.values() if self.clock() < one.until < inf]
        if held:
            return f"waiting: next try in {max(1, round(min(one.until for one in held) - self.clock()))} s"
        written = [name for name in self._sightings if name not in self._left and name not in self._unclaimed]
        if written:
            return f"waiting until {written[0]} is finished{f', and {len(written) - 1} more' * (len(written) > 1)}"
        return f"waiting for files in {self.folder.path}"

    def _take(self, arrival: Arrival, rule: WatchRule) -> None:
        out = self.archive.new_folder(arrival.name, dry_run=self.ways.dry_run)
        try:
            record = self.archive.record_of(out) if arrival.name in self.archive.pending else None
        except EtlError as error:
            self._settle(arrival, rule, out, _Ended(error.exit_code, OF_ALL, error.message))
            return
        how = f"taken, by {Path(rule.mapping).name}" if record is None else f"run {record.id} goes on"
        run = None if record is None else record.id
        self.voice.say("file-taken", f"{arrival.name}: {how}", file=arrival.name, mapping=rule.mapping, run=run)
        ended = self._run(arrival, rule, out, record)
        if record is not None and ended.code in CANNOT_GO_ON and ended.run is None:
            # What the run had confirmed the journal knows, whoever asks: nothing is sent twice by running it anew.
            self.archive.set_aside(record, ended.said)
            text = f"{arrival.name}: {ended.said}; it is run anew"
            self.voice.say("file-anew", text, is_trouble=True, file=arrival.name, run=record.id, code=ended.code)
            return
        self.worst = max(self.worst, ended.exit_code)
        self._settle(arrival, rule, out, ended)

    def _run(self, arrival: Arrival, rule: WatchRule, out: Path, record: RunRecord | None) -> _Ended:
        options, config = self.options(rule, out), self.ways.config
        try:
            if record is not None:
                report = verbs.resume(record.id, config=config, options=options)
            else:
                _require_text(arrival.name)
                verb = verbs.check if self.ways.dry_run else verbs.run
                mapping = _loaded(rule)
                file = self.folder.path / arrival.name
                report = verb(mapping, [file], target=rule.target, config=config, options=options)
        except (InterruptedRun, KeyboardInterrupt):
            return _Ended(self.interrupt.stop.exit_code, "interrupted", "interrupted while reading")
        except EtlError as error:
            code = _code_of(error, is_resumed=record is not None)
            return _Ended(error.exit_code, code, _first_of(error), why=str(error))
        except Exception as error:  # noqa: BLE001 - one file that shows a fault of ours must not stop the others
            return _Ended(INTERNAL, "internal-error", self.voice.fault(error))
        finally:
            options.progress.end()
        stop = report.stop
        return _Ended(report.exit_code, stop.code if stop else "", self.voice.sentence(report), report.id)

    def _settle(self, arrival: Arrival, rule: WatchRule, out: Path, ended: _Ended) -> None:
        what, target = after_run(ended.exit_code, ended.code), rule.target or ""
        if isinstance(what, Outcome):
            self._troubles.pop(target, None)
            if self.ways.dry_run:
                self._left[arrival.name] = arrival
                place = f"{CHECKED}/{out.name}" if out.exists() else "it stays"
                self._told("file-checked", arrival, ended, place, place)
            else:
                self._archive(arrival, out, what, ended)
            return
        if not self.ways.dry_run:
            self.archive.pending[arrival.name] = out
        if what is Next.ANEW:
            self._sightings = {name: one for name, one in self._sightings.items() if name != arrival.name}
            self._told("file-changed", arrival, ended, "it stays until it is finished")
        elif what is Next.STAY:
            self._left[arrival.name] = arrival
            self._told("file-stays", arrival, ended, "it stays")
        else:
            trouble = self._troubles.setdefault(target, _Trouble())
            trouble.times += 1
            pause = pause_seconds(trouble.times)
            trouble.until = inf if self.ways.once else self.clock() + pause
            then = "it stays" if self.ways.once else f"it stays; next try in {pause:,.0f} s"
            self._told("file-waits", arrival, ended, then)

    def _told(self, event: str, arrival: Arrival, ended: _Ended, where: str, place: str | None = None) -> None:
        self.voice.say(
            event, f"{arrival.name}: {ended.said}  (exit code {ended.exit_code}; {where})",
            is_trouble=ended.exit_code != 0, file=arrival.name, run=ended.run, exit_code=ended.exit_code,
            code=ended.code or None, reason=ended.said, place=place,
        )  # fmt: skip

    def _archive(self, arrival: Arrival, out: Path, outcome: Outcome, ended: _Ended) -> None:
        why = ended.why if ended.exit_code > 1 else ""
        place, kept = self.archive.put_away(arrival, out, outcome, run=ended.run, why=why)
        where = "gone" if place is None else f"{outcome}/{place.name}"
        # Whatever has its name now was not read: it is looked at next.
        lost = "" if kept or place is None else ", without the file, which has changed"
        self._told("file-archived", arrival, ended, f"{where}{lost}", where)


def _loaded(rule: WatchRule) -> Mapping:
    """Return the rule's mapping as it is now. Raises SettingsError: a mapping that is wrong would refuse every file."""
    try:
        return load_mapping(Path(rule.mapping))
    except EtlError as error:
        raise SettingsError(_first_of(error), code="watch-mapping", where=rule.mapping) from error


def _require_text(name: str) -> None:
    """Raise SourceError where the name of a file holds bytes that are no text: no report could name it."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise SourceError(
            "the name of the file is not UTF-8", code="file-name", where=shown, hint="give it another name"
        ) from error


def _first_of(error: EtlError) -> str:
    """Return what is wrong, in a line; of a mapping's many problems the first."""
    if not isinstance(error, MappingError):
        return error.message
    more = len(error.problems) - 1
    return f"{error.problems[0].message}{f', and {more} more' if more else ''}"


def _code_of(error: EtlError, *, is_resumed: bool) -> str:
    if isinstance(error, SettingsError | TargetError) or (isinstance(error, MappingError) and is_resumed):
        return OF_ALL
    about_the_run = {*CANNOT_GO_ON, "run-finished"}
    return OF_ALL if isinstance(error, JournalError) and error.code not in about_the_run else error.code


def _gone(folder: Path, reason: str | None) -> SourceError:
    return SourceError(
        f"the folder cannot be read: {reason}", code="watch-folder", where=str(folder),
        hint="look whether the share is mounted",
    )  # fmt: skip
