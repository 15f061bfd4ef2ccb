"""The Journal: what a run writes when it begins and ends, and what is read of it later. The hot path is `writer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, func, insert, select, update

from etl.errors import JournalError
from etl.journal import forgetting, moving
from etl.journal.encoding import delivery_salt
from etl.journal.faults import translated
from etl.journal.keys import SEPARATOR, Hasher, spoken
from etl.journal.memory import Memory
from etl.journal.model import NO_OUTCOME, SENDING, HistoryEntry, NewRun, Past, RunEnd, RunRecord, RunState
from etl.journal.news import NewsBook
from etl.journal.run_rows import columns_of, columns_of_end, record_of
from etl.journal.schema import deliveries, runs
from etl.journal.sqlite_file import reading
from etl.journal.writer import Writer
from etl.records import Status
from etl.settings.journal import JournalSettings

_LOOKED_AT = 500
"""Newest runs among which an unknown id is compared."""


class Journal:
    """An open journal; whoever opened it closes it. Any thread may use it; all its methods raise JournalError."""

    def __init__(self, engine: Engine, hasher: Hasher, name: str, settings: JournalSettings) -> None:
        self.name = name
        self._engine = engine
        self._reading = reading(engine)
        self._hasher = hasher
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    def begin(self, new: NewRun) -> None:
        """Write down that a run begins. Raises JournalError where its id is taken."""
        with translated(self.name), self._engine.begin() as connection:
            if connection.execute(select(runs.c.number).where(runs.c.id == new.id)).first() is not None:
                hint = "start again: each run gets a new id"
                raise JournalError(f"there is a run '{new.id}' already", code="run-exists", where=self.name, hint=hint)
            connection.execute(insert(runs).values(**columns_of(new)))

    def reopen(self, run_id: str, *, who: str, pid: int, at: float) -> None:
        """Write down that a run goes on, by `who` in process `pid`, at Unix time `at`: one more sitting."""
        going_on = update(runs).where(runs.c.id == run_id).values(
            state=str(RunState.RUNNING), sittings=runs.c.sittings + 1, sitting_at=at, who=who, pid=pid,
            ended_at=None, exit_code=None, stop_code="", stop_message="",
        )  # fmt: skip
        self._change(run_id, going_on)

    def end(self, run_id: str, end: RunEnd) -> None:
        """Write down how a run, or a sitting of it, ended; a request that is still `sending` is `unknown` then."""
        number = self._number(run_id)
        lost = update(deliveries).where(deliveries.c.run == number, deliveries.c.state == SENDING)
        with translated(self.name), self._engine.begin() as connection:
            connection.execute(lost.values(state=str(Status.UNKNOWN), code=NO_OUTCOME))
            connection.execute(update(runs).where(runs.c.number == number).values(**columns_of_end(end)))

    def run(self, run_id: str, tally: bool = False) -> RunRecord:
        """Return the run of that id; with `tally` its deliveries are counted. JournalError `unknown-run`."""
        with translated(self.name), self._reading.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).first()
        if row is None:
            raise self._unknown(run_id)
        return record_of(row, self.tally(run_id) if tally else None)

    def runs(self, limit: int | None = None, target: str | None = None, mapping: str | None = None) -> list[RunRecord]:
        """Return the runs, newest first."""
        asked = select(runs).order_by(runs.c.number.desc()).limit(limit)
        for column, wanted in ((runs.c.target, target), (runs.c.mapping, mapping)):
            asked = asked if wanted is None else asked.where(column == wanted)
        with translated(self.name), self._reading.connect() as connection:
            return [record_of(row) for row in connection.execute(asked)]

    def runs_below(self, folder: str) -> list[RunRecord]:
        """Return the runs whose reports are in a folder directly below `folder` (absolute), newest first."""
        with translated(self.name):
            return moving.runs_below(self._reading, folder)

    def move(self, run_id: str, out: str, paths: Mapping[str, str]) -> None:
        """Write down where a run's reports are now, and its files, by where they were. JournalError `unknown-run`."""
        with translated(self.name):
            is_known = moving.move(self._engine, run_id, out, paths)
        if not is_known:
            raise self._unknown(run_id)

    def writer(self, run_id: str, target: str) -> Writer:
        """Return what keeps the entries of a run; whoever asks for it closes it."""
        return Writer(
            self._engine, self._hasher, self._number(run_id), target, where=self.name,
            plain=self._settings.keys == "plain", reconnect_seconds=self._settings.reconnect_seconds,
        )  # fmt: skip

    def past(self, run_id: str, first: int, last: int) -> dict[tuple[int, int], Past]:
        """Return what is known of the run's deliveries from position `first` to `last`, by position and record."""
        number = self._number(run_id)
        asked = select(deliveries).where(deliveries.c.run == number, deliveries.c.position.between(first, last))
        with translated(self.name), self._reading.connect() as connection:
            return {(row.position, row.record): self._past(row) for row in connection.execute(asked)}

    def tally(self, run_id: str, before: int | None = None) -> dict[str, int]:
        """Return how many deliveries of the run, of positions below `before`, are in each state."""
        asked = select(deliveries.c.state, func.count().label("rows")).where(deliveries.c.run == self._number(run_id))
        if before is not None:
            asked = asked.where(deliveries.c.position < before)
        with translated(self.name), self._reading.connect() as connection:
            counted = connection.execute(asked.group_by(deliveries.c.state))
            return {row.state: int(row.rows) for row in counted}

    @property
    def masks(self) -> bytes:
        """The key of the tokens that stand for people in reports."""
        return self._hasher.masks

    @property
    def keeps_keys(self) -> bool:
        """Whether keys stand here as they are, not only as hashes."""
        return self._settings.keys == "plain"

    def find(self, run_id: str) -> NewRun | None:
        """Return what is known of a run since it began, None where it is not remembered (any more)."""
        with translated(self.name), self._reading.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).first()
        return None if row is None else record_of(row).new

    def count_unknown(self, run_id: str, records: Sequence[int]) -> int:
        """Return of how many deliveries of these records of the run it is not known whether they arrived."""
        asked = select(func.count()).select_from(deliveries).where(
            deliveries.c.run == self._number(run_id), deliveries.c.record.in_(records),
            deliveries.c.state.in_([SENDING, str(Status.UNKNOWN)]),
        )  # fmt: skip
        with translated(self.name), self._reading.connect() as connection:
            return int(connection.scalar(asked) or 0)

    def memory(self, target: str) -> Memory:
        """Return what was confirmed for a target."""
        return Memory(self._reading, self._hasher, target, self.name)

    @property
    def news(self) -> NewsBook:
        """What was wrong in earlier runs, and who was told."""
        return NewsBook(self._engine, self._reading, self.name)

    def history(self, key: str) -> list[HistoryEntry]:
        """Return every delivery for `key` (an e-mail in any case, or another key as it was sent), oldest first."""
        hashes = [self._hasher.of(text) for text in spoken(key)]
        wanted = deliveries.c.person.in_(hashes) | deliveries.c.key.in_(hashes)
        asked = (
            select(deliveries, runs.c.id.label("run_id"), runs.c.target)
            .join(runs, runs.c.number == deliveries.c.run)
            .where(wanted)
            .order_by(deliveries.c.run, deliveries.c.position, deliveries.c.record)
        )
        with translated(self.name), self._reading.connect() as connection:
            return [self._entry(row) for row in connection.execute(asked)]

    def forget(self, key: str, keep_erasure: bool = True) -> Mapping[str, int]:
        """Remove a person from the journal, and return how many rows of each table were touched.

        A delivery stays as a row without key, payload hash, request id and message, so that counts go on adding up.
        With `keep_erasure` it is still known, by hash alone, that somebody deleted is not to be brought back.
        """
        hashes = [self._hasher.of(text) for text in spoken(key)]
        with translated(self.name):
            return forgetting.forget(self._engine, hashes, keep_erasure=keep_erasure)

    def prune(self, older_than: float) -> Mapping[str, int]:
        """Remove the runs that last began or ended before Unix time `older_than`, with their deliveries.

        What was confirmed stays, since events would be created twice without it. Returns counts by table.
        """
        with translated(self.name):
            return forgetting.prune(self._engine, older_than)

    def _change(self, run_id: str, statement: Any) -> None:
        with translated(self.name), self._engine.begin() as connection:
            changed = connection.execute(statement).rowcount
        if not changed:
            raise self._unknown(run_id)

    def _number(self, run_id: str) -> int:
        with translated(self.name), self._reading.connect() as connection:
            number = connection.scalar(select(runs.c.number).where(runs.c.id == run_id))
        if number is None:
            raise self._unknown(run_id)
        return int(number)

    def _unknown(self, run_id: str) -> JournalError:
        newest = select(runs.c.id).order_by(runs.c.number.desc()).limit(_LOOKED_AT)
        with translated(self.name), self._reading.connect() as connection:
            ids = list(connection.scalars(newest))
        near = get_close_matches(run_id, ids, n=3, cutoff=0.5) or ids[:1]
        hint = f"did you mean {' or '.join(near)}? `etl runs` lists all of them" if near else "there is no run yet"
        return JournalError(f"there is no run '{run_id}'", code="unknown-run", where=self.name, hint=hint)

    def _past(self, row: Any) -> Past:
        digest = bytes(row.digest or b"")
        if digest:
            digest = self._hasher.seal(digest, delivery_salt(row.run, row.position, row.record))
        return Past(
            row.state, digest, row.attempts, row.http_status, row.request_id or "", row.code or "", row.message or "",
            row.sent_at, row.duration_ms,
        )  # fmt: skip

    def _entry(self, row: Any) -> HistoryEntry:
        changed = None if row.changed is None else tuple(filter(None, row.changed.split(SEPARATOR)))
        return HistoryEntry(
            row.run_id, row.target, row.position, row.record, row.action, self._past(row), row.key_text or "", changed
        )
