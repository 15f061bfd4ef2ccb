"""plan.json: what a dry run found, kept so that `run --plan` sends that or nothing. Its form, its checksum, its file.

The checksum tells an accident from what was written; it is no signature, and whoever can edit a plan can redo it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etl.errors import SettingsError

FORMAT: Literal["etl-plan"] = "etl-plan"
VERSION: Literal[1] = 1
MOST_BYTES = 10 * 1024 * 1024
"""A plan holds counts and some samples; what is longer is something else."""
_SHA256 = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PlannedMapping(_Part):
    """The mapping. `path`: absolute, "" where it was no file; `sha256`: of its text and of the files that it names."""

    name: str
    path: str
    sha256: str = Field(pattern=_SHA256)


class PlannedFile(_Part):
    """A spreadsheet, as it was read; of an archive's member the fingerprint of the archive."""

    name: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)


class PlannedOptions(_Part):
    """The flags that decide what is sent. `only_changed`: null where the mapping decides."""

    sheet: str | None = None
    limit: int | None = None
    only_changed: bool | None = None
    all_again: bool = False
    revive: bool = False


class PlannedRecord(_Part):
    """How many rows end in each status, for one record of the mapping (from 1)."""

    record: int = Field(ge=1)
    action: str
    counts: dict[str, int]


class PlannedPace(_Part):
    """The least time that sending takes at the rate that the target allowed then (`etl.estimate`)."""

    requests: int
    per_second: float
    seconds: float
    text: str


class PlannedSample(_Part):
    """One of the first payloads. `fields`: their paths; `values` by path, only where they were asked for.

    In a plan that is not to show people, `values` are tokens and `payload_sha256` is "".
    """

    file: str
    sheet: str
    row: int
    record: int
    action: str
    fields: list[str]
    payload_sha256: str = Field(pattern=rf"^$|{_SHA256}")
    values: dict[str, str | list[str]] | None = None


class PlanFile(_Part):
    """A plan. Its JSON Schema is `PlanFile.model_json_schema()`.

    `given`: the files as they were named, local ones absolute; `config`: the etl.toml, "" for none; `settings`: those
    of the target that decide what is sent and to whom, never a secret; `counts`: records by status; `clears`: rows by
    field; `missing_deletes`: contacts deleted because the files no longer hold them; `planned_sha256`: over record,
    position and payload of all that is to be sent; `sha256`: of the plan itself, see `checksum`.
    """

    format: Literal["etl-plan"] = FORMAT
    version: Literal[1] = VERSION
    id: str
    made_at: str
    made_by: str
    program: str
    mapping: PlannedMapping
    files: list[PlannedFile] = Field(min_length=1)
    given: list[str]
    target: str
    config: str
    settings: dict[str, str | None]
    options: PlannedOptions
    rows: int
    counts: dict[str, int]
    records: list[PlannedRecord]
    deletes: int
    missing_deletes: int
    clears: dict[str, int]
    estimate: PlannedPace
    samples: list[PlannedSample]
    planned_sha256: str = Field(pattern=_SHA256)
    sha256: str = Field(default="", pattern=rf"^$|{_SHA256}")


def checksum(table: dict[str, Any]) -> str:
    """Return the SHA-256, in hex digits, of a plan's members but for `sha256`; their order and layout do not matter."""
    rest = {name: value for name, value in table.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write_plan(plan: PlanFile, path: Path) -> None:
    """Write the plan with its checksum; the file is the whole of it, or what it was. Raises SettingsError."""
    table = plan.model_dump()
    table["samples"] = [sample.model_dump(exclude_none=True) for sample in plan.samples]
    table["sha256"] = checksum(table)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(json.dumps(table, indent=2, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise SettingsError(
            f"the plan cannot be written: {error.strerror}", code="out", where=str(path),
            hint="name a file in a folder that you may write to, on a disk with room, with --out",
        ) from error  # fmt: skip


def read_plan(path: Path) -> PlanFile:
    """Return the plan. Raises SettingsError: not there, no plan, of a newer version, or changed after it was made."""
    table = _table(path)
    version = table.get("version")
    if isinstance(version, int) and version > VERSION:
        hint = "update this program, or make a new plan with it"
        message = f"the plan is of version {version}, and this program reads up to {VERSION}"
        raise SettingsError(message, code="plan-newer", where=str(path), hint=hint)
    if table.get("sha256") != checksum(table):
        hint = "a plan is not to be edited: make a new one with `etl plan`"
        raise SettingsError("the plan was changed after it was made", code="plan-edited", where=str(path), hint=hint)
    try:
        return PlanFile.model_validate(table)
    except ValidationError as error:
        raise _no_plan(path) from error


def refuse_overwriting(path: Path) -> None:
    """Raise SettingsError where a plan cannot be put: no such folder, or a file that is something else."""
    if not path.parent.is_dir():
        hint = "name a file in a folder that is there, with --out"
        raise SettingsError(f"there is no folder '{path.parent}'", code="out", where=str(path), hint=hint)
    if not path.exists():
        return
    try:
        _table(path)
    except SettingsError as error:
        hint = "name another file with --out"
        message = "a file is there already that is no plan; it is left as it is"
        raise SettingsError(message, code="out", where=str(path), hint=hint) from error


def _table(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _no_plan(path)
        table = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        hint = "make one: etl plan MAPPING FILE... --target NAME --out plan.json"
        raise SettingsError("there is no such plan", code="no-plan", where=str(path), hint=hint) from error
    except OSError as error:
        hint = "it must be a file that you may read"
        raise SettingsError("the plan cannot be read", code="no-plan", where=str(path), hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise _no_plan(path) from error
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise _no_plan(path)
    return table


def _no_plan(path: Path) -> SettingsError:
    hint = "make one: etl plan MAPPING FILE... --target NAME --out plan.json"
    return SettingsError("this is no plan", code="no-plan", where=str(path), hint=hint)
