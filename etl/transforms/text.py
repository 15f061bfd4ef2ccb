"""Text to text: white space, case, and what stands around or inside a value."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import text_series
from etl.transforms.arguments import Character, NonEmpty, Positive
from etl.transforms.columns import (
    EDGES,
    INVISIBLE,
    WHITE_SPACE,
    as_mask,
    by_unique,
    to_arrow,
)
from etl.transforms.folding import fold_accents
from etl.transforms.registry import Example, Outcome, transform

_SPACE = "".join(f"\\x{{{ord(character):x}}}" for character in WHITE_SPACE)
_WIDTHLESS = "".join(f"\\x{{{ord(character):x}}}" for character in INVISIBLE)
_RUN = f"[{_SPACE}](?:[{_SPACE}{_WIDTHLESS}]*[{_SPACE}])?"
_NEEDS_SQUEEZE = f"[{_SPACE}][{_SPACE}{_WIDTHLESS}]|[^\\P{{Z}} ]|[\\t-\\r\\x1c-\\x1f\\x{{85}}]"


@transform(example=Example({}, "\u00a0 Anna\u200b ", "Anna"))
def strip(text: pd.Series[str]) -> pd.Series[str]:
    """Trim white space and invisible characters at both ends."""
    return text_series(pc.utf8_trim(to_arrow(text), characters=EDGES), text.index)


@transform(example=Example({}, "  Anna \u00a0 Maria\tNowak ", "Anna Maria Nowak"))
def squeeze(text: pd.Series[str]) -> pd.Series[str]:
    """Trim white space at both ends, and make one space of any run of it inside."""
    trimmed = pc.utf8_trim(to_arrow(text), characters=EDGES)
    untidy = pc.match_substring_regex(trimmed, pattern=_NEEDS_SQUEEZE)
    if pc.any(untidy).as_py():
        tidied = pc.replace_substring_regex(trimmed.filter(untidy), pattern=_RUN, replacement=" ")
        trimmed = pc.replace_with_mask(trimmed, untidy, tidied)
    return text_series(trimmed, text.index)


@transform(example=Example({}, "Anna@EXAMPLE.com", "anna@example.com"))
def lower(text: pd.Series[str]) -> pd.Series[str]:
    """Write in small letters."""
    return text_series(pc.utf8_lower(to_arrow(text)), text.index)


@transform(example=(Example({}, "łódź", "ŁÓDŹ"), Example({}, "Straße", "STRASSE")))
def upper(text: pd.Series[str]) -> pd.Series[str]:
    """Write in capital letters."""
    # pyarrow makes ẞ of ß, which few people write.
    spelled = pc.replace_substring(to_arrow(text), pattern="ß", replacement="SS")
    return text_series(pc.utf8_upper(spelled), text.index)


@transform(
    example=(
        Example({}, "ŁUKASZ o'neill", "Łukasz O'Neill"),
        Example({}, "jean-luc d’artagnan", "Jean-Luc D’Artagnan"),
    )
)
def title(text: pd.Series[str]) -> pd.Series[str]:
    """Write every word with a capital at its start, as names have it.

    A hyphen starts a new word; an apostrophe does after one letter (O'Neill, but It's). Particles such as `von` and
    capitals inside a name (McDonald) are not known to it.
    """
    values = to_arrow(text)
    # pyarrow begins a word after every character that is no letter: wrong after digits, apostrophes and accents.
    hard = pc.match_substring_regex(values, pattern=r"[^A-Za-z0-9 ,./-]|[0-9][A-Za-z]")
    titled = pc.utf8_title(values)
    if pc.any(hard).as_py():
        by_word = by_unique(text_series(values.filter(hard)), _title)
        titled = pc.replace_with_mask(titled, hard, to_arrow(by_word))
    return text_series(titled, text.index)


@transform(example=Example({"old": "-", "new": ""}, "00-950", "00950"))
def replace(text: pd.Series[str], *, old: NonEmpty, new: str = "") -> pd.Series[str]:
    """Replace every `old` (plain text, capitals as written) by `new`, or remove it."""
    return text_series(pc.replace_substring(to_arrow(text), pattern=old, replacement=new), text.index)


def _check_concat(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    if not arguments.get("prefix") and not arguments.get("suffix"):
        yield "`concat` needs a 'prefix' or a 'suffix'"


@transform(
    sees_blanks=True,
    check=_check_concat,
    example=(
        Example({"prefix": "PL", "suffix": "!"}, "123", "PL123!"),
        Example({"prefix": "shop-"}, "", "shop-"),
    ),
)
def concat(text: pd.Series[str], *, prefix: str = "", suffix: str = "") -> pd.Series[str]:
    """Put fixed text before and after the value; a blank cell becomes the fixed text alone."""
    joined = pc.binary_join_element_wise(
        *(pa.scalar(prefix, pa.large_string()), to_arrow(text), pa.scalar(suffix, pa.large_string())),
        pa.scalar("", pa.large_string()),
    )
    return text_series(joined, text.index)


@transform(example=Example({"length": "5"}, "abcdefgh", "abcde"))
def truncate(text: pd.Series[str], *, length: Positive) -> pd.Series[str]:
    """Cut the value to at most `length` characters, never between a letter and its accent or inside a joined emoji."""
    values = to_arrow(text)
    cut = pc.utf8_slice_codeunits(values, start=0, stop=length)
    hard = pc.and_(pc.invert(pc.string_is_ascii(values)), pc.greater(pc.utf8_length(values), length))
    if pc.any(hard).as_py():
        by_hand = by_unique(text_series(values.filter(hard)), lambda value: _cut(value, length))
        cut = pc.replace_with_mask(cut, hard, to_arrow(by_hand))
    return text_series(cut, text.index)


@transform(code="no-match", example=Example({}, "PL 526-10-40-828", "5261040828"))
def digits(text: pd.Series[str]) -> Outcome:
    """Keep the digits 0 to 9 alone; a value without any fails."""
    kept = pc.replace_substring_regex(to_arrow(text), pattern="[^0-9]+", replacement="")
    lost = as_mask(pc.and_(pc.equal(kept, ""), pc.not_equal(to_arrow(text), "")))
    return Outcome(text_series(kept, text.index), lost, detail="of digits")


@transform(example=Example({"width": "5"}, "950", "00950"))
def pad(text: pd.Series[str], *, width: Positive, fill: Character = "0") -> pd.Series[str]:
    """Fill up on the left to `width` characters, with `0` or another one; longer text stays as it is."""
    return text_series(pc.utf8_lpad(to_arrow(text), width=width, padding=fill), text.index)


@transform(example=Example({}, "Żółte buty, rozmiar 42!", "zolte-buty-rozmiar-42"))
def slug(text: pd.Series[str]) -> pd.Series[str]:
    """Write small letters and digits with `-` between the words, accents folded; letters of other scripts stay."""
    return by_unique(text, lambda value: _NOT_IN_A_SLUG.sub("-", fold_accents(value).lower()).strip("-"))


@transform(
    name="hash",
    example=(
        Example({}, "anna@example.com", "f7d54c22dda5b1780276601cd005909b70543fc4a6ba72d735b4cb9bbb611f01"),
        Example({"algorithm": "md5"}, "abc", "900150983cd24fb0d6963f7d28e17f72"),
    ),
)
def hash_(text: pd.Series[str], *, algorithm: Literal["sha256", "sha1", "md5"] = "sha256") -> pd.Series[str]:
    """Hash the text's UTF-8 bytes, in hexadecimal; the text as it stands, so trim and lower it before.

    A hash of an e-mail address is still personal data: whoever knows the address can compute it.
    """
    return by_unique(text, lambda value: hashlib.new(algorithm, value.encode(), usedforsecurity=False).hexdigest())


# Accents that stand as characters of their own belong to the word.
_WORD = re.compile("[^\\W_][\\w\u0300-\u036f]*")
_APOSTROPHES = "'’"
_NOT_IN_A_SLUG = re.compile(r"[\W_]+")


def _title(value: str) -> str:
    return _WORD.sub(_title_word, value)


def _title_word(match: re.Match[str]) -> str:
    word, text, start = match.group(), match.string, match.start()
    after_apostrophe = start > 0 and text[start - 1] in _APOSTROPHES
    # "O'Neill": one letter, itself the start of a word, before the apostrophe.
    one_letter = start > 1 and text[start - 2].isalpha() and (start == 2 or not text[start - 3].isalnum())
    inside = after_apostrophe and start > 1 and text[start - 2].isalnum() and not one_letter
    if inside:
        return word.lower()
    return word[0].title() + word[1:].lower()


def _cut(value: str, length: int) -> str:
    end = length
    while end > 0 and _belongs_to_the_one_before(value, end):
        end -= 1
    return value[: end or length]


def _belongs_to_the_one_before(value: str, place: int) -> bool:
    character = value[place]
    return (
        unicodedata.category(character).startswith("M")
        or character == "\u200d"
        or value[place - 1] == "\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
