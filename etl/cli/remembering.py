"""What the commands that look back have in common: settings → journal, and times as people and programs read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.journal import Journal
    from etl.settings import Settings

NO_JOURNAL = "There is no journal yet: it begins with the first `etl run`."


@contextmanager
def remembered(config: Path | None) -> Iterator[tuple[Settings, Journal | None]]:
    """Yield settings and journal, None where there is none yet. Raises SettingsError, JournalError."""
    from etl.journal import open_journal
    from etl.settings import load_settings

    settings = load_settings(config, os.environ, Path.cwd())
    journal = open_journal(settings, create=False)
    try:
        yield settings, journal
    finally:
        if journal is not None:
            journal.close()


def moment(seconds: float | None, absent: str = "") -> str:
    """Return a Unix time for people: local, to the second."""
    return absent if seconds is None else f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


def short_moment(seconds: float) -> str:
    """Return a Unix time for a narrow column: `24 Nov 02:00`, local; the year where it is another one."""
    local = datetime.fromtimestamp(seconds).astimezone()
    return f"{local:%d %b %Y}" if local.year != datetime.now().astimezone().year else f"{local:%d %b %H:%M}"


def span(seconds: float) -> str:
    """Return how long something took: `4 s`, `12 min`, `3 h 05 min`."""
    if seconds < 1:
        return "less than a second"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
