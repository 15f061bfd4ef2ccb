"""Runs whose reports and files are moved after their end, so that history, retry and forget find them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine, select, update

from etl.journal.model import RunRecord
from etl.journal.run_rows import record_of
from etl.journal.schema import runs


def runs_below(engine: Engine, folder: str) -> list[RunRecord]:
    """Return the runs whose reports are in a folder directly below `folder` (absolute), newest first."""
    # As JSON has it in the column: its text is all ASCII.
    text = json.dumps(folder)[1:-1]
    asked = select(runs).where(runs.c.details.contains(text, autoescape=True)).order_by(runs.c.number.desc())
    with engine.connect() as connection:
        found = [record_of(row) for row in connection.execute(asked)]
    return [record for record in found if str(Path(record.new.out).parent) == folder]


def move(engine: Engine, run_id: str, out: str, paths: Mapping[str, str]) -> bool:
    """Write down where a run's reports are now, and its files, by where they were; False where there is no such run."""
    with engine.begin() as connection:
        text = connection.scalar(select(runs.c.details).where(runs.c.id == run_id))
        if text is None:
            return False
        details = json.loads(text)
        details["out"] = out
        for file in details["files"]:
            file["path"] = paths.get(file["path"], file["path"])
        connection.execute(update(runs).where(runs.c.id == run_id).values(details=json.dumps(details)))
        return True
