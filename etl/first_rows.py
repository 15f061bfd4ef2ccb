"""The first payloads, beside the rows they come from; nothing is sent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from etl.issues import WHOLE_ROW
from etl.job import BoundTable, Job, open_job
from etl.mapping import Mapping, load_mapping
from etl.outcomes import SKIPPED_BECAUSE, lines_of
from etl.pipeline import Prepared, prepare
from etl.records import STATUSES, text_series
from etl.settings import load_settings
from etl.sources.base import ROWS_PER_CHUNK
from etl.transforms import as_stored


@dataclass(frozen=True, slots=True)
class Preview:
    """One record of one row. `cells`: the row's mapped cells by header; `payload`: as it would be sent, None if not.

    `stored_tags`: the tags as the endpoint will store them; `issues`: (severity, field, message, hint).
    """

    file: str
    sheet: str
    row: int
    record: int
    action: str
    key: str
    status: str
    cells: dict[str, str]
    payload: Any
    stored_tags: tuple[str, ...]
    issues: tuple[tuple[str, str, str, str], ...]
    message: str


def preview(
    mapping: str | os.PathLike[str] | Mapping,
    file: str | os.PathLike[str],
    *,
    limit: int = 5,
    sheet: str | None = None,
    target: str | None = None,
    config: str | os.PathLike[str] | None = None,
) -> list[Preview]:
    """Return what becomes of the first `limit` rows. Raises MappingError, SourceError, SettingsError."""
    return first_rows(open_preview(mapping, file, limit=limit, sheet=sheet, target=target, config=config))


def open_preview(
    mapping: str | os.PathLike[str] | Mapping,
    file: str | os.PathLike[str],
    *,
    limit: int,
    sheet: str | None = None,
    target: str | None = None,
    config: str | os.PathLike[str] | None = None,
) -> Job:
    """Return what `first_rows` takes, with the tables that were found. Raises as `preview`."""
    loaded = mapping if isinstance(mapping, Mapping) else load_mapping(Path(mapping))
    settings = load_settings(Path(config) if config is not None else None, os.environ, Path.cwd())
    chosen = settings.target(target) if target or settings.default_target else None
    return open_job(
        loaded, [file], chosen, sheet=sheet, limit=limit, allow_private=settings.sources.allow_private
    )  # fmt: skip


def first_rows(job: Job) -> list[Preview]:
    """Return what becomes of the rows of a job with a limit. Raises SourceError."""
    shown: list[Preview] = []
    for bound, chunk in job.chunks(rows_per_chunk=job.limit or ROWS_PER_CHUNK):
        shown += _of_chunk(bound, prepare(chunk, bound.plan, bound.binding))
    return shown


def _of_chunk(bound: BoundTable, prepared: Prepared) -> Iterator[Preview]:
    lines = lines_of(prepared)
    for place in range(len(prepared.chunk.blank)):
        for record, own in zip(prepared.records, lines, strict=True):
            body = _body(record.places, record.bodies, place)
            yield Preview(
                file=own.source.file,
                sheet=own.source.sheet,
                row=int(own.rows[place]),
                record=own.number,
                action=own.action,
                key=own.keys[place].as_py() or "",
                status=STATUSES[own.status[place]].value,
                cells=_cells(bound, prepared, place),
                payload=None if body is None else json.loads(body),
                stored_tags=_stored_tags(body),
                issues=_issues(prepared, own.number, place),
                message=SKIPPED_BECAUSE.get(own.codes[place].as_py() or "", ""),
            )


def _body(places: np.ndarray, bodies: Any, place: int) -> str | None:
    found = np.searchsorted(places, place)
    if found == len(places) or places[found] != place:
        return None
    return str(bodies[int(found)].as_py())


def _cells(bound: BoundTable, prepared: Prepared, place: int) -> dict[str, str]:
    header = prepared.chunk.header
    return {header[position]: prepared.chunk.cells[position].iloc[place] for position in bound.binding.positions}


def _stored_tags(body: str | None) -> tuple[str, ...]:
    payload = json.loads(body) if body else {}
    tags = payload.get("tags") or payload.get("data", {}).get("tags") or []
    return tuple(as_stored(text_series(tags)).to_list()) if isinstance(tags, list) and tags else ()


def _issues(prepared: Prepared, record: int, place: int) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (batch.severity.value, batch.field, batch.messages[at].as_py(), batch.hint)
        for batch in prepared.issues
        if batch.record in {WHOLE_ROW, record}
        for at in np.flatnonzero(batch.places == place).tolist()
    )
