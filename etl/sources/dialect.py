"""How a text file is written: what separates its columns, what stands around its cells. Pure: text in, dialect out."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass

from etl.sources.header import is_remark

CANDIDATES = ",;\t|"
RARE_CANDIDATES = "\x1f^~¦§:"
"""Taken only where all records agree on them, and the usual ones make no columns of the first record."""
NO_DELIMITER = "\x1d"
"""Stands for "one column": the group separator, which no table in text form holds by accident."""

_SAMPLED_RECORDS = 200
_LEAST_AGREEMENT = 0.3
_RARE_AGREEMENT = 0.95
_SEP_LINE = re.compile(r'"?sep=([^"\r\n\0])"?[,;\t|]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_NAMES = {
    ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", ":": "colon", "^": "caret", "~": "tilde",
    "\x1f": "unit separator", NO_DELIMITER: "none (one column)",
}  # fmt: skip
_WORDS = {name: sign for sign, name in _NAMES.items() if sign != NO_DELIMITER} | {"\\t": "\t", "\\x1f": "\x1f"}
_QUOTED_TEXT = re.compile(r'"[^"]*"')
_ESCAPED = re.compile(r'\\([\\"])')


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""`delimiter`, `quote`: one character each; `has_sep_line`: whether the first line only names it (`sep=;`).

    `is_escaped`: a quote inside of a cell is written `\"` (and `\\` stands for one backslash), not `""`.
    """

    delimiter: str
    has_sep_line: bool
    quote: str = '"'
    is_escaped: bool = False

    @property
    def name(self) -> str:
        """The delimiter's name for people."""
        return _NAMES.get(self.delimiter, self.delimiter)

    @property
    def quoting(self) -> str:
        """What stands around cells, for people."""
        if self.is_escaped:
            return 'double quotes, escaped as \\"'
        return "single quotes" if self.quote == "'" else "double quotes"

    def doubled(self, line: str) -> str:
        r"""Return a line of an escaped dialect as the others write it: `\"` becomes `""`, and `\\` one backslash."""
        return _ESCAPED.sub(_doubled, line) if "\\" in line else line


def delimiter_of(text: str) -> str | None:
    """Return the character that `text` (the character itself, or `tab`, `comma`, ...) means; None if none."""
    sign = _WORDS.get(text.lower(), text)
    return sign if len(sign) == 1 and sign not in '"\r\n\0' else None


def line_ends(sample: str) -> str:
    """Return how the lines of `sample` end, outside of quoted cells: `CRLF`, `LF`, `CR`, `mixed`, or `` for none."""
    bare = _QUOTED_TEXT.sub("", sample).removesuffix("\r")
    both = bare.count("\r\n")
    counts = {"CRLF": both, "LF": bare.count("\n") - both, "CR": bare.count("\r") - both}
    found = [name for name, count in counts.items() if count]
    return found[0] if len(found) == 1 else ("mixed" if found else "")


def find_dialect(sample: str, *, is_whole: bool, pinned: str | None = None) -> Dialect:
    """Return the dialect of a file that starts with `sample`; `is_whole` says that nothing follows it.

    `pinned` and then the file's own `sep=` line decide; else the sign with which most of the first 200 records have
    the same number of columns (quotes honoured), the widest where several do equally well. Single quotes and escaped
    ones are told where the sample is consistent in them.
    """
    sep = _SEP_LINE.match(sample)
    text = sample[sep.end() :] if sep else sample
    delimiter = pinned or (sep[1] if sep else None)
    is_escaped = '\\"' in text and _is_escaped(text)
    if is_escaped:
        text = _ESCAPED.sub(_doubled, text)
    if delimiter is not None:
        quote = "'" if _is_single_quoted(text, delimiter) else '"'
        return Dialect(delimiter, sep is not None, quote, is_escaped)
    for sign in CANDIDATES:
        if _is_single_quoted(text, sign) and _score(_records(text, sign, is_whole=is_whole, quote="'")) > 0:
            return Dialect(sign, has_sep_line=False, quote="'")
    return Dialect(_delimiter(text, is_whole=is_whole), has_sep_line=False, is_escaped=is_escaped)


def _delimiter(text: str, *, is_whole: bool) -> str:
    records = {sign: _records(text, sign, is_whole=is_whole) for sign in CANDIDATES}
    scores = {sign: _score(found) for sign, found in records.items()}
    best = max(CANDIDATES, key=lambda sign: scores[sign])
    if scores[best] > 0 and len(_filled(records[best])[0]) > 1:
        return best
    for sign in RARE_CANDIDATES:
        if sign in text and _agrees(_records(text, sign, is_whole=is_whole)):
            return sign
    if scores[best] > 0:
        return best
    # Separators alone make blank rows, not names of one column.
    is_blank = not text.strip(CANDIDATES + " \r\n")
    return next((sign for sign in CANDIDATES if sign in text), NO_DELIMITER) if is_blank else NO_DELIMITER


def _doubled(hit: re.Match[str]) -> str:
    return '""' if hit[1] == '"' else "\\"


def _is_escaped(text: str) -> bool:
    r"""Whether quotes inside of cells are written `\"`, and never `""`: with the latter, `\` is a sign as any other."""
    inside = r'[^\n\r,;\t|:^~"]'
    return re.search(rf'\\"{inside}', text) is not None and re.search(rf'{inside}(?<!\\)""+{inside}', text) is None


def _is_single_quoted(text: str, sign: str) -> bool:
    """Whether cells stand in single quotes: as many open as close, in most lines, the first filled one included."""
    lines = [line for line in re.split(r"\r\n|\r|\n", text)[:_SAMPLED_RECORDS] if line.strip()]
    escaped = re.escape(sign)
    if not lines or "'" not in lines[0] or re.search(rf'(?:^|{escaped})"', text, re.MULTILINE):
        return False
    opened, closed = re.compile(rf"(?:^|{escaped})'"), re.compile(rf"'(?:$|{escaped})")
    pairs = [(len(opened.findall(line)), len(closed.findall(line))) for line in lines]
    if not pairs[0][0]:
        return False
    return sum(pair[0] for pair in pairs) == sum(pair[1] for pair in pairs) and all(o or c for o, c in pairs)


def _records(sample: str, sign: str, *, is_whole: bool, quote: str = '"') -> list[list[str]]:
    csv.field_size_limit(len(sample) + 1)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=sign, quotechar=quote)
    try:
        records = list(itertools.islice(reader, _SAMPLED_RECORDS))
    except csv.Error:
        return []
    # The sample may end within a record.
    return records if is_whole or len(records) == _SAMPLED_RECORDS else records[:-1]


def _filled(records: list[list[str]]) -> list[list[str]]:
    """Return the records that hold anything, without the remarks, unless there is nothing else."""
    filled = [record for record in records if any(cell and not cell.isspace() for cell in record)]
    return [record for record in filled if not is_remark(record[0])] or filled


def _score(records: list[list[str]]) -> float:
    """Return 0 for a sign that makes no columns, else how well the records agree on their number."""
    filled = _filled(records)
    if not filled:
        return 0
    width, count = max(Counter(map(len, filled)).items(), key=lambda pair: (pair[1], pair[0]))
    agreement = count / len(filled)
    if width < 2 or agreement < _LEAST_AGREEMENT or _is_prose(filled, width):
        return 0
    return agreement * (1 + min(width, 20) / 100)


def _agrees(records: list[list[str]]) -> bool:
    """Whether nearly all records, the first one and at least two, have the columns that a rare sign makes."""
    filled = _filled(records)
    if len(filled) < 2 or len(filled[0]) < 2:
        return False
    width = len(filled[0])
    agreement = sum(len(record) == width for record in filled) / len(filled)
    return agreement >= _RARE_AGREEMENT and not _is_spaced(filled, width) and not _are_times(filled)


def _are_times(filled: list[list[str]]) -> bool:
    """Whether what stands between the signs is digits alone in the first record too (times), or starts with //."""
    return all(cell.strip().isdigit() for cell in filled[0]) or any(cell.startswith("//") for cell in filled[0])


def _is_prose(filled: list[list[str]], width: int) -> bool:
    """Whether the sign stands in sentences and names (`Kowalski, Jan`), not between cells."""
    return len(filled[0]) == 1 and _is_spaced(filled, width)


def _is_spaced(filled: list[list[str]], width: int) -> bool:
    return all(cell.startswith(" ") for record in filled if len(record) == width for cell in record[1:])
