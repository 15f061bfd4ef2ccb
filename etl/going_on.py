"""May a run be gone on with: is something left of it, and are its mapping and its target what they were."""

from __future__ import annotations

from pathlib import Path

from etl.errors import JournalError
from etl.journal.model import RunRecord, RunState
from etl.mapping import Mapping, load_mapping
from etl.report import OPEN
from etl.settings import TargetSettings


def require_agreed(record: RunRecord) -> None:
    """Refuse to go on with a run that was stopped because its plan did not hold. Raises JournalError."""
    if record.stop_code == "plan-differs":
        raise JournalError(
            f"run {record.id} was stopped because it would have sent what was not planned",
            code="plan-differs", hint="make a new plan, and run that",
        )  # fmt: skip


def require_something_left(record: RunRecord, *, unknown_again: bool) -> None:
    """Refuse to go on with a finished run, or (`unknown_again`) with one of which nothing is failed or unknown."""
    left = sum(record.counts.get(status, 0) for status in OPEN)
    if record.state is not RunState.FINISHED or (unknown_again and left):
        return
    rest = "no row of it is failed or unknown" if unknown_again else "nothing is left of it"
    finished = JournalError(
        f"run {record.id} is finished, with exit code {record.exit_code}: {rest}",
        code="nothing-to-retry" if unknown_again else "run-finished",
        hint=f'"etl retry {record.id}" sends its {left:,} failed and unknown rows again' if left else "",
    )
    # Whoever resumes after every night wants to know how the night was.
    finished.exit_code = record.exit_code or 0
    raise finished


def same_mapping(record: RunRecord) -> Mapping:
    """Return the mapping of a run, from where it was. Raises JournalError where it has changed, MappingError."""
    path = record.new.mapping_path
    if not path:
        raise JournalError(
            f"run {record.id} had a mapping that is no file, so it cannot be read again", code="no-mapping-file",
            hint="run it anew",
        )  # fmt: skip
    loaded = load_mapping(Path(path))
    if loaded.fingerprint != record.new.mapping_fingerprint:
        raise JournalError(
            f"this is not the mapping of run {record.id}: it, or a file that it names, has changed since",
            code="mapping-changed", where=path, hint="put it back as it was, or run it anew",
        )  # fmt: skip
    return loaded


def require_same_settings(record: RunRecord, target: TargetSettings) -> None:
    """Refuse to go on where the target's settings have changed. Raises JournalError."""
    if target.fingerprint != record.new.settings:
        raise JournalError(
            f"the settings of target '{target.name}' are not those of run {record.id}: url, wire, group_key or auth",
            code="settings-changed", hint="put them back as they were, or run it anew",
        )  # fmt: skip
