"""Cells that a spreadsheet program has spoiled before anybody gave the file to us: 4.86E+10, #REF!, 1-Mar, JosÃ©.

Pure: a column in, the places of its spoiled cells out. Each cell is judged by itself, so the size of a chunk changes
nothing. A column without a suspicious byte costs a look at its bytes and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.damage.text import MANGLED, may_be_mangled, unmangled
from etl.records import Mask, Rows

MOST_IN_A_CELL = 32_767
"""UTF-16 units of a cell's text, as Excel's specifications and limits give them."""
ERROR_WORDS = (
    # English, also written by LibreOffice and Google Sheets; then as Excel writes them into a CSV in other languages.
    "#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#ERROR!", "#GETTING_DATA",
    "#BEZUG!", "#NV", "#WERT!", "#ZAHL!", "#ÜBERLAUF!",
    "#ADR!", "#N/D!", "#N/D", "#NAZWA?", "#ARG!", "#DZIEL/0!", "#ZERO!", "#LICZBA!", "#ROZLANIE!",
    "#NOM?", "#VALEUR!", "#NOMBRE!", "#NUL!",
    "#REFERENS!", "#SAKNAS!", "#NAMN?", "#VÄRDEFEL!", "#DIVISION/0!", "#SKÄRNING!", "#OGILTIGT!",
    "#¡REF!", "#¿NOMBRE?", "#¡VALOR!", "#¡DIV/0!", "#¡NULO!", "#¡NUM!",
    "#RIF!", "#NOME?", "#VALORE!", "#NULLO!",
)  # fmt: skip

_SCIENTIFIC = r"^[+-]?[0-9](?:[.,][0-9]+)?E\+[0-9]{2,3}$"
_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "sty", "lut", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru",
    "mär", "mrz", "mai", "okt", "dez",
    "janv", "févr", "mars", "avr", "juin", "juil", "août", "déc",
    "ene", "abr", "ago", "dic", "gen", "mag", "giu", "lug", "set", "ott",
)  # fmt: skip
_DAY_OF_MONTH = rf"(?i)^(?:[0-9]{{1,2}}[-. ]\s?({'|'.join(_MONTHS)})\.?|({'|'.join(_MONTHS)})\.?[-. ][0-9]{{1,2}})$"
_DAY_WORDS = frozenset((
    "date", "dates", "day", "days", "data", "daty", "dzień", "dzien", "datum", "tag", "tage", "dag", "dagar",
    "fecha", "día", "dia", "jour", "jours", "giorno", "mois", "mes", "mese", "month", "monat", "miesiąc", "miesiac",
    "månad", "birthday", "anniversaire",
))  # fmt: skip
_DAY_STEMS = (
    "birth",
    "urodz",
    "imienin",
    "rocznic",
    "geburt",
    "födel",
    "fodel",
    "namnsdag",
    "cumple",
    "nacim",
    "naiss",
    "anniv",
    "complean",
    "nascita",
    "termin",
)
_REPLACED = "\ufffd"
"""What programs write for a letter that their encoding does not have."""
_SHORTEST, _LONGEST = 5, 9
"""Bytes of a cell such as 1-Mar and 12. sept."""
_DIGIT_0, _DIGIT_9, _HYPHEN, _POINT, _SPACE = b"09-. "


@dataclass(frozen=True, slots=True)
class Damage:
    """Spoiled cells of one column, of one kind.

    `code`: of the issue; `places`: int64, ascending, in the chunk; `details`: one text for each place, or one for all.
    """

    code: str
    places: Rows
    details: list[str] | str = ""

    def only(self, keep: Mask) -> Damage:
        """Return the damage of the places for which `keep` (one bool per place) is true."""
        return Damage(self.code, self.places[keep], _kept(self.details, keep))

    def among(self, place_of: Rows) -> Damage:
        """Return the damage of the rows that are kept; `place_of`: int64, the new place of each row, -1 for none."""
        moved = place_of[self.places]
        keep = moved >= 0
        return Damage(self.code, moved[keep], _kept(self.details, keep))


Damages = Mapping[int, tuple[Damage, ...]]
"""What is spoiled, by the position of the column."""


def spoiled(cells: pd.DataFrame) -> dict[int, tuple[Damage, ...]]:
    """Return what is spoiled in `cells` (text, no missing values), by column; nothing for a column that is sound."""
    found = {}
    for position in cells.columns:
        damages = tuple(spoiled_in(cells[position]))
        if damages:
            found[int(position)] = damages
    return found


def spoiled_in(column: pd.Series[str]) -> Iterator[Damage]:
    """Yield the kinds of damage in one column, each with its cells."""
    text = arrow(column)
    offsets, content = _buffers(text)
    # One byte is found many times as quickly as two.
    if b"+" in content and b"E+" in content:
        yield from _matching(text, "scientific-number", _SCIENTIFIC)
    if b"#" in content:
        yield from _matching(text, "error-text", _error_pattern())
    if not content.isascii():
        if _REPLACED.encode() in content:
            yield Damage("letters-lost", _true(pc.match_substring(text, _REPLACED)))
        if may_be_mangled(content):
            yield from _mangled(text)
    lengths = np.diff(offsets)
    if len(lengths) and int(lengths.max()) >= MOST_IN_A_CELL:
        yield from _cut(text)
    if any(sign in content for sign in (b"-", b".", b" ")) and content.lower() != content.upper():
        yield from _months(text, content, offsets, lengths)


def speaks_of_days(*names: str) -> bool:
    """Whether a column's or a field's name says that dates stand there: `Urodziny`, `birth_date`, `Datum`."""
    for name in names:
        # A capital begins a word of a field's path: `birthDate`.
        folded = re.sub("(?<=[a-z])(?=[A-Z])", " ", name).casefold()
        if set(re.split(r"[\W_]+", folded)) & _DAY_WORDS or any(stem in folded for stem in _DAY_STEMS):
            return True
    return False


@lru_cache(maxsize=1)
def _error_pattern() -> str:
    return rf"(?i)^(?:{'|'.join(map(re.escape, sorted(ERROR_WORDS, key=len, reverse=True)))})$"


def _matching(text: pa.Array, code: str, pattern: str) -> Iterator[Damage]:
    trimmed = pc.utf8_trim_whitespace(text)
    places = _true(pc.match_substring_regex(trimmed, pattern))
    if len(places):
        yield Damage(code, places)


def _mangled(text: pa.Array) -> Iterator[Damage]:
    places = _true(pc.match_substring_regex(text, MANGLED))
    if not len(places):
        return
    encoded = text.take(pa.array(places)).dictionary_encode()
    mended = np.array([unmangled(value) for value in encoded.dictionary.to_pylist()], dtype=object)
    details = mended[encoded.indices.to_numpy(zero_copy_only=False)]
    sure = details != ""
    if sure.any():
        yield Damage("mojibake", places[sure], details[sure].tolist())


def _cut(text: pa.Array) -> Iterator[Damage]:
    longest = _true(pc.greater_equal(pc.binary_length(text), MOST_IN_A_CELL))
    units = [len(value.encode("utf-16-le")) // 2 for value in text.take(pa.array(longest)).to_pylist()]
    places = longest[np.array(units) == MOST_IN_A_CELL]
    if len(places):
        yield Damage("text-cut", places)


def _months(text: pa.Array, content: bytes, offsets: Rows, lengths: Rows) -> Iterator[Damage]:
    """Yield the cells that are a day and a month: the pattern is tried on short ones with one or two digits at an end.

    At the other end there is no digit, and a sign stands between: bytes tell that much of a whole column at once.
    """
    short = np.flatnonzero((lengths >= _SHORTEST) & (lengths <= _LONGEST))
    if not len(short):
        return
    data = np.frombuffer(content, dtype=np.uint8)
    first, last = offsets[short], offsets[short] + lengths[short] - 1
    at_first = _is_digit(data[first]) & (_is_sign(data[first + 1]) | _is_sign(data[first + 2]))
    at_last = _is_digit(data[last]) & (_is_sign(data[last - 1]) | _is_sign(data[last - 2]))
    candidates = short[(at_first & ~_is_digit(data[last])) | (at_last & ~_is_digit(data[first]))]
    if not len(candidates):
        return
    some = text.take(pa.array(candidates))
    hit = _true(pc.match_substring_regex(some, _DAY_OF_MONTH))
    if len(hit):
        yield Damage("month-for-size", candidates[hit].astype(np.int64))


def _is_digit(letters: Any) -> Any:
    return (letters >= _DIGIT_0) & (letters <= _DIGIT_9)


def _is_sign(letters: Any) -> Any:
    return (letters == _HYPHEN) | (letters == _POINT) | (letters == _SPACE)


def _kept(details: list[str] | str, keep: Mask) -> list[str] | str:
    if isinstance(details, str):
        return details
    return [detail for detail, is_kept in zip(details, keep.tolist(), strict=True) if is_kept]


def arrow(column: pd.Series[str]) -> pa.Array:
    """Return the cells of a column as one array of large strings."""
    values = pa.array(column.array)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values if pa.types.is_large_string(values.type) else values.cast(pa.large_string())


def _buffers(text: pa.Array) -> tuple[Rows, bytes]:
    """Return where each cell starts in the column's bytes (one more number than cells), and the bytes."""
    if not len(text):
        return np.zeros(1, dtype=np.int64), b""
    _, starts, content = text.buffers()
    offsets = np.frombuffer(starts, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    if content is None or first == last:
        return offsets - first, b""
    return offsets - first, content.slice(first, last - first).to_pybytes()


def _true(mask: Any) -> Rows:
    return np.flatnonzero(mask.to_numpy(zero_copy_only=False)).astype(np.int64)


def told_words(arguments: Mapping[str, Any] | Sequence[Any] | str) -> Iterator[str]:
    """Yield every text in a transform's arguments: a cell that a mapping names there is no surprise to it."""
    if isinstance(arguments, str):
        yield arguments
    elif isinstance(arguments, Mapping):
        for key, value in arguments.items():
            yield str(key)
            yield from told_words(value)
    elif isinstance(arguments, Sequence):
        for value in arguments:
            yield from told_words(value)
