"""Letters without their accents, as URLs and SALESmanago's tags have them. Latin letters only."""

from __future__ import annotations

import re
import unicodedata

# What Unicode does not take apart into a letter and an accent.
_WHOLE = str.maketrans(
    {
        "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H",
        "ŧ": "t", "Ŧ": "T", "ı": "i", "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
        "þ": "th", "Þ": "TH", "ŋ": "n", "Ŋ": "N", "ĸ": "k",
    }
)  # fmt: skip

_ACCENTS_ON_LATIN = re.compile("(?<=[A-Za-z])[\u0300-\u036f]+")


def fold_accents(text: str) -> str:
    """Return `text` with Latin letters reduced to A to Z: `Żółw` to `Zolw`, `Straße` to `Strasse`, `Ø` to `O`.

    Letters of other scripts keep theirs: `й` is not `и`.
    """
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text.translate(_WHOLE))
    return unicodedata.normalize("NFC", _ACCENTS_ON_LATIN.sub("", apart))
