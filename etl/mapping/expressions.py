"""Conditions over columns (`when:`), parsed by our own grammar and evaluated on whole columns; never by eval.

Stub of the interface until the parser stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from etl.records import Mask

Lookup = Callable[[str], "pd.Series[str]"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`truth`: rows for which the condition holds; `failed`: rows on which it cannot be evaluated."""

    truth: Mask
    failed: Mask
    detail: str = ""


class Expression:
    """A parsed condition. `text` as written; `columns` the names it uses, in order of appearance."""

    text: str
    columns: tuple[str, ...]

    def evaluate(self, lookup: Lookup) -> Verdict:
        """Evaluate on raw cells (trimmed here, case-sensitive); `lookup` gives the column of a name."""
        raise NotImplementedError
