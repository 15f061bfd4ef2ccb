"""What `doctor` finds out about a machine: one thing at a time, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a finding stands: only FAILED means that a run cannot work."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `hint` says what to do, "" where nothing is to be done. No secret is in it."""

    state: State
    subject: str
    message: str
    hint: str = ""
