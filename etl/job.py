"""What a run is about: the mapping, the tables, the target; opened and held against each other before a row is read."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pandas as pd

from etl.errors import MappingError
from etl.mapping import Binding, Mapping, bind, check_wire, dynamic_clashes, header_score
from etl.pipeline import Plan
from etl.proofs import Proof, prove, refused
from etl.records import POSITION_BITS, Chunk, text_series
from etl.settings import TargetSettings
from etl.sources import Given, SourceFile, open_tables, take_in
from etl.sources.base import SourceOptions, Table

_LOOKED_AT = 200
_ROW_MASK = (1 << POSITION_BITS) - 1
_DATE_WORDS = frozenset({"date", "datum", "data", "fecha", "time", "zeit", "czas", "timestamp", "day", "tag"})


@dataclass(frozen=True, slots=True)
class BoundTable:
    """A table whose columns have been found for the mapping. `plan`: with what its own cells have proved."""

    file: SourceFile
    table: Table
    binding: Binding
    plan: Plan

    def chunks(self, limit: int | None, rows_per_chunk: int) -> Iterator[Chunk]:
        """Yield the table's rows with the columns that the mapping uses."""
        with self.file.named():
            yield from self.table.chunks(self.binding.positions, limit=limit, rows_per_chunk=rows_per_chunk)


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a run needs to know before it reads. `limit`: rows in all, None for all of them."""

    id: str
    plan: Plan
    tables: tuple[BoundTable, ...]
    files: tuple[SourceFile, ...]
    target: TargetSettings | None
    limit: int | None = None
    notes: tuple[str, ...] = field(default=())

    def chunks(self, rows_per_chunk: int) -> Iterator[tuple[BoundTable, Chunk]]:
        """Yield all chunks of all tables in order, `limit` rows at most. May be called again: it reads anew."""
        left = self.limit
        for bound in self.tables:
            for chunk in bound.chunks(left, rows_per_chunk):
                yield bound, chunk
                left = None if left is None else left - len(chunk.blank)
            if left is not None and left <= 0:
                return

    def locate(self, position: int) -> str:
        """Return how a person names the row at a position; with its file or sheet where there are several."""
        bound = self.tables[position >> POSITION_BITS]
        row = f"row {position & _ROW_MASK}"
        if len(self.files) > 1:
            return f"{row} of {Path(bound.table.ref.file).name}"
        return f"{row} of {bound.table.ref.sheet}" if len(self.tables) > 1 else row


def open_job(
    mapping: Mapping,
    files: Sequence[Given],
    target: TargetSettings | None,
    *,
    sheet: str | None = None,
    limit: int | None = None,
    allow_private: bool = False,
    taken: Sequence[SourceFile] | None = None,
    run_id: str | None = None,
    spool_in: Path | None = None,
    quotes: bool = True,
) -> Job:
    """Open `files` for `mapping`: find sheets, headers and columns; nothing is read on if one is missing.

    `target` None: a dry run in the wire form `fields`. `allow_private`, `spool_in`: as in `take_in`; `taken`:
    the files where they were taken in before, since standard input is there once. `run_id`: None: a new one.
    `quotes`: whether notes and errors quote cells.
    Raises SourceError, MappingError, SettingsError.
    """
    given = take_in(files, allow_private=allow_private, spool_in=spool_in) if taken is None else list(taken)
    wire = target.wire if target else "fields"
    findings = check_wire(mapping, wire, has_group_key_setting=target is not None and target.group_key is not None)
    if findings.problems:
        raise MappingError(mapping.file, findings.problems)
    notes = [*mapping.notes, *findings.notes]
    options = source_options(mapping, sheet)
    group_key = target.group_key if target and mapping.group_key is None else None
    plan = Plan(mapping, wire, group_key)
    tables: list[BoundTable] = []
    for file in given:
        for table in open_tables(file, options, len(tables)):
            binding = bind(mapping, table.header, _where(table), partial(_some_rows, table))
            clashes = dynamic_clashes(mapping, binding) if wire == "envelope" else ()
            if clashes:
                raise MappingError(mapping.file, clashes)
            notes += binding.warnings
            notes += table.notes
            notes += _rival_notes(table)
            notes += _date_notes(mapping, table)
            tables.append(BoundTable(file, table, binding, plan))
    tables, proved = _proven(tables, quotes=quotes)
    notes += proved
    return Job(run_id or new_id(), plan, tuple(tables), tuple(given), target, limit, tuple(dict.fromkeys(notes)))


def _proven(tables: list[BoundTable], *, quotes: bool) -> tuple[list[BoundTable], list[str]]:
    """Return the tables with plans that know how their dates and amounts are written, and the notes of the proofs."""
    proofs = [_prove(bound, quotes=quotes) for bound in tables]
    places = [_name(bound.table) for bound in tables]
    refusals = [(where, one) for where, proof in zip(places, proofs, strict=True) for one in proof.refusals]
    if refusals:
        raise refused(refusals)
    notes = [
        note if len(tables) == 1 else f"{where}: {note}"
        for where, proof in zip(places, proofs, strict=True)
        for note in proof.notes
    ]
    plans = [replace(bound.plan, mapping=proof.mapping) for bound, proof in zip(tables, proofs, strict=True)]
    return [replace(bound, plan=plan) for bound, plan in zip(tables, plans, strict=True)], notes


def _prove(bound: BoundTable, *, quotes: bool) -> Proof:
    def read(positions: Sequence[int]) -> Generator[Chunk, None, None]:
        with bound.file.named():
            yield from bound.table.chunks(positions)

    return prove(bound.plan.mapping, bound.binding, bound.table.sheet_columns, read, quotes=quotes)


def source_options(mapping: Mapping, sheet: str | None) -> SourceOptions:
    """Return how the tables of `mapping` are to be read; `sheet`: the one that was asked for, None: as it says."""
    pinned = mapping.source
    return SourceOptions(
        sheets=(sheet,) if sheet else pinned.sheets,
        header_row=pinned.header_row,
        encoding=pinned.encoding,
        delimiter=pinned.delimiter,
        skip_rows=pinned.skip_rows,
        header_score=header_score(mapping),
        hidden_rows=pinned.hidden_rows,
        hidden_columns=pinned.hidden_columns,
        comment=pinned.comment,
        total_rows=pinned.total_rows,
    )


def _some_rows(table: Table) -> pd.DataFrame:
    """Return the first rows of all columns, to recognise one that was renamed."""
    chunks = table.chunks(range(len(table.header)), limit=_LOOKED_AT)
    cells = [chunk.cells[~chunk.blank] for chunk in chunks]
    return pd.concat(cells) if cells else pd.DataFrame({place: text_series([]) for place in range(len(table.header))})


def _where(table: Table) -> str:
    return f"{_name(table)}, row {table.header_row}" if table.header_row else _name(table)


def _name(table: Table) -> str:
    return f"{table.ref.file}, sheet {table.ref.sheet}" if table.ref.sheet else table.ref.file


def _rival_notes(table: Table) -> list[str]:
    if not table.rivals:
        return []
    sheets = ", ".join(f"'{name}'" for name in table.rivals)
    return [
        f"only sheet '{table.ref.sheet}' is read; with the same columns, and not read: {sheets} (name one by --sheet)"
    ]


def _date_notes(mapping: Mapping, table: Table) -> list[str]:
    """Tell that the page's event has no date, where the sheet has one."""
    if not any(record.action.name == "event.create" for record in mapping.records):
        return []
    dates = [name for name in table.header if _DATE_WORDS & set(name.casefold().replace("_", " ").split())]
    if not dates:
        return []
    return [
        (
            "the endpoint's event has no date: every event is stamped with the time of its import, "
            f"and the dates in '{dates[0]}' are not taken over"
        )
    ]


def new_id() -> str:
    """Return an id for a run: local date and time, and four hex digits."""
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
