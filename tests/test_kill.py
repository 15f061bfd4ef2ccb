"""kill -9 at any instant, and resumed: what the server holds in the end is what a run leaves that never died.

Each child is a real process of `etl`; the sandbox and its database are outside of it. At named points a child ends as if
it were killed there (`zygote.Crash`); at random instants it is killed.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_runs import Arrived, read_lines, state_of
from support import Rig, rig, write_rows
from zygote import CRASHED, Child, Zygote

from etl.journal import open_journal
from etl.sandbox import FaultRule, Faults
from etl.settings import load_settings

pytestmark = pytest.mark.timeout(60)

CONNECTIONS = 8
NIGHTLY = """\
version: 1
name: nightly
records:
  - action: contact.upsert
    when: "What != 'gone'"
    key: contact.email
    duplicates: all
    fields:
      contact.email: E-mail
      properties.row: Row
  - action: contact.delete
    when: "What == 'gone'"
    key: email
    duplicates: all
    fields: {email: E-mail}
  - action: event.create
    when: "What == 'bought'"
    fields: {email: E-mail, externalId: Row}
"""
"""Order tells: of the upserts of a person the last one wins, and whoever is deleted after them is gone."""
RECORDS = 3


@pytest.fixture(scope="module")
def zygote():
    with Zygote() as one:
        yield one


def write(folder: Path, rows: int) -> None:
    """Write mapping and sheet: four rows for each person, of whom every fifth is deleted by the last one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.yaml").write_text(NIGHTLY)
    people = max(rows // 4, 1)
    lines = []
    for number in range(rows):
        person, turn = number % people, number // people
        what = "gone" if turn >= 3 and person % 5 == 0 else "bought" if turn % 2 else "kept"
        lines.append((f"p{person}@example.com", what, str(number)))
    write_rows(folder / "s.csv", [("E-mail", "What", "Row"), *lines])


RUN = ("run", "m.yaml", "s.csv", "--target", "test", "--config", "etl.toml", "--out", "out", "--yes")
TARGET = f"concurrency = {CONNECTIONS}\ncanary = 0"


@dataclass(frozen=True)
class Ended:
    """How a run ended: its lines, and what the server holds. `seen`: requests by body; `acted`: deeds by body."""

    lines: list[dict[str, str]]
    state: dict[str, list[tuple[object, ...]]]
    arrived: Arrived

    @classmethod
    def of(cls, folder: Path, server: Rig) -> Ended:
        return cls(read_lines(folder / "out" / "results.csv"), state_of(server.database), Arrived.of(server.database))

    @property
    def statuses(self) -> dict[tuple[str, str], str]:
        return {(line["row"], line["record"]): line["status"] for line in self.lines}

    @property
    def repeated(self) -> int:
        """Requests that had been made before."""
        return sum(count - 1 for count in self.arrived.seen.values())


@pytest.fixture(scope="module")
def clean(zygote, tmp_path_factory):
    """Return, for a number of rows, how a run of them ends that never dies."""
    known: dict[int, Ended] = {}

    def made(rows: int) -> Ended:
        if rows not in known:
            folder = tmp_path_factory.mktemp("clean")
            write(folder, rows)
            with rig(folder, target=TARGET) as server:
                child = zygote.run(RUN, folder)
                assert child.wait() == 0, child.output
                known[rows] = Ended.of(folder, server)
        return known[rows]

    return made


def known_run(folder: Path) -> str | None:
    """Return the id of the run that the journal holds, None if it holds none."""
    journal = open_journal(load_settings(folder / "etl.toml", {}, folder), create=False)
    if journal is None:
        return None
    with journal:
        runs = journal.runs(limit=1)
    return runs[0].id if runs else None


def go_on(zygote: Zygote, folder: Path, **how) -> Child:
    """Resume the run; where it died before anybody knew of it, start it."""
    run = known_run(folder)
    return zygote.start(("resume", run, "--config", "etl.toml", "--yes") if run else RUN, folder, **how)


def hold(ended: Ended, clean: Ended, deaths: int) -> None:
    """Fail where a run that died and was resumed differs from one that did not by more than its doubts, all named."""
    assert len(ended.lines) == len(clean.lines)
    differing = {place for place, status in ended.statuses.items() if clean.statuses[place] != status}
    doubted = {place for place, status in ended.statuses.items() if status == "unknown"}
    assert differing == doubted
    assert {record for _, record in doubted} <= {"3"}, "only events may be in doubt"
    assert len(doubted) <= deaths * CONNECTIONS
    for kind in ("contacts", "deletions"):
        assert ended.state[kind] == clean.state[kind]
    created, expected = Counter(ended.state["events"]), Counter(clean.state["events"])
    assert created <= expected, "an event was created twice"
    # A body may be that of two rows (the same person deleted, or one event as another), an event's is its own here.
    events = {line["payload_sha256"]: line for line in ended.lines if line["record"] == "3" and line["attempts"]}
    for sha, line in events.items():
        assert ended.arrived.seen[sha] <= 1
        assert line["status"] == "unknown" or ended.arrived.acted[sha] == 1
    assert ended.repeated - clean.repeated <= deaths * CONNECTIONS


LONG = pytest.mark.soak
"""Of points that lie close together, one stands for the others in the suite."""
POINTS = {
    "before the run is in the journal": ("before", "etl.journal.store:Journal.begin", 1),
    "once the run is in the journal": pytest.param(("after", "etl.journal.store:Journal.begin", 1), marks=LONG),
    "before the first intent": pytest.param(("before", "etl.journal.writer:Writer.write", 1), marks=LONG),
    "after the first intent": ("after", "etl.journal.writer:Writer.write", 1),
    "before an intent is committed": pytest.param(("before", "etl.journal.writer:Writer._commit_once", 7), marks=LONG),
    "after an intent is committed": ("after", "etl.journal.writer:Writer._commit_once", 7),
    "before a request leaves": ("before", "etl.targets.client:HttpTransport.send", 25),
    "after it left, before its answer": ("before", "etl.targets.client:receive", 25),
    "after its answer": ("after", "etl.targets.client:HttpTransport.send", 25),
    "before its row is written down": pytest.param(("before", "etl.deliver:Ledger.settle", 25), marks=LONG),
    "after its row is written down": ("after", "etl.deliver:Ledger.settle", 25),
    "before the results are put in order": ("before", "etl.reports.results_csv:ResultsCsv.write_ordered", 1),
    "in the middle of the results": pytest.param(
        ("after", "etl.reports.results_csv:ResultsCsv.write_ordered", 1), marks=LONG
    ),
    "before the results are finished": pytest.param(
        ("before", "etl.reports.results_csv:ResultsCsv.finish", 1), marks=LONG
    ),
    "before the summary": ("before", "etl.reports.summary_json:write", 1),
    "after the summary": pytest.param(("after", "etl.reports.summary_json:write", 1), marks=LONG),
    "before the end is in the journal": ("before", "etl.journal.store:Journal.end", 1),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_dying_at_a_named_point_and_resumed_it_ends_as_if_it_had_not(zygote, clean, tmp_path, point):
    write(tmp_path, 40)
    with rig(tmp_path, target=TARGET) as server:
        died = zygote.run(RUN, tmp_path, crash=point)
        assert died.wait() == CRASHED, died.output
        resumed = go_on(zygote, tmp_path)
        assert resumed.wait() in {0, 1}, resumed.output
        ended = Ended.of(tmp_path, server)
    hold(ended, clean(40), 1)
    assert resumed.wait() == (1 if "unknown" in ended.statuses.values() else 0)


RESUMING = {
    "as it reopens the run": pytest.param(("after", "etl.journal.store:Journal.reopen", 1), marks=LONG),
    "as it sends": ("after", "etl.targets.client:HttpTransport.send", 9),
    "as it ends": pytest.param(("before", "etl.journal.store:Journal.end", 1), marks=LONG),
}


@pytest.mark.parametrize("point", RESUMING.values(), ids=RESUMING)
def test_dying_again_while_it_is_resumed_costs_no_more(zygote, clean, tmp_path, point):
    write(tmp_path, 40)
    with rig(tmp_path, target=TARGET) as server:
        zygote.run(RUN, tmp_path, crash=("after", "etl.targets.client:HttpTransport.send", 25))
        died = go_on(zygote, tmp_path, crash=point)
        assert died.wait() == CRASHED, died.output
        assert go_on(zygote, tmp_path).wait() in {0, 1}
        ended = Ended.of(tmp_path, server)
    hold(ended, clean(40), 2)


def requests(server: Rig) -> int:
    return int(server.sandbox.stats().requests)


def kill_at_random(zygote: Zygote, folder: Path, server: Rig, chance: random.Random, total: int, kills: int) -> int:
    """Start, kill and start again; return how often it was killed. A third of the kills come at any time at all."""
    killed = 0
    for left in range(kills, 0, -1):
        before = requests(server)
        child = go_on(zygote, folder)
        if chance.random() < 1 / 3:
            time.sleep(chance.uniform(0, 0.5))
        else:
            # So that all kills find something under way.
            more = chance.randrange(1, max(2, 2 * (total - before) // (left + 1)))
            end = time.monotonic() + 20
            while requests(server) < min(before + more, total - 1) and time.monotonic() < end:
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.004))
        child.kill()
        if child.wait() >= 0:
            break
        killed += 1
    return killed


@pytest.mark.parametrize(
    ("rows", "kills"),
    [(120, 3), pytest.param(10_000, 50, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])],
    ids=["3 kills", "50 kills"],
)
def test_killed_at_random_instants_and_resumed_nothing_is_lost_or_doubled_and_every_doubt_is_named(
    zygote, clean, tmp_path, rows, kills
):
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    write(tmp_path, rows)
    expected = clean(rows)
    with rig(tmp_path, target=TARGET, latency_seconds=0.004) as server:
        total = sum(expected.arrived.seen.values())
        killed = kill_at_random(zygote, tmp_path, server, random.Random(seed), total, kills)
        last = go_on(zygote, tmp_path)
        assert last.wait() in {0, 1, 2}, last.output
        ended = Ended.of(tmp_path, server)
    assert killed >= (2 if kills < 10 else kills - 5)
    hold(ended, expected, killed)


def test_killed_while_answers_are_lost_it_still_ends_as_if_nothing_had_been(zygote, clean, tmp_path):
    faults = Faults(tuple(FaultRule(kind, rate=0.05, route="/contacts") for kind in ("lost", "reset", "503")))
    write(tmp_path, 80)
    expected = clean(80)
    with rig(tmp_path, target=TARGET, faults=faults, seed=4) as server:
        for at in (20, 30):
            died = go_on(zygote, tmp_path, crash=("after", "etl.targets.client:HttpTransport.send", at))
            assert died.wait() == CRASHED, died.output
        assert go_on(zygote, tmp_path).wait() in {0, 1}
        ended = Ended.of(tmp_path, server)
    assert ended.state["contacts"] == expected.state["contacts"]
    assert ended.state["deletions"] == expected.state["deletions"]
    assert Counter(ended.state["events"]) <= Counter(expected.state["events"])


WAYS = {
    "one connection": ["--concurrency", "1"],
    "many connections": ["--concurrency", "32"],
}


@pytest.mark.parametrize("flags", WAYS.values(), ids=WAYS)
def test_however_it_is_sent_the_server_holds_the_same_in_the_end(zygote, clean, tmp_path, flags):
    write(tmp_path, 120)
    with rig(tmp_path, target="canary = 0") as server:
        child = zygote.run([*RUN, *flags], tmp_path)
        assert child.wait() == 0, child.output
        ended = Ended.of(tmp_path, server)
    assert ended.state == clean(120).state
    assert ended.statuses == clean(120).statuses


@pytest.mark.parametrize("rows", [pytest.param(3, marks=LONG), 40], ids="chunks of {}".format)
def test_however_it_is_read_the_server_holds_the_same_in_the_end(zygote, clean, tmp_path, rows):
    chunks = (
        "import etl.session as session\n"
        "def in_chunks(real):\n"
        f"    return lambda *given, **named: real(*given, **{{**named, 'rows_per_chunk': {rows}}})\n"
        "session.survey, session.deliver = in_chunks(session.survey), in_chunks(session.deliver)\n"
    )
    write(tmp_path, 120)
    with rig(tmp_path, target=TARGET) as server:
        child = zygote.run(RUN, tmp_path, setup=chunks)
        assert child.wait() == 0, child.output
        ended = Ended.of(tmp_path, server)
    assert ended.state == clean(120).state
    assert ended.statuses == clean(120).statuses
