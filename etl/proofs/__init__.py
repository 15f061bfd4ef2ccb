"""Dates and amounts by proof over the whole column: which of two ways of writing them every cell agrees with.

`3/4/2024` and `1,234` mean two things each. Where a mapping leaves open which, the column itself is asked, all of it,
before anything else is read: a way that cannot read what the other can is out. If one is left it is used, and the
cell that proves it is named; if both are, the column is refused. Where a mapping pins the way, a column that proves
the other one stops the run. Cells that the file holds as typed are no evidence: they read one way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etl import transforms
from etl.errors import SourceError
from etl.mapping import Binding, Mapping
from etl.mapping.chain import through
from etl.mapping.model import AllSource, FieldSpec, TransformCall
from etl.proofs.evidence import Amounts, Evidence, Way
from etl.proofs.questions import Question, questions
from etl.proofs.told import Refusal, Teller
from etl.records import Chunk, Lists, Mask, Rows

ReadColumns = Callable[[Sequence[int]], Generator[Chunk, None, None]]
"""Reads a table anew, with the cells of the columns at these positions."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What one table's columns prove. `mapping`: with the chains that hold for it; `notes`: sentences for a person.

    `refusals`: why it cannot be run.
    """

    mapping: Mapping
    notes: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def prove(
    mapping: Mapping, binding: Binding, columns: int | Sequence[int], read: ReadColumns, *, quotes: bool = True
) -> Proof:
    """Return what the table proves about the columns that `mapping` leaves open or pins.

    `quotes`: whether what is told of it quotes cells. Reads nothing where there are none, and no further than the
    proof needs. Raises SourceError.
    """
    asked = questions(mapping, binding)
    if not asked:
        return Proof(mapping)
    found = _gather(asked, read)
    teller = Teller(mapping, binding.header, columns, quotes)
    notes: list[str] = []
    refusals: list[Refusal] = []
    proven: dict[int, dict[int, tuple[TransformCall, ...]]] = {}
    for question in asked:
        evidence = found[question.subject]
        way = evidence.sides.way
        notes += teller.notes(question, evidence)
        if question.pin is not None:
            if way in {Way.FIRST, Way.SECOND} and way.value != question.pin:
                refusals.append(teller.contradicted(question, evidence))
        elif way is Way.UNKNOWN:
            refusals.append(teller.ambiguous(question, evidence))
        else:
            arguments = _arguments(question, evidence)
            if arguments != question.call.arguments:
                proven.setdefault(id(question.part), {})[question.position] = question.calls(arguments)
    return Proof(_completed(mapping, proven), tuple(dict.fromkeys(notes)), tuple(refusals))


def refused(found: Sequence[tuple[str, Refusal]]) -> SourceError:
    """Return the error that tells of all refusals, at least one, each with the table (`where`) that it is about."""
    hint = "\n  ".join(dict.fromkeys("\n    ".join(one.hint) for _, one in found))
    told = list(dict.fromkeys((where, one.message) for where, one in found))
    code = found[0][1].code
    if len(told) == 1:
        return SourceError(told[0][1], code=code, where=told[0][0], hint=hint)
    lines = [f"{len(told)} columns are not read:", *(f"{where}: {message}" for where, message in told)]
    return SourceError("\n".join(lines), code=code, hint=hint)


def _gather(asked: Sequence[Question], read: ReadColumns) -> dict[str, Evidence]:
    pending = {question.subject: question for question in asked}
    found = {subject: question.evidence() for subject, question in pending.items()}
    # A reader may hold a process that has to end where a proof is complete before the table is.
    with closing(read(sorted({question.position for question in asked}))) as chunks:
        for chunk in chunks:
            usable = _usable(chunk)
            for subject, question in pending.items():
                _look(question, found[subject], chunk, usable)
            pending = {subject: one for subject, one in pending.items() if not found[subject].is_settled(one.pin)}
            if not pending:
                break
    return found


def _usable(chunk: Chunk) -> Mask:
    """Return the rows that give evidence: not blank, not left out, and read without a fault of the whole row."""
    usable = ~chunk.blank
    for mask in chunk.left_out.values():
        usable &= ~mask
    broken = [fault.row for fault in chunk.faults if fault.column is None]
    return usable & ~np.isin(chunk.rows, broken) if broken else usable


def _look(question: Question, evidence: Evidence, chunk: Chunk, usable: Mask) -> None:
    position = question.position
    broken = [fault.row for fault in chunk.faults if fault.column == position]
    keep = usable & ~np.isin(chunk.rows, broken) if broken else usable
    column: pd.Series[str] | Lists = chunk.cells[position][keep].reset_index(drop=True)
    rows: Rows = chunk.rows[keep]
    typed = chunk.typed.get(position)
    typed = None if typed is None else typed[keep]
    for call in question.part.transforms[: question.index]:
        outcome, typed = through(call, column, typed)
        column = transforms.passed(outcome)
    if isinstance(column, Lists):
        evidence.look(column.items, rows[column.owner], None)
    else:
        evidence.look(column, rows, typed)


def _arguments(question: Question, evidence: Evidence) -> dict[str, Any]:
    """Return the arguments of a call that left the way open, for a column that does not."""
    way = evidence.sides.way
    if way is Way.MIXED:
        return question.unanswered()
    signs = ""
    if isinstance(evidence, Amounts):
        signs = "".join(sorted(evidence.signs[0 if way is Way.SAME else way.value]))
    if way is Way.SAME and not signs:
        return dict(question.call.arguments)
    return question.answered(0 if way is Way.SAME else way.value, signs)


def _completed(mapping: Mapping, proven: dict[int, dict[int, tuple[TransformCall, ...]]]) -> Mapping:
    """Return the mapping with the chains that are `proven`, by the identity of their spec and by column."""
    if not proven:
        return mapping

    def complete(spec: FieldSpec) -> FieldSpec:
        update: dict[str, Any] = {"proven": proven[id(spec)]} if id(spec) in proven else {}
        if isinstance(spec.source, AllSource):
            parts = tuple(map(complete, spec.source.specs))
            update["source"] = spec.source.model_copy(update={"specs": parts})
        return spec.model_copy(update=update) if update else spec

    records = tuple(
        record.model_copy(
            update={
                "fields": tuple(map(complete, record.fields)),
                "attributes": tuple(map(complete, record.attributes)),
            }
        )
        for record in mapping.records
    )
    group_key = None if mapping.group_key is None else complete(mapping.group_key)
    return mapping.model_copy(update={"records": records, "group_key": group_key})
