"""One step of a field's transforms, as it is taken wherever a chain is run: cells that the file holds as typed apart.

A workbook's 1234.5 is a number however the mapping says that the texts of its column are written.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl import transforms
from etl.issues import as_text
from etl.mapping.model import TransformCall
from etl.records import Lists, Mask, text_series
from etl.transforms import Outcome

_SIGNS = {"number": frozenset({"decimal", "thousands"}), "integer": frozenset({"thousands"})}
"""The arguments that say how numbers are written as text."""


def through(call: TransformCall, column: pd.Series[str] | Lists, typed: Mask | None) -> tuple[Outcome, Mask | None]:
    """Return what a step of a chain makes of `column`, and which of its cells are still as the file holds them.

    `typed`: bool, one per cell, the cells that the file holds as a number or a date; None for none. Their text is
    canonical, so the signs that the mapping names for text do not hold for them.
    """
    outcome = transforms.apply(call.name, column, call.arguments)
    if typed is None or isinstance(column, Lists):
        return outcome, None
    signs = _SIGNS.get(call.name, frozenset()) & call.arguments.keys()
    if signs and typed.any():
        canonical = {name: value for name, value in call.arguments.items() if name not in signs}
        outcome = _with_part(outcome, transforms.apply(call.name, column[typed], canonical), typed)
    if isinstance(outcome.values, Lists):
        return outcome, None
    typed = typed & np.asarray(pc.equal(as_text(column), as_text(outcome.values)))
    return outcome, typed if typed.any() else None


def _with_part(outcome: Outcome, part: Outcome, where: Mask) -> Outcome:
    """Return `outcome` with that of the cells at `where` replaced by `part`."""
    if isinstance(outcome.values, Lists) or isinstance(part.values, Lists):
        raise AssertionError("BUG: a transform of numbers gave a list")
    values = pc.replace_with_mask(as_text(outcome.values), pa.array(where), as_text(part.values))
    failed = np.zeros(len(where), dtype=bool) if outcome.failed is None else outcome.failed.copy()
    failed[where] = False if part.failed is None else part.failed
    return replace(outcome, values=text_series(values, outcome.values.index), failed=failed)
