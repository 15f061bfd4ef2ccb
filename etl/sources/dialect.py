"""Which sign separates the columns of a text file. Pure: text in, delimiter out."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass

CANDIDATES = ",;\t|"
NO_DELIMITER = "\x1f"
"""Stands for "one column": the unit separator, which no table in text form holds by accident."""

_SAMPLED_RECORDS = 200
_LEAST_AGREEMENT = 0.3
_SEP_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", NO_DELIMITER: "none (one column)"}
_WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """`delimiter`: one character; `has_sep_line`: whether the first line only names it (`sep=;`)."""

    delimiter: str
    has_sep_line: bool

    @property
    def name(self) -> str:
        """The delimiter's name for people."""
        return _NAMES.get(self.delimiter, self.delimiter)


def delimiter_of(text: str) -> str | None:
    """Return the character that `text` (the character itself, or `tab`, `comma`, ...) means; None if none."""
    sign = _WORDS.get(text.lower(), text)
    return sign if len(sign) == 1 and sign not in '"\r\n' else None


def find_dialect(sample: str, *, is_whole: bool, pinned: str | None = None) -> Dialect:
    """Return the dialect of a file that starts with `sample`; `is_whole` says that nothing follows it.

    `pinned` and then the file's own `sep=` line decide; else the sign with which most of the first 200 records have
    the same number of columns (quotes honoured), the widest where several do equally well.
    """
    sep = _SEP_LINE.match(sample)
    if pinned is not None:
        return Dialect(pinned, sep is not None)
    if sep is not None:
        return Dialect(sep[1], has_sep_line=True)
    scores = {sign: _score(_records(sample, sign, is_whole=is_whole)) for sign in CANDIDATES}
    best = max(CANDIDATES, key=lambda sign: scores[sign])
    return Dialect(best if scores[best] > 0 else NO_DELIMITER, has_sep_line=False)


def _records(sample: str, sign: str, *, is_whole: bool) -> list[list[str]]:
    csv.field_size_limit(len(sample) + 1)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=sign)
    try:
        records = list(itertools.islice(reader, _SAMPLED_RECORDS))
    except csv.Error:
        return []
    # The sample may end within a record.
    return records if is_whole or len(records) == _SAMPLED_RECORDS else records[:-1]


def _score(records: list[list[str]]) -> float:
    """Return 0 for a sign that makes no columns, else how well the records agree on their number."""
    filled = [record for record in records if any(cell and not cell.isspace() for cell in record)]
    if not filled:
        return 0
    width, count = max(Counter(map(len, filled)).items(), key=lambda pair: (pair[1], pair[0]))
    agreement = count / len(filled)
    if width < 2 or agreement < _LEAST_AGREEMENT or _is_prose(filled, width):
        return 0
    return agreement * (1 + min(width, 20) / 100)


def _is_prose(filled: list[list[str]], width: int) -> bool:
    """Whether the sign stands in sentences and names (`Kowalski, Jan`), not between cells."""
    cells = [cell for record in filled if len(record) == width for cell in record[1:]]
    return all(cell.startswith(" ") for cell in cells) and len(filled[0]) == 1
