"""The demo's four jobs, one after the other into one sandbox: what its database holds is exactly what was delivered."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from support import results_of

import etl

ROOT = Path(__file__).parents[1]
JOBS = (
    ("contacts.yaml", "contacts.csv"),
    ("contacts_workbook.yaml", "contacts.xlsx"),
    ("purchases.yaml", "purchases.csv"),
    ("opt_outs.yaml", "opt_outs.csv"),
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the jobs; return the lines of all results and the sandbox's database."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "etl.toml").touch()
    lines = []
    for mapping, file in JOBS:
        report = etl.run(
            ROOT / "mappings" / mapping, [ROOT / "sample_data" / file], target="sandbox", config=folder / "etl.toml",
            options=etl.Options(out=folder / file, yes=True),
        )  # fmt: skip
        lines += results_of(report)
    return lines, folder / ".etl" / "sandbox.db"


def column(database: Path, query: str) -> list[str]:
    connection = sqlite3.connect(database)
    try:
        return sorted(str(value) for (value,) in connection.execute(query))
    finally:
        connection.close()


def delivered(lines, action: str) -> list[dict[str, str]]:
    return [line for line in lines if line["status"] == "delivered" and line["action"] == action]


def test_every_request_that_arrived_is_a_delivered_line_and_the_other_way_round(demo):
    lines, database = demo
    sent = sorted(line["payload_sha256"] for line in lines if line["status"] == "delivered")
    assert column(database, "SELECT sha256 FROM requests") == sent


def test_the_contacts_are_those_delivered_and_not_deleted_since(demo):
    lines, database = demo
    upserted = {line["key"].casefold() for line in delivered(lines, "contact.upsert")}
    deleted = {line["key"].casefold() for line in delivered(lines, "contact.delete")}
    assert column(database, "SELECT email FROM contacts") == sorted(upserted - deleted)


def test_the_events_are_those_delivered(demo):
    lines, database = demo
    assert len(column(database, "SELECT id FROM events")) == len(delivered(lines, "event.create"))


def test_delivered_invalid_skipped_and_duplicate_rows_all_occur(demo):
    lines, _ = demo
    assert {line["status"] for line in lines} == {"delivered", "invalid", "skipped", "duplicate"}
