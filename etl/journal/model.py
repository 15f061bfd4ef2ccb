"""What the journal holds, as nouns. Times are Unix seconds; keyed hashes are 16 bytes; knows no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

WAITING = "waiting"
"""State of a delivery whose last request certainly ended, and that is to be sent again."""
SENDING = "sending"
"""State of a delivery whose request may have left, and of whose outcome nothing is known."""


NO_OUTCOME = "no-outcome"
"""Code of a delivery whose run was cut off while its request was under way."""


class RunState(StrEnum):
    """How far a run is. A `running` one whose process is gone has died; `stopped` and `interrupted` can be resumed."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is known of a run before its first row is read.

    `id`: unique; `who`: user@host; `mapping`: its name; `mapping_path`: absolute, "" where it was not a file;
    `files`: per file `name`, `path` (absolute; of the kept copy where it was spooled), `bytes`, `sha256`;
    `tables`: file and sheet by the index that stands in a position (`records.POSITION_BITS`);
    `given`: the files as they were named; `settings`: fingerprint of the target's settings; `options`: what resuming
    needs (sheet, limit, only_changed, ...), JSON; `config`: path of etl.toml or ""; `out`: folder of the reports,
    absolute; `version`: of this program.
    """

    id: str
    started_at: float
    who: str
    pid: int
    mapping: str
    mapping_path: str
    mapping_fingerprint: str
    target: str
    settings: str
    files: tuple[dict[str, Any], ...]
    tables: tuple[tuple[str, str], ...]
    given: tuple[str, ...]
    options: Mapping[str, Any]
    config: str
    out: str
    version: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the journal remembers it: the NewRun, and how it went.

    `sittings`: 1, and one more for each resume or retry; `counts`: records by status, as of its last end; `deliveries`
    has those by state that were ever begun, counted when the record is read with `tally=True`, else None.
    """

    new: NewRun
    state: RunState
    sittings: int = 1
    ended_at: float | None = None
    exit_code: int | None = None
    rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    stop_code: str = ""
    stop_message: str = ""
    deliveries: Mapping[str, int] | None = None

    @property
    def id(self) -> str:
        """The run's id."""
        return self.new.id


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run, or a sitting of it, ended."""

    state: RunState
    ended_at: float
    exit_code: int
    rows: int
    counts: Mapping[str, int]
    stop_code: str = ""
    stop_message: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """What an earlier sitting knows of one delivery. `state`: SENDING, WAITING or a status; `digest`: of its payload.

    `attempts`: requests so far; `message`: without personal data.
    """

    state: str
    digest: bytes
    attempts: int
    http_status: int | None
    request_id: str
    code: str
    message: str
    sent_at: float | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One delivery, for a person who asks what was sent for somebody.

    `key`: "" unless keys are kept plain; `changed`: paths of the fields that differed from the last confirmed payload,
    None where there was none before.
    """

    run: str
    target: str
    position: int
    record: int
    action: str
    past: Past
    key: str = ""
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of some rows' keys; every array has one value per row asked for, in that order.

    `payload`: 32 bytes (SHA-256 of the last confirmed payload) each, dtype S32, b"" for none; `confirmed_at`,
    `erased_at`: float64, nan for never. `erased_at` is when the person was deleted through us, nan also where they have
    been upserted since. An upsert confirmed before the deletion counts for nothing: its payload is b"".
    `unsettled_at`: when a request was sent of which nobody knows whether it was carried out, nan for none; what was
    confirmed of a contact before it counts for nothing either.
    """

    payload: npt.NDArray[np.bytes_]
    confirmed_at: npt.NDArray[np.float64]
    erased_at: npt.NDArray[np.float64]
    unsettled_at: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Remembered:
    """One confirmed key, as `Memory.confirmed_keys` yields it, in ascending order of `key`.

    `key`: keyed hash, 16 bytes; `text`: the identity (group key, SEPARATOR, key) where keys are kept plain, else "".
    """

    key: bytes
    text: str
    run: str
    position: int
    confirmed_at: float


@dataclass(frozen=True, slots=True)
class KnownKind:
    """One kind of trouble of a mapping at a target. `print`: its fingerprint, 16 hex digits; no personal data in it.

    `what`: issue, endpoint, row or stop; `code`, `field`: see `etl.news`; `rows`: in the last run that had it;
    `first_run`: the run that had it first.
    """

    print: str
    what: str
    code: str
    field: str
    rows: int
    first_at: float
    first_run: str
    last_at: float


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether all is good with a mapping at a target, as it is or as a notifier was told last.

    `since`: when it came to be so; `at`, `run`: of the run that said so, `run` is "" for one that never began;
    `ending`: the class of its exit code ("0" to "4", "interrupted"); `kinds`: fingerprints of what was told;
    `failure`: why the last message could not be delivered, "" where it was; `failed_at`: when that was.
    """

    is_trouble: bool
    since: float
    at: float
    run: str = ""
    ending: str = ""
    kinds: tuple[str, ...] = ()
    failure: str = ""
    failed_at: float | None = None
