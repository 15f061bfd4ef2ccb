"""Remedies for a record's `when`: words that differ from its constants in case alone, and keys that are often blank."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from etl.mapping.braces import TextError, write_column
from etl.mapping.draft import quote
from etl.mapping.expressions import Expression, parse
from etl.mapping.model import ColumnSource, RecordSpec
from etl.mapping.model import Mapping as MappingSpec
from etl.records import text_series
from etl.remedies.samples import Samples
from etl.report import Remedy

_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")


def conditions(
    mapping: MappingSpec, samples: Samples, near_misses: Mapping[tuple[str, str, str], int], least: int
) -> Iterator[Remedy]:
    """Yield a new line for each condition that misses rows by the case of a word, or lets blank addresses through."""
    for record in mapping.records:
        if record.when is not None:
            yield from _lowered(mapping, record, record.when, near_misses, least)
        yield from _not_blank(mapping, record, samples, least)


def _lowered(
    mapping: MappingSpec,
    record: RecordSpec,
    when: Expression,
    near_misses: Mapping[tuple[str, str, str], int],
    least: int,
) -> Iterator[Remedy]:
    for column in when.columns:
        missed = {key: count for key, count in near_misses.items() if key[0] == column}
        text = _lower(when.text, column, {literal for _, literal, _ in missed})
        rows = sum(missed.values())
        if rows < least or text is None:
            continue
        mended = sum(count for (_, literal, variant), count in missed.items() if _takes(text, column, variant))
        if mended * 2 > rows:
            yield _line(mapping, record, text, "near-miss", mended, rows)


def _lower(text: str, column: str, literals: set[str]) -> str | None:
    """Return the condition with `column` read in small letters and compared with small letters; None if it can't be."""
    name = rf"\{{\s*{re.escape(column)}\s*\}}" + (rf"|\b{re.escape(column)}\b" if column.isidentifier() else "")
    parts = _QUOTED.split(text)
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = part[0] + part[1:-1].lower() + part[-1] if part[1:-1] in literals else part
        else:
            parts[place] = re.sub(name, lambda match: f"lower({match.group()})", part)
    changed = "".join(parts)
    try:
        parse(changed)
    except TextError:
        return None
    return None if changed == text else changed


def _takes(text: str, column: str, variant: str) -> bool:
    """Whether the new condition sees `variant` as the old one sees the constant that it nearly is."""
    new = parse(text)
    return not new.near_misses(lambda name: text_series([variant if name == column else ""]))


def _not_blank(mapping: MappingSpec, record: RecordSpec, samples: Samples, least: int) -> Iterator[Remedy]:
    """Yield the condition that leaves out rows without what the endpoint requires."""
    for spec in record.fields:
        field = record.action.field(spec.path)
        sample = samples.by_kind.get((record.number, spec.path, "required"))
        if sample is None or field is None or not field.required or not isinstance(spec.source, ColumnSource):
            continue
        if sample.rows >= least:
            told = f"{write_column(sample.binding.header[sample.position])} is not blank"
            text = told if record.when is None else f"({record.when.text}) and {told}"
            yield _line(mapping, record, text, "required", sample.rows, sample.rows, spec.path)


def _line(
    mapping: MappingSpec, record: RecordSpec, text: str, code: str, mended: int, rows: int, path: str = "when"
) -> Remedy:
    line = record.when_line or record.line
    return Remedy(
        where=f"{mapping.file}:{line}", line=f"when: {quote(text)}", record=record.number, field=path, code=code,
        mended=mended, tried=rows, rows=rows,
    )  # fmt: skip
