"""Judge the columns of a record with pandera, lazily, in one pass: every bad cell is found, exactly once.

What pandera hides unless used with care (each pinned by a test):
- It masks: one cell that cannot be coerced hides the other faults of its column. Nothing is coerced here; columns
  arrive typed, and a cell that could not be converted is an issue already and absent in the frame.
- Its exception texts hold the values. They are never read; `failure_cases` is.
- Identity rests on the index, so the index is the row's place, unique, and never reset.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa
import pyarrow.compute as pc
from pandera.config import get_config_context

from etl.codes import CODES
from etl.columns import Column, as_floats
from etl.contract import ACTIONS, Action, Field, FieldType
from etl.issues import IssueBatch, Judge
from etl.records import TEXT, Rows, Severity, text_series
from etl.schemas import checks, tags
from etl.schemas.checks import Rule

AS_TEXT = " (text)"
"""Marks the column that holds a Float's decimal text beside the float64 that pandera judges."""
_FINITE = Rule("not-finite", lambda values: np.ones(len(values), dtype=bool))


def rules_of(field: Field | None) -> tuple[Rule, ...]:
    """Return the checks of a field's text, in the order in which they are told; a free attribute has none."""
    if field is None:
        return ()
    if field.type is FieldType.EMAIL:
        return checks.email_rules()
    if field.type is FieldType.FLOAT:
        return checks.number_rules()
    if field.type is FieldType.ENUMERATION:
        return (checks.enumeration_rule(field),)
    return () if field.max_length is None else (checks.length_rule(field),)


def judge(action: Action, judge: Judge, columns: list[Column]) -> list[IssueBatch]:
    """Return the issues of `columns` (all of one length); places count in them."""
    frame, shape = _frame(columns)
    schema = _schema(action.name, shape)
    found = _failures(schema, frame, judge)
    by_name = {column.path: column for column in columns}
    batches: list[IssueBatch] = []
    for (name, code), cases in found.groupby(["column", "check"], sort=False):
        column = by_name[str(name).removesuffix(AS_TEXT)]
        batches.append(_batch(judge, column, str(code), cases))
    for column in columns:
        if column.is_list and column.field is not None:
            batches += tags.judge(judge, column)
    return batches


def _frame(columns: list[Column]) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """Return text columns (NaN is absent) with the row's place as index, and their names and fields' paths."""
    data: dict[str, pd.Series[Any]] = {}
    shape: list[tuple[str, str]] = []
    rows = len(columns[0].values) if columns else 0
    for column in columns:
        if column.is_list:
            continue
        series = text_series(column.values)
        path = column.field.path if column.field else ""
        if column.is_float:
            data[column.path] = pd.Series(as_floats(column.values))
            data[column.path + AS_TEXT] = series
            shape += [(column.path, path), (column.path + AS_TEXT, path)]
        else:
            # A cleared value ("") is right wherever it is allowed: only absent or filled cells are judged.
            data[column.path] = series if column.cleared is None else series.where(series != "")
            shape.append((column.path, path))
    return pd.DataFrame(data, index=pd.RangeIndex(rows)), tuple(shape)


@lru_cache(maxsize=256)
def _schema(action: str, shape: tuple[tuple[str, str], ...]) -> pa_schema.DataFrameSchema:
    """Return the action's schema for the columns at hand: (name in the frame, path in the contract)."""
    return pa_schema.DataFrameSchema(
        {name: _column(ACTIONS[action], name, path) for name, path in shape}, strict=True, coerce=False
    )


def _column(action: Action, name: str, path: str) -> pa_schema.Column:
    field = action.field(path) if path else None
    if field is not None and field.type is FieldType.FLOAT and not name.endswith(AS_TEXT):
        finite = pa_schema.Check(np.isfinite, name=_FINITE.code, error=_FINITE.code)
        return pa_schema.Column("float64", finite, nullable=True)
    found = [pa_schema.Check(checks.as_series_check(r), name=r.code, error=r.code) for r in rules_of(field)]
    return pa_schema.Column(TEXT, found, nullable=True)


def _failures(schema: pa_schema.DataFrameSchema, frame: pd.DataFrame, judge: Judge) -> pd.DataFrame:
    """Return one row a bad cell (place, column, check, failure_case).

    The first check of a cell speaks for it, but an error before a warning: or a warning would let the row be sent.
    """
    if not get_config_context().validation_enabled:
        raise AssertionError("BUG: pandera's validation is switched off (PANDERA_VALIDATION_ENABLED)")
    try:
        schema.validate(frame, lazy=True)
    except pa_schema.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return pd.DataFrame({"column": [], "check": [], "failure_case": [], "index": []})
    if cases["index"].isna().any() or not cases["check"].isin(list(CODES)).all():
        kinds = sorted(set(cases["check"].astype(str)))
        raise AssertionError(f"BUG: pandera reports a fault of no row: {kinds}")
    lenient = [code for code in CODES if judge.severity(code) is not Severity.ERROR]
    cases = cases.assign(cell=cases["column"].str.removesuffix(AS_TEXT), lenient=cases["check"].isin(lenient))
    cases = cases.sort_values(["lenient", "column", "check_number", "index"], kind="stable")
    first: pd.DataFrame = cases.drop_duplicates(["cell", "index"])
    return first


def _batch(judge: Judge, column: Column, code: str, cases: pd.DataFrame) -> IssueBatch:
    places: Rows = cases["index"].to_numpy(dtype=np.int64)
    values = column.values.take(pa.array(places))
    rule = next((rule for rule in rules_of(column.field) if rule.code == code), _FINITE)
    distinct = {value: rule.detail(value) for value in pc.unique(values).to_pylist()}
    details = [distinct[value] for value in values.to_pylist()]
    return judge.issue(code, places, values, field=column.path, columns=column.sources, detail=details)
