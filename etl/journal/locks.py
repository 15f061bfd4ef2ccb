"""One run per target and mapping at a time: on this machine, or wherever the journal's server is reached from.

with locked(settings, "production", "newsletter", run_id) as lock:
    lock.died       the run that held it before and died; it can be resumed
    lock.check()    after the journal's connection broke: is the lock still this run's?
"""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from pathlib import Path

from etl.journal import lock_files, lock_server
from etl.journal.holders import Holder, Lock, this_process
from etl.settings import Settings

__all__ = ["Holder", "Lock", "alone", "died_note", "holder_of", "holders", "locked", "this_process"]


def locked(settings: Settings, target: str, mapping: str, run_id: str) -> AbstractContextManager[Lock]:
    """Hold the lock of a target and a mapping (its name) for the run of that id.

    Raises, when entered: GuardError `run-under-way` (another run has it: who, since when), `forgetting-under-way`;
    JournalError `lock` where nobody can lock.
    """
    holder = Holder(run_id, target, mapping, this_process(), os.getpid(), time.time())
    server = _server(settings)
    return lock_server.locked(server, holder) if server else lock_files.locked(_folder(settings), holder)


def alone(settings: Settings) -> AbstractContextManager[None]:
    """Keep all runs out: for what rewrites reports and journal.

    Raises, when entered: GuardError `run-under-way` (which, by whom, since when), JournalError `lock`.
    """
    server = _server(settings)
    return lock_server.alone(server) if server else lock_files.alone(_folder(settings))


def holder_of(settings: Settings, target: str, mapping: str) -> Holder | None:
    """Return who holds that lock at this moment, None if nobody does. Raises JournalError."""
    server = _server(settings)
    if server:
        return lock_server.holder_of(server, target, mapping)
    return lock_files.holder_of(_folder(settings), target, mapping)


def holders(settings: Settings) -> list[Holder]:
    """Return all who hold a lock at this moment, the longest first. Raises JournalError."""
    server = _server(settings)
    return lock_server.holders(server) if server else lock_files.holders(_folder(settings))


def died_note(died: Holder) -> str:
    """Return what a run tells of the one that held its lock before, and never let go."""
    return f'run {died.run} died; "etl resume {died.run}" goes on with it (it was {died.who}, process {died.pid})'


def _folder(settings: Settings) -> Path:
    """Return the folder of the locks: beside the journal's file, so that all who write to it meet there."""
    file = settings.journal.file(settings.folder)
    return file.parent / "locks" if settings.journal.path is None else file.with_suffix(".locks")


def _server(settings: Settings) -> lock_server.Server | None:
    if settings.journal.url is None:
        return None
    # It loads SQLAlchemy, which a journal on this machine needs later anyway.
    from etl.journal.postgres import password_of

    return lock_server.Server(settings.journal.url, password_of(settings.journal, settings.folder, settings.environ))
