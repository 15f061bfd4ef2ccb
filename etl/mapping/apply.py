"""Mapping × Chunk → columns of fields + issues: sources, transforms, the blank test and the blank policy.

Pure: chunk in, columns out; it knows no file, no network and no clock. Judging the values is the schemas' part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl import transforms
from etl.codes import CODES
from etl.columns import Column
from etl.contract import FieldType
from etl.damage import Damage, Damages, speaks_of_days, told_words
from etl.issues import IssueBatch, Judge, as_text
from etl.mapping.binding import Binding
from etl.mapping.chain import through
from etl.mapping.model import (
    AllSource,
    Blank,
    ColumnSource,
    DynamicSource,
    FieldSpec,
    RecordSpec,
    TemplateSource,
    TransformCall,
    ValueSource,
)
from etl.records import CellFault, Lists, Mask, Rows, Severity, text_series
from etl.transforms import CATALOGUE, Outcome

GROUP_KEY = "group_key"
_DECIMAL = r"^[+-]?[0-9]+(?:\.[0-9]+)?\z"


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows of a chunk that a record looks at: text columns by position, with the faults found while reading.

    `damages`: what a spreadsheet program had spoiled before; places count in the frame.
    `typed`: by position, bool: the cells that the file itself holds as a number or a date (see `Chunk`).
    """

    frame: pd.DataFrame
    faults: Mapping[int, tuple[tuple[int, CellFault], ...]]
    damages: Damages = field(default_factory=dict)
    typed: Mapping[int, Mask] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(slots=True)
class _Value:
    """A column on its way through the transforms. `failed`: bool, one per row; `typed`: see `chain.through`."""

    column: pd.Series[str] | Lists
    failed: Mask
    typed: Mask | None = None


def columns_of(
    record: RecordSpec, specs: tuple[FieldSpec, ...], cells: Cells, binding: Binding
) -> tuple[list[Column], list[IssueBatch]]:
    """Return the columns that `specs` make of `cells`, dynamic ones one by one, and the issues found on the way.

    The places of the issues count in `cells`.
    """
    made: list[Column] = []
    found: list[IssueBatch] = []
    for spec, name, position in _expand(specs, binding):
        maker = _Maker(record, spec, cells, binding, position)
        made.append(maker.column(name))
        found += maker.issues
    return made, found


def _expand(specs: tuple[FieldSpec, ...], binding: Binding) -> Iterator[tuple[FieldSpec, str, int | None]]:
    """Yield each spec with its outgoing name in flat form; a dynamic spec once per key, with the key's column."""
    for spec in specs:
        if isinstance(spec.source, DynamicSource):
            for key, position in binding.dynamic(spec.source):
                yield spec.model_copy(update={"path": f"{spec.path}.{key}"}), key, position
        else:
            yield spec, spec.outgoing_name, None


class _Maker:
    """Makes one field's column; gathers the issues of its cells."""

    def __init__(
        self, record: RecordSpec, spec: FieldSpec, cells: Cells, binding: Binding, position: int | None
    ) -> None:
        self.record = record
        self.spec = spec
        self.cells = cells
        self.binding = binding
        self.field = record.action.field(spec.path)
        # A field that must be there cannot be left out: its failures stay errors, whatever `checks` says.
        self.demanded = spec.path == GROUP_KEY or (self.field is not None and self.field.required)
        self.must_be = self.demanded or spec.blank is Blank.ERROR
        self.judge = Judge(record.number, {} if self.must_be else record.checks)
        self.issues: list[IssueBatch] = []
        self.position = position
        self.columns = tuple(dict.fromkeys(self._fed_by(spec))) if position is None else (position,)
        self.told: set[int] = set()

    def column(self, name: str) -> Column:
        constant = isinstance(self.spec.source, ValueSource)
        rows = 1 if constant and len(self.cells) else len(self.cells)
        value = self._evaluate(self.spec, rows)
        values, cleared = self._settle(value, rows)
        failed = value.failed
        if constant:
            values = values.take(pa.array(np.zeros(len(self.cells), dtype=np.int64)))
            failed = np.repeat(failed, len(self.cells)) if rows else failed
            self.issues = [_broadcast(batch, len(self.cells)) for batch in self.issues]
            cleared = None if cleared is None else np.repeat(cleared, len(self.cells))
        return Column(self.spec.path, self.field, name, values, failed, self.columns, cleared)

    # ---- sources

    def _fed_by(self, spec: FieldSpec) -> Iterator[int]:
        """Yield the positions of the columns that feed `spec`, in its order; those that are absent are not fed."""
        match spec.source:
            case ColumnSource(names=names):
                found = [self.binding.choose(names)]
            case TemplateSource(parts=parts):
                found = [self.binding.position(part.text) for part in parts if part.is_column]
            case AllSource(specs=specs):
                found = [position for one in specs for position in self._fed_by(one)]
            case _:
                found = []
        yield from (position for position in found if position is not None)

    def _evaluate(self, spec: FieldSpec, rows: int) -> _Value:
        value = self._read(spec, rows)
        for call in self._calls(spec):
            self._transform(value, call, spec)
        return value

    def _calls(self, spec: FieldSpec) -> tuple[TransformCall, ...]:
        if not spec.proven:
            return spec.transforms
        position = self.binding.choose(spec.source.names) if isinstance(spec.source, ColumnSource) else self.position
        return spec.transforms if position is None else spec.proven.get(position, spec.transforms)

    def _read(self, spec: FieldSpec, rows: int) -> _Value:
        match spec.source:
            case ColumnSource(names=names):
                return self._cells_at(self.binding.choose(names), rows, spec)
            case DynamicSource():
                return self._cells_at(self.position, rows, spec)
            case ValueSource(value=text):
                return _Value(text_series([text] * rows), np.zeros(rows, dtype=bool))
            case TemplateSource() as source:
                return self._template(source, rows)
            case AllSource(specs=specs):
                return self._joined([self._evaluate(one, rows) for one in specs], rows)

    def _cells_at(self, position: int | None, rows: int, spec: FieldSpec) -> _Value:
        failed = np.zeros(rows, dtype=bool)
        if position is None:
            return _Value(text_series([""] * rows), failed)
        column = _blank_is_empty(self.cells.frame[position]).reset_index(drop=True)
        for place, fault in self.cells.faults.get(position, ()):
            failed[place] = True
            if position not in self.told:
                self._issue(fault.code, np.array([place]), [fault.value], detail=fault.detail, columns=(position,))
        for damage in self.cells.damages.get(position, ()):
            self._spoiled(damage, position, column, failed, spec)
        # A column that feeds a field twice has its faults told once.
        self.told.add(position)
        return _Value(column, failed, self.cells.typed.get(position))

    def _spoiled(self, damage: Damage, position: int, column: pd.Series[str], failed: Mask, spec: FieldSpec) -> None:
        """Make an issue of each spoiled cell that the mapping does not provide for; where digits are gone, fail it."""
        chain = self.spec.transforms if spec is self.spec else (*spec.transforms, *self.spec.transforms)
        reads_dates = any(call.name == "date" for call in chain)
        if damage.code == "month-for-size" and (
            reads_dates or speaks_of_days(self.binding.header[position], self.spec.path)
        ):
            return
        # What the chain itself names (`blank_if`, `map`) is no surprise to whoever wrote it.
        words = {word.strip().casefold() for call in chain for word in told_words(call.arguments)}
        named = column.iloc[damage.places].str.strip().str.casefold().isin(words).to_numpy(dtype=bool)
        found = damage.only(~failed[damage.places] & ~named)
        if position not in self.told:
            values = column.iloc[found.places]
            self._issue(found.code, found.places, values, detail=found.details, columns=(position,))
        if CODES[found.code].severity is Severity.ERROR:
            failed[found.places] = True

    def _template(self, source: TemplateSource, rows: int) -> _Value:
        failed = np.zeros(rows, dtype=bool)
        blanks: list[Mask] = []
        pieces: list[pa.Array | str] = []
        for part in source.parts:
            if not part.is_column:
                pieces.append(part.text)
                continue
            value = self._cells_at(self.binding.position(part.text), rows, self.spec)
            failed |= value.failed
            text = as_text(value.column)
            pieces.append(text)
            blanks.append(np.asarray(pc.equal(text, "")))
        if not blanks:
            whole = "".join(piece for piece in pieces if isinstance(piece, str)).strip()
            return _Value(text_series([whole] * rows), failed)
        joined = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*pieces, ""))
        blank = np.logical_or.reduce(blanks) if source.blank_parts == "any" else np.logical_and.reduce(blanks)
        return _Value(text_series(pc.if_else(pa.array(blank), "", joined)), failed)

    def _joined(self, parts: list[_Value], rows: int) -> _Value:
        index = pd.RangeIndex(rows)
        lists = [_as_lists(part.column, index) for part in parts]
        owner = np.concatenate([one.owner for one in lists]) if lists else np.empty(0, dtype=np.int64)
        items = pa.concat_arrays([as_text(one.items) for one in lists])
        order = np.argsort(owner, kind="stable")
        joined = Lists(text_series(items.take(pa.array(order))), owner[order], index)
        failed = np.logical_or.reduce([part.failed for part in parts])
        return _Value(_without_repeats(joined), failed)

    # ---- transforms

    def _transform(self, value: _Value, call: TransformCall, spec: FieldSpec) -> None:
        outcome, value.typed = through(call, value.column, value.typed)
        if outcome.failed is not None and outcome.failed.any():
            columns = self.columns if spec is self.spec else tuple(dict.fromkeys(self._fed_by(spec)))
            self._fail(value, call.name, outcome, columns)
        value.column = transforms.passed(outcome)

    def _fail(self, value: _Value, name: str, outcome: Outcome, columns: tuple[int, ...]) -> None:
        """Make an issue of each cell (of each row of a list: its first item) that failed, unless the row has one."""
        code = CATALOGUE[name].code
        if code is None or outcome.failed is None:
            raise AssertionError(f"BUG: transform {name!r} fails cells but has no code")
        hit = np.flatnonzero(outcome.failed)
        column = outcome.values
        places: Rows = column.owner[hit] if isinstance(column, Lists) else hit.astype(np.int64)
        _, first = np.unique(places, return_index=True)
        fresh = first[~value.failed[places[first]]]
        given = column.items if isinstance(column, Lists) else column
        told = hit[fresh]
        self._issue(code, places[fresh], given.iloc[told], detail=outcome.details_at(told), columns=columns)
        value.failed[places] = True

    # ---- blank test and policy

    def _settle(self, value: _Value, rows: int) -> tuple[pa.Array, Mask | None]:
        as_list = self.field is not None and self.field.type is FieldType.LIST
        if as_list:
            value.column = _without_repeats(_as_lists(value.column, pd.RangeIndex(rows)))
        if isinstance(value.column, Lists):
            array = _list_array(value.column, rows)
            blank = np.asarray(pc.equal(pc.list_value_length(array), 0)) & ~value.failed
        else:
            self._convert(value)
            array = as_text(_blank_is_empty(value.column))
            blank = np.asarray(pc.equal(array, "")) & ~value.failed
        if value.failed.any():
            array = pc.if_else(pa.array(value.failed), pa.scalar(None, array.type), array)
        return self._blank_policy(array, blank)

    def _convert(self, value: _Value) -> None:
        """Fail what is no plain decimal in a Float field; the text itself is kept, with all its digits."""
        if self.field is None or self.field.type is not FieldType.FLOAT or isinstance(value.column, Lists):
            return
        text = as_text(value.column)
        wrong = ~np.asarray(pc.match_substring_regex(text, _DECIMAL)) & np.asarray(pc.not_equal(text, ""))
        if wrong.any():
            places = np.flatnonzero(wrong).astype(np.int64)
            self._issue("not-a-number", places, value.column[wrong])
            value.failed |= wrong
            value.column = value.column.mask(wrong, "")

    def _blank_policy(self, array: pa.Array, blank: Mask) -> tuple[pa.Array, Mask | None]:
        if not blank.any():
            return array, None
        policy = self._policy()
        if policy is Blank.CLEAR:
            return array, blank
        if policy is Blank.ERROR:
            places = np.flatnonzero(blank).astype(np.int64)
            self._issue(self._blank_code(), places, [""] * len(places))
        fill: object = None
        if policy is Blank.DEFAULT:
            fill = [self.spec.default] if pa.types.is_list(array.type) else self.spec.default
        return pc.if_else(pa.array(blank), pa.scalar(fill, array.type), array), None

    def _policy(self) -> Blank:
        policy = self.spec.blank
        if self.demanded and policy is not Blank.DEFAULT:
            return Blank.ERROR
        # Where the file has none of an optional field's columns there is no cell to be blank: nothing is cleared, and
        # nothing is missing (mapping language: `required` speaks of cells).
        no_cell = self.spec.optional and not self.columns
        return Blank.SKIP if no_cell and policy in {Blank.CLEAR, Blank.ERROR} else policy

    def _blank_code(self) -> str:
        return "group-key-blank" if self.spec.path == GROUP_KEY else "required"

    def _issue(
        self,
        code: str,
        places: Rows,
        values: object,
        *,
        detail: str | list[str] = "",
        columns: tuple[int, ...] | None = None,
    ) -> None:
        if len(places):
            fed_by = self.columns if columns is None else columns
            self.issues.append(
                self.judge.issue(code, places, values, field=self.spec.path, columns=fed_by, detail=detail)
            )


def _broadcast(batch: IssueBatch, rows: int) -> IssueBatch:
    """Return the issue of a constant as one of every row."""
    zeros = pa.array(np.zeros(rows, dtype=np.int64))
    places = np.arange(rows, dtype=np.int64)
    return replace(batch, places=places, values=batch.values.take(zeros), messages=batch.messages.take(zeros))


def _blank_is_empty(column: pd.Series[str]) -> pd.Series[str]:
    """Return the column with "" for every cell of white space (or of signs without a width) alone."""
    blank = transforms.is_blank(column)
    return column.mask(blank, "") if blank.any() else column


def _as_lists(column: pd.Series[str] | Lists, index: pd.Index[int]) -> Lists:
    """Return text as lists of one item; a blank is a list of none."""
    if isinstance(column, Lists):
        return column
    owner = np.flatnonzero((column != "").to_numpy()).astype(np.int64)
    return Lists(column.iloc[owner].reset_index(drop=True), owner, index)


def _without_repeats(column: Lists) -> Lists:
    """Return the lists without blank items and without an item's second occurrence in its row."""
    keep = transforms.without_repeats(column)
    if keep.all():
        return column
    return Lists(column.items[keep].reset_index(drop=True), column.owner[keep], column.index)


def _list_array(column: Lists, rows: int) -> pa.Array:
    """Return the lists as an Arrow list<string> array of `rows` lists, none of them null."""
    offsets = np.searchsorted(column.owner, np.arange(rows + 1))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), as_text(column.items))
