"""Many bad cells of one kind → the line of the mapping that would mend them, tried on the cells before it is offered.

Nothing is guessed: a line is proposed only if the changed chain, run as `prepare` runs it, mends most of the bad cells
that were kept, and leaves what good cells give as it is; and not at all where two lines mend as many and read them
differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from etl.damage import spoiled
from etl.issues import IssueBatch, Judge
from etl.mapping.apply import Cells, columns_of
from etl.mapping.model import Blank, ColumnSource, FieldSpec, RecordSpec
from etl.mapping.model import Mapping as MappingSpec
from etl.mapping.spec_text import written
from etl.records import Severity, cell_frame, text_series
from etl.remedies.conditions import conditions
from etl.remedies.ideas import Idea, Setting, ideas
from etl.remedies.samples import Sample, Samples
from etl.report import Remedy
from etl.schemas import judge

MOST_KINDS = 10
"""Kinds of issues that are looked at, the most frequent first."""
LEAST_ROWS = 3
"""Bad rows below which the cells themselves are the place to mend."""
_MOST, _UNTOUCHED = 0.5, 0.98


@dataclass(frozen=True, slots=True)
class _Result:
    """What a chain makes of values: `values`, None where nothing; `faults`: the codes of each, with their severity."""

    values: list[object]
    faults: list[dict[str, Severity]]


@dataclass(frozen=True, slots=True)
class _Tried:
    idea: Idea
    mended: int
    gives: dict[str, object]


def remedies(
    mapping: MappingSpec, samples: Samples, near_misses: Mapping[tuple[str, str, str], int]
) -> tuple[Remedy, ...]:
    """Return the lines that are worth pasting, those that mend the most rows first.

    `near_misses`: rows by (column, constant of a condition, what stands there instead).
    """
    frequent = sorted(samples.by_kind.values(), key=lambda sample: -sample.rows)[:MOST_KINDS]
    found = list(conditions(mapping, samples, near_misses, LEAST_ROWS))
    for sample in frequent:
        record = sample.spec
        spec = _spec(record, sample)
        if spec is not None and sample.rows >= LEAST_ROWS:
            found += _of_field(mapping, record, spec, sample, samples)
    best: dict[tuple[str, str], Remedy] = {}
    for remedy in sorted(found, key=lambda one: -one.rows):
        # Of two lines for one field the one that mends more: pasted one over the other, they would not add up.
        best.setdefault((remedy.where, remedy.line.partition(":")[0]), remedy)
    return tuple(best.values())


def mends(sample: Sample, cells: Sequence[str]) -> list[bool]:
    """Return for each of `cells` whether it would be right where the sample's bad cells are: a value, and no error."""
    spec = _spec(sample.spec, sample)
    if spec is None:
        return [False] * len(cells)
    result = _run(sample.spec, spec, sample, list(cells))
    return [
        value is not None and not _errors(faults) and sample.code not in faults
        for value, faults in zip(result.values, result.faults, strict=True)
    ]


def _spec(record: RecordSpec, sample: Sample) -> FieldSpec | None:
    """Return the spec of the sample's field, with what its cells have proved, if one column feeds it and no more."""
    for spec in (*record.fields, *record.attributes):
        if spec.path == sample.path and isinstance(spec.source, ColumnSource):
            chain = spec.proven.get(sample.position, spec.transforms)
            return spec.model_copy(update={"transforms": chain, "proven": {}})
    return None


def _of_field(
    mapping: MappingSpec, record: RecordSpec, spec: FieldSpec, sample: Sample, samples: Samples
) -> Iterator[Remedy]:
    good = list(samples.good.get((sample.record, sample.path), ()))
    setting = Setting(record, spec, sample, good, samples)
    known = _run(record, spec, sample, good)
    tried = [_try(idea, record, sample, good, known) for idea in ideas(setting)]
    kept = [one for one in tried if one is not None]
    if not kept:
        return
    best = max(kept, key=lambda one: (one.mended, -len(one.idea.spec.transforms)))
    total = sum(sample.bad.values())
    rivals = [one for one in kept if one.idea.reading and one.mended == best.mended]
    if best.mended <= _MOST * total or (best.idea.reading and any(not _agree(best, one) for one in rivals)):
        return
    yield Remedy(
        where=f"{mapping.file}:{spec.line}", line=_line(record, best.idea.spec), record=sample.record,
        field=sample.path, code=sample.code, mended=best.mended, tried=total, rows=sample.rows,
    )  # fmt: skip


def _line(record: RecordSpec, spec: FieldSpec) -> str:
    field = record.action.field(spec.path)
    if field is not None and field.required:
        # The endpoint says so already.
        spec = spec.model_copy(update={"blank": Blank.SKIP})
    return written(spec)


def _agree(one: _Tried, other: _Tried) -> bool:
    return all(other.gives.get(value, given) == given for value, given in one.gives.items())


def _try(idea: Idea, record: RecordSpec, sample: Sample, good: list[str], known: _Result) -> _Tried | None:
    """Return what `idea` mends; None if that is nothing, or if it changes what good cells give."""
    if good:
        after = _run(record, idea.spec, sample, good)
        same = sum(
            old == new and not _errors(faults)
            for old, new, faults in zip(known.values, after.values, after.faults, strict=True)
        )
        if same < _UNTOUCHED * len(good):
            return None
    bad = list(sample.bad)
    result = _run(record, idea.spec, sample, bad)
    gives = {
        cell: value
        for cell, value, faults in zip(bad, result.values, result.faults, strict=True)
        if not _errors(faults) and sample.code not in faults and (value is not None or idea.may_blank)
    }
    return _Tried(idea, sum(sample.bad[cell] for cell in gives), gives) if gives else None


def _errors(faults: Mapping[str, Severity]) -> bool:
    return Severity.ERROR in faults.values()


def _run(record: RecordSpec, spec: FieldSpec, sample: Sample, values: list[str]) -> _Result:
    """Run the field's chain, its policy for blanks and the schema on cells, as a run would."""
    text = text_series(values)
    frame = cell_frame({sample.position: text}, text.index)
    columns, issues = columns_of(record, (spec,), Cells(frame, {}, spoiled(frame)), sample.binding)
    issues += judge(record.action, Judge(record.number, record.checks), columns)
    return _Result(columns[0].values.to_pylist(), _by_place(issues, len(values)))


def _by_place(issues: list[IssueBatch], count: int) -> list[dict[str, Severity]]:
    found: list[dict[str, Severity]] = [{} for _ in range(count)]
    for batch in issues:
        for place in batch.places.tolist():
            found[place][batch.code] = batch.severity
    return found
