"""Text to list and back: one cell holds several values, as tags do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import Lists, text_series
from etl.transforms.arguments import Expected, NonEmpty
from etl.transforms.columns import EDGES, to_arrow, without_repeats
from etl.transforms.registry import Example, transform

Nth = Annotated[int, Expected("a whole number: 1 for the first, -1 for the last")]


@transform(
    gives="list",
    example=Example({"separator": ";"}, "VIP; Shop;;VIP", ["VIP", "Shop"]),
)
def split(text: pd.Series[str], *, separator: NonEmpty) -> Lists:
    """Make a list of what stands between the separators (plain text), trimmed; empty items and repeats go."""
    pieces = pc.split_pattern(to_arrow(text), pattern=separator)
    items = pc.utf8_trim(pc.list_flatten(pieces), characters=EDGES)
    owner = np.asarray(pc.list_parent_indices(pieces), dtype=np.int64)
    return _tidied(Lists(text_series(items), owner, text.index))


@transform(takes="list", example=Example({"separator": ", "}, ["VIP", "Shop"], "VIP, Shop"))
def join(lists: Lists, *, separator: str = ",") -> pd.Series[str]:
    """Make one text of all items, with a separator (a comma, if none is given) between them."""
    counts = np.bincount(lists.owner, minlength=len(lists.index))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), type=pa.int64())
    rows = pa.LargeListArray.from_arrays(offsets, to_arrow(lists.items))
    return text_series(pc.binary_join(rows, pa.scalar(separator, pa.large_string())), lists.index)


def _check_take(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    if arguments["item"] == 0:
        yield "`take`, argument 'item': items count from 1 (the last is -1), not from 0"


@transform(
    takes="list",
    check=_check_take,
    example=(Example({"item": "1"}, ["VIP", "Shop"], "VIP"), Example({"item": "-1"}, ["VIP", "Shop"], "Shop")),
)
def take(lists: Lists, *, item: Nth) -> pd.Series[str]:
    """Take one item of the list as text: the first is 1, the last -1; blank where the list is shorter."""
    counts = np.bincount(lists.owner, minlength=len(lists.index))
    starts = np.cumsum(counts) - counts
    place = item - 1 if item > 0 else counts + item
    found = (place >= 0) & (place < counts)
    chosen = pa.array(starts + place, mask=~found)
    return text_series(pc.fill_null(to_arrow(lists.items).take(chosen), ""), lists.index)


def _tidied(lists: Lists) -> Lists:
    keep = without_repeats(lists)
    return Lists(lists.items[keep].reset_index(drop=True), lists.owner[keep], lists.index)
