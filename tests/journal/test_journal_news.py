"""What was wrong in earlier runs and who was told, in both databases; and a journal that is older than these tables."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from conftest import Place
from made import START, delivery, new_run, outcome, run_end
from sqlalchemy import inspect, text

from etl.journal import schema
from etl.journal.model import Condition, KnownKind
from etl.journal.store import Journal

DAY = 86_400.0
EMAIL = KnownKind("a" * 16, "issue", "email-syntax", "contact.email", 3, START, "run-1", START)
BAD = Condition(True, START, START, "run-1", "1", (EMAIL.print,))
GOOD = Condition(False, START + DAY, START + DAY, "run-2", "0")


def test_a_kind_keeps_where_it_began_and_takes_what_is_new(journal: Journal) -> None:
    later = replace(EMAIL, rows=5, first_at=START + DAY, first_run="run-2", last_at=START + DAY)
    journal.news.note("production", "newsletter", BAD, [EMAIL])
    journal.news.note("production", "newsletter", BAD, [later])
    assert journal.news.kinds("production", "newsletter") == [replace(EMAIL, rows=5, last_at=START + DAY)]
    assert journal.news.kinds("production", "other") == journal.news.kinds("other", "newsletter") == []


def test_a_condition_lasts_since_it_began(journal: Journal) -> None:
    first = journal.news.note("production", "newsletter", BAD, [])
    second = journal.news.note("production", "newsletter", replace(BAD, since=START + DAY, at=START + DAY), [])
    good = journal.news.note("production", "newsletter", GOOD, [])
    assert [one.since for one in (first, second, good)] == [START, START, START + DAY]
    assert journal.news.told("", "production", "newsletter") == good


def test_each_notifier_is_remembered_by_itself(journal: Journal) -> None:
    failed = replace(BAD, failure="the answer was 404", failed_at=START + 1)
    journal.news.note_told("chat", "production", "newsletter", BAD)
    journal.news.note_told("mail", "production", "newsletter", GOOD)
    journal.news.note_told("chat", "production", "newsletter", failed)
    assert journal.news.told("chat", "production", "newsletter") == failed
    assert journal.news.told("beat", "production", "newsletter") is None
    assert journal.news.all_told("chat") == [("production", "newsletter", failed)]


def test_a_name_that_no_database_takes_is_kept_without_its_odd_signs(journal: Journal) -> None:
    journal.news.note("production", "news\0letter\ud800", BAD, [EMAIL])
    assert journal.news.kinds("production", "news\0letter\ud800") == [EMAIL]


def test_kinds_that_nobody_has_seen_for_long_are_pruned(journal: Journal) -> None:
    journal.news.note("production", "newsletter", BAD, [EMAIL])
    journal.prune(START - 1)
    assert journal.news.kinds("production", "newsletter") == [EMAIL]
    journal.prune(START + 1)
    assert journal.news.kinds("production", "newsletter") == []


def as_of_version_1(place: Place) -> None:
    """Make a journal with a run in it, and take away what version 2 has brought."""
    with place.open() as journal:
        journal.begin(new_run())
        with journal.writer("run-1", "production") as writer:
            writer.write([outcome(delivery())])
        journal.end("run-1", run_end())
        with journal._engine.begin() as connection:
            for table in ("kinds", "conditions"):
                connection.execute(text(f"DROP TABLE {table}"))
            connection.execute(text("UPDATE journal SET value = '1' WHERE name = 'version'"))


def test_a_journal_of_version_1_is_brought_up_when_it_is_opened_and_keeps_what_it_has(place: Place) -> None:
    as_of_version_1(place)
    with place.open() as journal:
        assert [run.id for run in journal.runs()] == ["run-1"]
        assert len(journal.history("anna@example.com")) == 1
        journal.news.note("production", "newsletter", BAD, [EMAIL])
        assert journal.news.kinds("production", "newsletter") == [EMAIL]
    with place.open() as journal, journal._engine.connect() as connection:
        assert schema.marks_of(connection)["version"] == "2"


@pytest.mark.parametrize("table", ["kinds", "conditions"])
def test_what_the_step_makes_is_what_a_new_journal_has(place: Place, table: str) -> None:
    def columns() -> list[tuple[str, str, bool]]:
        with place.open() as journal:
            found = inspect(journal._engine)
            keys = found.get_pk_constraint(table)["constrained_columns"]
            # SQLite takes each of these words for the same.
            of_table = [
                (one["name"], re.sub("DOUBLE.*|REAL", "DOUBLE", str(one["type"])), one["nullable"])
                for one in found.get_columns(table)
            ]
            return [*of_table, *((name, "key", False) for name in keys)]

    new = columns()
    as_of_version_1(place)
    assert columns() == new
