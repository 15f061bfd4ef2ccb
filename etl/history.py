"""What journal and kept reports tell of runs and of one person. Asks, decides nothing, sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from etl.errors import JournalError
from etl.journal import locks
from etl.journal.model import HistoryEntry, RunRecord, RunState
from etl.kept_reports import RESULTS, Line, Place, folder_of, lines_of, place_of
from etl.masking import TOKEN, Masker
from etl.records import Status
from etl.report import BAD, OPEN
from etl.reports.person import Bearer, Person

if TYPE_CHECKING:
    from etl.journal import Journal
    from etl.settings import Settings

LAST = "last"
"""What stands for the newest run."""
LOOKED_INTO = 5
"""Runs of a target whose kept reports are searched for rows that were left alone."""
LEFT_ALONE = (Status.UNCHANGED, Status.DUPLICATE, Status.BLOCKED, Status.INVALID, Status.SKIPPED)
_SHOWN_IDS = 5
_UPSERT, _DELETE = "contact.upsert", "contact.delete"


class Fate(StrEnum):
    """How a run ended, or has not: a `running` one whose lock nobody holds has died."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class RunTold:
    """A run, and what can be done about it.

    `counts`: records by status; of a run that died or is under way, those that were begun, by state (`sending`,
    `waiting` among them). `reports`: where its reports are, None where they are gone.
    """

    record: RunRecord
    fate: Fate
    counts: Mapping[str, int]
    reports: Path | None

    @property
    def delivered(self) -> int:
        """Records that the endpoint confirmed."""
        return self.counts.get(Status.DELIVERED, 0)

    @property
    def bad(self) -> int:
        """Records that are invalid, rejected, failed or unknown."""
        return sum(self.counts.get(status, 0) for status in BAD)

    @property
    def open(self) -> int:
        """Records that `etl retry` would send again."""
        return sum(self.counts.get(status, 0) for status in OPEN)

    @property
    def can_resume(self) -> bool:
        """Whether `etl resume` is what comes next: it did not end, or was made to."""
        return self.fate in {Fate.STOPPED, Fate.INTERRUPTED, Fate.DIED} and self.record.stop_code != "plan-differs"

    @property
    def can_retry(self) -> bool:
        """Whether `etl retry` is what comes next: it has ended, and left something."""
        return self.fate is Fate.FINISHED and self.open > 0

    @property
    def missing_files(self) -> tuple[str, ...]:
        """Files that are no longer where resuming looks for them."""
        return tuple(str(file["name"]) for file in self.record.new.files if not Path(str(file["path"])).exists())


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery for a person.

    `before`: of an upsert, the one at the same target that was confirmed before it; `deleted`: the deletion that came
    in between, after which nothing counts as confirmed.
    """

    entry: HistoryEntry
    run: RunRecord
    place: Place
    before: Sent | None = None
    deleted: Sent | None = None

    @property
    def at(self) -> float:
        """Unix seconds of the last request; of the run's start where no time is known."""
        return self.entry.past.sent_at if self.entry.past.sent_at is not None else self.run.new.started_at


@dataclass(frozen=True, slots=True)
class Left:
    """A row of a person that a run left alone. `confirmed`: the last delivery that was confirmed before that run."""

    line: Line
    run: RunRecord
    confirmed: Sent | None


@dataclass(frozen=True, slots=True)
class Why:
    """What was sent for a person and what was left alone, the newest first; `unread`: runs without their reports."""

    found: tuple[Sent | Left, ...]
    looked_into: int
    unread: int


def told(journal: Journal, settings: Settings, record: RunRecord) -> RunTold:
    """Return what is to be told of a run. Raises JournalError."""
    fate = Fate(record.state)
    counts = record.counts
    if record.state is RunState.RUNNING:
        holder = locks.holder_of(settings, record.new.target, record.new.mapping)
        fate = Fate.RUNNING if holder is not None and holder.run == record.id else Fate.DIED
        counts = journal.tally(record.id)
    return RunTold(record, fate, counts, folder_of(record))


def find(journal: Journal, name: str) -> RunRecord:
    """Return the run of that id, of the only id that begins so, or the newest one (`last`).

    Raises JournalError: `no-runs`, `unknown-run` (with the nearest ids), `ambiguous-run`.
    """
    if name == LAST:
        newest = journal.runs(limit=1)
        if not newest:
            raise JournalError("no run is in the journal", code="no-runs", where=journal.name)
        return newest[0]
    records = journal.runs()
    found = [record for record in records if record.id == name] or [
        r for r in records if name and r.id.startswith(name)
    ]
    if not found:
        return journal.run(name)
    if len(found) > 1:
        ids = ", ".join(record.id for record in found[:_SHOWN_IDS]) + (", ..." if len(found) > _SHOWN_IDS else "")
        raise JournalError(
            f"{len(found)} runs begin with '{name}'", code="ambiguous-run", where=journal.name,
            hint=f"give more of the id: {ids}",
        )  # fmt: skip
    return found[0]


def sent_for(journal: Journal, key: str, target: str | None = None) -> list[Sent]:
    """Return what was sent for whoever has this key, or as the event of that id, the newest first."""
    runs = {record.id: record for record in journal.runs()}
    found = [
        Sent(entry, runs[entry.run], place_of(runs[entry.run], entry.position))
        for entry in journal.history(key)
        if entry.run in runs and target in {None, entry.target}
    ]
    found.sort(key=lambda sent: (sent.at, sent.entry.position, sent.entry.record), reverse=True)
    return [_with_before(sent, found[number + 1 :]) for number, sent in enumerate(found)]


def why(journal: Journal, key: str, target: str | None = None) -> Why:
    """Return why rows of this key were sent or left alone: the latter as the reports of the last runs say."""
    sent = sent_for(journal, key, target)
    found: list[Sent | Left] = list(sent)
    looked_into = unread = 0
    for run in _last_runs(journal.runs(target=target)):
        folder = folder_of(run)
        looked_into += 1
        if folder is None:
            unread += 1
            continue
        found += _left_in(folder, run, Person(key, Masker(journal.masks).key(key)), sent)
    found.sort(key=lambda one: one.at if isinstance(one, Sent) else one.run.new.started_at, reverse=True)
    return Why(tuple(found), looked_into, unread)


def rows_behind(journal: Journal, token: str, target: str | None = None) -> list[tuple[RunRecord, Line]]:
    """Return the rows of whoever a token of the reports stands for, in the kept reports of the last runs.

    Raises JournalError where it is no token.
    """
    found = TOKEN.fullmatch(token.strip().lower())
    if found is None:
        raise JournalError(
            "this is no token of a report", code="no-token", where=token, hint="one looks like p-7f3a2cqkd5mx"
        )
    bearer = Bearer(f"p-{found[1]}", Masker(journal.masks).stands_for)
    return [
        (run, line)
        for run in _last_runs(journal.runs(target=target))
        if (folder := folder_of(run)) is not None
        for name in RESULTS[:1]
        if (folder / name).exists()
        for line in lines_of(folder / name, bearer)
    ]


def _last_runs(runs: Sequence[RunRecord]) -> Iterator[RunRecord]:
    """Yield the newest runs of each target."""
    seen: dict[str, int] = {}
    for run in runs:
        seen[run.new.target] = seen.get(run.new.target, 0) + 1
        if seen[run.new.target] <= LOOKED_INTO:
            yield run


def _left_in(folder: Path, run: RunRecord, person: Person, sent: Sequence[Sent]) -> Iterator[Left]:
    path = next((folder / name for name in RESULTS if (folder / name).exists()), None)
    if path is None:
        return
    for line in lines_of(path, person):
        if line.status not in LEFT_ALONE:
            continue
        before = (
            one
            for one in sent
            if one.entry.past.state == Status.DELIVERED
            and (one.entry.target, one.entry.action) == (run.new.target, line.action)
            and one.at <= run.new.started_at
        )
        yield Left(line, run, next(before, None))


def _with_before(sent: Sent, older: Iterable[Sent]) -> Sent:
    """Return the delivery with what came before it."""
    if sent.entry.action != _UPSERT:
        return sent
    for one in older:
        if one.entry.target != sent.entry.target or one.entry.past.state != Status.DELIVERED:
            continue
        if one.entry.action == _UPSERT:
            return replace(sent, before=one)
        if one.entry.action == _DELETE:
            return replace(sent, deleted=one)
    return sent
