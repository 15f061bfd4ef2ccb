"""Builders that tests share: a spreadsheet and a mapping from visible text, checked or sent to a real sandbox."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings

import etl
from etl.job import Job, open_job
from etl.mapping import Mapping, parse_mapping
from etl.pipeline import Prepared, prepare
from etl.report import RunReport
from etl.reports import summary_json
from etl.sandbox import Sandbox, SandboxOptions

CONTACT = """\
version: 1
name: test
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
"""
EVENTS = """\
version: 1
name: events
records:
  - action: event.create
    fields: {email: E-mail, externalId: Id}
"""
DELETES = """\
version: 1
name: opt-outs
records:
  - action: contact.delete
    fields: {email: E-mail}
"""


def few(examples: int, soak: int | None = None) -> settings:
    """Return the settings of a property whose examples are dear: so many in the suite, ten times (`soak`) in `make soak`."""
    usual = settings.default
    assert usual is not None
    return settings(max_examples=examples if usual.max_examples <= 50 else soak or 10 * examples)


def mapping_of(text: str, folder: Path) -> Mapping:
    """Return the mapping that `text` says."""
    return parse_mapping(text, "test.yaml", folder)


def write_csv(path: Path, text: str) -> Path:
    """Write the lines of `text` as they stand, UTF-8."""
    path.write_bytes(text.encode())
    return path


def write_rows(path: Path, rows: Sequence[Sequence[str]], delimiter: str = ";") -> Path:
    """Write rows of cells as CSV, quoted where needed."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return path


def job_of(folder: Path, mapping: str, sheet: str, **target: Any) -> Job:
    """Return the job of a mapping and a CSV, both from text."""
    return open_job(mapping_of(mapping, folder), [write_csv(folder / "sheet.csv", sheet)], None, **target)


def prepared_of(folder: Path, mapping: str, sheet: str) -> Prepared:
    """Return the one chunk of a small CSV, judged."""
    job = job_of(folder, mapping, sheet)
    ((bound, chunk),) = list(job.chunks(10_000))
    return prepare(chunk, bound.plan, bound.binding)


@dataclass(frozen=True)
class Told:
    """One issue, as a test likes to compare it."""

    row: int
    field: str
    code: str
    severity: str
    value: str
    message: str


def issues_of(prepared: Prepared) -> list[Told]:
    """Return the issues of a prepared chunk, by row and field."""
    found = [
        Told(
            int(prepared.chunk.rows[place]), batch.field, batch.code, batch.severity.value,
            batch.values[at].as_py(), batch.messages[at].as_py(),
        )
        for batch in prepared.issues
        for at, place in enumerate(batch.places.tolist())
    ]  # fmt: skip
    return sorted(found, key=lambda told: (told.row, told.field, told.code))


@cache
def _of_summaries() -> Any:
    from jsonschema import Draft202012Validator

    schema = json.loads(summary_json.SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def summary_of(report: RunReport) -> dict[str, Any]:
    """Return summary.json, which conforms to its schema, or the test fails."""
    summary: dict[str, Any] = json.loads(report.summary_path.read_text("utf-8"))
    _of_summaries().validate(summary)
    return summary


def results_of(report: RunReport) -> list[dict[str, str]]:
    """Return the lines of results.csv, read by the csv module."""
    with report.results_path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@dataclass
class Rig:
    """A sandbox that listens, and an etl.toml that points to it."""

    sandbox: Sandbox
    database: Path
    config: Path
    folder: Path

    def run(self, mapping: str | Mapping, file: Path, **options: Any) -> RunReport:
        """Run `mapping` (its text) on `file` against the sandbox."""
        return self._do(etl.run, mapping, file, options)

    def check(self, mapping: str | Mapping, file: Path, **options: Any) -> RunReport:
        """Check `mapping` (its text) on `file`."""
        return self._do(etl.check, mapping, file, options)

    def _do(self, verb: Any, mapping: str | Mapping, file: Path, options: dict[str, Any]) -> RunReport:
        loaded = mapping if isinstance(mapping, Mapping) else mapping_of(mapping, self.folder)
        options.setdefault("out", self.folder / f"out-{verb.__name__}")
        report: RunReport = verb(loaded, [file], target="test", config=self.config, options=etl.Options(**options))
        summary_of(report)
        return report

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds in the sandbox's database; call it after the sandbox is closed."""
        with sqlite3.connect(self.database) as connection:
            found = connection.execute(query, values).fetchall()
        connection.close()
        return found

    def requests(self) -> list[tuple[str, str, bytes, str, int]]:
        """Return (method, path, body, sha256, status) of every request, in the order in which they arrived."""
        return self.rows("SELECT method, path, body, sha256, status FROM requests ORDER BY seq")


@contextmanager
def rig(folder: Path, *, target: str = "", **sandbox: Any) -> Iterator[Rig]:
    """Yield a sandbox in `folder` and its settings; `target`: more lines of the target's table in etl.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "sandbox.db"
    with Sandbox(replace(SandboxOptions(database=database), **sandbox)) as running:
        config = folder / "etl.toml"
        config.write_text(f'[targets.test]\nurl = "{running.url}"\nrate = 10000\n{target}\n', encoding="utf-8")
        yield Rig(running, database, config, folder)
