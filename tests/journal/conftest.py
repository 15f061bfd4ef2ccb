"""One PostgreSQL for the session, and a journal in each of the two databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from made import settings_in
from postgres_server import PASSWORD, NoPostgresError, PostgresServer, running

from etl.journal import open_journal
from etl.journal.store import Journal
from etl.settings import Settings


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'salesmanago-etl[postgres]'")
    try:
        with running() as server:
            yield server
    except NoPostgresError as reason:
        pytest.skip(str(reason))


@dataclass(frozen=True)
class Place:
    """Where a journal is; `settings` opens it."""

    kind: str
    settings: Settings

    def open(self) -> Journal:
        opened = open_journal(self.settings)
        assert opened is not None
        return opened


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place for a journal, in which there is none yet."""
    if request.param == "sqlite":
        return Place("sqlite", settings_in(tmp_path))
    server: PostgresServer = request.getfixturevalue("postgres")
    environ = {"ETL_PASSWORD": PASSWORD}
    return Place("postgres", settings_in(tmp_path, environ, url=server.emptied(), password_env="ETL_PASSWORD"))


@pytest.fixture
def journal(place: Place) -> Iterator[Journal]:
    with place.open() as opened:
        yield opened
