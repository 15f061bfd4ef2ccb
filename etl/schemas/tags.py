"""Tag rules: lengths, commas, and tags that the endpoint will store as one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa
import pyarrow.compute as pc

from etl.columns import Column
from etl.issues import IssueBatch, Judge, as_text
from etl.records import TEXT, Rows, text_series
from etl.schemas import checks
from etl.schemas.checks import Rule
from etl.transforms.contact import as_stored

_COMMA = Rule("tag-comma", lambda values: ~np.asarray(pc.match_substring(values, ",")))


def judge(judge: Judge, column: Column) -> list[IssueBatch]:
    """Return the issues of a list column's items, each at its row's place; a row's same fault is told once."""
    items = as_text(column.values.flatten())
    if not len(items):
        return []
    owner: Rows = np.asarray(pc.list_parent_indices(column.values), dtype=np.int64)
    return _item_issues(judge, column, items, owner) + _collisions(judge, column, items, owner)


def _item_issues(judge: Judge, column: Column, items: pa.Array, owner: Rows) -> list[IssueBatch]:
    if column.field is None:
        raise AssertionError(f"BUG: {column.path} has no rules")
    rules = (checks.length_rule(column.field), _COMMA)
    schema = pa_schema.SeriesSchema(
        TEXT, [pa_schema.Check(checks.as_series_check(rule), name=rule.code, error=rule.code) for rule in rules]
    )
    # The index is the item's, not the row's: pandera tells failures apart by it, and a row has several items.
    try:
        schema.validate(text_series(items), lazy=True)
    except pa_schema.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return []
    batches = []
    for rule in rules:
        hit = np.sort(cases.loc[cases["check"] == rule.code, "index"].to_numpy(dtype=np.int64))
        _, first = np.unique(owner[hit], return_index=True)
        hit = hit[first]
        if len(hit):
            values = items.take(pa.array(hit))
            details = [rule.detail(value) for value in values.to_pylist()]
            batches.append(
                judge.issue(rule.code, owner[hit], values, field=column.path, columns=column.sources, detail=details)
            )
    return batches


def _collisions(judge: Judge, column: Column, items: pa.Array, owner: Rows) -> list[IssueBatch]:
    stored = as_stored(text_series(items))
    frame = pd.DataFrame({"owner": owner, "stored": stored})
    again = frame.duplicated(["owner", "stored"]).to_numpy()
    hit = np.flatnonzero(again)
    _, first = np.unique(owner[hit], return_index=True)
    hit = hit[first]
    if not len(hit):
        return []
    values = items.take(pa.array(hit))
    details = stored.iloc[hit].to_list()
    return [judge.issue("tag-collision", owner[hit], values, field=column.path, columns=column.sources, detail=details)]
