"""Who holds a lock, and the words in which that is told; knows no file and no database."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from etl.errors import GuardError

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Holder:
    """One run that holds a lock, or held it. `who`: user@host; `since`: Unix seconds; `ended`: None until let go."""

    run: str
    target: str
    mapping: str
    who: str
    pid: int
    since: float
    ended: float | None = None

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Holder:
        """Return the holder that `as_dict` wrote. Raises TypeError where the facts are others."""
        return cls(**facts)

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """Return who it is, for a sentence: `20261124-020000-ab12, by anna@crm1 (process 4711), since ...`."""
        moment = datetime.fromtimestamp(self.since).astimezone()
        return f"{self.run}, by {self.who} (process {self.pid}), since {moment:%Y-%m-%d %H:%M:%S %Z}"


class Lock(Protocol):
    """One run's hold on a target and a mapping. `died`: the run that held it before, if it never let go."""

    died: Holder | None

    def check(self) -> None:
        """Return if the lock is still held, taken anew where it was lost.

        Raises GuardError where another run has it or had it meanwhile, JournalError where nobody can tell.
        """


def this_process() -> str:
    """Return user@host of this process, as journal and locks know it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"


def digest_of(target: str, mapping: str) -> bytes:
    """Return what names the lock of a target and a mapping: 16 bytes, the same on every machine."""
    return hashlib.sha256(f"{target}{_SEPARATOR}{mapping}".encode()).digest()[:16]


def refusal(target: str, mapping: str, holder: Holder | None) -> GuardError:
    """Return what a run is told that finds its lock held; `holder` None: by whom could not be read."""
    what = f"another run of '{mapping}' to '{target}' is under way"
    if holder is None:
        return GuardError(what, code="run-under-way", hint='wait until it has ended; "etl runs" lists it')
    return GuardError(
        f"{what}: {holder}", code="run-under-way",
        hint=f'wait until it has ended; if it hangs, end that process, then "etl resume {holder.run}"',
    )  # fmt: skip


def lost(holder: Holder | None) -> GuardError:
    """Return what a run is told whose lock was lost and taken by another one meanwhile."""
    by = f" by {holder}" if holder else ""
    return GuardError(
        f"this run lost its lock, which was taken{by}", code="lock-lost",
        hint="nothing more was sent; when the other run has ended, resume this one",
    )  # fmt: skip


def forgetting_under_way() -> GuardError:
    """Return what a run is told that starts while somebody is being forgotten."""
    return GuardError(
        "somebody is being removed from journal and reports (etl forget); a run would write to both",
        code="forgetting-under-way", hint="try again in a minute",
    )  # fmt: skip


def runs_under_way(holders: list[Holder]) -> GuardError:
    """Return what `etl forget` is told while runs are under way."""
    named = "; ".join(f"{holder.mapping} to {holder.target}: {holder}" for holder in holders)
    return GuardError(
        f"a run is under way, and would write down what is to be forgotten{f' ({named})' if named else ''}",
        code="run-under-way", hint="try again when it has ended; nothing was removed",
    )  # fmt: skip
