"""How often each field of a mapping has a value, and where it comes from, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from etl.mapping.binding import Binding
from etl.mapping.braces import write_column
from etl.mapping.model import (
    AllSource,
    Blank,
    ColumnSource,
    DynamicSource,
    FieldSpec,
    Mapping,
    RecordSpec,
    TemplateSource,
    ValueSource,
)
from etl.pipeline import Prepared
from etl.report import FieldFill

MOST_KEYS = 50
"""Keys of a dynamic field that are told one by one; those of a wider one together."""
_FEW_COLUMNS = 4


@dataclass(slots=True)
class Fills:
    """Counts, chunk by chunk: rows for which each record's condition is true, and those with a value, by field."""

    rows: Counter[int] = field(default_factory=Counter)
    filled: Counter[tuple[int, str]] = field(default_factory=Counter)

    def take(self, prepared: Prepared) -> None:
        """Count the rows of a chunk."""
        for record in prepared.records:
            number = record.spec.number
            self.rows[number] += record.looked_at
            for path, count in record.filled.items():
                self.filled[number, path] += count

    def found(self, mapping: Mapping, bindings: Sequence[Binding]) -> tuple[FieldFill, ...]:
        """Return the fields in the mapping's order; `bindings`: of the tables that were read.

        A dynamic field is told key by key. One of more than MOST_KEYS keys is told as a whole, `properties.*`: cells
        with a value, of all its cells.
        """
        return tuple(
            fill
            for record in mapping.records
            for spec in (*record.fields, *record.attributes)
            for fill in self._of_field(record, spec, bindings)
        )

    def _of_field(self, record: RecordSpec, spec: FieldSpec, bindings: Sequence[Binding]) -> Iterator[FieldFill]:
        if not isinstance(spec.source, DynamicSource):
            yield self._fill(record, spec, spec.path, source_of(spec, bindings))
            return
        names: dict[str, list[str]] = {}
        for binding in bindings:
            for key, position in binding.dynamic(spec.source):
                names.setdefault(key, []).append(binding.header[position])
        if len(names) <= MOST_KEYS:
            for key, columns in names.items():
                yield self._fill(record, spec, f"{spec.path}.{key}", _columns(columns))
            return
        rows = self.rows[record.number] * len(names)
        filled = sum(self.filled[record.number, f"{spec.path}.{key}"] for key in names)
        yield _made(record, spec, f"{spec.path}.*", f"{len(names):,} columns", filled, rows)

    def _fill(self, record: RecordSpec, spec: FieldSpec, path: str, source: str) -> FieldFill:
        return _made(record, spec, path, source, self.filled[record.number, path], self.rows[record.number])


def _made(record: RecordSpec, spec: FieldSpec, path: str, source: str, filled: int, rows: int) -> FieldFill:
    contract = record.action.field(spec.path)
    required = spec.blank is Blank.ERROR or (contract is not None and contract.required)
    names = tuple(dict.fromkeys(_transforms(spec)))
    return FieldFill(record.number, record.action.name, path, source, names, filled, rows, required)


def _transforms(spec: FieldSpec) -> Iterator[str]:
    if isinstance(spec.source, AllSource):
        for one in spec.source.specs:
            yield from _transforms(one)
    yield from (call.name for call in spec.transforms)


def source_of(spec: FieldSpec, bindings: Sequence[Binding] = ()) -> str:
    """Return where a field comes from, in words: `column "E-mail"`, `template "{First name}"`, `constant PURCHASE`.

    Of alternative columns those that the tables have; an optional column that none has is said to be missing.
    """
    match spec.source:
        case ColumnSource(names=names):
            found = [binding.header[at] for binding in bindings if (at := binding.choose(names)) is not None]
            return _columns(found) if found else f"{_columns(names[:1])} (not in the file)"
        case TemplateSource(parts=parts):
            return f'template "{"".join(write_column(p.text) if p.is_column else p.text for p in parts)}"'
        case ValueSource(value=text):
            return f"constant {text}"
        case AllSource(specs=specs):
            return " and ".join(source_of(one, bindings) for one in specs)
        case DynamicSource():
            raise AssertionError("BUG: a dynamic field has as many sources as keys")


def _columns(names: Iterable[str]) -> str:
    different = list(dict.fromkeys(names))
    if len(different) > _FEW_COLUMNS:
        return f"{len(different)} columns"
    return "column " + " or ".join(f'"{name}"' if name else "without a name" for name in different)
