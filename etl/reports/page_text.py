"""Texts of cells as a page shows them: cut, with what cannot be seen made visible, and never a formula when copied."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from etl.reports.cells import inert

VALUE_SHOWN = 160
"""Characters of a cell that the page shows."""
MESSAGE_SHOWN = 240
"""Characters of a message that the page shows."""

_HARMLESS = re.compile(r"[+-][0-9][0-9 ()./,-]*|@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_UNSEEN = {
    # Signs that turn the reading direction may dress a text up as another one.
    **{code: f"⟨U+{code:04X}⟩" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    **{code: f"⟨U+{code:04X}⟩" for code in (0xAD, 0x200B, 0x2060, 0xFEFF, 0x2028, 0x2029, *range(0x80, 0xA0))},
    **{code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)},
    0x7F: "␡",
}


def cut(text: str, characters: int) -> str:
    """Return at most so many characters of `text`, the last of them an ellipsis where some are left out."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def visible(text: str, characters: int = VALUE_SHOWN) -> str:
    """Return a text as it can be read, cut: control and direction signs have a visible form."""
    return cut(text, characters).translate(_UNSEEN)


def cells(texts: Sequence[str], characters: int = VALUE_SHOWN) -> list[str]:
    """Return the texts of cells as they are shown: cut, visible, inert.

    A plain number, a phone number and a domain behind its @ keep their sign: in a sheet they do nothing.
    """
    guarded = inert(pa.array(texts, pa.string())).to_pylist()
    return [
        visible(text if _HARMLESS.fullmatch(text) else safe, characters)
        for text, safe in zip(texts, guarded, strict=True)
    ]


def messages(texts: Sequence[str]) -> list[str]:
    """Return messages as they are shown. One that begins with a quoted value is no formula: it has its quote."""
    return [
        visible(text, MESSAGE_SHOWN) if text.startswith("'") else safe
        for text, safe in zip(texts, cells(texts, MESSAGE_SHOWN), strict=True)
    ]
