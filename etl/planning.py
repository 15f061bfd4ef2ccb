"""A dry run → a plan, and a plan held against the run that is to carry it out: before it reads, and before it sends."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from etl.errors import SettingsError
from etl.flat_payload import flat
from etl.guards import Stop
from etl.job import BoundTable, Job
from etl.journal.locks import this_process
from etl.moments import iso
from etl.options import Options
from etl.outcomes import Lines
from etl.pipeline import Prepared, prepare
from etl.plan_file import (
    PlanFile,
    PlannedFile,
    PlannedMapping,
    PlannedOptions,
    PlannedPace,
    PlannedRecord,
    PlannedSample,
    write_plan,
)
from etl.records import STATUSES, Status
from etl.redaction import FULL, Redaction
from etl.release import program_version
from etl.report import RunReport
from etl.settings import AGREED_SETTINGS, TargetSettings
from etl.sources.addresses import is_url, shown_name
from etl.sources.intake import STANDARD_INPUT
from etl.survey import Survey
from etl.view import View

SAMPLES = 3
"""Of each record."""
PLAN_NAME = "plan.json"
"""In the folder of the reports, unless another file is named."""
_PLANNED = STATUSES.index(Status.PLANNED)
_ROWS_PER_CHUNK = 2_000
_SHOWN_DIGITS = 8


@dataclass(slots=True)
class Draft:
    """A plan in the making: what the lines of a dry run come to, and which of them become samples.

    `file`: where to put it, None: in the folder of the reports; `given`: the files as they were named; `config`: the
    etl.toml, None for none; `with_values`: whether samples hold values, which are personal data.
    """

    target: TargetSettings
    options: Options
    given: Sequence[str | os.PathLike[str]]
    config: Path | None = None
    file: Path | None = None
    with_values: bool = False
    _counts: dict[tuple[int, str], Counter[str]] = field(default_factory=dict, init=False)
    _wanted: dict[int, list[int]] = field(default_factory=dict, init=False)

    def see(self, lines: Sequence[Lines]) -> None:
        """Take the lines of a chunk, as they go into results.csv."""
        for one in lines:
            counts = self._counts.setdefault((one.number, one.action), Counter())
            counts.update({status.value: count for status, count in one.counts().items()})
            wanted = self._wanted.setdefault(one.number, [])
            planned = np.flatnonzero(one.status == _PLANNED)[: SAMPLES - len(wanted)]
            wanted += one.positions[planned].tolist()

    def keep(self, job: Job, found: Survey, report: RunReport, redaction: Redaction = FULL) -> Path:
        """Write the plan, its samples as `redaction` shows them; return where it is. SettingsError, SourceError."""
        path = self.file or report.out / PLAN_NAME
        mapping = job.plan.mapping
        write_plan(
            PlanFile(
                id=job.id,
                made_at=iso(time.time(), "seconds"),
                made_by=this_process(),
                program=program_version(),
                mapping=PlannedMapping(name=mapping.name, path=_path(mapping.file), sha256=mapping.fingerprint),
                files=[
                    PlannedFile(name=file.name, bytes=file.fingerprint.size, sha256=file.fingerprint.sha256)
                    for file in job.files
                ],
                given=[_given(one) for one in self.given],
                target=self.target.name,
                config=str(self.config.absolute()) if self.config else "",
                settings=agreed_settings(self.target),
                options=agreed_options(self.options),
                rows=found.counts.rows,
                counts=found.counts.by_name,
                records=[
                    PlannedRecord(record=number, action=action, counts=dict(counts))
                    for (number, action), counts in sorted(self._counts.items())
                ],
                deletes=report.deletes,
                missing_deletes=found.missing_deletes,
                clears=dict(report.clears),
                estimate=PlannedPace.model_validate(report.estimate),
                samples=[_shown_sample(sample, redaction) for sample in self._samples(job)],
                planned_sha256=found.planned_digest,
            ),
            path,
        )
        return path

    def _samples(self, job: Job) -> Iterator[PlannedSample]:
        """Read the files again, as far as the last sample; judge only the chunks that hold one."""
        wanted = {position for positions in self._wanted.values() for position in positions}
        for bound, chunk in job.chunks(_ROWS_PER_CHUNK) if wanted else ():
            here = wanted & set(chunk.positions.tolist())
            if here:
                yield from self._of_chunk(bound, prepare(chunk, bound.plan, bound.binding), job)
                wanted -= here
            if not wanted:
                return

    def _of_chunk(self, bound: BoundTable, prepared: Prepared, job: Job) -> Iterator[PlannedSample]:
        chunk = prepared.chunk
        for record in prepared.records:
            positions = chunk.positions[record.places]
            for at in np.flatnonzero(np.isin(positions, self._wanted.get(record.spec.number, []))).tolist():
                body = record.bodies[at].as_py()
                values = flat(body, record.spec, bound.binding, job.plan.wire)
                shown = {path: list(value) if isinstance(value, tuple) else value for path, value in values.items()}
                yield PlannedSample(
                    file=chunk.source.file,
                    sheet=chunk.source.sheet,
                    row=int(chunk.rows[record.places[at]]),
                    record=record.spec.number,
                    action=record.spec.action.name,
                    fields=list(values),
                    payload_sha256=hashlib.sha256(body.encode()).hexdigest(),
                    values=shown if self.with_values else None,
                )


def _shown_sample(sample: PlannedSample, redaction: Redaction) -> PlannedSample:
    if redaction.is_full:
        return sample
    values = None if redaction.view is View.AGGREGATE else sample.values
    if values is not None:
        values = {
            path: redaction.text(value) if isinstance(value, str) else list(map(redaction.text, value))
            for path, value in values.items()
        }
    # The hash of a small payload is found again by trying; `planned_sha256` holds all of them.
    return sample.model_copy(update={"values": values, "payload_sha256": ""})


def agreed_settings(target: TargetSettings) -> dict[str, str | None]:
    """Return the settings that a plan is about, by name; never a secret."""
    return {name: getattr(target, name) for name in AGREED_SETTINGS}


def agreed_options(options: Options) -> PlannedOptions:
    """Return the flags that a plan is about."""
    return PlannedOptions(**{name: getattr(options, name) for name in PlannedOptions.model_fields})


def as_agreed(options: Options, plan: PlanFile) -> Options:
    """Return `options` with the plan's flags where none of the kind was given."""
    kept = plan.options
    decided = options.only_changed is not None or options.all_again
    return replace(
        options,
        sheet=options.sheet or kept.sheet,
        limit=kept.limit if options.limit is None else options.limit,
        only_changed=options.only_changed if decided else kept.only_changed,
        all_again=options.all_again if decided else kept.all_again,
        revive=options.revive or kept.revive,
    )


def refuse_changes(plan: PlanFile, path: Path, job: Job, target: TargetSettings, options: Options) -> None:
    """Raise SettingsError with everything that is not as it was planned; `options`: those of `as_agreed`.

    To be called before anything is written down or sent: files, mapping, target, its settings and the flags.
    """
    changes = [*_file_changes(plan, job), *_other_changes(plan, job, target, options)]
    if not changes:
        return
    message = changes[0] if len(changes) == 1 else f"{len(changes)} things are not as they were planned"
    lines = "" if len(changes) == 1 else "".join(f"\n  {change}" for change in changes)
    raise SettingsError(
        f"{message}{lines}", code="plan-changed", where=str(path),
        hint="put it back as it was, or make a new plan; nothing was sent",
    )  # fmt: skip


def differs(plan: PlanFile, found: Survey) -> Stop | None:
    """Return a stop unless exactly what was planned would be sent; to be called before anything is.

    What changes it though nothing of `refuse_changes` did: another run has delivered, or deleted, in the meantime.
    `found`: of a survey with `digest=True`.
    """
    if not found.planned_digest:
        raise AssertionError("BUG: a run with a plan must know the digest of what it sends")
    now = {"rows": found.counts.rows, **found.counts.by_name, "deletes of who is missing": found.missing_deletes}
    then = {"rows": plan.rows, **plan.counts, "deletes of who is missing": plan.missing_deletes}
    changed = [
        f"{name} {now.get(name, 0):,} (was {then.get(name, 0):,})"
        for name in dict.fromkeys((*then, *now))
        if now.get(name, 0) != then.get(name, 0)
    ]
    if not changed and found.planned_digest == plan.planned_sha256:
        return None
    what = ", ".join(changed) or "as many rows, but others, or with other payloads"
    return Stop(
        "plan-differs", f"what would be sent is not what was planned: {what}",
        hint="another run may have delivered since; look at a new plan",
    )  # fmt: skip


def version_note(plan: PlanFile) -> str:
    """Return what to say where another version of the program made the plan, "" where it was this one."""
    own = program_version()
    if plan.program == own:
        return ""
    made, this = plan.program or "(unknown)", own or "(unknown)"
    return f"the plan was made by version {made} of this program, and this is version {this}"


def _file_changes(plan: PlanFile, job: Job) -> Iterator[str]:
    if len(job.files) != len(plan.files):
        there = "1 file is" if len(job.files) == 1 else f"{len(job.files):,} files are"
        yield f"{there} given, and {len(plan.files):,} {'was' if len(plan.files) == 1 else 'were'} planned"
        return
    for file, planned in zip(job.files, plan.files, strict=True):
        if file.fingerprint.sha256 != planned.sha256:
            yield f"{file.name} has changed: {_shas(file.fingerprint.sha256, planned.sha256)}"


def _other_changes(plan: PlanFile, job: Job, target: TargetSettings, options: Options) -> Iterator[str]:
    mapping = job.plan.mapping
    if mapping.fingerprint != plan.mapping.sha256:
        yield f"{mapping.file}, or a file that it names, has changed: {_shas(mapping.fingerprint, plan.mapping.sha256)}"
    if target.name != plan.target:
        yield f"the target is {target.name}, and {plan.target} was planned"
    else:
        names = _unequal(agreed_settings(target), plan.settings)
        if names:
            yield f"settings of target {target.name} have changed: {', '.join(names)}"
    now, then = agreed_options(options).model_dump(), plan.options.model_dump()
    for name in _unequal(now, then):
        if name != "all_again" or now["only_changed"] == then["only_changed"]:
            yield f"{_FLAGS[name]} is {_shown(name, now)}, and {_shown(name, then)} was planned"


_FLAGS = {
    "sheet": "--sheet", "limit": "--limit", "only_changed": "--only-changed", "all_again": "--all", "revive": "--revive"
}  # fmt: skip


def _shown(name: str, options: Mapping[str, Any]) -> str:
    value = options[name]
    if value is None:
        return "as the mapping says" if name == "only_changed" else "not given"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value}"


def _unequal(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    return [name for name in dict.fromkeys((*then, *now)) if now.get(name) != then.get(name)]


def _shas(now: str, then: str) -> str:
    return f"sha256 {now[:_SHOWN_DIGITS]}, planned {then[:_SHOWN_DIGITS]}"


def _path(file: str) -> str:
    return str(Path(file).absolute()) if Path(file).is_file() else ""


def _given(one: str | os.PathLike[str]) -> str:
    """Return a file as it was named, so that it is found from any folder; of a URL never its secrets."""
    text = os.fspath(one)
    if isinstance(one, str) and (one == STANDARD_INPUT or is_url(one)):
        return shown_name(text)
    return str(Path(text).absolute())
