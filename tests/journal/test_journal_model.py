"""The journal beside a model of it: any order of writing, dying, deleting and forgetting gives what the model says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from made import START, delivery, identity, intent, new_run, outcome, run_end, settings_in

from etl.journal import SENDING, WAITING, RunState, open_journal
from etl.records import Delivery, Status

PEOPLE = tuple(f"p{n}@example.com" for n in range(3))
people = st.sampled_from(PEOPLE)
versions = st.integers(0, 2)
positions = st.integers(0, 6)
endings = st.sampled_from([Status.DELIVERED, Status.REJECTED, Status.FAILED, Status.UNKNOWN])
clocks = st.integers(-5, 5)


@dataclass
class Model:
    """What a journal is: the state of each place, and the memory in the order in which it was confirmed."""

    states: dict[tuple[str, int], str] = field(default_factory=dict)
    owners: dict[tuple[str, int], str] = field(default_factory=dict)
    payloads: dict[str, bytes] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)


def upsert(position: int, who: str, version: int) -> Delivery:
    return delivery(position, who, body={"contact": {"email": who, "phone": str(version)}})


class Machine(RuleBasedStateMachine):
    @initialize()
    def begin_anew(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.run_number = 0
        self.journal: Any = None
        self.open()
        self.begin()

    def open(self) -> None:
        self.journal = open_journal(settings_in(Path(self.folder.name)))

    @rule()
    def begin(self) -> None:
        self.run_number += 1
        self.run = f"run-{self.run_number}"
        self.journal.begin(new_run(self.run))

    @rule()
    def die(self) -> None:
        self.journal.close()
        self.open()
        assert self.journal.run(self.run).state is RunState.RUNNING
        self.journal.reopen(self.run, who="night@host", pid=1, at=START)

    @rule()
    def end(self) -> None:
        self.journal.end(self.run, run_end())
        assert self.journal.run(self.run).state is RunState.FINISHED
        # Of a request that is still under way at the end nobody will know any more.
        for place, state in self.model.states.items():
            if place[0] == self.run and state == SENDING:
                self.model.states[place] = str(Status.UNKNOWN)
        self.journal.reopen(self.run, who="night@host", pid=1, at=START)

    @rule(position=positions, who=people, version=versions)
    def send(self, position: int, who: str, version: int) -> None:
        if self.owners(position, who):
            self.write(position, who, SENDING, intent(upsert(position, who, version)))

    @rule(position=positions, who=people, version=versions)
    def put_off(self, position: int, who: str, version: int) -> None:
        if self.owners(position, who):
            self.write(position, who, WAITING, outcome(upsert(position, who, version), Status.FAILED, final=False))

    @rule(position=positions, who=people, version=versions, status=endings, later=clocks)
    def settle(self, position: int, who: str, version: int, status: Status, later: int) -> None:
        if self.owners(position, who):
            one = upsert(position, who, version)
            self.write(position, who, str(status), outcome(one, status, at=START + later))
            if status is Status.DELIVERED:
                self.model.payloads[who] = sha256(one.body).digest()
                self.model.erased.discard(who)

    @rule(position=positions, who=people, later=clocks)
    def delete(self, position: int, who: str, later: int) -> None:
        if self.owners(position, who):
            one = delivery(position, who, action="contact.delete", body={"email": who})
            self.write(position, who, "delivered", outcome(one, at=START + later))
            self.model.erased.add(who)
            self.model.payloads.pop(who, None)

    @rule(who=people, keep=st.booleans())
    def forget(self, who: str, keep: bool) -> None:
        self.journal.forget(who, keep_erasure=keep)
        self.model.payloads.pop(who, None)
        self.model.unsettled.discard(who)
        self.model.owners = {place: owner for place, owner in self.model.owners.items() if owner != who}
        if not keep:
            self.model.erased.discard(who)

    def owners(self, position: int, who: str) -> bool:
        """Tell whether the row may be this person's: a row is one person's, whom nobody forgot in between."""
        place = (self.run, position)
        return place not in self.model.states or self.model.owners.get(place) == who

    def write(self, position: int, who: str, state: str, entry: Any) -> None:
        with self.journal.writer(self.run, "production") as writer:
            writer.write([entry])
        self.model.states[self.run, position] = state
        if state == str(Status.DELIVERED):
            self.model.unsettled.discard(who)
        else:
            self.model.unsettled.add(who)
        self.model.owners[self.run, position] = who

    @invariant()
    def the_past_is_the_models(self) -> None:
        past = self.journal.past(self.run, 0, 100)
        expected = {place[1]: state for place, state in self.model.states.items() if place[0] == self.run}
        assert {place[0]: one.state for place, one in past.items()} == expected

    @invariant()
    def the_memory_is_the_models(self) -> None:
        keys = pa.array([identity(who) for who in PEOPLE], pa.string())
        known = self.journal.memory("production").known("contact.upsert", keys, keys)
        payloads = self.model.payloads
        expected = np.array([b"" if w in self.model.unsettled else payloads.get(w, b"") for w in PEOPLE], "S32")
        assert (known.payload == expected).all()
        assert [who for who, at in zip(PEOPLE, known.erased_at, strict=True) if not np.isnan(at)] == sorted(
            self.model.erased
        )
        unsettled = [who for who, at in zip(PEOPLE, known.unsettled_at, strict=True) if not np.isnan(at)]
        assert unsettled == sorted(self.model.unsettled)

    @invariant()
    def the_history_is_the_models(self) -> None:
        for who in PEOPLE:
            found = sorted((entry.run, entry.position) for entry in self.journal.history(who))
            assert found == sorted(place for place, owner in self.model.owners.items() if owner == who)

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()


TestJournalModel = Machine.TestCase
TestJournalModel.settings = settings(max_examples=15, stateful_step_count=20)
