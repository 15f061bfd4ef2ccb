"""Text to text by lists of values: defaults, blanks, look-ups, yes and no.

White space around a cell does not count when it is compared with a listed value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import text_series
from etl.transforms.arguments import File, Pair, Pairs, Words
from etl.transforms.columns import EDGES, as_mask, is_blank, to_arrow
from etl.transforms.registry import Example, Outcome, transform
from etl.transforms.tables import TableError, read_pairs

TRUE_WORDS = ("true", "t", "yes", "y", "on", "1", "tak", "prawda", "ja", "j", "wahr", "sant")
FALSE_WORDS = ("false", "f", "no", "n", "off", "0", "nie", "fałsz", "nein", "falsch", "nej", "falskt")
"""In English, Polish, German and Swedish."""


@transform(
    sees_blanks=True,
    fills_empty_lists=True,
    example=(Example({"value": "unknown"}, "", "unknown"), Example({"value": "unknown"}, "PL", "PL")),
)
def default(text: pd.Series[str], *, value: str) -> pd.Series[str]:
    """Put the value given where the cell is blank; on a list, as the one item of a row that has none."""
    return text_series(pc.if_else(pa.array(is_blank(text)), value, to_arrow(text)), text.index)


@transform(
    sees_blanks=True,
    example=(
        Example({"values": ["-", "n/a"]}, "n/a", ""),
        Example({"values": ["n/a"], "ignore_case": "true"}, "N/A", ""),
    ),
)
def blank_if(text: pd.Series[str], *, values: Words, ignore_case: bool = False) -> pd.Series[str]:
    """Empty the cell where it is one of the values that stand for "nothing"."""
    keys = _keys(text, ignore_case)
    listed = _keys(text_series(values), ignore_case)
    return text_series(pc.if_else(pc.is_in(keys, value_set=listed), "", to_arrow(text)), text.index)


def _check_map(arguments: dict[str, Any], base: Path) -> Iterator[str]:
    if ("values" in arguments) == ("file" in arguments):
        yield "`map` needs either 'values' (`value: result` pairs) or 'file' (a CSV file with two columns)"
        return
    if "file" in arguments:
        try:
            arguments["values"] = read_pairs(base, arguments.pop("file"))
        except TableError as problem:
            yield f"`map`, argument 'file': {problem}"
            return
    yield from _clashes(arguments["values"], arguments.get("ignore_case", False))


def _clashes(values: Mapping[str, str], ignore_case: bool) -> Iterator[str]:
    seen: dict[str, str] = {}
    keys = _keys(text_series(list(values)), ignore_case).to_pylist()
    for key, (value, result) in zip(keys, values.items(), strict=True):
        other = seen.setdefault(key, value)
        if other != value and values[other] != result:
            results = f"'{values[other]}' and '{result}'"
            yield f"`map`: '{other}' and '{value}' are the same value, with the results {results}"


@transform(
    name="map",
    code="not-in-map",
    check=_check_map,
    example=(
        Example({"values": {"K": "female", "M": "male"}}, "K", "female"),
        Example({"values": {"K": "female"}, "else": "unknown"}, "?", "unknown"),
    ),
)
def map_(
    text: pd.Series[str],
    *,
    values: Pairs | None = None,
    file: File | None = None,
    else_: str | None = None,
    ignore_case: bool = False,
) -> Outcome:
    """Look up the cell's value, and put the result listed for it in the mapping (`values`) or in a CSV file.

    The file has a header, the value in its first column and the result in its second. A value that is not listed
    becomes `else`, and fails where there is none. A blank result makes the cell blank.
    """
    if values is None or file is not None:
        raise AssertionError("BUG: map was given arguments that check_arguments has not seen")
    listed = _keys(text_series(list(values)), ignore_case)
    places = pc.index_in(_keys(text, ignore_case), value_set=listed)
    results = pa.array(list(values.values()), type=pa.large_string()).take(places)
    found = text_series(pc.fill_null(results, else_ or ""), text.index)
    return Outcome(found, as_mask(pc.is_null(places)) if else_ is None else None)


def _check_boolean(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    yes = set(_folded(arguments.get("true", ())))
    for word, key in zip(arguments.get("false", ()), _folded(arguments.get("false", ())), strict=True):
        if key in yes:
            yield f"`boolean`: '{word}' is in both lists, 'true' and 'false'"
    if len(set(arguments.get("output", "ab"))) < 2:
        yield "`boolean`, argument 'output': expected two different texts, for yes and for no"


@transform(
    code="not-a-boolean",
    check=_check_boolean,
    example=(
        Example({}, "Tak", "true"),
        Example({}, "nein", "false"),
        Example({"true": "x", "false": ["-"], "output": ["yes", "no"]}, "X", "yes"),
    ),
)
def boolean(
    text: pd.Series[str],
    *,
    true: Words = TRUE_WORDS,
    false: Words = FALSE_WORDS,
    output: Pair = ("true", "false"),
) -> Outcome:
    """Write `true` or `false`, from the words for yes and no in English, Polish, German and Swedish.

    `true` and `false` list words of your own instead; `output` gives two other results. Capitals do not matter; a
    word that is in neither list fails.
    """
    # A word that the mapping lists on one side is not taken from the usual words of the other.
    sides = dict.fromkeys(_folded(false), output[1])
    sides.update({word: output[0] for word in _folded(true) if true is not TRUE_WORDS or word not in sides})
    places = pc.index_in(_keys(text, True), value_set=pa.array(list(sides), type=pa.large_string()))
    results = pa.array(list(sides.values()), type=pa.large_string()).take(places)
    return Outcome(text_series(pc.fill_null(results, ""), text.index), as_mask(pc.is_null(places)))


def _keys(text: pd.Series[str], ignore_case: bool) -> Any:
    trimmed = pc.utf8_trim(to_arrow(text), characters=EDGES)
    return pc.utf8_lower(trimmed) if ignore_case else trimmed


def _folded(words: tuple[str, ...]) -> list[str]:
    """Return listed words as `_keys` spells cells: by the same code, since notions of small letters differ."""
    folded: list[str] = _keys(text_series(words), ignore_case=True).to_pylist()
    return folded
