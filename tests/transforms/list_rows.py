"""Lists as rows of items, and back; which rows of an outcome failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from etl.records import Lists, Mask, text_series
from etl.transforms import Outcome


def lists_of(rows: Sequence[Sequence[str]], index: pd.Index[Any] | None = None) -> Lists:
    """Return rows of items as `Lists`; `index` defaults to a RangeIndex."""
    owner = np.repeat(np.arange(len(rows), dtype=np.int64), [len(row) for row in rows])
    items = text_series([item for row in rows for item in row])
    return Lists(items, owner, pd.RangeIndex(len(rows)) if index is None else index)


def rows_of(lists: Lists) -> list[list[str]]:
    """Return the items row by row, one list per row of the index."""
    rows: list[list[str]] = [[] for _ in range(len(lists.index))]
    for place, item in zip(lists.owner.tolist(), lists.items.tolist(), strict=True):
        rows[place].append(item)
    return rows


def failed_rows(outcome: Outcome) -> Mask:
    """Return one bool per row: whether its cell, or one of its items, failed."""
    values = outcome.values
    rows = len(values.index)
    if outcome.failed is None:
        return np.zeros(rows, dtype=np.bool_)
    if not isinstance(values, Lists):
        return outcome.failed
    counts: Mask = np.bincount(values.owner[outcome.failed], minlength=rows) > 0
    return counts
