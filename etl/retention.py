"""What becomes too old: runs and their deliveries by age, copies of spreadsheets that no run will read again.

What was confirmed is not removed by age. A contact that never changes is confirmed once, and its hash is as old as it:
without it `--only-changed` would send the whole file again on the day it expires, and an old file of events would
create them a second time. It is bounded by the number of keys, not of runs, holds hashes alone, and goes with
`etl forget`. For the same reason the notes of deletions stay: the file that would bring somebody back may be old too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etl.journal.model import RunRecord, RunState
from etl.report import OPEN

if TYPE_CHECKING:
    from etl.journal import Journal
    from etl.settings import Settings

DAY_SECONDS = 86_400
COPIES = Path(".etl") / "spool"
"""Below the folder of etl.toml: a folder for each table that was no file here."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much was removed: runs, their deliveries, and folders of copies."""

    runs: int
    deliveries: int
    copies: int


def prune(journal: Journal, settings: Settings, now: float) -> Pruned:
    """Remove what is older than `journal.keep_days` at Unix time `now`, and the copies that are of no use any more.

    Called when a run begins, before its own files are taken in. Raises JournalError; a copy that cannot be removed now
    is removed another time.
    """
    removed = journal.prune(now - settings.journal.keep_days * DAY_SECONDS)
    copies = list(_useless(settings.folder / COPIES, journal.runs(), now))
    for folder in copies:
        shutil.rmtree(folder, ignore_errors=True)
    return Pruned(removed.get("runs", 0), removed.get("deliveries", 0), len(copies))


def _useless(home: Path, runs: list[RunRecord], now: float) -> Iterator[Path]:
    """Yield the folders of copies that belong to no run, or to none that can go on."""
    wanted = {path.parent for run in runs if _may_go_on(run) for path in _copies(run)}
    named = {path.parent for run in runs for path in _copies(run)}
    try:
        folders = [child for child in home.absolute().iterdir() if child.is_dir()]
        for folder in folders:
            # A run beside this one takes its files in before it enters the journal.
            is_young = now - folder.stat().st_mtime < DAY_SECONDS
            if folder not in wanted and (folder in named or not is_young):
                yield folder
    except OSError:
        return


def _copies(run: RunRecord) -> Iterator[Path]:
    return (Path(str(file["path"])) for file in run.new.files if file.get("kept"))


def _may_go_on(run: RunRecord) -> bool:
    """Tell whether `etl resume` or `etl retry` may read the run's files again."""
    left = sum(run.counts.get(status, 0) for status in OPEN)
    return run.state is not RunState.FINISHED or left > 0
